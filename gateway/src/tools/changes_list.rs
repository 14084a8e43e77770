//! `changes_list`: the flight recorder. One timeline over clusters and kinds.

mod columns;
mod gaps;

use kubeplex_proto::sort::{Direction, KeyValue, RowKey};
use serde_json::Value;

use crate::error::CallError;
use crate::merge::{Answered, Coverage, GroupTable, Merged, Timeline, TimelineRow, timeline};
use crate::policy::Annotations;
use crate::render::{
    Groups, Nouns, Page, PageCursor, Place, PlacedRow, RenderContext, Rendered, day_and_time,
};
use crate::request::{ChangesQuery, Field, GroupBy, Order, Output, Request};
use crate::resolve::{self, Arguments, OwnColumns, Schema, Scope};

use super::clusters_list::Shown;
use super::no_column::{Known, no_column};
use super::schema::{clusters, listing, strict, text, times};
use super::{Class, Tool, mismatch};

pub(super) use columns::ChangeColumn;

const NAME: &str = "changes_list";
const NOUNS: Nouns<'_> = Nouns { shown: "changes", kind: "changes", lack: None };

pub(super) fn tool() -> Tool {
    let objects = vec![("namespace", text()), ("kind", text()), ("name", text())];
    let moments = vec![("around", text()), ("window", text())];
    let arguments = [clusters(text()), objects, moments, times(), listing(text(), text())];
    Tool {
        name: NAME,
        title: "List changes",
        description: "Changes with time and author. For what is wrong now take problems_list.",
        annotations: Annotations::READ,
        class: Class::Cached,
        schema: Schema::new(strict(arguments, &[])),
        plan,
        render,
    }
}

fn plan(arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    let columns = OwnColumns { check: &check, check_groups: &check_groups };
    resolve::changes(NAME, arguments, scope, &columns)
}

fn check(argument: &str, field: &Field) -> Result<(), CallError> {
    if let Field::ClusterLabel(_) = field {
        return Err(unknown(argument, &field.to_string()));
    }
    let name = field.to_string();
    ChangeColumn::parse(&name).map(|_| ()).ok_or_else(|| unknown(argument, &name))
}

fn unknown(argument: &str, name: &str) -> CallError {
    let columns = ChangeColumn::ALL.map(ChangeColumn::name);
    no_column(argument, name, &Known { of: "changes", columns: &columns, cluster_labels: false })
}

fn check_groups(by: &GroupBy) -> Result<(), CallError> {
    let of_changes = |field: &&Field| !matches!(field, Field::ClusterLabel(_));
    by.keys.iter().filter(of_changes).try_for_each(|field| check("groupBy", field))?;
    match by.sums.first() {
        Some(word) => Err(CallError::invalid(format!(
            "groupBy: sum({word}) adds up what are no numbers; changes are counted, as in by,namespace"
        ))),
        None => Ok(()),
    }
}

fn render(merged: Merged<'_>, context: &RenderContext<'_>) -> Result<Rendered, CallError> {
    let Answered::Changes(query, gathered) = merged.into_answered() else { return Err(mismatch()) };
    let timeline = timeline(&gathered, context.now);
    let gaps = gaps::told(query, &timeline.gaps);
    let mut options = query.options;
    options.max_bytes = gaps.leave_room(options.max_bytes);
    let mut rendered = match &query.page.group {
        Some(by) => {
            let groups = grouped(query, by, &timeline.rows).into_page(&query.page)?;
            let (page, coverage) = (&query.page, &gathered.coverage);
            Groups { by, page, options: &options, groups, search: None, coverage, nouns: NOUNS }
                .render(context)
        }
        None => rows(query, timeline, &gathered.coverage, &options, context),
    };
    gaps.add_to(&mut rendered);
    Ok(rendered)
}

