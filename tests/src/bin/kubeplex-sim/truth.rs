//! What a simulated cluster held, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Pods by namespace and name, each with the number of its last change.
pub(crate) type State = BTreeMap<Pod, i64>;

/// Namespace and name.
pub(crate) type Pod = (String, String);

/// The states of one cluster, from the first.
pub(crate) struct Truth(Mutex<Vec<(Instant, Arc<State>)>>);

impl Truth {
    pub(crate) fn new(state: State) -> Self {
        Self(Mutex::new(vec![(Instant::now(), Arc::new(state))]))
    }

    pub(crate) fn now(&self) -> Arc<State> {
        let states = self.0.lock();
        states.last().map(|(_, state)| Arc::clone(state)).unwrap_or_default()
    }

    /// The cluster changed just now.
    pub(crate) fn becomes(&self, state: State) {
        self.0.lock().push((Instant::now(), Arc::new(state)));
    }

    /// The states that held at some moment from `since` on.
    pub(crate) fn since(&self, since: Instant) -> Vec<Arc<State>> {
        let states = self.0.lock();
        let before = states.iter().take_while(|(at, _)| *at < since).count();
        states[before.saturating_sub(1)..].iter().map(|(_, state)| Arc::clone(state)).collect()
    }

    /// Whether a pod ever stood so.
    pub(crate) fn ever(&self, pod: &Pod, change: i64) -> bool {
        self.0.lock().iter().any(|(_, state)| state.get(pod) == Some(&change))
    }

    /// The pods that were there all the time since `since`.
    pub(crate) fn still(&self, since: Instant) -> BTreeSet<Pod> {
        let states = self.since(since);
        let Some((first, later)) = states.split_first() else { return BTreeSet::new() };
        let stayed = |pod: &&Pod| later.iter().all(|state| state.contains_key(*pod));
        first.keys().filter(stayed).cloned().collect()
    }
}
