//! The flight recorder: what was created, changed and deleted in the cluster, by whom and when.
//!
//! The watches tell [`History`] of every object before and after ([`Witness`]); what is different ([`delta`]) becomes a
//! [`record`], which goes into a ring in memory and, where a directory is configured, on a disk. A [`question`] reads a span of
//! time from both, adds what objects still tell of the time before anybody recorded ([`inferred`]), keeps what the asked
//! objects are [`related`] to, and folds what followed from a change into it ([`fold`]).

mod delta;
mod fold;
mod gaps;
mod inferred;
mod merge_keys;
mod noise;
pub(crate) mod question;
mod recent;
mod record;
mod related;
mod ring;
mod seen;
mod stores;
mod workload;

use std::collections::HashMap;
use std::time::Duration;

use kubeplex_proto::changes::{Gap, GapReason};
use kubeplex_proto::kind::{GroupResource, KindInfo};
use kubeplex_proto::status::AgentError;
use parking_lot::Mutex;
use tokio::time::Instant;

use self::gaps::Gaps;
use self::recent::Recent;
use self::record::Record;
use self::ring::Ring;
use self::seen::Arrival;
use crate::clock::ClusterClock;
use crate::gauges;
use crate::query::ScanBudget;
use crate::watch::{Fate, Sighting, Way, Witness};

/// Changes that are read between two looks at the clock.
const READ_AT_ONCE: usize = 1_000;

/// First lists that end so long after the agent began are those of kinds that somebody asked for later.
const FIRST_LISTS: Duration = Duration::from_secs(60);

/// How far the times of changes that come at once may run ahead of the clock.
const AHEAD_MS: i64 = 500;

/// All that is recorded of one cluster.
pub(crate) struct History {
    clock: ClusterClock,
    started: Instant,
    state: Mutex<State>,
}

struct State {
    ring: Ring,
    gaps: Gaps,
    recent: Recent,
    kinds: HashMap<GroupResource, Known>,
    /// The time of the latest change.
    stamped_ms: i64,
}

/// How far a kind is known.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// When its first list was complete.
    since_ms: i64,
    /// When something was last told of it.
    told_ms: i64,
    /// Whether it was known soon after the agent began.
    from_start: bool,
}

/// What was recorded of a span of time.
struct Recorded {
    records: Vec<Record>,
    gaps: Vec<Gap>,
    /// Before that, nothing is recorded.
    from_ms: i64,
}

impl History {
    pub(crate) fn new(clock: ClusterClock, ring_bytes: usize) -> Self {
        let state = State {
            ring: Ring::new(ring_bytes),
            gaps: Gaps::default(),
            recent: Recent::default(),
            kinds: HashMap::new(),
            stamped_ms: 0,
        };
        Self { clock, started: Instant::now(), state: Mutex::new(state) }
    }

    /// What was recorded between two times, both included, in the order in which it came to be known.
    ///
    /// # Errors
    /// `timeout` when the budget is used up.
    fn read(&self, from_ms: i64, to_ms: i64, budget: &ScanBudget) -> Result<Recorded, AgentError> {
        let (entries, mut gaps, overrun_ms, recorded_from_ms) = {
            let state = self.state.lock();
            (
                state.ring.between(from_ms, to_ms),
                state.gaps.between(from_ms, to_ms),
                state.ring.overrun_ms(),
                self.recorded_from_ms(&state),
            )
        };
        let begins = |to_ms: i64, reason| Gap { from_ms: None, to_ms, kind: None, reason };
        match overrun_ms.filter(|overrun| *overrun >= from_ms) {
            Some(overrun) => gaps.push(begins(overrun, GapReason::Overrun)),
            None if recorded_from_ms > from_ms => gaps.push(begins(recorded_from_ms, GapReason::NotRecorded)),
            None => {}
        }
        let mut records = Vec::with_capacity(entries.len());
        for (at, json) in entries.iter().enumerate() {
            if at % READ_AT_ONCE == 0 {
                budget.check()?;
            }
            records.extend(ring::read(json));
        }
        Ok(Recorded { records, gaps, from_ms: recorded_from_ms })
    }