fn rows(
    query: &ChangesQuery,
    timeline: Timeline<'_>,
    coverage: &Coverage,
    options: &crate::request::CallOptions,
    context: &RenderContext<'_>,
) -> Rendered {
    let total = timeline.rows.len() as u64 + timeline.more;
    let columns = chosen(query, &timeline.rows);
    let terms = terms(query);
    let directions: Vec<_> = terms.iter().map(|(_, direction)| *direction).collect();
    let mut rows: Vec<(RowKey, TimelineRow<'_>)> =
        timeline.rows.into_iter().map(|row| (key(query, &terms, &row), row)).collect();
    rows.sort_by(|(a, _), (b, _)| a.compare(b, &directions));
    if let Some(resume) = &query.page.resume {
        rows.retain(|(key, _)| resume.after.compare(key, &directions).is_lt());
    }
    let more = rows.len() > query.page.limit as usize;
    rows.truncate(query.page.limit as usize);
    let by_day = by_day(query, &columns, &terms);
    let page = Page {
        columns: columns.iter().map(|column| column.name().to_owned()).collect(),
        rows: rows.iter().map(|(_, row)| placed(query, &columns, by_day, row)).collect(),
        more,
        total,
        status_counts: &serde_json::Map::new(),
        search: None,
        coverage,
        nouns: NOUNS,
        options,
    };
    page.render(&PageCursor { fingerprint: &query.page.fingerprint, context }, |at| &rows[at].0)
}

/// Whether rows of a day stand together, so that the day can stand once. A program finds whole times where it looks for them.
fn by_day(query: &ChangesQuery, columns: &[ChangeColumn], terms: &[(ChangeColumn, Direction)]) -> bool {
    let in_order = matches!(terms.first(), Some((ChangeColumn::Time, _)));
    in_order && columns.contains(&ChangeColumn::Time) && query.options.output == Output::Table
}

fn placed(query: &ChangesQuery, columns: &[ChangeColumn], by_day: bool, row: &TimelineRow<'_>) -> PlacedRow {
    let (day, time) = day_and_time(row.at_ms);
    let cells = columns.iter().map(|column| match column {
        ChangeColumn::Time if by_day => time.as_str().into(),
        column => column.cell(query, row),
    });
    PlacedRow { cells: cells.collect(), place: Place { date: by_day.then_some(day), ..Place::default() } }
}

/// Without a choice the usual ones, and those in which some change has something to say.
fn chosen(query: &ChangesQuery, rows: &[TimelineRow<'_>]) -> Vec<ChangeColumn> {
    if !query.page.fields.is_empty() {
        let columns = query.page.fields.iter().filter_map(|field| ChangeColumn::parse(&field.to_string()));
        return columns.collect();
    }
    let says = |column: &ChangeColumn| match column.shown() {
        Shown::Always => true,
        Shown::InTrouble => rows.iter().any(|row| !column.cell(query, row).is_null()),
        Shown::OnRequest => false,
    };
    ChangeColumn::ALL.into_iter().filter(says).collect()
}

/// The newest first where nobody says otherwise.
fn terms(query: &ChangesQuery) -> Vec<(ChangeColumn, Direction)> {
    match &query.page.order {
        Order::Usual => vec![(ChangeColumn::Time, Direction::Descending)],
        Order::By(terms) => {
            let column = |field: &Field| ChangeColumn::parse(&field.to_string());
            terms.iter().filter_map(|term| Some((column(&term.field)?, term.direction))).collect()
        }
    }
}

/// Object, cluster and moment end it.
fn key(query: &ChangesQuery, terms: &[(ChangeColumn, Direction)], row: &TimelineRow<'_>) -> RowKey {
    let values = terms.iter().map(|(column, _)| match column {
        ChangeColumn::Time => KeyValue::from_ms(row.at_ms),
        other => KeyValue::from_json(&other.cell(query, row)),
    });
    let cluster = query.targets[row.legs[0].0].cluster.id.as_str();
    RowKey {
        values: values.collect(),
        namespace: row.change.namespace.clone().unwrap_or_default(),
        name: format!("{}/{}", row.change.kind, row.change.name),
        uid: format!("{cluster} {} {:?}", row.at_ms, row.change.deed),
    }
}

/// A change counts in each cluster in which it happened where groups are of clusters.
fn grouped<'q>(query: &ChangesQuery, by: &'q GroupBy, rows: &[TimelineRow<'_>]) -> GroupTable<'q> {
    let of_clusters = by.keys.iter().any(|key| matches!(key, Field::Cluster | Field::ClusterLabel(_)));
    let mut table = GroupTable::new(by);
    for row in rows {
        let places = if of_clusters { row.legs.as_slice() } else { &row.legs[..1] };
        for leg in places {
            let cluster = &query.targets[leg.0].cluster;
            let keys = by.keys.iter().map(|key| match key {
                Field::Cluster => cluster.id.as_str().into(),
                Field::ClusterLabel(label) => cluster.labels.get(label).map(String::as_str).into(),
                field => ChangeColumn::parse(&field.to_string())
                    .map_or(Value::Null, |column| column.cell(query, row)),
            });
            table.add(keys.collect(), 1, &[]);
        }
    }
    table
}

#[cfg(test)]
mod tests;
