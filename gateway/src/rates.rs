//! How much somebody may use up in a time: a ledger of cells, several of which are charged together or not at all.
//!
//! The arithmetic (a bucket that fills steadily, in the form of the generic cell rate algorithm) is the library's. What the
//! library does not do is to look without charging. The ledger keeps the states of its cells itself, and so can let the
//! library calculate a charge and not keep it: under one lock, all cells are tried, and then, only if none refused, charged.
//! Time only goes on between the two, so what was possible at the trial is possible at the charge.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::{Quota, RateLimiter};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::identify::{Caller, Proof};
use crate::limits::{LocalUser, Rate, Rates};

/// Buckets by key, each of one of `N` rates; one that was not used for long is full, and forgotten.
pub(crate) struct Ledger<K: Hash + Eq + Clone, const N: usize = 1> {
    /// The lock is what makes a trial and the charges after it one step.
    limiters: Mutex<[Limiter<K>; N]>,
}

/// What is to be taken from one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Charge<K> {
    /// Which of the ledger's rates the cell has.
    pub(crate) rate: usize,
    pub(crate) key: K,
    pub(crate) amount: NonZeroU32,
}

struct Limiter<K: Hash + Eq + Clone> {
    cells: RateLimiter<(Try, K), Cells<K>, Ticks, NoOpMiddleware<Duration>>,
    clock: Ticks,
    rate: Rate,
    /// How many cells there may be.
    most: usize,
    /// With more cells than this, those at rest are looked for.
    sweep_at: usize,
    swept: Duration,
}

/// What is refused, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotYet {
    /// The place of the cell among those that were to be charged that has to wait for longest.
    pub(crate) at: usize,
    /// After this time all of them can be charged, if nobody else charges them.
    pub(crate) wait: Duration,
}

/// Whether a charge is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Try {
    Trial,
    Charge,
}

/// Cells at rest that are kept before somebody looks for them.
const SWEEP_FROM: usize = 1_024;

/// The shortest time between two looks for cells at rest where the ledger is full.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Who is held to rates at all. It may change while calls run.
#[derive(Debug)]
pub(crate) struct LimitedUsers {
    local_user: AtomicBool,
}

impl LimitedUsers {
    pub(crate) fn of(rates: &Rates) -> Self {
        Self { local_user: AtomicBool::new(rates.local_user == LocalUser::Limited) }
    }

    pub(crate) fn set(&self, rates: &Rates) {
        self.local_user.store(rates.local_user == LocalUser::Limited, Ordering::Relaxed);
    }

    pub(crate) fn contains(&self, caller: &Caller) -> bool {
        caller.proof() != Proof::Loopback || self.local_user.load(Ordering::Relaxed)
    }
}

impl<K: Hash + Eq + Clone> Ledger<K> {
    /// Charges one of one cell.
    pub(crate) fn charge_one(&self, key: K) -> Result<(), NotYet> {
        self.charge(&[Charge { rate: 0, key, amount: NonZeroU32::MIN }])
    }
}

impl<K: Hash + Eq + Clone, const N: usize> Ledger<K, N> {
    /// A ledger that never has more than `most` cells of a rate.
    pub(crate) fn new(rates: [Rate; N], most: usize) -> Self {
        Self { limiters: Mutex::new(rates.map(|rate| Limiter::new(rate, most))) }
    }

    /// From now on these are the rates. Whose rate changed begins with full buckets.
    pub(crate) fn set(&self, rates: [Rate; N]) {
        for (limiter, rate) in self.limiters.lock().iter_mut().zip(rates) {
            if limiter.rate != rate {
                *limiter = Limiter::new(rate, limiter.most);
            }
        }
    }

    /// Charges every cell, or none of them. No cell may stand there twice. Who owes more than a bucket holds pays with all
    /// of it: else there would be things that nobody could ever have.
    pub(crate) fn charge(&self, charges: &[Charge<K>]) -> Result<(), NotYet> {
        let mut limiters = self.limiters.lock();
        for (rate, limiter) in limiters.iter_mut().enumerate() {
            let of_rate = |charge: &&Charge<K>| charge.rate == rate;
            limiter.make_room(charges.iter().filter(of_rate).count())?;
        }
        let tried = charges.iter().enumerate().filter_map(|(at, charge)| {
            let wait = limiters[charge.rate].charge(Try::Trial, charge).err()?;
            Some(NotYet { at, wait })
        });
        if let Some(not_yet) = tried.max_by_key(|not_yet| not_yet.wait) {
            return Err(not_yet);
        }
        for charge in charges {
            let charged = limiters[charge.rate].charge(Try::Charge, charge);
            debug_assert!(charged.is_ok(), "what could be charged can be");
        }
        Ok(())
    }
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    fn new(rate: Rate, most: usize) -> Self {
        let clock = Ticks(Instant::now());
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        let cells = RateLimiter::new(quota, Cells(Mutex::default()), clock);
        Self { cells, clock, rate, most, sweep_at: SWEEP_FROM.min(most), swept: Duration::ZERO }
    }

    fn charge(&self, mode: Try, charge: &Charge<K>) -> Result<(), Duration> {
        let amount = charge.amount.min(self.rate.burst);
        match self.cells.check_key_n(&(mode, charge.key.clone()), amount) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => Err(not_until.wait_time_from(self.clock.now())),
            // Never: nobody is charged more than a bucket holds.
            Err(_) => Err(SWEEP_EVERY),
        }
    }

    /// Sees to it that `newcomers` have room, and refuses them where there is none.
    fn make_room(&mut self, newcomers: usize) -> Result<(), NotYet> {
        let (now, most) = (self.clock.now(), self.most);
        let wanted = self.cells.len() + newcomers;
        if wanted > self.sweep_at && (wanted <= most || now >= self.swept + SWEEP_EVERY) {
            self.cells.retain_recent();
            self.swept = now;
            self.sweep_at = (2 * self.cells.len()).clamp(SWEEP_FROM.min(most), most);
        }
        if self.cells.len() + newcomers > most {
            return Err(NotYet { at: 0, wait: SWEEP_EVERY });
        }
        Ok(())
    }
}

impl<K: Hash + Eq + Clone, const N: usize> fmt::Debug for Ledger<K, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ledger")
    }
}

/// The states of the cells: when each will be full again.
struct Cells<K>(Mutex<HashMap<K, Nanos>>);

impl<K: Hash + Eq + Clone> StateStore for Cells<K> {
    type Key = (Try, K);

    fn measure_and_replace<T, F, E>(&self, (mode, key): &Self::Key, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut cells = self.0.lock();
        let (value, full_at) = measure(cells.get(key).copied())?;
        if *mode == Try::Charge {
            cells.insert(key.clone(), full_at);
        }
        Ok(value)
    }
}

impl<K: Hash + Eq + Clone> ShrinkableKeyedStateStore<(Try, K)> for Cells<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        let mut cells = self.0.lock();
        cells.retain(|_, full_at| *full_at > drop_below);
        cells.shrink_to(2 * SWEEP_FROM);
    }

    fn len(&self) -> usize {
        self.0.lock().len()
    }

    fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }
}

/// Tokio's clock, which tests can hold.
#[derive(Debug, Clone, Copy)]
struct Ticks(Instant);

impl Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests;
