//! Rows of objects: grouped by cluster and namespace in the usual order, else with both as columns.

use std::collections::BTreeMap;

use kubeplex_proto::column::{CellFormat, Column, same_column};
use kubeplex_proto::duration::human_duration;
use kubeplex_proto::json_len::json_len;
use kubeplex_proto::quantity::{mebibytes, millicores, parse_quantity, parse_time_ms};
use serde_json::{Map, Value};

use crate::clock::Steady;
use crate::merge::{ListPage, PageClock, PageRow};
use crate::request::{Field, ListQuery, Order, Target};

use super::coverage::{COUNTS_SHARE, Nouns};
use super::page::PlacedRow;
use super::{Page, PageCursor, Place, RenderContext, Rendered};
use crate::escape::{escaped, one_line};

/// Values of the status column counted one by one.
const MAX_STATUSES: usize = 20;
/// Where a row belongs; every answer says it under these names.
const OF_A_ROW: [&str; 2] = ["cluster", "namespace"];
/// All other values; agents name theirs so, too.
const OTHERS: &str = "other";

/// The reply to a [`ListQuery`].
pub(crate) fn list(query: &ListQuery, page: &ListPage, context: &RenderContext<'_>) -> Rendered {
    let layout = Layout::new(query, page);
    let rows = page.rows.iter().map(|row| layout.row(row, context.now.steady)).collect();
    let fitted = Page {
        columns: layout.names(),
        rows,
        more: page.more,
        total: page.total,
        status_counts: &status_counts(&page.status_counts, query.options.max_bytes / COUNTS_SHARE),
        search: page.search.as_ref(),
        coverage: &page.coverage,
        nouns: Nouns::of_list(query),
        options: &query.options,
    };
    let cursor = PageCursor { fingerprint: &query.page.fingerprint, context };
    fitted.render(&cursor, |at| &page.rows[at].key)
}

/// The commonest values, as many as fit into so many bytes, and the others together: a column of free text must not push
/// the rows out.
fn status_counts(counts: &BTreeMap<String, u64>, max_bytes: usize) -> Map<String, Value> {
    let mut by_count: Vec<_> = counts.iter().collect();
    by_count.sort_by(|(a, more), (b, less)| less.cmp(more).then_with(|| a.cmp(b)));
    let mut shown = Map::new();
    let mut others = 0;
    let mut bytes = 2;
    for (at, (status, count)) in by_count.into_iter().enumerate() {
        let (status, value) = (one_line(status), Value::from(*count));
        bytes += json_len(&status) + json_len(&value) + 2;
        if at < MAX_STATUSES && status != OTHERS && (at == 0 || bytes <= max_bytes) {
            shown.insert(status.into_owned(), value);
        } else {
            others += count;
        }
    }
    if others > 0 {
        shown.insert(OTHERS.to_owned(), others.into());
    }
    shown
}

/// Where the parts of a row go.
struct Layout<'a> {
    query: &'a ListQuery,
    page: &'a ListPage,
    /// Whether the cluster's name stands in the group.
    groups_cluster: bool,
    groups_namespace: bool,
    columns: Vec<Shown>,
}

/// One column of the answer.
enum Shown {
    Cluster,
    ClusterLabel(String),
    Namespace,
    /// The place among the page's columns.
    Object(usize),
}

impl<'a> Layout<'a> {
    fn new(query: &'a ListQuery, page: &'a ListPage) -> Self {
        let usual = query.page.order == Order::Usual;
        let one_namespace = matches!(query.namespaces.as_slice(), [only] if only.literal().is_some());
        let groups_cluster = usual || query.targets.len() == 1;
        let groups_namespace = usual || one_namespace;
        let mut layout = Self { query, page, groups_cluster, groups_namespace, columns: Vec::new() };
        layout.choose_columns();
        layout
    }

