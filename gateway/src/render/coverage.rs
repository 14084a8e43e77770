//! Which clusters an answer covers, and what is wrong with the others.

mod named;

use std::collections::BTreeMap;

use kubeplex_proto::duration::human_duration;
use kubeplex_proto::json_len::json_len;
use kubeplex_proto::status::{LegStatus, Source};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::clock::{Now, Steady};
use crate::merge::{Coverage, LegOutcome, RowsShown};
use crate::request::ListQuery;

use super::{rfc3339, word};
use crate::escape::one_line;

use named::{More, Named};

/// Clusters whose matches are counted one by one where rows were cut.
const MAX_COUNTS: usize = 50;
/// Clusters told one by one of each sort: with a problem, without the kind, with a version of their own, and so on; of the
/// rest the number.
const MAX_PROBLEMS: usize = 20;
/// What counts, what problems, and what each list of clusters beside them may take of an answer, as divisors of its budget.
pub(super) const COUNTS_SHARE: usize = 8;
const PROBLEMS_SHARE: usize = 3;
const NAMED_SHARE: usize = 16;
/// A message comes from far away and is cut to this many characters.
const MAX_MESSAGE_CHARS: usize = 300;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CoverageContent {
    pub(crate) expected: usize,
    pub(crate) answered: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) age_ms: Option<u64>,
    /// Of what agents report of themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) heard_ms: Option<u64>,
    /// Where it is one and not the cache; else by cluster.
    #[serde(skip_serializing_if = "Sources::is_empty")]
    source: Sources,
    #[serde(skip_serializing_if = "More::is_empty")]
    more_sources: More,
    #[serde(skip_serializing_if = "Named::is_empty")]
    api_version: Named,
    #[serde(skip_serializing_if = "More::is_empty")]
    more_api_versions: More,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) counts: Map<String, Value>,
    /// Clusters that do not have the kind at all: they answered, and nothing is missing from them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) absent: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) problems: Vec<Problem>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) more_problems: BTreeMap<LegStatus, usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) rejoined: Vec<String>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) more_rejoined: usize,
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Sources {
    One(String),
    ByCluster(Named),
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Problem {
    pub(crate) cluster: String,
    pub(crate) status: LegStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<String>,
    rows_shown: &'static str,
    pub(crate) message: String,
}

/// What the answer is made of, for its messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nouns<'a> {
    /// `rows` or `objects`.
    pub(crate) shown: &'a str,
    /// `pods`.
    pub(crate) kind: &'a str,
    /// What a cluster lacks that is `absent`, where that is worth a sentence; else it is only named.
    pub(crate) lack: Option<&'a str>,
}

/// What of a cluster is missing that can't tell what anything uses.
const NO_METRICS: &str = "it has no metrics API (metrics.k8s.io): install metrics-server there";

impl<'a> Nouns<'a> {
    pub(crate) fn of_list(query: &'a ListQuery) -> Self {
        Self { shown: "rows", kind: &query.kind.resource, lack: query.usage.then_some(NO_METRICS) }
    }
}

impl CoverageContent {
    /// `cut`: whether rows were cut, so that the clusters' counts are worth their bytes.
    pub(crate) fn new(coverage: &Coverage, nouns: Nouns<'_>, cut: bool, now: Now) -> Self {
        let is_absent = |leg: &&LegOutcome| leg.status == LegStatus::Absent;
        let is_troubled = |leg: &&LegOutcome| {
            leg.status.worth_mention()
                || leg.rows == RowsShown::Partial
                || leg.leaves_objects_out()
                || nouns.lack.is_some() && is_absent(leg)
        };
        let troubled = || coverage.legs.iter().filter(is_troubled);
        let absent = || coverage.legs.iter().filter(is_absent).filter(|_| nouns.lack.is_none());
        let rejoined = || coverage.legs.iter().filter(|leg| leg.rejoined);
        let (source, more_sources) = sources(coverage);
        let (api_version, more_api_versions) = Named::new(api_versions(coverage), MAX_PROBLEMS);
        let heard = coverage.heard();
        let mut more_problems = BTreeMap::new();
        for leg in troubled().skip(MAX_PROBLEMS).chain(absent().skip(MAX_PROBLEMS)) {
            *more_problems.entry(leg.status).or_insert(0) += 1;
        }
        Self {
            expected: coverage.expected(),
            answered: coverage.answered(),
            age_ms: coverage.as_of().filter(|_| heard.is_none()).map(|as_of| now.steady.since_ms(as_of)),
            heard_ms: heard.map(|heard| now.steady.since_ms(heard)),
            source,
            more_sources,
            api_version,
            more_api_versions,
            counts: if cut && coverage.expected() > 1 { counts(coverage) } else { Map::new() },
            absent: absent().take(MAX_PROBLEMS).map(|leg| leg.cluster.to_string()).collect(),
            problems: troubled().take(MAX_PROBLEMS).map(|leg| Problem::new(leg, nouns, now)).collect(),
            more_problems,
            rejoined: rejoined().take(MAX_PROBLEMS).map(|leg| leg.cluster.to_string()).collect(),
            more_rejoined: rejoined().count().saturating_sub(MAX_PROBLEMS),
        }
    }

