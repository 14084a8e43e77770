//! `api_resources_list`: which kinds there are, and which clusters lack one. Answered from what agents pushed; no leg is sent.

mod columns;

use kubeplex_proto::sort::{Direction, KeyValue, RowKey};
#[cfg(test)]
use kubeplex_proto::visibility::Visibility;
use serde_json::Value;

use crate::error::CallError;
use crate::merge::{Answered, Coverage, GroupTable, Merged, ServedKind, kinds_coverage, served_kinds};
use crate::policy::Annotations;
use crate::render::{Groups, Nouns, Page, PageCursor, Place, PlacedRow, RenderContext, Rendered};
use crate::request::{Field, GroupBy, KindsQuery, Order, Request};
use crate::resolve::{self, Arguments, OwnColumns, Schema, Scope};

use super::clusters_list::Shown;
use super::no_column::{Known, no_column};
use super::schema::{clusters, listing, strict, text};
use super::{Class, Tool, mismatch};

pub(super) use columns::KindColumn;

const NAME: &str = "api_resources_list";
const NOUNS: Nouns<'_> = Nouns { shown: "kinds", kind: "kinds", lack: None };

pub(super) fn tool() -> Tool {
    let arguments = [clusters(text()), vec![("kind", text())], listing(text(), text())];
    Tool {
        name: NAME,
        title: "List kinds",
        description: "Kinds, groups, verbs, and where a kind is missing. For objects take resources_list.",
        annotations: Annotations::READ,
        class: Class::Fleet,
        schema: Schema::new(strict(arguments, &[])),
        plan,
        render,
    }
}

fn plan(arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    let columns = OwnColumns { check: &check, check_groups: &check_groups };
    resolve::api_resources(NAME, arguments, scope, &columns)
}

fn check(argument: &str, field: &Field) -> Result<(), CallError> {
    column(argument, field).map(|_| ())
}

fn column(argument: &str, field: &Field) -> Result<KindColumn, CallError> {
    let name = field.to_string();
    KindColumn::parse(&name).ok_or_else(|| {
        let columns = KindColumn::ALL.map(KindColumn::name);
        no_column(argument, &name, &Known { of: "kinds", columns: &columns, cluster_labels: false })
    })
}

/// A kind counts in each cluster that has it where groups are of clusters.
fn check_groups(by: &GroupBy) -> Result<(), CallError> {
    let of_kinds = |field: &&Field| !matches!(field, Field::Cluster | Field::ClusterLabel(_));
    by.keys.iter().filter(of_kinds).try_for_each(|field| check("groupBy", field))?;
    by.sums.iter().try_for_each(|word| match column("groupBy", &Field::Object(word.clone()))? {
        KindColumn::Clusters => Ok(()),
        other => Err(CallError::invalid(format!(
            "groupBy: sum({}) adds up what are no numbers; of kinds, clusters can be summed up",
            other.name()
        ))),
    })
}

fn render(merged: Merged<'_>, context: &RenderContext<'_>) -> Result<Rendered, CallError> {
    let Answered::Kinds(query, visibility) = merged.into_answered() else { return Err(mismatch()) };
    let kinds = served_kinds(query, visibility);
    let coverage = kinds_coverage(query, visibility, &kinds);
    coverage.suffices(query.options.min_coverage)?;
    match &query.page.group {
        Some(by) => groups(query, by, &kinds, &coverage, context),
        None => Ok(rows(query, kinds, &coverage, context)),
    }
}

