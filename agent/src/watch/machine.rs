//! What to do next: the watch loop's decisions, without its I/O.
//!
//! [`Machine::on`] turns what happened into [`Effect`]s and the next [`Step`]. It knows no clock: durations come and go.

use std::cmp::Ordering;
use std::time::Duration;

use kubeplex_proto::control::SyncState;

use super::failure::{Failure, FailureKind};
use super::phase::{Heard, Phase, Silence, Then};
use super::step::{Effect, Event, Nudged, OnRefusal, Reaction, Step};
use super::timings::WatchTimings;
use super::version;
use crate::limits::{PAGE_OBJECTS, PAGE_OBJECTS_MOST};

/// Streamed lists that may fail before a paged one is tried; one that is not answered at all counts as so many.
const STREAM_ATTEMPTS: u32 = 2;

/// Watches from a version that the server does not know yet, before it is taken to have been restored from a backup.
const FUTURE_ATTEMPTS: u32 = 3;

/// Failures in a row before a kind that never was synced is said to be in error rather than syncing.
const PATIENCE: u32 = 2;

/// The state of one kind's watch.
#[derive(Debug)]
pub(crate) struct Machine {
    timings: WatchTimings,
    phase: Phase,
    /// Where a watch goes on from.
    version: String,
    /// Whether the server may have streamed lists.
    streaming: bool,
    on_refusal: OnRefusal,
    /// A list was granted and the watch after it refused: the next list alone proves nothing.
    watch_refused: bool,
    ever_synced: bool,
    failures: u32,
    stream_failures: u32,
    /// Paged lists in a row whose continue token expired.
    expired_lists: u32,
    /// Watches in a row that ended by a line that can't be read.
    garbled: u32,
    /// The server did not know the kind when it was asked last.
    absent: bool,
    /// A kind that could be read was refused once. A server that has just started may refuse what it will grant.
    refused: bool,
    /// How the last watch fell silent, where it did.
    silence: Silence,
    /// No bookmark followed a nudge on a server of which none was expected: the next nudges are saved.
    nudges_help: bool,
    /// The server has sent a bookmark of this kind by itself: it does so about once a minute.
    bookmarked: bool,
    page_objects: u32,
}

impl Machine {
    /// `streaming`: whether to try a streamed list at all.
    pub(crate) fn new(timings: WatchTimings, streaming: bool, on_refusal: OnRefusal) -> Self {
        Self {
            timings,
            phase: Phase::Waiting { then: Then::List },
            version: String::new(),
            streaming,
            on_refusal,
            watch_refused: false,
            ever_synced: false,
            failures: 0,
            stream_failures: 0,
            expired_lists: 0,
            garbled: 0,
            absent: false,
            refused: false,
            silence: Silence::None,
            nudges_help: true,
            bookmarked: false,
            page_objects: PAGE_OBJECTS,
        }
    }

    pub(crate) fn on(&mut self, event: Event) -> Reaction {
        match (self.phase.clone(), event) {
            (_, Event::Start) => self.list(),
            (Phase::Waiting { then }, Event::Reached) => {
                // A server that comes up answers before it is of use: the pauses begin anew.
                self.failures = 0;
                self.resume(then)
            }
            (Phase::Waiting { then }, _) => self.resume(then),
            (Phase::Streaming, event) => self.on_stream(event),
            (Phase::Paging { next }, event) => self.on_page(next, event),
            (Phase::Watching { proven, heard }, event) => self.on_watch(proven, heard, event),
        }
    }

    fn resume(&mut self, then: Then) -> Reaction {
        match then {
            Then::List => self.list(),
            Then::Page { next } => self.page(next).after(vec![]),
            Then::Watch => self.watch().after(vec![]),
        }
    }

    fn on_stream(&mut self, event: Event) -> Reaction {
        let failure = match event {
            Event::Progress { version: Some(version), initial_end: true, .. } => {
                return self.listed(version, Step::Read);
            }
            Event::Failed(failure) | Event::Ended { failure: Some(failure), .. } => failure,
            Event::Ended { failure: None, .. } => {
                Failure::transient("the server ended the list before it was complete")
            }
            Event::Silent => Failure::transient(format!(
                "the list stopped arriving for {:?}",
                self.timings.initial_silence
            )),
            _ => return Step::Read.after(vec![]),
        };
        match failure.kind {
            FailureKind::Invalid => {
                self.streaming = false;
                self.list()
            }
            FailureKind::Forbidden | FailureKind::NotFound => self.settle(&failure, Then::List),
            kind => {
                self.stream_failures += if kind == FailureKind::Unreached { STREAM_ATTEMPTS } else { 1 };
                self.retry(&failure, Then::List)
            }
        }
    }

