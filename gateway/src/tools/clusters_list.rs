//! `clusters_list`: the clusters themselves, unreachable ones too. Answered from what the gateway knows; no leg is sent.

mod columns;

use kubeplex_proto::sort::{KeyValue, RowKey, SortBy};
use kubeplex_proto::status::LegStatus;
use serde_json::Value;

use crate::error::CallError;
use crate::fleet::ClusterView;
use crate::merge::{Answered, Coverage, GroupTable, LegFailure, LegOutcome, Merged, RowsShown};
use crate::policy::Annotations;
use crate::render::{Groups, Nouns, Page, PageCursor, Place, PlacedRow, RenderContext, Rendered};
use crate::request::{ClustersQuery, Field, GroupBy, Request, Target};
use crate::resolve::{self, Arguments, OwnColumns, Schema, Scope};

use super::no_column::{Known, no_column};
use super::schema::{clusters, listing, strict, text};
use super::{Class, Tool, mismatch};

pub(super) use columns::{ClusterColumn, Shown};

const NOUNS: Nouns<'_> = Nouns { shown: "details", kind: "clusters", lack: None };

pub(super) fn tool() -> Tool {
    let arguments = [clusters(text()), listing(text(), text())];
    Tool {
        name: "clusters_list",
        title: "List clusters",
        description: "Clusters: version, nodes, link, data age; unreachable ones too. For their contents take resources_list.",
        annotations: Annotations::READ,
        class: Class::Fleet,
        schema: Schema::new(strict(arguments, &[])),
        plan,
        render,
    }
}

fn plan(arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    resolve::clusters(arguments, scope, &OwnColumns { check: &check, check_groups: &check_groups })
}

fn check(argument: &str, field: &Field) -> Result<(), CallError> {
    column(argument, field).map(|_| ())
}

fn column(argument: &str, field: &Field) -> Result<ClusterColumn, CallError> {
    match field {
        Field::Object(name) => ClusterColumn::parse(name).ok_or_else(|| unknown(argument, name)),
        Field::Namespace => Err(unknown(argument, "namespace")),
        Field::Cluster => Ok(ClusterColumn::Name),
        Field::ClusterLabel(label) => Ok(ClusterColumn::Label(label.clone())),
    }
}

fn check_groups(by: &GroupBy) -> Result<(), CallError> {
    for key in &by.keys {
        if let ClusterColumn::LinkAge | ClusterColumn::DataAge = column("groupBy", key)? {
            return Err(CallError::invalid(format!(
                "groupBy: \"{key}\" is the time since a moment, and differs from cluster to cluster"
            )));
        }
    }
    by.sums.iter().try_for_each(|word| match column("groupBy", &Field::Object(word.clone()))? {
        ClusterColumn::Nodes | ClusterColumn::Label(_) => Ok(()),
        other => Err(CallError::invalid(format!(
            "groupBy: sum({}) adds up what are no numbers; of clusters, nodes and labels can be summed up",
            other.name()
        ))),
    })
}

fn unknown(argument: &str, name: &str) -> CallError {
    let columns = ClusterColumn::ALL.map(|column| column.name());
    no_column(argument, name, &Known { of: "clusters", columns: &columns, cluster_labels: true })
}

fn render(merged: Merged<'_>, context: &RenderContext<'_>) -> Result<Rendered, CallError> {
    let Answered::Clusters(query) = merged.into_answered() else { return Err(mismatch()) };
    let mut rows: Vec<(RowKey, &Target)> =
        query.targets.iter().map(|target| (key(query, &target.cluster), target)).collect();
    let directions = query.page.order.directions();
    rows.sort_by(|(a, _), (b, _)| a.compare(b, &directions));
    if let Some(resume) = &query.page.resume {
        rows.retain(|(key, _)| resume.after.compare(key, &directions).is_lt());
    }
    let more = rows.len() > query.page.limit as usize;
    rows.truncate(query.page.limit as usize);

    let columns = chosen(query);
    let place = || Place::default();
    let cells = |cluster: &ClusterView| {
        columns.iter().map(|(_, column)| column.cell(cluster)).collect::<Vec<Value>>()
    };
    let coverage = Coverage { legs: query.targets.iter().map(outcome).collect() };
    coverage.suffices(query.options.min_coverage)?;
    if let Some(by) = &query.page.group {
        return groups(query, by, &coverage, context);
    }
    let page = Page {
        columns: columns.iter().map(|(name, _)| name.clone()).collect(),
        rows: rows
            .iter()
            .map(|(_, target)| PlacedRow { place: place(), cells: cells(&target.cluster) })
            .collect(),
        more,
        total: query.targets.len() as u64,
        status_counts: &serde_json::Map::new(),
        search: None,
        coverage: &coverage,
        nouns: NOUNS,
        options: &query.options,
    };
    let cursor = PageCursor { fingerprint: &query.page.fingerprint, context };
    Ok(page.render(&cursor, |at| &rows[at].0))
}

