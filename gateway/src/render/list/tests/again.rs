//! Pages that are shown again say what they would say if they were rendered anew.

use std::sync::Arc;

use kubeplex_proto::status::{LegStatus, Source};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::clock::{Now, Steady};
use crate::merge::{LegOutcome, RowsShown};
use crate::render::{Again, Lasting, Reply, Written};

fn at(query: &ListQuery, page: &ListPage, steady: Steady) -> Rendered {
    let sealer = sealer();
    list(query, page, &RenderContext { now: Now { steady, ..NOW }, sealer: &sealer, nonce: [3; 24] })
}

/// A page whose rows are so many seconds old, and whose data was current at `as_of`.
fn aged(query: &ListQuery, ages_s: &[i64], as_of: Steady) -> ListPage {
    let pods: Vec<_> = ages_s
        .iter()
        .enumerate()
        .map(|(at, age_s)| Pod { age_s: *age_s, ..pod("eu", "shop", &format!("cart-{at}"), 0) })
        .collect();
    let mut page = page(query, &pods);
    page.coverage.legs.iter_mut().for_each(|leg| leg.as_of = Some(as_of));
    page
}

fn shown(page: &Arc<Lasting>, age_ms: u64) -> Rendered {
    Reply::Written(Written::new(Arc::clone(page), age_ms)).into_rendered()
}

fn lasting(query: &ListQuery, page: &ListPage, rendered: &Rendered, now: Steady) -> Arc<Lasting> {
    Arc::new(Again::of(query, page, now).unwrap().page(rendered).unwrap())
}

fn query(arguments: &serde_json::Value) -> ListQuery {
    list_query(&fleet(vec![cluster("eu", &[])]), "pods_list", arguments)
}

proptest! {
    #[test]
    fn while_it_holds_it_is_the_page_that_would_be_rendered(
        ages_s in prop::collection::vec(prop_oneof![0_i64..200, 0_i64..100_000, 0_i64..100_000_000], 0..6),
        (data_before_ms, data_after_ms) in (0_u64..200_000, 0_u64..200_000),
        passed_ms in 0_u64..3_000_000,
        output in prop_oneof![Just("table"), Just("json")],
    ) {
        let query = query(&json!({"output": output}));
        let before = aged(&query, &ages_s, NOW.steady.ago_ms(data_before_ms));
        let rendered = at(&query, &before, NOW.steady);
        let again = lasting(&query, &before, &rendered, NOW.steady);
        let now = NOW.steady.in_ms(passed_ms);
        let anew = at(&query, &aged(&query, &ages_s, now.ago_ms(data_after_ms)), now);
        if again.holds(now, data_after_ms) {
            prop_assert_eq!(shown(&again, data_after_ms), anew);
        }
        prop_assert!(again.holds(NOW.steady, data_before_ms), "it holds at first");
    }
}

#[test]
fn it_holds_until_the_first_age_reads_differently() {
    // The cluster's clock stands half a second behind, so all ages are half a second younger.
    for (ages_s, holds_ms) in
        [(&[3 * 86_400][..], 3_600_000), (&[3 * 86_400, 30], 1_000), (&[700, 800], 20_000)]
    {
        let query = query(&json!({}));
        let now = NOW.steady.ago_ms(500);
        let page = aged(&query, ages_s, now.ago_ms(7));
        let rendered = at(&query, &page, now);
        let again = lasting(&query, &page, &rendered, now);
        let until = now.in_ms(holds_ms);
        assert!(again.holds(until.ago_ms(1), 7), "{ages_s:?}");
        assert!(!again.holds(until, 7), "{ages_s:?}");
    }
}

#[test]
fn an_age_that_takes_more_digits_must_have_room() {
    let query = query(&json!({"maxBytes": 7_500}));
    let page = aged(&query, &[3 * 86_400], NOW.steady.ago_ms(9));
    let rendered = at(&query, &page, NOW.steady);
    let mut query = query;
    query.options.max_bytes = json_len(&rendered.structured) + 1;
    let again = lasting(&query, &page, &rendered, NOW.steady);
    for (age_ms, fits) in [(9, true), (10, true), (99, true), (100, false)] {
        assert_eq!(again.holds(NOW.steady, age_ms), fits, "{age_ms}");
    }
}

#[test]
fn a_row_that_reads_like_the_line_about_ages_stays_as_it_is() {
    let query = query(&json!({}));
    let odd = Pod { status: "x, data at most 7 ms old\n".to_owned(), ..pod("eu", "shop", "cart", 0) };
    let mut page = page(&query, &[odd]);
    page.coverage.legs[0].as_of = Some(NOW.steady.ago_ms(7));
    let rendered = at(&query, &page, NOW.steady);
    let again = shown(&lasting(&query, &page, &rendered, NOW.steady), 12);
    page.coverage.legs[0].as_of = Some(NOW.steady.ago_ms(12));
    assert_eq!(again, at(&query, &page, NOW.steady));
}

#[test]
fn only_pages_that_are_complete_current_and_from_caches_are_shown_again() {
    let query = query(&json!({}));
    let whole = aged(&query, &[30], NOW.steady.ago_ms(7));
    assert!(Again::of(&query, &whole, NOW.steady).is_some());
    type Change = fn(&mut LegOutcome);
    let changes: [(&str, Change); 7] = [
        ("stale", |leg| leg.status = LegStatus::Stale),
        ("absent", |leg| leg.status = LegStatus::Absent),
        ("with a message", |leg| leg.message = Some("one object could not be read".to_owned())),
        ("in part", |leg| leg.rows = RowsShown::Partial),
        ("read live", |leg| leg.source = Some(Source::Live)),
        ("out of these pages", |leg| leg.rejoined = true),
        ("without a revision", |leg| leg.revision = None),
    ];
    for (what, change) in changes {
        let mut page = whole.clone();
        change(&mut page.coverage.legs[0]);
        assert!(Again::of(&query, &page, NOW.steady).is_none(), "{what}");
    }
}
