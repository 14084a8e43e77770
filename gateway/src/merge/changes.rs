//! One timeline of what changed in many clusters: by one clock, and with the same change of the same object told once.

use std::borrow::Cow;
use std::collections::HashMap;

use kubeplex_proto::changes::{Change, ChangesItem, Deed, FieldChange, Folded, Gap};
use kubeplex_proto::gather::GatherHead;
use kubeplex_proto::kind::GroupResource;

use crate::clock::Now;
use crate::request::LegId;

use super::{Gathered, Heard};

/// Clocks that differ by less are the same, as far as an answer on its way can tell; more is told in whole seconds.
const SAME_CLOCK_MS: i64 = 2_000;
const SECOND_MS: i64 = 1_000;

/// The same change in another cluster is told with the first while no more time lies between one and the next: fleets are
/// rolled out wave by wave.
const SAME_CHANGE_MS: i64 = 15 * 60_000;

/// What changed, in one cluster or alike in several.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TimelineRow<'a> {
    /// When it last happened, by the gateway's clock, in milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// Set where it was some time in between.
    pub(crate) after_ms: Option<i64>,
    /// In the order in which it happened there.
    pub(crate) legs: Vec<LegId>,
    /// As the first of them told it.
    pub(crate) change: &'a Change,
    /// What followed, in all of them.
    pub(crate) folded: Cow<'a, [Folded]>,
    /// How often, in the one in which it was most often.
    pub(crate) times: u32,
}

/// Everything that was told, the newest first.
#[derive(Debug, Default)]
pub(crate) struct Timeline<'a> {
    pub(crate) rows: Vec<TimelineRow<'a>>,
    /// By the gateway's clock.
    pub(crate) gaps: Vec<(LegId, Gap)>,
    /// Changes that agents counted and did not send.
    pub(crate) more: u64,
}

/// What makes two changes the same.
#[derive(PartialEq, Eq, Hash)]
struct Alike<'a> {
    object: (&'a GroupResource, Option<&'a str>, &'a str),
    deed: Deed,
    fields: &'a [FieldChange],
    by: Option<&'a str>,
    inferred: bool,
}

pub(crate) fn timeline(gathered: &Gathered<ChangesItem>, now: Now) -> Timeline<'_> {
    let mut timeline = Timeline::default();
    let mut told = vec![0_u64; gathered.heads.len()];
    let mut changes: Vec<TimelineRow<'_>> = Vec::new();
    for (leg, item) in &gathered.items {
        let ahead_ms =
            gathered.heads.get(leg.0).and_then(Option::as_ref).map_or(0, |heard| ahead_ms(heard, now));
        match item {
            ChangesItem::Change(change) => {
                told[leg.0] += 1;
                changes.push(TimelineRow {
                    at_ms: change.at_ms - ahead_ms,
                    after_ms: change.after_ms.map(|after| after - ahead_ms),
                    legs: vec![*leg],
                    change,
                    folded: Cow::Borrowed(&change.folded),
                    times: change.times,
                });
            }
            ChangesItem::Gap(gap) => {
                let (from_ms, to_ms) = (gap.from_ms.map(|from| from - ahead_ms), gap.to_ms - ahead_ms);
                timeline.gaps.push((*leg, Gap { from_ms, to_ms, ..gap.clone() }));
            }
        }
    }
    let unsent = gathered
        .heads
        .iter()
        .zip(told)
        .filter_map(|(head, told)| Some(head.as_ref()?.head.total.saturating_sub(told)));
    timeline.more = unsent.sum();
    timeline.rows = alike(changes);
    timeline
}

/// How far a cluster's clock is ahead of the gateway's.
fn ahead_ms(heard: &Heard<GatherHead>, now: Now) -> i64 {
    let ours_ms = now.since_1970_ms - i64::try_from(now.steady.since_ms(heard.at)).unwrap_or(0);
    let ahead = heard.head.cluster_now_ms - ours_ms;
    if ahead.abs() < SAME_CLOCK_MS { 0 } else { (ahead + SECOND_MS / 2).div_euclid(SECOND_MS) * SECOND_MS }
}

/// The newest first; the same changes of different clusters that are close in time together.
fn alike(mut changes: Vec<TimelineRow<'_>>) -> Vec<TimelineRow<'_>> {
    changes.sort_by(|a, b| a.at_ms.cmp(&b.at_ms).then_with(|| a.legs[0].cmp(&b.legs[0])));
    let mut rows: Vec<TimelineRow<'_>> = Vec::with_capacity(changes.len());
    let mut open: HashMap<Alike<'_>, usize> = HashMap::with_capacity(changes.len());
    for change in changes {
        let key = Alike::of(change.change);
        let known = open.get(&key).copied().filter(|at| {
            let row = &rows[*at];
            change.at_ms - row.at_ms <= SAME_CHANGE_MS && !row.legs.contains(&change.legs[0])
        });
        match known {
            Some(at) => rows[at].join(change),
            None => {
                open.insert(key, rows.len());
                rows.push(change);
            }
        }
    }
    rows.sort_by(|a, b| b.at_ms.cmp(&a.at_ms).then_with(|| a.legs[0].cmp(&b.legs[0])));
    rows
}

impl TimelineRow<'_> {
    fn join(&mut self, other: Self) {
        self.after_ms = match (self.after_ms, other.after_ms) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.at_ms = self.at_ms.max(other.at_ms);
        self.legs.extend(other.legs);
        for more in other.folded.iter() {
            add(self.folded.to_mut(), more);
        }
        self.times = self.times.max(other.times);
    }
}

fn add(folded: &mut Vec<Folded>, more: &Folded) {
    match folded.iter_mut().find(|known| known.kind == more.kind) {
        Some(known) => {
            known.created += more.created;
            known.deleted += more.deleted;
        }
        None => folded.push(more.clone()),
    }
}

impl<'a> Alike<'a> {
    fn of(change: &'a Change) -> Self {
        Self {
            object: (&change.kind, change.namespace.as_deref(), &change.name),
            deed: change.deed,
            fields: &change.fields,
            by: change.by.as_deref(),
            inferred: change.inferred,
        }
    }
}

#[cfg(test)]
#[path = "changes_tests.rs"]
mod tests;
