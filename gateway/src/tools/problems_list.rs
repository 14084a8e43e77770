//! `problems_list`: what is wrong now and why, folded over replicas, namespaces and clusters.

mod columns;
mod next;

use kubeplex_proto::column::same_column;
use kubeplex_proto::problems::Problem;
use kubeplex_proto::sort::{Direction, KeyValue, RowKey};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::error::CallError;
use crate::merge::{Answered, FleetProblem, Gathered, GroupTable, Merged, fleet_problems};
use crate::policy::Annotations;
use crate::render::{Groups, Nouns, Page, PageCursor, Place, PlacedRow, RenderContext, Rendered, word};
use crate::request::{Field, GroupBy, Order, ProblemsQuery, Request};
use crate::resolve::{self, Arguments, OwnColumns, Schema, Scope};

use super::clusters_list::Shown;
use super::no_column::{Known, no_column};
use super::schema::{clusters, listing, strict, text, times};
use super::{Class, Tool, mismatch};

pub(super) use columns::ProblemColumn;
use columns::Reading;

const NAME: &str = "problems_list";
const NOUNS: Nouns<'_> = Nouns { shown: "problems", kind: "problems", lack: None };

/// Where nobody says: what is gravest, what is widest, what is newest.
const USUAL: [(ProblemColumn, Direction); 4] = [
    (ProblemColumn::Severity, Direction::Descending),
    (ProblemColumn::Clusters, Direction::Descending),
    (ProblemColumn::Objects, Direction::Descending),
    (ProblemColumn::FirstSeen, Direction::Ascending),
];

pub(super) fn tool() -> Tool {
    let objects = vec![
        ("namespace", text()),
        ("kind", text()),
        ("name", text()),
        ("severity", json!({ "enum": ["critical", "warning", "info"] })),
    ];
    let arguments = [clusters(text()), objects, times(), listing(text(), text())];
    Tool {
        name: NAME,
        title: "List problems",
        description: "What is wrong now and why, over clusters. For one object take resources_describe.",
        annotations: Annotations::READ,
        class: Class::Cached,
        schema: Schema::new(strict(arguments, &[])),
        plan,
        render,
    }
}

fn plan(arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    resolve::problems(NAME, arguments, scope, &OwnColumns { check: &check, check_groups: &check_groups })
}

fn check(argument: &str, field: &Field) -> Result<(), CallError> {
    match field {
        Field::Object(name) => column(argument, name).map(|_| ()),
        Field::Cluster | Field::ClusterLabel(_) | Field::Namespace => Ok(()),
    }
}

fn column(argument: &str, name: &str) -> Result<ProblemColumn, CallError> {
    ProblemColumn::parse(name).ok_or_else(|| {
        let columns = ProblemColumn::ALL.map(ProblemColumn::name);
        no_column(argument, name, &Known { of: "problems", columns: &columns, cluster_labels: true })
    })
}

fn check_groups(by: &GroupBy) -> Result<(), CallError> {
    for key in &by.keys {
        check("groupBy", key)?;
        if let Field::Object(name) = key
            && column("groupBy", name)?.moves()
        {
            return Err(CallError::invalid(format!(
                "groupBy: \"{key}\" is the time since a moment, and differs from problem to problem"
            )));
        }
    }
    by.sums.iter().try_for_each(|word| match column("groupBy", word)? {
        ProblemColumn::Objects | ProblemColumn::Clusters => Ok(()),
        other => Err(CallError::invalid(format!(
            "groupBy: sum({}) adds up what are no numbers; of problems, objects and clusters can be summed up",
            other.name()
        ))),
    })
}

fn render(merged: Merged<'_>, context: &RenderContext<'_>) -> Result<Rendered, CallError> {
    let Answered::Problems(query, gathered) = merged.into_answered() else { return Err(mismatch()) };
    let problems = fleet_problems(&gathered);
    match &query.page.group {
        Some(by) => groups(query, by, (&problems, &gathered), context),
        None => Ok(rows(query, problems, &gathered, context)),
    }
}