    /// When the kinds that are watched from the start were all known.
    fn recorded_from_ms(&self, state: &State) -> i64 {
        let first = state.kinds.values().filter(|known| known.from_start).map(|known| known.since_ms);
        let started_ms = || self.ms_at(self.started);
        first.max().unwrap_or_else(started_ms)
    }

    /// By the cluster's clock as it is known now.
    fn ms_at(&self, moment: Instant) -> i64 {
        self.clock.cluster_now_ms() - moment.elapsed().as_millis() as i64
    }

    fn note(&self, kind: &KindInfo, way: Way, now_ms: i64, sightings: &[Sighting<'_>]) {
        // Nothing is known of what was before a first list, so nothing in it is a change.
        if way == Way::FirstList {
            return;
        }
        let known_since_ms = match self.state.lock().kinds.get_mut(&kind.id) {
            Some(known) => {
                known.told_ms = now_ms;
                known.since_ms
            }
            None => return,
        };
        let since_ms = match way {
            Way::ListAfterGap { since } => Some(since.map_or(known_since_ms, |since| self.ms_at(since))),
            Way::Watch | Way::FirstList => None,
        };
        for sighting in sightings {
            let arrival = Arrival { now_ms: self.stamp(now_ms), since_ms, known_since_ms };
            let Some(record) = seen::record(kind, arrival, sighting) else { continue };
            let version = match &sighting.fate {
                Fate::Created(after) | Fate::Updated { after, .. } | Fate::Replaced { after, .. } => {
                    after.resource_version()
                }
                Fate::Deleted { .. } | Fate::Unreadable | Fate::Forgotten => "",
            };
            self.write(&record, version);
        }
    }

    /// Times by which changes that came at once still have an order; under a flood, that of their arrival alone.
    fn stamp(&self, now_ms: i64) -> i64 {
        let mut state = self.state.lock();
        let next = state.stamped_ms + 1;
        state.stamped_ms = if next <= now_ms + AHEAD_MS { now_ms.max(next) } else { now_ms };
        state.stamped_ms
    }

    fn write(&self, record: &Record, version: &str) {
        let Ok(json) = serde_json::to_vec(record) else { return };
        let mut state = self.state.lock();
        if !state.recent.is_new(record, version) {
            return;
        }
        state.ring.push(record.at_ms, json);
        metrics::counter!("kubeplex_agent_history_changes_total").increment(1);
        gauges::hold("kubeplex_agent_history_bytes", state.ring.held() as f64);
        gauges::hold("kubeplex_agent_history_changes", state.ring.len() as f64);
        gauges::hold("kubeplex_agent_history_dropped_changes", state.ring.dropped() as f64);
    }
}

impl Witness for History {
    fn compares(&self, kind: &KindInfo) -> bool {
        noise::is_recorded(&kind.id.group, &kind.id.resource)
    }

    fn saw(&self, kind: &KindInfo, way: Way, sightings: &[Sighting<'_>]) {
        if self.compares(kind) {
            self.note(kind, way, self.clock.cluster_now_ms(), sightings);
        }
    }

    fn listed(&self, kind: &KindInfo, way: Way) {
        if !self.compares(kind) {
            return;
        }
        let now_ms = self.clock.cluster_now_ms();
        let mut state = self.state.lock();
        let known = state.kinds.get(&kind.id).copied();
        let from_start = known.map_or(self.started.elapsed() < FIRST_LISTS, |known| known.from_start);
        let gap = |from_ms: Option<i64>, reason| Gap {
            from_ms,
            to_ms: now_ms,
            kind: Some(kind.id.clone()),
            reason,
        };
        match (way, known) {
            (Way::ListAfterGap { since }, _) => {
                let from_ms = since.map(|since| self.ms_at(since));
                state.gaps.add(gap(from_ms, GapReason::Relist));
            }
            // Another store, or a kind that could not be seen for a while.
            (_, Some(known)) => state.gaps.add(gap(Some(known.told_ms), GapReason::NotRecorded)),
            (_, None) if !from_start => {
                state.gaps.add(gap(None, GapReason::NotRecorded));
            }
            (_, None) => {}
        }
        let since_ms = known.map_or(now_ms, |known| known.since_ms);
        state.kinds.insert(kind.id.clone(), Known { since_ms, told_ms: now_ms, from_start });
    }
}