fn groups(
    query: &ClustersQuery,
    by: &GroupBy,
    coverage: &Coverage,
    context: &RenderContext<'_>,
) -> Result<Rendered, CallError> {
    let mut table = GroupTable::new(by);
    for target in &query.targets {
        let cluster = &target.cluster;
        let keys = by.keys.iter().map(|key| column("groupBy", key).map(|column| column.cell(cluster)));
        let amount = |word: &String| match ClusterColumn::parse(word).map(|column| column.sort_value(cluster))
        {
            Some(KeyValue::Number(nanos)) => KeyValue::Number(nanos),
            _ => KeyValue::Missing,
        };
        let sums: Vec<_> = by.sums.iter().map(amount).collect();
        table.add(keys.collect::<Result<_, _>>()?, 1, &sums);
    }
    let groups = table.into_page(&query.page)?;
    let (page, options) = (&query.page, &query.options);
    Ok(Groups { by, page, options, groups, search: None, coverage, nouns: NOUNS }.render(context))
}

/// The columns with their names; without a choice the usual ones, and those that some cluster has something to say in.
fn chosen(query: &ClustersQuery) -> Vec<(String, ClusterColumn)> {
    if query.page.fields.is_empty() {
        let says = |column: &ClusterColumn| match column.shown() {
            Shown::Always => true,
            Shown::InTrouble => query.targets.iter().any(|target| !column.cell(&target.cluster).is_null()),
            Shown::OnRequest => false,
        };
        return ClusterColumn::ALL
            .into_iter()
            .filter(says)
            .map(|column| (column.name().to_owned(), column))
            .collect();
    }
    let columns = query.page.fields.iter().filter_map(|field| match field {
        Field::Cluster => Some(("cluster".to_owned(), ClusterColumn::Name)),
        Field::ClusterLabel(label) => {
            Some((format!("cluster.labels.{label}"), ClusterColumn::Label(label.clone())))
        }
        Field::Object(name) => ClusterColumn::parse(name).map(|column| (name.clone(), column)),
        Field::Namespace => None,
    });
    columns.collect()
}

/// The key of a cluster in the order asked for; its name ends it.
fn key(query: &ClustersQuery, cluster: &ClusterView) -> RowKey {
    let values = query.page.order.terms(cluster).into_iter().map(|term| match term.by {
        SortBy::Constant(value) => value,
        SortBy::Field(name) => {
            ClusterColumn::parse(&name).map_or(KeyValue::Missing, |column| column.sort_value(cluster))
        }
    });
    RowKey {
        values: values.collect(),
        namespace: String::new(),
        name: cluster.id.to_string(),
        uid: String::new(),
    }
}

/// A cluster out of reach is shown as it was last heard of: its link by the gateway, all else by its agent. How old the data
/// is that agents hold, a column says for each.
fn outcome(target: &Target) -> LegOutcome {
    let cluster = &target.cluster;
    let outcome = match LegFailure::of_cluster(cluster) {
        None => LegOutcome::answered(cluster.id.clone(), LegStatus::Ok),
        Some(failure) => {
            let rows = if cluster.heard.is_some() { RowsShown::Old } else { RowsShown::None };
            // An agent that is heard, but not by its API server, reports what it knew.
            let as_of = if cluster.link.is_usable() { cluster.caches.oldest_proof() } else { cluster.heard };
            LegOutcome { as_of, ..LegOutcome::failed(cluster, failure, rows) }
        }
    };
    LegOutcome { heard: cluster.heard, ..outcome }
}

#[cfg(test)]
mod tests;
