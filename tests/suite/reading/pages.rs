//! Pages: every row once, whatever the page size, and budgets that cut where a row ends.

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::rows::{self, Row};
use serde_json::{Value, json};

const MAX_BYTES: usize = 4 << 20;

fn keys(pages: &[Value]) -> Vec<(String, String, String)> {
    pages.iter().flat_map(rows::of).map(|row: Row| row.key()).collect()
}

pub(crate) async fn every_row_comes_once_whatever_the_page_size(fleet: &'static TestFleet) {
    for order in [json!({}), json!({"sortBy": "-restarts"}), json!({"sortBy": "status,-age"})] {
        let with = |limit: usize| {
            let mut question = order.clone();
            question["limit"] = json!(limit);
            question["maxBytes"] = json!(MAX_BYTES);
            question
        };
        let whole = fleet.pages("pods_list", with(1_000)).await;
        assert_eq!(whole.len(), 1, "one page holds all");
        let all = keys(&whole);
        for limit in [1, 7, 50] {
            let pages = fleet.pages("pods_list", with(limit)).await;
            assert_eq!(pages.len(), all.len().div_ceil(limit), "pages of {limit} in {order}");
            assert_eq!(keys(&pages), all, "pages of {limit} in {order}");
            assert!(pages.iter().all(|page| page["total"] == all.len()), "the total is that of all pages");
        }
    }
}

pub(crate) async fn a_budget_cuts_at_a_row_and_says_so(fleet: &'static TestFleet) {
    let whole = keys(&fleet.pages("pods_list", json!({"limit": 1_000, "maxBytes": MAX_BYTES})).await);
    for max_bytes in [1_200, 2_500, 5_000] {
        let pages = fleet.pages("pods_list", json!({"limit": 1_000, "maxBytes": max_bytes})).await;
        assert!(pages.len() > 1, "{max_bytes} bytes are too few for all");
        assert_eq!(keys(&pages), whole, "in pages of {max_bytes} bytes");
        for page in &pages {
            let (bytes, shown) = (page.to_string().len(), rows::of(page).len());
            assert!(bytes <= max_bytes, "{bytes} bytes for a budget of {max_bytes}: {page}");
            assert_eq!(page["shown"], shown);
        }
        let (last, cut) = pages.split_last().expect("pages");
        assert!(last.get("statusCounts").is_none(), "nothing was cut from the last page");
        assert!(
            cut.iter().all(|page| page["statusCounts"].is_object() && page["clusters"]["counts"].is_object())
        );
    }
}