    /// Keeps to a share of an answer's budget, so that there is room for what was asked. The clusters with fewest matches
    /// go uncounted, and of the last problems only their number is told; the first always stays.
    pub(crate) fn leave_room(&mut self, max_bytes: usize) {
        let mut bytes = 0;
        let counts = std::mem::take(&mut self.counts).into_iter();
        let fits = |(cluster, count): &(String, Value)| {
            bytes += json_len(cluster) + json_len(count) + 2;
            bytes <= max_bytes / COUNTS_SHARE
        };
        self.counts = counts.take_while(fits).collect();
        while json_len(&self.absent) > max_bytes / COUNTS_SHARE && self.absent.pop().is_some() {
            *self.more_problems.entry(LegStatus::Absent).or_insert(0) += 1;
        }
        let share = max_bytes / NAMED_SHARE;
        self.api_version.fit(share, &mut self.more_api_versions);
        if let Sources::ByCluster(named) = &mut self.source {
            named.fit(share, &mut self.more_sources);
        }
        while json_len(&self.rejoined) > share && self.rejoined.pop().is_some() {
            self.more_rejoined += 1;
        }
        while self.problems.len() > 1 && json_len(&self.problems) > max_bytes / PROBLEMS_SHARE {
            if let Some(problem) = self.problems.pop() {
                *self.more_problems.entry(problem.status).or_insert(0) += 1;
            }
        }
    }
}

impl Problem {
    fn new(leg: &LegOutcome, nouns: Nouns<'_>, now: Now) -> Self {
        let since_ms = leg.since_ms.and_then(|ago| i64::try_from(ago).ok());
        Self {
            cluster: leg.cluster.to_string(),
            status: leg.status,
            since: since_ms.map(|ago| rfc3339(now.since_1970_ms.saturating_sub(ago))),
            rows_shown: match leg.rows {
                RowsShown::All if leg.leaves_objects_out() => "partial",
                RowsShown::All | RowsShown::None => "none",
                RowsShown::Old => "old",
                RowsShown::Partial => "partial",
            },
            message: message(leg, nouns, now.steady),
        }
    }
}

fn message(leg: &LegOutcome, nouns: Nouns<'_>, now: Steady) -> String {
    let lack = nouns.lack.filter(|_| leg.status == LegStatus::Absent);
    let reason = lack.or(leg.message.as_deref()).unwrap_or("no reason given");
    let reason: String = reason.chars().take(MAX_MESSAGE_CHARS).collect();
    let reason = one_line(reason.trim_end_matches('.'));
    let rows = nouns.shown;
    match leg.rows {
        RowsShown::All if leg.leaves_objects_out() => reason.into_owned(),
        RowsShown::All | RowsShown::None => {
            format!("{reason}: none of its {rows} are in this answer{}", last_known(leg, nouns))
        }
        RowsShown::Old => {
            let age = leg.as_of.and_then(|as_of| i64::try_from(now.since_ms(as_of)).ok()).map(human_duration);
            format!("{reason}: its {rows} are as of {} ago", age.as_deref().unwrap_or("some time"))
        }
        RowsShown::Partial => format!("{reason}: its {rows} after that are missing from this answer"),
    }
}

/// `; last known 412 pods, 3 problems`.
fn last_known(leg: &LegOutcome, nouns: Nouns<'_>) -> String {
    let objects = leg.last_known.map(|count| format!("{count} {}", nouns.kind));
    let problems = leg.last_known_problems.map(|count| match count {
        1 => "1 problem".to_owned(),
        count => format!("{count} problems"),
    });
    let known: Vec<String> = objects.into_iter().chain(problems).collect();
    if known.is_empty() { String::new() } else { format!("; last known {}", known.join(", ")) }
}

impl Sources {
    fn is_empty(&self) -> bool {
        matches!(self, Self::ByCluster(named) if named.is_empty())
    }
}

/// Where the answer is not from caches alone.
fn sources(coverage: &Coverage) -> (Sources, More) {
    let sources: Vec<_> = coverage.legs.iter().filter_map(|leg| Some((leg, leg.source?))).collect();
    let others: Vec<_> = sources.iter().filter(|(_, source)| *source != Source::Cache).collect();
    if let Some((_, first)) = others.first()
        && others.len() == sources.len()
        && others.iter().all(|(_, source)| source == first)
    {
        return (Sources::One(word(first)), More::new());
    }
    let words = others.iter().map(|(leg, source)| (leg.cluster.to_string(), word(source)));
    let (named, more) = Named::new(words.collect(), MAX_PROBLEMS);
    (Sources::ByCluster(named), more)
}

/// Where not all clusters that have the kind serve the same.
fn api_versions(coverage: &Coverage) -> Vec<(String, String)> {
    let versions = coverage.api_versions().into_iter().flatten();
    versions.map(|(cluster, version)| (cluster.to_owned(), one_line(version).into_owned())).collect()
}

pub(super) fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The clusters with most matches.
fn counts(coverage: &Coverage) -> Map<String, Value> {
    let mut counts: Vec<_> =
        coverage.legs.iter().filter_map(|leg| Some((leg.cluster.as_str(), leg.total?))).collect();
    counts.sort_by(|(a, more), (b, less)| less.cmp(more).then_with(|| a.cmp(b)));
    counts.into_iter().take(MAX_COUNTS).map(|(cluster, count)| (cluster.to_owned(), count.into())).collect()
}

#[cfg(test)]
mod tests;
