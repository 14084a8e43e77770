//! What the pods of a simulated cluster were, and when, as far as that can be known while several threads look.
//!
//! A change is neither made nor seen at a moment: it may show from when it was begun, and what was before may show until it
//! is done.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Namespace and name.
pub(crate) type Pod = (String, String);

/// What is longer ago than this is forgotten: no answer is as old.
const REMEMBERED: Duration = Duration::from_secs(240);

/// The pods of one cluster.
#[derive(Default)]
pub(crate) struct Truth(Mutex<BTreeMap<Pod, History>>);

#[derive(Default)]
struct History {
    states: Vec<Span<i64>>,
    /// When it was there for certain.
    presences: Vec<Span<()>>,
}

/// Since when something holds, and until when: `None` for what still does.
struct Span<T> {
    what: T,
    from: Instant,
    until: Option<Instant>,
}

impl<T> Span<T> {
    fn overlaps(&self, since: Instant, until: Instant) -> bool {
        self.from <= until && self.until.is_none_or(|end| end >= since)
    }

    fn covers(&self, since: Instant, until: Instant) -> bool {
        self.from <= since && self.until.is_none_or(|end| end >= until)
    }
}

impl Truth {
    /// Makes a change with `make`, after which the pod is at `state`, or gone.
    pub(crate) fn change(&self, pod: &Pod, state: Option<i64>, make: impl FnOnce()) {
        let begun = Instant::now();
        {
            let mut pods = self.0.lock();
            let history = pods.entry(pod.clone()).or_default();
            match state {
                Some(what) => history.states.push(Span { what, from: begun, until: None }),
                None => history.presences.iter_mut().for_each(|presence| end(presence, begun)),
            }
        }
        make();
        let done = Instant::now();
        let mut pods = self.0.lock();
        let history = pods.entry(pod.clone()).or_default();
        let over = |span: &&mut Span<i64>| Some(span.what) != state;
        history.states.iter_mut().filter(over).for_each(|span| end(span, done));
        if state.is_some() && history.presences.last().is_none_or(|presence| presence.until.is_some()) {
            history.presences.push(Span { what: (), from: done, until: None });
        }
        history.states.retain(|span| span.until.is_none_or(|end| end.elapsed() < REMEMBERED));
        history.presences.retain(|span| span.until.is_none_or(|end| end.elapsed() < REMEMBERED));
    }

    /// Bytes of the heap that are the checker's own, and no part's that is looked at.
    pub(crate) fn bytes(&self) -> usize {
        let of = |history: &History| {
            history.states.capacity() * size_of::<Span<i64>>()
                + history.presences.capacity() * size_of::<Span<()>>()
        };
        self.0.lock().values().map(of).sum()
    }

    pub(crate) fn has(&self, pod: &Pod) -> bool {
        let pods = self.0.lock();
        pods.get(pod).is_some_and(|history| history.presences.iter().any(|presence| presence.until.is_none()))
    }

    /// Whether a pod may have shown so at some moment of a time.
    pub(crate) fn was(&self, pod: &Pod, state: i64, since: Instant, until: Instant) -> bool {
        let pods = self.0.lock();
        let spans = pods.get(pod).map(|history| history.states.as_slice()).unwrap_or_default();
        spans.iter().any(|span| span.what == state && span.overlaps(since, until))
    }

    /// The pods that were there all of a time.
    pub(crate) fn stood(&self, since: Instant, until: Instant) -> Vec<Pod> {
        let pods = self.0.lock();
        let stood = |history: &History| history.presences.iter().any(|span| span.covers(since, until));
        pods.iter().filter(|(_, history)| stood(history)).map(|(pod, _)| pod.clone()).collect()
    }

    /// The pods as they are, while nothing changes.
    pub(crate) fn now(&self) -> BTreeMap<Pod, i64> {
        let pods = self.0.lock();
        let state =
            |history: &History| history.states.iter().find(|span| span.until.is_none()).map(|span| span.what);
        pods.iter().filter_map(|(pod, history)| Some((pod.clone(), state(history)?))).collect()
    }
}

fn end<T>(span: &mut Span<T>, at: Instant) {
    span.until.get_or_insert(at);
}
