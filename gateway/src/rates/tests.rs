//! The ledger against a model that counts, and its size.

use proptest::prelude::*;
use tokio::time::advance;

use super::*;

fn ledger<K: Hash + Eq + Clone>(per_second: u32, burst: u32) -> Ledger<K> {
    Ledger::new([Rate::new(per_second, burst)], 100)
}

fn of<K>(key: K, amount: u32) -> Charge<K> {
    Charge { rate: 0, key, amount: NonZeroU32::new(amount).unwrap() }
}

#[tokio::test(start_paused = true)]
async fn all_cells_are_charged_or_none() {
    let ledger = ledger(10, 10);
    ledger.charge(&[of("b", 8)]).unwrap();
    // "b" has 2 left and lacks 3, which take 300 ms; "c" would have to wait for nothing.
    let refused = ledger.charge(&[of("a", 10), of("b", 5), of("c", 1)]).unwrap_err();
    assert_eq!(refused, NotYet { at: 1, wait: Duration::from_millis(300) });
    for untouched in ["a", "c"] {
        assert_eq!(ledger.charge(&[of(untouched, 10)]), Ok(()), "{untouched} was charged for nothing");
    }
    assert_eq!(ledger.charge(&[of("b", 2)]), Ok(()), "b was charged for nothing");
}

#[tokio::test(start_paused = true)]
async fn who_waits_as_long_as_told_gets_in_and_nobody_sooner() {
    let ledger = ledger(3, 7);
    ledger.charge(&[of("a", 7), of("b", 6)]).unwrap();
    let charges = [of("a", 2), of("b", 4)];
    let NotYet { at, wait } = ledger.charge(&charges).unwrap_err();
    assert_eq!(at, 1, "the one that has to wait for longest is named");
    advance(wait - Duration::from_millis(1)).await;
    assert!(ledger.charge(&charges).is_err());
    advance(Duration::from_millis(1)).await;
    assert_eq!(ledger.charge(&charges), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn what_costs_more_than_a_bucket_holds_costs_all_of_it() {
    let ledger = ledger(5, 10);
    ledger.charge(&[of("a", 1_000_000)]).unwrap();
    assert_eq!(ledger.charge_one("a").unwrap_err().wait, Duration::from_millis(200));
    advance(Duration::from_secs(2)).await;
    assert_eq!(ledger.charge(&[of("a", 1_000_000)]), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn cells_at_rest_are_forgotten_and_strangers_find_no_room_among_the_others() {
    let most = 3_000;
    let ledger = Ledger::new([Rate::new(1, 10)], most);
    for key in 0..most {
        ledger.charge_one(key).unwrap();
    }
    assert!(ledger.charge_one(most).is_err(), "no room");
    advance(Duration::from_secs(2)).await;
    ledger.charge_one(most).unwrap();
    assert_eq!(ledger.limiters.lock()[0].cells.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn cells_of_different_rates_are_charged_together_and_rates_can_be_changed() {
    let ledger = Ledger::new([Rate::new(1, 10), Rate::new(1, 2)], 100);
    let both = |amount| [of("a", amount), Charge { rate: 1, ..of("a", amount) }];
    ledger.charge(&both(2)).unwrap();
    assert_eq!(ledger.charge(&both(1)).unwrap_err().at, 1);
    ledger.set([Rate::new(1, 10), Rate::new(1, 3)]);
    assert_eq!(ledger.charge(&both(3)), Ok(()), "the second rate began anew");
    assert_eq!(ledger.charge(&[of("a", 6)]).unwrap_err().wait, Duration::from_secs(1), "the first did not");
}

/// A bucket as one would explain it: what is in it now, in thousandths.
#[derive(Clone)]
struct Bucket(u64);

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Charge(Vec<(usize, u32)>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let charge = prop::collection::btree_map(0..4_usize, 1..30_u32, 1..4);
    let step = prop_oneof![
        (0..3_000_u64).prop_map(Step::Wait),
        charge.prop_map(|charges| Step::Charge(charges.into_iter().collect())),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    /// No charge is lost and none doubled, a refused one leaves nothing behind, and the time that is told is exact: by a
    /// model that knows nothing of the library's arithmetic.
    #[test]
    fn the_ledger_counts_as_buckets_do(steps in steps()) {
        const PER_SECOND: u64 = 8;
        const BURST: u64 = 20;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let ledger = ledger(PER_SECOND as u32, BURST as u32);
            let mut buckets = vec![Bucket(BURST * 1_000); 4];
            for step in steps {
                match step {
                    Step::Wait(ms) => {
                        advance(Duration::from_millis(ms)).await;
                        buckets.iter_mut().for_each(|held| held.0 = (held.0 + ms * PER_SECOND).min(BURST * 1_000));
                    }
                    Step::Charge(charges) => {
                        let owed = |amount: u32| u64::from(amount).min(BURST) * 1_000;
                        let lacking = charges.iter().map(|(at, amount)| owed(*amount).saturating_sub(buckets[*at].0));
                        // Milliseconds, because each brings PER_SECOND thousandths.
                        let wait = lacking.map(|lacking| lacking.div_ceil(PER_SECOND)).max().unwrap();
                        let asked: Vec<_> = charges.iter().map(|(at, amount)| of(*at, *amount)).collect();
                        let told = ledger.charge(&asked).map_err(|not_yet| not_yet.wait);
                        if wait == 0 {
                            assert_eq!(told, Ok(()));
                            charges.iter().for_each(|(at, amount)| buckets[*at].0 -= owed(*amount));
                        } else {
                            let told_ms = told.unwrap_err().as_micros().div_ceil(1_000) as u64;
                            assert_eq!(told_ms, wait);
                        }
                    }
                }
            }
        });
    }
}