fn rows(
    query: &KindsQuery,
    kinds: Vec<ServedKind<'_>>,
    coverage: &Coverage,
    context: &RenderContext<'_>,
) -> Rendered {
    let total = kinds.len() as u64;
    let columns = chosen(query, &kinds);
    let mut rows: Vec<(RowKey, ServedKind<'_>)> =
        kinds.into_iter().map(|kind| (key(query, &kind), kind)).collect();
    let directions: Vec<_> = terms(query).iter().map(|(_, direction)| *direction).collect();
    rows.sort_by(|(a, _), (b, _)| a.compare(b, &directions));
    if let Some(resume) = &query.page.resume {
        rows.retain(|(key, _)| resume.after.compare(key, &directions).is_lt());
    }
    let more = rows.len() > query.page.limit as usize;
    rows.truncate(query.page.limit as usize);
    let cells = |kind: &ServedKind<'_>| columns.iter().map(|column| column.cell(query, kind)).collect();
    let page = Page {
        columns: columns.iter().map(|column| column.name().to_owned()).collect(),
        rows: rows
            .iter()
            .map(|(_, kind)| PlacedRow { place: Place::default(), cells: cells(kind) })
            .collect(),
        more,
        total,
        status_counts: &serde_json::Map::new(),
        search: None,
        coverage,
        nouns: NOUNS,
        options: &query.options,
    };
    page.render(&PageCursor { fingerprint: &query.page.fingerprint, context }, |at| &rows[at].0)
}

/// Without a choice the usual ones, and those in which some kind has something to say.
fn chosen(query: &KindsQuery, kinds: &[ServedKind<'_>]) -> Vec<KindColumn> {
    if !query.page.fields.is_empty() {
        let columns = query.page.fields.iter().filter_map(|field| KindColumn::parse(&field.to_string()));
        return columns.collect();
    }
    let says = |column: &KindColumn| match column.shown() {
        Shown::Always => true,
        Shown::InTrouble => kinds.iter().any(|kind| !column.cell(query, kind).is_null()),
        Shown::OnRequest => false,
    };
    KindColumn::ALL.into_iter().filter(says).collect()
}

fn terms(query: &KindsQuery) -> Vec<(KindColumn, Direction)> {
    match &query.page.order {
        Order::Usual => Vec::new(),
        Order::By(terms) => {
            let column = |field: &Field| KindColumn::parse(&field.to_string());
            terms.iter().filter_map(|term| Some((column(&term.field)?, term.direction))).collect()
        }
    }
}

/// Group and name end it.
fn key(query: &KindsQuery, kind: &ServedKind<'_>) -> RowKey {
    RowKey {
        values: terms(query).into_iter().map(|(column, _)| column.sort_value(query, kind)).collect(),
        namespace: kind.info.id.group.clone(),
        name: kind.info.id.resource.clone(),
        uid: String::new(),
    }
}

fn groups(
    query: &KindsQuery,
    by: &GroupBy,
    kinds: &[ServedKind<'_>],
    coverage: &Coverage,
    context: &RenderContext<'_>,
) -> Result<Rendered, CallError> {
    let of_clusters = by.keys.iter().any(|key| matches!(key, Field::Cluster | Field::ClusterLabel(_)));
    let mut table = GroupTable::new(by);
    for kind in kinds {
        let places: Vec<_> =
            if of_clusters { kind.served.iter().copied().map(Some).collect() } else { vec![None] };
        for place in places {
            let count = if of_clusters { 1 } else { kind.served.len() as i64 };
            let sums = vec![KeyValue::from_integer(count); by.sums.len()];
            let keys = by.keys.iter().map(|key| match (key, place) {
                (Field::Cluster, Some(leg)) => query.targets[leg.0].cluster.id.as_str().into(),
                (Field::ClusterLabel(label), Some(leg)) => {
                    query.targets[leg.0].cluster.labels.get(label).map(String::as_str).into()
                }
                (field, _) => KindColumn::parse(&field.to_string())
                    .map_or(Value::Null, |column| column.cell(query, kind)),
            });
            table.add(keys.collect(), 1, &sums);
        }
    }
    let groups = table.into_page(&query.page)?;
    let (page, options) = (&query.page, &query.options);
    Ok(Groups { by, page, options, groups, search: None, coverage, nouns: NOUNS }.render(context))
}

/// For the documentation's example and for tests, which see everything.
#[cfg(test)]
pub(super) fn everything() -> &'static Visibility {
    static EVERYTHING: std::sync::LazyLock<Visibility> = std::sync::LazyLock::new(Visibility::everything);
    &EVERYTHING
}

#[cfg(test)]
mod tests;
