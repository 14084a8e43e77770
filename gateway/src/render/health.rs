//! A row a cluster: the worst first, those that are well folded where there are many.

use kubeplex_proto::health::{CapacityFacts, HealthFacts, Resources};
use kubeplex_proto::json_len::json_len;
use kubeplex_proto::status::LegStatus;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::escape::{escaped, one_line};
use crate::fleet::ClusterView;
use crate::health::{HealthThresholds, Look, Minor, Reason, Verdict, judge, newest, verdict};
use crate::merge::{Gathered, LegOutcome};
use crate::request::{HealthQuery, LegId};

use super::coverage::{CoverageContent, Nouns};
use super::{RenderContext, Rendered, is_false, plain};

const COLUMNS: [&str; 7] = ["cluster", "verdict", "version", "nodes", "cpu", "memory", "reasons"];

/// Of more clusters than this, those that are well are one row.
const FOLDED_ABOVE: usize = 10;

/// Reasons of one cluster; fewer where they do not fit.
const MOST_REASONS: usize = 8;

/// Clusters, or versions, named in the row of those that are well.
const MOST_NAMED: usize = 20;

#[derive(Serialize)]
struct HealthContent<'a> {
    columns: [&'static str; 7],
    groups: [Group; 1],
    total: usize,
    shown: usize,
    /// Clusters by their verdict, where rows were cut.
    #[serde(rename = "statusCounts", skip_serializing_if = "Map::is_empty")]
    status_counts: Map<String, Value>,
    clusters: &'a CoverageContent,
    #[serde(skip_serializing_if = "is_false")]
    partial: bool,
}

#[derive(Serialize)]
struct Group {
    rows: Vec<Vec<Value>>,
}

/// One cluster, judged.
struct Judged<'a> {
    view: &'a ClusterView,
    facts: Option<&'a HealthFacts>,
    verdict: Verdict,
    reasons: Vec<Reason>,
}

/// The reply to a [`HealthQuery`].
pub(crate) fn health(
    query: &HealthQuery,
    gathered: &Gathered<HealthFacts>,
    thresholds: &HealthThresholds,
    context: &RenderContext<'_>,
) -> Rendered {
    let max_bytes = query.options.max_bytes;
    let nouns = Nouns { shown: "facts", kind: "clusters", lack: None };
    let mut clusters = CoverageContent::new(&gathered.coverage, nouns, false, context.now);
    clusters.leave_room(max_bytes);
    let mut judged = judged(query, gathered, thresholds, context);
    judged.sort_by_key(|cluster| std::cmp::Reverse(cluster.verdict));
    let sheet = Sheet { judged: &judged, clusters: &clusters, partial: gathered.coverage.is_partial() };
    let fits = |content: &HealthContent<'_>| json_len(content) <= max_bytes;
    let reasons = (1..=MOST_REASONS).rev();
    let content = reasons.map(|most| sheet.content(most, judged.len())).find(fits);
    let content = content.unwrap_or_else(|| {
        let rows = (1..judged.len()).rev();
        let cut = rows.map(|rows| sheet.content(1, rows)).find(fits);
        cut.unwrap_or_else(|| sheet.content(1, 1))
    });
    Rendered { text: content.text(), structured: serde_json::to_value(&content).unwrap_or_default() }
}

fn judged<'a>(
    query: &'a HealthQuery,
    gathered: &'a Gathered<HealthFacts>,
    thresholds: &HealthThresholds,
    context: &RenderContext<'_>,
) -> Vec<Judged<'a>> {
    let versions = query.targets.iter().map(|target| target.cluster.report.kubernetes_version.as_str());
    let newest = newest(versions);
    let judged = query.targets.iter().enumerate().map(|(at, target)| {
        let facts = gathered.items.iter().find(|(leg, _)| *leg == LegId(at)).map(|(_, facts)| facts);
        let view = &*target.cluster;
        let look = look(view, facts, gathered, (at, newest), context);
        let reasons = judge(look, thresholds);
        Judged { view, facts, verdict: verdict(&reasons), reasons }
    });
    judged.collect()
}

fn look<'a>(
    view: &'a ClusterView,
    facts: Option<&'a HealthFacts>,
    gathered: &'a Gathered<HealthFacts>,
    (at, newest): (usize, Option<Minor>),
    context: &RenderContext<'_>,
) -> Look<'a> {
    let outcome: &LegOutcome = &gathered.coverage.legs[at];
    let why = || outcome.message.as_deref().unwrap_or("no reason was given");
    let head = gathered.heads[at].as_ref();
    let elapsed_ms = head.map(|heard| context.now.steady.since_ms(heard.at)).unwrap_or_default();
    let cluster_ms = head.map_or(context.now.since_1970_ms, |heard| heard.head.cluster_now_ms);
    Look {
        version: &view.report.kubernetes_version,
        failure: facts.is_none().then(why),
        facts,
        stale: (outcome.status == LegStatus::Stale).then(why),
        now_ms: cluster_ms.saturating_add_unsigned(elapsed_ms),
        clock_offset_ms: head.map(|heard| heard.head.clock_offset_ms).unwrap_or_default(),
        newest,
    }
}

/// Everything that is to be shown, as far as there is room.
struct Sheet<'a> {
    judged: &'a [Judged<'a>],
    clusters: &'a CoverageContent,
    partial: bool,
}