    fn on_page(&mut self, next: Option<String>, event: Event) -> Reaction {
        let failure = match event {
            Event::Page { next: Some(next), .. } => {
                self.failures = 0;
                return self.page(Some(next)).after(vec![]);
            }
            Event::Page { version, next: None } => {
                let from = version.clone();
                return self.listed(version, Step::Watch { from });
            }
            Event::Failed(failure) => failure,
            _ => return self.page(next).after(vec![]),
        };
        match failure.kind {
            FailureKind::Forbidden | FailureKind::NotFound => self.settle(&failure, Then::Page { next }),
            FailureKind::Expired | FailureKind::FutureVersion => {
                // The list took longer than its continue token lasts: fewer, larger pages.
                self.page_objects = (self.page_objects * 4).min(PAGE_OBJECTS_MOST);
                self.expired_lists += 1;
                // Pages that arrive in between must not make a busy loop of it.
                self.failures = self.failures.max(self.expired_lists - 1) + 1;
                if self.failures == 1 { self.list() } else { self.pause(&failure, Then::List) }
            }
            FailureKind::TooLarge if self.page_objects > 1 => {
                self.page_objects = (self.page_objects / 4).max(1);
                self.page(next).after(vec![])
            }
            _ => self.retry(&failure, Then::Page { next }),
        }
    }

    fn on_watch(&mut self, proven: bool, heard: Heard, event: Event) -> Reaction {
        match event {
            Event::Opened if self.silence == Silence::Unbelieved => Step::Read.after(vec![]),
            Event::Opened => {
                self.refused = false;
                self.watch_refused = false;
                Step::Read.after(vec![Effect::Reopened, Effect::synced()])
            }
            Event::Progress { version, bookmark, .. } => {
                self.bookmarked |= bookmark;
                self.proven(version);
                Step::Read.after(vec![Effect::Current, Effect::synced()])
            }
            Event::Quiet => self.on_quiet(proven),
            Event::Nudged(nudged) => self.nudged(proven, nudged),
            Event::Silent => self.on_silence(heard),
            Event::Failed(failure) => self.on_watch_failure(false, &failure),
            Event::Ended { failure: Some(failure), .. } if !failure.kind.may_pass() => {
                self.on_watch_failure(proven, &failure)
            }
            Event::Ended { lived, failure } => self.on_watch_end(proven, lived, failure),
            Event::Start | Event::Waited | Event::Reached | Event::Page { .. } => self.watch().after(vec![]),
        }
    }

    fn proven(&mut self, version: Option<String>) {
        if let Some(version) = version {
            version::advance(&mut self.version, version);
        }
        self.phase = Phase::Watching { proven: true, heard: Heard::Something };
        self.failures = 0;
        self.garbled = 0;
        self.silence = Silence::None;
    }

    /// A watch that ended or was reset is opened again at once. Those that prove nothing must not become a busy loop.
    fn on_watch_end(&mut self, proven: bool, lived: Duration, failure: Option<Failure>) -> Reaction {
        let too_short = lived < self.timings.watch_too_short;
        match failure {
            None if !too_short => self.watch().after(vec![]),
            Some(_) if (proven && !too_short) || lived > self.timings.retry_most => {
                self.watch().after(vec![])
            }
            Some(_) if !proven && self.failures == 0 => {
                self.failures = 1;
                self.watch().after(vec![])
            }
            failure if proven => {
                let failure = failure.unwrap_or_else(|| Failure::transient(ENDED_AT_ONCE));
                self.failures += 1;
                self.wait(&failure, Then::Watch).after(vec![])
            }
            failure => self.retry(&failure.unwrap_or_else(|| Failure::transient(ENDED_AT_ONCE)), Then::Watch),
        }
    }

    fn on_quiet(&mut self, proven: bool) -> Reaction {
        if self.nudges_help {
            Step::Nudge.after(vec![])
        } else {
            self.nudged(proven, Nudged::BookmarkMayFollow)
        }
    }

    fn nudged(&mut self, proven: bool, nudged: Nudged) -> Reaction {
        self.phase = Phase::Watching { proven, heard: Heard::NothingAfter(nudged) };
        Step::Read.after(vec![])
    }

    /// A server may send no bookmarks where nothing happens: that such a watch can be opened again counts, but only once. Any
    /// other silence says that the watch is broken, and to have it opened again proves nothing.
    fn on_silence(&mut self, heard: Heard) -> Reaction {
        if heard == Heard::Something && !self.bookmarked {
            // It told of changes and never of anything else, as servers do of kinds that they keep no cache of. That it tells of
            // none for a while is no reason for doubt, and a list is proof.
            return self.list();
        }
        let before = self.silence;
        let excused = heard == Heard::NothingAfter(Nudged::BookmarkMayFollow);
        if excused && before != Silence::Unbelieved {
            self.nudges_help = false;
            self.silence = Silence::Excused;
            return if before == Silence::Excused { self.list() } else { self.watch().after(vec![]) };
        }
        self.silence = Silence::Unbelieved;
        let stale = Effect::stale(&Failure::transient(format!(
            "the watch was silent for {:?}",
            self.timings.silence
        )));
        if before == Silence::None {
            return self.watch().after(vec![stale]);
        }
        // Silent again: only a list can tell what was missed.
        self.list().with_first(stale)
    }

