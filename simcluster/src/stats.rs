//! What callers did: requests by verb, resource and user agent, open watches, and requests whose caller went away before the end.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::faults::{Call, Verb};

/// Counts since the cluster was made (or [`crate::SimCluster::reset_stats`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests that arrived.
    pub requests: u64,
    /// The same by what they were.
    pub by_call: BTreeMap<CallLabel, u64>,
    /// Answers by HTTP status.
    pub by_status: BTreeMap<u16, u64>,
    /// Watches open now.
    pub open_watches: u64,
    /// Requests being answered now, watches included.
    pub in_flight: u64,
    /// Requests that the caller dropped before their end: cancellation that reached the server.
    pub dropped_by_client: u64,
    /// Watch events sent, bookmarks not counted.
    pub events: u64,
    /// Bookmarks sent.
    pub bookmarks: u64,
    /// Bytes of bodies sent.
    pub bytes: u64,
}

/// By what requests are counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallLabel {
    /// The verb.
    pub verb: Verb,
    /// `pods`, `deployments.apps`; the path for what is no resource.
    pub resource: String,
    /// The caller's `User-Agent`.
    pub user_agent: String,
}

impl Stats {
    /// Requests with this verb for this resource (`pods`, `deployments.apps`), of all callers.
    pub fn count(&self, verb: Verb, resource: &str) -> u64 {
        let matching =
            self.by_call.iter().filter(|(label, _)| label.verb == verb && label.resource == resource);
        matching.map(|(_, count)| count).sum()
    }
}

/// The live counters behind [`Stats`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters(Arc<Mutex<Stats>>);

impl Counters {
    pub(crate) fn snapshot(&self) -> Stats {
        self.0.lock().clone()
    }

    /// Zeroes what counts events and leaves what counts the present.
    pub(crate) fn reset(&self) {
        let mut stats = self.0.lock();
        let (open_watches, in_flight) = (stats.open_watches, stats.in_flight);
        *stats = Stats { open_watches, in_flight, ..Stats::default() };
    }

    /// Counts a request in; it counts itself out.
    pub(crate) fn begin(&self, call: &Call) -> CallGuard {
        let resource = match (&*call.group, &*call.resource) {
            (_, "") => call.path.clone(),
            ("", resource) => resource.to_owned(),
            (group, resource) => format!("{resource}.{group}"),
        };
        let label = CallLabel { verb: call.verb, resource, user_agent: call.user_agent.clone() };
        let mut stats = self.0.lock();
        stats.requests += 1;
        stats.in_flight += 1;
        *stats.by_call.entry(label).or_default() += 1;
        let is_watch = call.verb == Verb::Watch;
        stats.open_watches += u64::from(is_watch);
        CallGuard { counters: self.clone(), is_watch, state: State::Open }
    }

    pub(crate) fn event(&self) {
        self.0.lock().events += 1;
    }

    pub(crate) fn bookmark(&self) {
        self.0.lock().bookmarks += 1;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Closed,
}

/// Lives as long as its request is being answered. Dropped without [`CallGuard::finish`], the caller went away.
#[derive(Debug)]
pub(crate) struct CallGuard {
    counters: Counters,
    is_watch: bool,
    state: State,
}

impl CallGuard {
    pub(crate) fn status(&self, code: u16) {
        *self.counters.0.lock().by_status.entry(code).or_default() += 1;
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.counters.0.lock().bytes += bytes as u64;
    }

    /// The answer is complete, or was ended by the server.
    pub(crate) fn finish(&mut self) {
        self.close(0);
    }

    fn close(&mut self, dropped: u64) {
        if std::mem::replace(&mut self.state, State::Closed) == State::Closed {
            return;
        }
        let mut stats = self.counters.0.lock();
        stats.in_flight -= 1;
        stats.open_watches -= u64::from(self.is_watch);
        stats.dropped_by_client += dropped;
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        self.close(1);
    }
}