impl<'a> Sheet<'a> {
    /// At most so many reasons a cluster, and clusters.
    fn content(&self, reasons: usize, rows: usize) -> HealthContent<'a> {
        let is_folded = self.judged.len() > FOLDED_ABOVE;
        let alone = |cluster: &&Judged<'_>| !is_folded || cluster.verdict != Verdict::Healthy;
        let well = self.judged.iter().filter(|cluster| !alone(cluster)).collect::<Vec<_>>();
        let single = self.judged.iter().filter(alone).take(rows);
        let mut table: Vec<Vec<Value>> = single.map(|cluster| cluster.row(reasons)).collect();
        let mut shown = table.len();
        if !well.is_empty() && rows >= self.judged.len() - well.len() {
            table.push(folded(&well));
            shown += well.len();
        }
        let is_cut = shown < self.judged.len();
        HealthContent {
            columns: COLUMNS,
            groups: [Group { rows: table }],
            total: self.judged.len(),
            shown,
            status_counts: if is_cut { self.counts() } else { Map::new() },
            clusters: self.clusters,
            partial: self.partial,
        }
    }

    fn counts(&self) -> Map<String, Value> {
        let count =
            |verdict: Verdict| self.judged.iter().filter(|cluster| cluster.verdict == verdict).count();
        let counts =
            Verdict::WORST_FIRST.into_iter().map(|verdict| (verdict.as_str().to_owned(), count(verdict)));
        counts.filter(|(_, count)| *count > 0).map(|(verdict, count)| (verdict, count.into())).collect()
    }
}

impl Judged<'_> {
    fn row(&self, most: usize) -> Vec<Value> {
        let capacity = self.facts.and_then(|facts| facts.capacity.as_ref());
        let nodes = self.facts.and_then(|facts| facts.nodes.as_ref());
        vec![
            self.view.id.as_str().into(),
            self.verdict.as_str().into(),
            said(&self.view.report.kubernetes_version),
            nodes.map_or(Value::Null, |nodes| format!("{}/{}", nodes.ready, nodes.total).into()),
            capacity.map_or(Value::Null, |told| usage(told, |part| part.cpu_milli, processors)),
            capacity.map_or(Value::Null, |told| usage(told, |part| part.memory_bytes, gibibytes)),
            self.reasons(most),
        ]
    }

    fn reasons(&self, most: usize) -> Value {
        let mut reasons: Vec<Value> =
            self.reasons.iter().take(most).map(|reason| one_line(&reason.text).into()).collect();
        let more = self.reasons.len().saturating_sub(most);
        if more > 0 {
            reasons.push(format!("and {more} more").into());
        }
        escaped(Value::Array(reasons))
    }
}

/// All that are well in one row.
fn folded(well: &[&Judged<'_>]) -> Vec<Value> {
    let names: Vec<&str> = well.iter().map(|cluster| cluster.view.id.as_str()).collect();
    let mut versions: Vec<&str> =
        well.iter().map(|cluster| cluster.view.report.kubernetes_version.as_str()).collect();
    versions.sort_unstable();
    versions.dedup();
    let nodes = || well.iter().filter_map(|cluster| cluster.facts?.nodes.as_ref());
    let (ready, total) =
        nodes().fold((0, 0), |(ready, total), nodes| (ready + nodes.ready, total + nodes.total));
    vec![
        format!("{} clusters", well.len()).into(),
        Verdict::Healthy.as_str().into(),
        said(&some(&versions)),
        if total > 0 { format!("{ready}/{total}").into() } else { Value::Null },
        Value::Null,
        Value::Null,
        json!([some(&names)]),
    ]
}

fn some(names: &[&str]) -> String {
    let shown = names[..names.len().min(MOST_NAMED)].join(", ");
    let more = names.len().saturating_sub(MOST_NAMED);
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

fn said(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { one_line(text).into() }
}

/// `64% requested, 43% used of 96`.
fn usage(told: &CapacityFacts, part: fn(&Resources) -> u64, unit: fn(u64) -> String) -> Value {
    let whole = part(&told.allocatable);
    let of = |taken: &Option<Resources>, word: &str| {
        taken.as_ref().map(|taken| format!("{}% {word}", crate::health::percent(part(taken), whole)))
    };
    let taken: Vec<_> =
        [of(&told.requested, "requested"), of(&told.used, "used")].into_iter().flatten().collect();
    let whole = unit(whole);
    if taken.is_empty() { whole.into() } else { format!("{} of {whole}", taken.join(", ")).into() }
}

fn processors(milli: u64) -> String {
    if milli.is_multiple_of(1_000) {
        (milli / 1_000).to_string()
    } else {
        format!("{:.1}", milli as f64 / 1_000.0)
    }
}

fn gibibytes(bytes: u64) -> String {
    format!("{:.1}Gi", bytes as f64 / f64::from(1 << 30))
}

impl HealthContent<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        for row in &self.groups[0].rows {
            let cells = row.iter().take(COLUMNS.len() - 1).map(|cell| cell.as_str().unwrap_or("-"));
            text.push_str(&cells.collect::<Vec<_>>().join("\t"));
            text.push('\n');
            for reason in row.last().and_then(Value::as_array).into_iter().flatten() {
                text.push_str(&format!("  {}\n", reason.as_str().unwrap_or_default()));
            }
        }
        text.push_str(&format!("{} of {} clusters shown\n", self.shown, self.total));
        for (verdict, count) in &self.status_counts {
            text.push_str(&format!("{verdict}: {count}\n"));
        }
        plain::coverage(&mut text, self.clusters, self.partial);
        text
    }
}

#[cfg(test)]
mod tests;
