//! `top`: what pods or nodes use, beside what they asked for.

use kubeplex_proto::column::CellFormat;
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::usage::{self, UsageColumn};
use serde_json::json;

use crate::error::CallError;
use crate::policy::Annotations;
use crate::request::{ALL_COLUMNS, Field, GroupBy, ListQuery, Request};
use crate::resolve::{self, Arguments, Schema, Scope};

use super::no_column::{Known, no_column};
use super::schema::{clusters, listing, strict, text};
use super::{Class, Tool, render_list};

const NAME: &str = "top";

/// Columns that the rows of every kind have.
const EVERYWHERE: [&str; 2] = ["namespace", "age"];

pub(super) fn tool() -> Tool {
    let objects = vec![
        ("namespace", text()),
        ("kind", json!({ "enum": ["pods", "nodes"] })),
        ("labelSelector", text()),
    ];
    let arguments = [clusters(text()), objects, listing(text(), text())];
    Tool {
        name: NAME,
        title: "Usage",
        description: "Usage beside requests and limits. For a verdict take cluster_health.",
        annotations: Annotations::READ,
        class: Class::Live,
        schema: Schema::new(strict(arguments, &[])),
        plan,
        render: render_list,
    }
}

fn plan(arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    resolve::usage(NAME, arguments, scope, &check)
}

/// A cluster without metrics has no agent that would refuse what there is not.
fn check(query: &ListQuery) -> Result<(), CallError> {
    let (kind, page) = (&query.kind, &query.page);
    match &page.group {
        Some(by) => check_groups(kind, by),
        None => {
            let shown = page.fields.iter().map(|field| ("fields", field));
            let sorted = page.order.fields().map(|field| ("sortBy", field));
            shown
                .filter(|(_, field)| **field != Field::Object(ALL_COLUMNS.to_owned()))
                .chain(sorted)
                .try_for_each(|(argument, field)| column(kind, argument, field).map(drop))
        }
    }
}

fn check_groups(kind: &GroupResource, by: &GroupBy) -> Result<(), CallError> {
    for key in &by.keys {
        let moves = matches!(key, Field::Object(word) if word.eq_ignore_ascii_case("age"));
        if moves || column(kind, "groupBy", key)?.is_some_and(|column| column.format == CellFormat::Age) {
            return Err(CallError::invalid(format!(
                "groupBy: \"{key}\" is the time since a moment, and differs from row to row"
            )));
        }
    }
    by.sums.iter().try_for_each(|word| {
        let field = Field::Object(word.clone());
        match column(kind, "groupBy", &field)? {
            Some(UsageColumn { format: CellFormat::Cpu | CellFormat::Memory, .. }) => Ok(()),
            None if is_path(word) => Ok(()),
            _ => Err(CallError::invalid(format!(
                "groupBy: sum({word}) adds up what are no amounts; {} can be summed up",
                amounts(kind).join(", ")
            ))),
        }
    })
}

/// `None` for what belongs to the cluster, for what every kind has, and for a path.
fn column(
    kind: &GroupResource,
    argument: &str,
    field: &Field,
) -> Result<Option<&'static UsageColumn>, CallError> {
    let Field::Object(word) = field else { return Ok(None) };
    let known = usage::find(kind, word);
    if known.is_some() || is_path(word) || EVERYWHERE.iter().any(|name| name.eq_ignore_ascii_case(word)) {
        return Ok(known);
    }
    let columns = usage::columns(kind).unwrap_or_default();
    let columns: Vec<_> = columns.iter().map(|column| column.name).chain(EVERYWHERE).collect();
    let of = format!("{} in top", kind.resource);
    Err(no_column(argument, word, &Known { of: &of, columns: &columns, cluster_labels: true }))
}

fn is_path(word: &str) -> bool {
    word.contains(['.', '['])
}

fn amounts(kind: &GroupResource) -> Vec<&'static str> {
    let columns = usage::columns(kind).unwrap_or_default().iter();
    let amounts = columns.filter(|column| matches!(column.format, CellFormat::Cpu | CellFormat::Memory));
    amounts.map(|column| column.name).collect()
}

#[cfg(test)]
mod tests;
