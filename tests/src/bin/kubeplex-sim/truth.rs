//! What a simulated cluster held of a kind, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Objects of a kind, each with the number of its last change.
pub(crate) type State = BTreeMap<Place, i64>;

/// Namespace and name.
pub(crate) type Place = (String, String);

/// What there was of one kind in one cluster, from the beginning.
pub(crate) struct Truth {
    states: History<Arc<State>>,
    served: History<bool>,
}

/// The values of something, each from its moment on.
struct History<T>(Mutex<Vec<(Instant, T)>>);

impl Truth {
    pub(crate) fn new(state: State) -> Self {
        Self { states: History::begin(Arc::new(state)), served: History::begin(true) }
    }

    pub(crate) fn now(&self) -> Arc<State> {
        self.states.now()
    }

    /// The cluster changed just now.
    pub(crate) fn becomes(&self, state: State) {
        self.states.becomes(Arc::new(state));
    }

    /// From now on the cluster has the kind, or does not.
    pub(crate) fn is_served(&self, served: bool) {
        self.served.becomes(served);
    }

    /// Whether the cluster had the kind, at each moment from `since` on that this changed.
    pub(crate) fn served_since(&self, since: Instant) -> BTreeSet<bool> {
        self.served.since(since).into_iter().collect()
    }

    /// The states that held at some moment from `since` on.
    pub(crate) fn since(&self, since: Instant) -> Vec<Arc<State>> {
        self.states.since(since)
    }

    /// Whether an object ever stood so.
    pub(crate) fn ever(&self, place: &Place, number: i64) -> bool {
        self.states.any(|state| state.get(place) == Some(&number))
    }

    /// The objects that were there all the time since `since`.
    pub(crate) fn still(&self, since: Instant) -> BTreeSet<Place> {
        let states = self.since(since);
        let Some((first, later)) = states.split_first() else { return BTreeSet::new() };
        let stayed = |place: &&Place| later.iter().all(|state| state.contains_key(*place));
        first.keys().filter(stayed).cloned().collect()
    }
}

impl<T: Clone> History<T> {
    fn begin(first: T) -> Self {
        Self(Mutex::new(vec![(Instant::now(), first)]))
    }

    fn now(&self) -> T {
        let values = self.0.lock();
        values.last().map(|(_, value)| value.clone()).expect("there is a first")
    }

    fn becomes(&self, value: T) {
        self.0.lock().push((Instant::now(), value));
    }

    /// The values that held at some moment from `since` on.
    fn since(&self, since: Instant) -> Vec<T> {
        let values = self.0.lock();
        let before = values.iter().take_while(|(at, _)| *at < since).count();
        values[before.saturating_sub(1)..].iter().map(|(_, value)| value.clone()).collect()
    }

    fn any(&self, holds: impl Fn(&T) -> bool) -> bool {
        self.0.lock().iter().any(|(_, value)| holds(value))
    }
}