fn rows(
    query: &ProblemsQuery,
    problems: Vec<FleetProblem<'_>>,
    gathered: &Gathered<Problem>,
    context: &RenderContext<'_>,
) -> Rendered {
    let reading = Reading { query, now: context.now.steady };
    let (total, by_severity) = (problems.len() as u64, by_severity(&problems));
    let columns = chosen(reading, &problems);
    let terms = terms(&query.page.order);
    let directions: Vec<_> = terms.iter().map(|(_, direction)| *direction).collect();
    let mut rows: Vec<(RowKey, FleetProblem<'_>)> =
        problems.into_iter().map(|problem| (key(reading, &terms, &problem), problem)).collect();
    rows.sort_by(|(a, _), (b, _)| a.compare(b, &directions));
    if let Some(resume) = &query.page.resume {
        rows.retain(|(key, _)| resume.after.compare(key, &directions).is_lt());
    }
    let more = rows.len() > query.page.limit as usize;
    rows.truncate(query.page.limit as usize);
    let cells = |problem: &FleetProblem<'_>| -> Vec<Value> {
        columns.iter().map(|(_, field)| reading.cell(field, problem)).collect()
    };
    let page = Page {
        columns: columns.iter().map(|(name, _)| name.clone()).collect(),
        rows: rows
            .iter()
            .map(|(_, problem)| PlacedRow { place: Place::default(), cells: cells(problem) })
            .collect(),
        more,
        total,
        status_counts: &by_severity,
        search: None,
        coverage: &gathered.coverage,
        nouns: NOUNS,
        options: &query.options,
    };
    page.render(&PageCursor { fingerprint: &query.page.fingerprint, context }, |at| &rows[at].0)
}

fn by_severity(problems: &[FleetProblem<'_>]) -> Map<String, Value> {
    let mut counts: Map<String, Value> = Map::new();
    for problem in problems {
        let count = counts.entry(word(&problem.severity())).or_insert_with(|| 0.into());
        *count = (count.as_u64().unwrap_or_default() + 1).into();
    }
    counts
}

/// With their names; without a choice the usual ones, and those in which some problem has something to say.
fn chosen(reading: Reading<'_>, problems: &[FleetProblem<'_>]) -> Vec<(String, Field)> {
    let fields = &reading.query.page.fields;
    if !fields.is_empty() {
        let name = |field: &Field| match field {
            Field::Object(word) => {
                ProblemColumn::parse(word).map_or_else(|| word.clone(), |column| column.name().to_owned())
            }
            other => other.to_string(),
        };
        return fields.iter().map(|field| (name(field), field.clone())).collect();
    }
    let says = |column: &ProblemColumn| match column.shown() {
        Shown::Always => true,
        Shown::InTrouble => problems.iter().any(|problem| !column.cell(reading, problem).is_null()),
        Shown::OnRequest => false,
    };
    let columns = ProblemColumn::ALL.into_iter().filter(says);
    columns.map(|column| (column.name().to_owned(), Field::Object(column.name().to_owned()))).collect()
}

fn terms(order: &Order) -> Vec<(Field, Direction)> {
    match order {
        Order::Usual => {
            USUAL.map(|(column, direction)| (Field::Object(column.name().to_owned()), direction)).to_vec()
        }
        Order::By(terms) => terms.iter().map(|term| (term.field.clone(), term.direction)).collect(),
    }
}

/// What makes two problems two ends it.
fn key(reading: Reading<'_>, terms: &[(Field, Direction)], problem: &FleetProblem<'_>) -> RowKey {
    let (_, first) = problem.first();
    let same = (&first.cause, &first.message, first.subject.kind.to_string(), &first.subject.name);
    let digest = Sha256::digest(serde_json::to_vec(&same).unwrap_or_default());
    RowKey {
        values: terms.iter().map(|(field, _)| reading.sort_value(field, problem)).collect(),
        namespace: String::new(),
        name: first.cause.clone(),
        uid: digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// A problem counts once; where groups are of clusters or namespaces, once in each.
fn groups(
    query: &ProblemsQuery,
    by: &GroupBy,
    (problems, gathered): (&[FleetProblem<'_>], &Gathered<Problem>),
    context: &RenderContext<'_>,
) -> Result<Rendered, CallError> {
    let reading = Reading { query, now: context.now.steady };
    let is_of_places = |key: &Field| match key {
        Field::Cluster | Field::ClusterLabel(_) | Field::Namespace => true,
        Field::Object(word) => same_column(word, ProblemColumn::Clusters.name()),
    };
    let apart = by.keys.iter().any(is_of_places);
    let mut table = GroupTable::new(by);
    for problem in problems {
        let parts = if apart { problem.apart() } else { vec![problem.whole()] };
        for part in &parts {
            let sums: Vec<KeyValue> =
                by.sums.iter().map(|word| reading.sort_value(&Field::Object(word.clone()), part)).collect();
            table.add(by.keys.iter().map(|key| reading.cell(key, part)).collect(), 1, &sums);
        }
    }
    let groups = table.into_page(&query.page)?;
    let (page, options, coverage) = (&query.page, &query.options, &gathered.coverage);
    Ok(Groups { by, page, options, groups, search: None, coverage, nouns: NOUNS }.render(context))
}

#[cfg(test)]
pub(super) mod fixture;
#[cfg(test)]
mod tests;
