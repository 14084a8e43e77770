//! Calls that ask the same at the same moment: the first one asks, the others wait for what it gets.
//!
//! Nobody depends on the first one. It may be given up, fail, or be slow because it asks a cluster that hangs: who has
//! waited for a while, or in vain, asks as if there had been nobody.

use dashmap::DashMap;
use dashmap::Entry;
use tokio::sync::watch;
use tokio::time::timeout;

use super::key::Key;
use crate::limits::FOLLOWS_FOR;

/// What is being asked right now.
pub(super) struct Flights<V>(DashMap<Key, watch::Receiver<Option<V>>>);

/// A call's part in asking something.
pub(super) enum Seat<'a, V> {
    Leads(Lead<'a, V>),
    Follows(Following<V>),
}

/// Held by who asks, until there is an answer. Dropped without one, nobody waits any longer.
pub(super) struct Lead<'a, V> {
    flights: &'a Flights<V>,
    key: Key,
    landed: watch::Sender<Option<V>>,
}

/// Held by who waits.
pub(super) struct Following<V>(watch::Receiver<Option<V>>);

impl<V: Clone> Flights<V> {
    pub(super) fn new() -> Self {
        Self(DashMap::new())
    }

    pub(super) fn join(&self, key: Key) -> Seat<'_, V> {
        match self.0.entry(key) {
            Entry::Occupied(under_way) => Seat::Follows(Following(under_way.get().clone())),
            Entry::Vacant(place) => {
                let key = place.key().clone();
                let (landed, waiting) = watch::channel(None);
                place.insert(waiting);
                Seat::Leads(Lead { flights: self, key, landed })
            }
        }
    }
}

impl<V> Lead<'_, V> {
    /// Those who wait get `value`.
    pub(super) fn land(self, value: V) {
        self.landed.send_replace(Some(value));
    }
}

impl<V> Drop for Lead<'_, V> {
    fn drop(&mut self) {
        self.flights.0.remove(&self.key);
    }
}

impl<V: Clone> Following<V> {
    /// What the first one got; `None` where that takes long or comes to nothing.
    pub(super) async fn wait(mut self) -> Option<V> {
        let landed = timeout(FOLLOWS_FOR, self.0.wait_for(Option::is_some)).await;
        landed.ok()?.ok()?.clone()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    fn key() -> Key {
        Key::of(&"question").unwrap()
    }

    fn follow(flights: &Flights<u32>) -> Following<u32> {
        match flights.join(key()) {
            Seat::Follows(following) => following,
            Seat::Leads(_) => panic!("nobody asks"),
        }
    }

    fn lead(flights: &Flights<u32>) -> Lead<'_, u32> {
        match flights.join(key()) {
            Seat::Leads(lead) => lead,
            Seat::Follows(_) => panic!("somebody asks already"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_wait_get_what_the_first_one_gets_and_the_next_asks_anew() {
        let flights = Flights::new();
        let first = lead(&flights);
        let (one, other) = (follow(&flights), follow(&flights));
        assert!(matches!(flights.join(Key::of(&"another").unwrap()), Seat::Leads(_)));
        let (one, other, ()) = tokio::join!(one.wait(), other.wait(), async { first.land(7) });
        assert_eq!((one, other), (Some(7), Some(7)));
        drop(lead(&flights));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_who_gave_up_or_for_long() {
        let flights = Flights::new();
        let (first, started) = (lead(&flights), Instant::now());
        let waiting = follow(&flights);
        let (got, ()) = tokio::join!(waiting.wait(), async { drop(first) });
        assert_eq!((got, started.elapsed().as_millis()), (None, 0));

        let slow = lead(&flights);
        assert_eq!(follow(&flights).wait().await, None);
        assert_eq!(started.elapsed(), FOLLOWS_FOR);
        drop(slow);
        assert!(flights.0.is_empty(), "nothing is left of what is over");
    }
}