    fn on_watch_failure(&mut self, proven: bool, failure: &Failure) -> Reaction {
        match failure.kind {
            FailureKind::Forbidden | FailureKind::NotFound => {
                self.watch_refused = failure.kind == FailureKind::Forbidden;
                self.settle(failure, Then::Watch)
            }
            FailureKind::FutureVersion => {
                // A replica of the API server may lag behind another for a moment. It does not lag for long.
                let retry = self.retry(failure, Then::Watch).with_first(Effect::ReopeningFailed);
                if self.failures > FUTURE_ATTEMPTS {
                    Reaction { step: Step::Rebuild, ..retry }
                } else {
                    retry
                }
            }
            FailureKind::Expired => {
                self.failures += 1;
                let reaction = if self.failures == 1 {
                    self.list()
                } else {
                    self.wait(failure, Then::List).after(vec![])
                };
                if proven {
                    reaction
                } else {
                    reaction.with_first(Effect::stale(failure)).with_first(Effect::ReopeningFailed)
                }
            }
            FailureKind::Garbled | FailureKind::TooLarge => {
                self.garbled += 1;
                let then = if self.garbled >= 2 { Then::List } else { Then::Watch };
                self.retry(failure, then)
            }
            FailureKind::Invalid | FailureKind::Transient | FailureKind::Failing | FailureKind::Unreached => {
                self.retry(failure, Then::Watch)
            }
        }
    }

    /// The list is whole, and a watch goes on from its version.
    fn listed(&mut self, version: String, step: Step) -> Reaction {
        if self.ever_synced && version::compare(&version, &self.version) == Some(Ordering::Less) {
            // The server was restored from a backup. The store would take its objects for old ones.
            let message = "the cluster went back to an earlier state".to_owned();
            return Step::Rebuild.after(vec![Effect::State(SyncState::Stale, Some(message))]);
        }
        let mut effects = vec![Effect::FinishList];
        if step == Step::Read {
            self.watch_refused = false;
            effects.push(Effect::Current);
        }
        effects.extend((!self.watch_refused).then(Effect::synced));
        // Nothing else may have told that the kind is back.
        effects.extend(std::mem::take(&mut self.absent).then_some(Effect::Rediscover));
        self.version = version;
        self.phase = Phase::Watching { proven: step == Step::Read, heard: Heard::Nothing };
        self.ever_synced = true;
        self.refused = self.watch_refused;
        self.stream_failures = 0;
        self.expired_lists = 0;
        self.garbled = 0;
        self.silence = Silence::None;
        self.page_objects = PAGE_OBJECTS;
        step.after(effects)
    }

    /// Begins a whole list, the first or one after a gap.
    fn list(&mut self) -> Reaction {
        let streamed = self.streaming && self.stream_failures < STREAM_ATTEMPTS;
        let step = if streamed {
            self.phase = Phase::Streaming;
            Step::Stream
        } else {
            self.page(None)
        };
        step.after(vec![Effect::BeginList])
    }

    fn page(&mut self, next: Option<String>) -> Step {
        self.phase = Phase::Paging { next: next.clone() };
        Step::Page { next, objects: self.page_objects }
    }

    fn watch(&mut self) -> Step {
        self.phase = Phase::Watching { proven: false, heard: Heard::Nothing };
        Step::Watch { from: self.version.clone() }
    }

    /// The agent may not read this kind, or there is none: that is an answer. It is asked again now and then.
    fn settle(&mut self, failure: &Failure, again: Then) -> Reaction {
        let forbidden = failure.kind == FailureKind::Forbidden;
        if forbidden && self.ever_synced && !std::mem::replace(&mut self.refused, true) {
            return self.retry(failure, again);
        }
        if forbidden && self.on_refusal == OnRefusal::GiveUp {
            return Step::GiveUp.after(vec![Effect::Clear]);
        }
        let state = if forbidden { SyncState::Forbidden } else { SyncState::Absent };
        self.absent = !forbidden;
        self.ever_synced = false;
        self.failures = 0;
        self.phase = Phase::Waiting { then: Then::List };
        let mut effects = vec![Effect::Clear, Effect::State(state, Some(failure.message.clone()))];
        effects.extend((!forbidden).then_some(Effect::Rediscover));
        Step::Wait(self.timings.settled_retry).after(effects)
    }

    fn retry(&mut self, failure: &Failure, then: Then) -> Reaction {
        self.failures += 1;
        self.pause(failure, then)
    }

    /// Waits, and says why.
    fn pause(&mut self, failure: &Failure, then: Then) -> Reaction {
        let state = match self.ever_synced {
            true => SyncState::Stale,
            false if self.failures >= PATIENCE => SyncState::Error,
            false => SyncState::Syncing,
        };
        let said = Effect::State(state, Some(failure.message.clone()));
        self.wait(failure, then).after(vec![said])
    }

    fn wait(&mut self, failure: &Failure, then: Then) -> Step {
        self.phase = Phase::Waiting { then };
        let backoff = self.timings.backoff(self.failures);
        match failure.kind {
            FailureKind::Unreached | FailureKind::Failing if failure.retry_after.is_none() => {
                Step::WaitForServer(backoff)
            }
            _ => Step::Wait(failure.retry_after.map_or(backoff, |asked| asked.max(self.timings.retry_first))),
        }
    }
}

const ENDED_AT_ONCE: &str = "the server ended the watch as soon as it stood";

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
