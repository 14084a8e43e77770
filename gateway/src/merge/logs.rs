//! Logs of many clusters as one, by the times of their lines.

use std::collections::HashMap;
use std::sync::Arc;

use kubeplex_proto::gather::{GatherEnd, GatherHead};
use kubeplex_proto::log::{LogItem, LogLine, LogOver, LogSource, PodName, keep_newest};
use kubeplex_proto::template::{Fold, Template};

use crate::error::{CallError, ErrorCode};
use crate::fleet::ClusterView;
use crate::limits::MAX_LOG_PODS;
use crate::request::{LegId, LogsQuery};

use super::{Coverage, Gather, Gathered, Heard, LegFailure};

/// Feeds in any order: `head` once a leg, then `item` as they come, then `finish`. Memory holds about twice the lines that fit
/// into the answer.
pub struct LogMerge {
    clusters: Vec<Arc<ClusterView>>,
    pods: Vec<Vec<PodName>>,
    /// What legs came to that were only asked for their pods.
    found: Coverage,
    legs: Gather<()>,
    origins: Vec<LogOrigin>,
    /// Their places, by what each leg calls them.
    places: HashMap<(LegId, u32), u32>,
    lines: Vec<LogLine>,
    bytes: usize,
    max_bytes: usize,
    fold: Fold,
    others: u64,
}

/// A container, and how reading it went.
#[derive(Debug, Clone, PartialEq)]
pub struct LogOrigin {
    pub leg: LegId,
    pub source: LogSource,
    pub over: LogOver,
}

/// Everything that was read.
#[derive(Debug, Clone)]
pub struct LogPage {
    pub origins: Vec<LogOrigin>,
    /// In the order of their times; [`LogLine::source`] is a place in `origins`.
    pub lines: Vec<LogLine>,
    /// The commonest first; their sources are places in `origins`.
    pub templates: Vec<Template>,
    /// Lines of no template.
    pub others: u64,
    /// How far clusters' clocks are ahead of the gateway's, in milliseconds, where that is known.
    pub offsets_ms: Vec<(LegId, i64)>,
    pub coverage: Coverage,
}

impl LogMerge {
    /// # Errors
    /// `not_found` where there is no such pod, `too_large` where there are too many to be read.
    pub fn new(query: &LogsQuery, found: Gathered<PodName>) -> Result<Self, CallError> {
        let total =
            |leg: LegId| found.heads[leg.0].as_ref().map_or(0, |heard: &Heard<GatherHead>| heard.head.total);
        let totals: Vec<u64> = (0..query.targets.len()).map(|at| total(LegId(at))).collect();
        let all: u64 = totals.iter().sum();
        if all > MAX_LOG_PODS as u64 {
            return Err(too_many(query, &totals, all));
        }
        let all_answered = found.coverage.answered() == found.coverage.expected();
        if all == 0 && all_answered && !found.coverage.is_partial() {
            return Err(none(query));
        }
        let mut pods = vec![Vec::new(); query.targets.len()];
        for (leg, pod) in found.items {
            pods[leg.0].push(pod);
        }
        Ok(Self {
            clusters: query.targets.iter().map(|target| Arc::clone(&target.cluster)).collect(),
            pods,
            found: found.coverage,
            legs: Gather::new(&query.targets),
            origins: Vec::new(),
            places: HashMap::new(),
            lines: Vec::new(),
            bytes: 0,
            max_bytes: query.options.max_bytes,
            fold: Fold::default(),
            others: 0,
        })
    }

    /// The pods of a leg that are to be read; none: it need not be asked again.
    pub fn pods(&self, leg: LegId) -> &[PodName] {
        &self.pods[leg.0]
    }

    pub fn head(&mut self, leg: LegId, heard: Heard<GatherHead>) {
        self.legs.head(leg, heard);
    }

    pub fn item(&mut self, leg: LegId, item: LogItem) {
        match item {
            LogItem::Source(source) => {
                let place = self.origins.len() as u32;
                self.places.insert((leg, source.id), place);
                let over = LogOver { id: place, ..LogOver::default() };
                self.origins.push(LogOrigin { leg, source, over });
            }
            LogItem::Lines(lines) => self.lines(leg, lines),
            LogItem::Over(told) => {
                if let Some(place) = self.places.get(&(leg, told.id)) {
                    let over = &mut self.origins[*place as usize].over;
                    *over = LogOver { id: *place, dropped: over.dropped + told.dropped, ..told };
                }
            }
            LogItem::Templates { templates, others } => {
                self.others += others;
                for template in templates {
                    let places = template.sources.iter().filter_map(|id| self.places.get(&(leg, *id)));
                    let sources = places.copied().collect();
                    self.fold.add(Template { sources, ..template });
                }
            }
        }
    }

