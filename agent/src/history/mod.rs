//! The flight recorder: what was created, changed and deleted in the cluster, by whom and when.
//!
//! The watches tell [`History`] of every object before and after ([`Witness`]); what is different ([`delta`]) becomes a
//! [`record`], which goes into a ring in memory and, where a directory is configured, on a disk. A [`question`] reads a span of
//! time from both, adds what objects still tell of the time before anybody recorded ([`inferred`]), keeps what the asked
//! objects are [`related`] to, and folds what followed from a change into it ([`fold`]).

mod delta;
mod disk;
mod fold;
mod gaps;
mod inferred;
mod keeper;
mod merge_keys;
mod noise;
mod pending;
pub(crate) mod question;
mod recent;
mod record;
mod related;
mod ring;
mod seen;
mod stores;

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use kubeplex_proto::changes::{Gap, GapReason};
use kubeplex_proto::kind::{GroupResource, KindInfo};
use kubeplex_proto::status::AgentError;
use parking_lot::Mutex;
use tokio::time::Instant;

use self::disk::{Disk, Line};
use self::gaps::Gaps;
pub(crate) use self::keeper::keep;
use self::pending::Pending;
use self::recent::Recent;
use self::record::Record;
pub(crate) use self::related::neighbours;
use self::ring::Ring;
use self::seen::Arrival;
use crate::clock::ClusterClock;
use crate::config::HistoryConfig;
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
    /// Set once it is opened, where one is configured.
    disk: OnceLock<Disk>,
}

struct State {
    ring: Ring,
    gaps: Gaps,
    recent: Recent,
    kinds: HashMap<GroupResource, Known>,
    /// The time of the latest change.
    stamped_ms: i64,
    /// What waits for the disk, where there is one.
    pending: Option<Pending>,
    /// When the process before this one last wrote, until it is written down that it ended.
    before: Option<i64>,
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
    /// Before that, nothing is recorded …
    from_ms: i64,
    /// … of these kinds before they were known.
    known_since: HashMap<GroupResource, i64>,
}

impl History {
    /// With a disk, [`keep`] has to run.
    pub(crate) fn new(clock: ClusterClock, config: &HistoryConfig) -> Self {
        let state = State {
            ring: Ring::new(config.bytes),
            gaps: Gaps::default(),
            recent: Recent::default(),
            kinds: HashMap::new(),
            stamped_ms: 0,
            pending: config.disk.as_ref().map(|_| Pending::default()),
            before: None,
        };
        Self { clock, started: Instant::now(), state: Mutex::new(state), disk: OnceLock::new() }
    }

    /// What was recorded between two times, both included, in the order in which it came to be known.
    ///
    /// # Errors
    /// `timeout` when the budget is used up.
    fn read(&self, from_ms: i64, to_ms: i64, budget: &ScanBudget) -> Result<Recorded, AgentError> {
        let (entries, mut recorded, overrun_ms, before) = {
            let state = self.state.lock();
            let known_since =
                state.kinds.iter().map(|(kind, known)| (kind.clone(), known.since_ms)).collect();
            let gaps = state.gaps.between(from_ms, to_ms);
            let recorded_from_ms = self.recorded_from_ms(&state);
            let recorded = Recorded { records: Vec::new(), gaps, from_ms: recorded_from_ms, known_since };
            (state.ring.between(from_ms, to_ms), recorded, state.ring.overrun_ms(), state.before)
        };
        // What this process saw is in memory, whenever it began to look at one more kind.
        let held_from_ms = overrun_ms.map_or_else(|| self.ms_at(self.started), |overrun| overrun + 1);
        for (at, json) in entries.iter().enumerate() {
            if at % READ_AT_ONCE == 0 {
                budget.check()?;
            }
            recorded.records.extend(ring::read(json));
        }
        match self.disk.get().and_then(|disk| Some((disk, disk.first_ms()?))) {
            Some((disk, first_ms)) => {
                recorded.add_restart(before);
                // What is on the disk as well is read from there.
                recorded.records.retain(|record| record.at_ms >= held_from_ms || record.is_of_status());
                let kept = disk.read(from_ms, to_ms.min(held_from_ms - 1), budget)?;
                recorded.records.extend(kept.records);
                recorded.gaps.extend(kept.gaps);
                recorded.from_ms = recorded.from_ms.min(first_ms);
                recorded.known_since.clear();
                let reason =
                    if disk.dropped_segments() > 0 { GapReason::Overrun } else { GapReason::NotRecorded };
                recorded.add_beginning(from_ms, recorded.from_ms, reason);
            }
            None if overrun_ms.is_some() => recorded.add_beginning(from_ms, held_from_ms, GapReason::Overrun),
            None => recorded.add_beginning(from_ms, recorded.from_ms, GapReason::NotRecorded),
        }
        Ok(recorded)
    }