    /// The fields asked for, or the kind's columns; cluster and namespace before them where no group says them.
    fn choose_columns(&mut self) {
        let fields = &self.query.page.fields;
        let mut chosen = Vec::new();
        if !self.groups_cluster && !fields.contains(&Field::Cluster) {
            chosen.push(Shown::Cluster);
        }
        if !self.groups_namespace && self.page.namespaced && !fields.contains(&Field::Namespace) {
            chosen.push(Shown::Namespace);
        }
        let mut objects = 0..self.page.columns.len();
        for field in fields {
            match field {
                Field::Cluster if self.groups_cluster => {}
                Field::Namespace if self.groups_namespace => {}
                Field::Cluster => chosen.push(Shown::Cluster),
                Field::Namespace => chosen.push(Shown::Namespace),
                Field::ClusterLabel(label) => chosen.push(Shown::ClusterLabel(label.clone())),
                Field::Object(_) => chosen.extend(objects.next().map(Shown::Object)),
            }
        }
        // Without a choice all columns of the kind; with one, an agent's columns beyond it are still shown.
        chosen.extend(objects.map(Shown::Object));
        self.columns = chosen;
    }

    /// Each once. What identifies a row keeps its name, also where a group says it; a kind's own column that is called the
    /// same, or like a column before it, stands as `column.NAME`.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let name = column.name(&self.page.columns);
            let is_taken = |name: &str| {
                let identity =
                    matches!(column, Shown::Object(_)) && OF_A_ROW.iter().any(|own| same_column(own, name));
                identity || names.iter().any(|known| same_column(known, name))
            };
            let others = (2..).map(|count| format!("column{count}.{name}"));
            let mut candidates = [name.clone(), format!("column.{name}")].into_iter().chain(others);
            let free = candidates.find(|name| !is_taken(name));
            names.push(free.unwrap_or(name));
        }
        names
    }

    fn row(&self, row: &PageRow, now: Steady) -> PlacedRow {
        let target = &self.query.targets[row.leg.0];
        let namespace = &row.key.namespace;
        let place = Place {
            date: None,
            cluster: self.groups_cluster.then(|| target.cluster.id.to_string()),
            namespace: (self.groups_namespace && !namespace.is_empty())
                .then(|| one_line(namespace).into_owned()),
        };
        PlacedRow {
            place,
            cells: self.columns.iter().map(|column| self.cell(column, row, target, now)).collect(),
        }
    }

    fn cell(&self, shown: &Shown, row: &PageRow, target: &Target, now: Steady) -> Value {
        match shown {
            Shown::Cluster => target.cluster.id.as_str().into(),
            Shown::ClusterLabel(label) => {
                target.cluster.labels.get(label).map_or(Value::Null, |value| value.as_str().into())
            }
            Shown::Namespace if row.key.namespace.is_empty() => Value::Null,
            Shown::Namespace => one_line(&row.key.namespace).into(),
            Shown::Object(at) => match self.page.columns[*at].format {
                CellFormat::Plain => escaped(row.cells[*at].clone()),
                CellFormat::Age => age(&row.cells[*at], self.page.clocks[row.leg.0], now),
                CellFormat::Cpu => quantity(&row.cells[*at], millicores),
                CellFormat::Memory => quantity(&row.cells[*at], mebibytes),
            },
        }
    }
}

impl Shown {
    fn name(&self, columns: &[Column]) -> String {
        match self {
            Self::Cluster => "cluster".to_owned(),
            Self::ClusterLabel(label) => format!("cluster.labels.{label}"),
            Self::Namespace => "namespace".to_owned(),
            Self::Object(at) => one_line(&columns[*at].name).into_owned(),
        }
    }
}

/// A quantity as people read it; what is none stays as it is.
fn quantity(cell: &Value, shown: fn(i128) -> String) -> Value {
    match cell.as_str().and_then(parse_quantity) {
        Some(nanos) => shown(nanos).into(),
        None => escaped(cell.clone()),
    }
}

fn age(moment: &Value, clock: Option<PageClock>, now: Steady) -> Value {
    age_ms(moment, clock, now).map_or_else(|| escaped(moment.clone()), |age| human_duration(age).into())
}

/// The time since a moment, by the cluster's clock; `None` for what is no moment.
pub(super) fn age_ms(moment: &Value, clock: Option<PageClock>, now: Steady) -> Option<i64> {
    let moment_ms = moment.as_i64().or_else(|| parse_time_ms(moment.as_str()?))?;
    let clock = clock?;
    let cluster_now_ms = clock.cluster_ms.saturating_add_unsigned(now.since_ms(clock.heard));
    Some(cluster_now_ms.saturating_sub(moment_ms))
}

#[cfg(test)]
mod tests;