    /// The leg is over. A leg that ends before its head has failed.
    pub fn finish(&mut self, leg: LegId, end: Result<GatherEnd, LegFailure>) {
        self.legs.finish(leg, end);
    }

    /// A line with whose it is, for who waits for the rest.
    pub fn tagged(&self, leg: LegId, line: &LogLine) -> String {
        let origin = self.places.get(&(leg, line.source)).map(|place| &self.origins[*place as usize]);
        let of = origin.map(|LogOrigin { source, .. }| format!("{}/{}", source.pod, source.container));
        format!("{}/{}: {}", self.clusters[leg.0].id, of.unwrap_or_default(), line.text)
    }

    /// # Errors
    /// Every leg failed.
    pub fn into_page(mut self) -> Result<LogPage, CallError> {
        self.keep_newest();
        let offsets_ms = self.legs.heads().filter_map(|(leg, heard)| Some((leg, offset_ms(heard?))));
        let offsets_ms = offsets_ms.collect();
        let read = self.legs.outcomes();
        let mut legs = self.found.legs;
        for (known, read) in legs.iter_mut().zip(read) {
            if let Some(read) = read {
                *known = read;
            }
        }
        // What one of its containers lacks, its cluster lacks.
        for origin in self.origins.iter().filter(|origin| origin.over.unread) {
            let outcome = &mut legs[origin.leg.0];
            if outcome.is_answered() && outcome.message.is_none() {
                outcome.message = Some(missing(origin));
            }
        }
        let coverage = Coverage { legs };
        if let Some(error) = coverage.failure() {
            return Err(error);
        }
        let (templates, others) = self.fold.into_templates();
        Ok(LogPage {
            origins: self.origins,
            lines: self.lines,
            templates,
            others: others + self.others,
            offsets_ms,
            coverage,
        })
    }

    fn lines(&mut self, leg: LegId, lines: Vec<LogLine>) {
        for mut line in lines {
            let Some(place) = self.places.get(&(leg, line.source)) else { continue };
            line.source = *place;
            self.bytes += line.weight();
            self.lines.push(line);
        }
        // Now and then, so that each line is looked at but a few times.
        if self.bytes > 2 * self.max_bytes {
            self.keep_newest();
        }
    }

    fn keep_newest(&mut self) {
        let origins = &mut self.origins;
        keep_newest(&mut self.lines, self.max_bytes, |line| {
            origins[line.source as usize].over.dropped += u64::from(!line.beside);
        });
        self.bytes = self.lines.iter().map(LogLine::weight).sum();
    }
}

/// The head was written a moment before it was heard, so this is a little less than it is.
fn offset_ms(heard: &Heard<GatherHead>) -> i64 {
    heard.head.cluster_now_ms.saturating_sub(heard.at.as_ms())
}

fn missing(origin: &LogOrigin) -> String {
    let LogSource { pod, container, .. } = &origin.source;
    let container = if container.is_empty() { String::new() } else { format!("/{container}") };
    format!("{pod}{container}: {}", origin.over.message.as_deref().unwrap_or("not all of it was read"))
}

fn asked(query: &LogsQuery) -> String {
    let names: Vec<_> = query.names.iter().map(|name| name.as_str()).collect();
    match names.as_slice() {
        [] => query.kind.to_string(),
        names => format!("{} \"{}\"", query.kind, names.join(",")),
    }
}

fn too_many(query: &LogsQuery, totals: &[u64], all: u64) -> CallError {
    let mut counts: Vec<_> = query.targets.iter().zip(totals).filter(|(_, count)| **count > 0).collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let shown: Vec<_> =
        counts.iter().take(10).map(|(target, count)| format!("{} {count}", target.cluster.id)).collect();
    let more = if counts.len() > shown.len() { ", …" } else { "" };
    let message = format!(
        "{} means {all} pods, and logs of {MAX_LOG_PODS} are read at most ({}{more})",
        asked(query),
        shown.join(", ")
    );
    CallError::new(ErrorCode::TooLarge, message)
        .with_hint("narrow name, labelSelector, namespace or cluster; pods_list shows which pods there are")
}

fn none(query: &LogsQuery) -> CallError {
    let pods = if query.kind.resource == "pods" { String::new() } else { "no pod of ".to_owned() };
    let place = match query.targets.as_slice() {
        [only] => format!("in {}", only.cluster.id),
        all => format!("in any of the {} clusters asked", all.len()),
    };
    let message = match pods.is_empty() {
        true => format!("there are no {} {place}", asked(query)),
        false => format!("there is {pods}{} {place}", asked(query)),
    };
    CallError::new(ErrorCode::NotFound, message).with_hint("pods_list shows the pods that there are")
}

#[cfg(test)]
mod tests;