    /// What an earlier process wrote can be read from now on.
    fn has_opened(&self, disk: Disk) {
        self.state.lock().before = disk.alive_ms();
        // It is opened once.
        let _ = self.disk.set(disk);
    }

    /// For tests that wait for it.
    #[cfg(test)]
    pub(crate) fn has_disk(&self) -> bool {
        self.disk.get().is_some()
    }

    fn has_no_disk(&self) {
        self.state.lock().pending = None;
    }

    /// What waits to be written, and whether with it all that happened up to now is: not before it is known when this
    /// process began to see it.
    fn take_pending(&self) -> (Vec<Line>, bool) {
        let mut state = self.state.lock();
        let recorded_from_ms = self.recorded_from_ms(&state);
        let settled = self.started.elapsed() >= FIRST_LISTS;
        let mut lines = state.pending.as_mut().map(Pending::take).unwrap_or_default();
        if settled && let Some(before) = state.before.take() {
            let gap = restart(before, recorded_from_ms);
            lines.extend(disk::gap_line(&gap));
            state.gaps.add(gap);
        }
        (lines, settled)
    }

    /// These could not be written.
    fn lost(&self, lines: &[Line]) {
        let mut state = self.state.lock();
        if let Some(pending) = &mut state.pending {
            lines.iter().for_each(|(at_ms, _)| pending.lose(*at_ms));
        }
    }

    fn add_gap(state: &mut State, gap: Gap) {
        if let Some(pending) = &mut state.pending {
            disk::gap_line(&gap).into_iter().for_each(|line| pending.push(line));
        }
        state.gaps.add(gap);
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
        let Some(known) = self.state.lock().kinds.get(&kind.id).copied() else { return };
        let since_ms = match way {
            // What was told before the gap may be stamped a little later than it came, and was before what came in the gap.
            Way::ListAfterGap { since } => {
                Some(since.map_or(known.since_ms, |since| self.ms_at(since).max(known.told_ms + 1)))
            }
            Way::Watch | Way::FirstList => None,
        };
        let mut told_ms = now_ms;
        for sighting in sightings {
            told_ms = self.stamp(now_ms);
            let arrival = Arrival { now_ms: told_ms, since_ms, known_since_ms: known.since_ms };
            let Some(record) = seen::record(kind, arrival, sighting) else { continue };
            let version = match &sighting.fate {
                Fate::Created(after) | Fate::Updated { after, .. } | Fate::Replaced { after, .. } => {
                    after.resource_version()
                }
                Fate::Deleted { .. } | Fate::Unreadable | Fate::Forgotten => "",
            };
            self.write(&record, version);
        }
        if let (Way::Watch, Some(known)) = (way, self.state.lock().kinds.get_mut(&kind.id)) {
            known.told_ms = told_ms;
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
        if let Some(pending) = state.pending.as_mut().filter(|_| !record.is_of_status()) {
            pending.push((record.at_ms, json.clone().into()));
        }
        state.ring.push(record.at_ms, json);
        metrics::counter!("kubeplex_agent_history_changes_total").increment(1);
        gauges::hold("kubeplex_agent_history_bytes", state.ring.held() as f64);
        gauges::hold("kubeplex_agent_history_changes", state.ring.len() as f64);
        gauges::hold("kubeplex_agent_history_dropped_changes", state.ring.dropped() as f64);
    }
}

/// The agent did not run.
fn restart(before_ms: i64, recorded_from_ms: i64) -> Gap {
    Gap { from_ms: Some(before_ms), to_ms: recorded_from_ms, kind: None, reason: GapReason::Restart }
}

impl Recorded {
    fn add_restart(&mut self, before_ms: Option<i64>) {
        self.gaps.extend(before_ms.map(|before| restart(before, self.from_ms)));
    }

    /// What is asked for may begin before anything is known.
    fn add_beginning(&mut self, asked_ms: i64, known_ms: i64, reason: GapReason) {
        if asked_ms < known_ms {
            self.gaps.push(Gap { from_ms: None, to_ms: known_ms, kind: None, reason });
        }
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
                Self::add_gap(&mut state, gap(from_ms, GapReason::Relist));
            }
            // Another store, or a kind that could not be seen for a while.
            (_, Some(known)) => {
                Self::add_gap(&mut state, gap(Some(known.told_ms), GapReason::NotRecorded));
            }
            (_, None) if !from_start => {
                Self::add_gap(&mut state, gap(None, GapReason::NotRecorded));
            }
            (_, None) => {}
        }
        let since_ms = known.map_or(now_ms, |known| known.since_ms);
        state.kinds.insert(kind.id.clone(), Known { since_ms, told_ms: now_ms, from_start });
    }
}
