//! Pages: every row once, whatever the page size, and budgets that cut where a row ends.

use kubeplex_tests::fleet::{Contents, LARGEST_ANSWER, LONGEST_PAGE, TestFleet};
use kubeplex_tests::rows::{self, Row};
use serde_json::{Value, json};

use super::agree::agree;
use crate::ground;

/// As many pages as a question about pages takes from somebody's clusters.
const MOST_PAGES: usize = 500;

fn keys(pages: &[Value]) -> Vec<(String, String, String)> {
    pages.iter().flat_map(rows::of).map(|row: Row| row.key()).collect()
}

fn question(order: &Value, limit: usize, max_bytes: usize) -> Value {
    let mut question = order.clone();
    question["limit"] = json!(limit);
    question["maxBytes"] = json!(max_bytes);
    question
}

/// Whether somebody's clusters hold so much that a question would take too many pages of so many rows.
async fn too_many(fleet: &TestFleet, rows: usize) -> bool {
    let total = fleet.call("pods_list", json!({"limit": 1})).await["total"].as_u64().unwrap_or_default();
    let too_many = total as usize > (MOST_PAGES * rows).min(LONGEST_PAGE);
    ground::compared(fleet, !too_many, format_args!("{total} pods are too many for pages of {rows}"));
    fleet.contents == Contents::Foreign && too_many
}

pub(crate) async fn every_row_comes_once_whatever_the_page_size(fleet: &'static TestFleet) {
    for order in [json!({}), json!({"sortBy": "-restarts"}), json!({"sortBy": "status,-age"})] {
        for limit in [1, 7, 50] {
            if too_many(fleet, limit).await {
                continue;
            }
            agree(
                &format!("pages of {limit} in {order}"),
                async || {
                    let pages = fleet.pages("pods_list", question(&order, limit, LARGEST_ANSWER)).await;
                    let keys = keys(&pages);
                    let count = keys.len().div_ceil(limit).max(1);
                    assert_eq!(pages.len(), count, "pages of {limit} in {order}");
                    keys
                },
                async || {
                    let whole =
                        fleet.pages("pods_list", question(&order, LONGEST_PAGE, LARGEST_ANSWER)).await;
                    let keys = keys(&whole);
                    assert_eq!(
                        (whole.len(), &whole[0]["total"]),
                        (1, &json!(keys.len())),
                        "one page holds all"
                    );
                    keys
                },
            )
            .await;
        }
    }
}

pub(crate) async fn a_budget_cuts_at_a_row_and_says_so(fleet: &'static TestFleet) {
    // The smallest budget has room for a row or two of a page.
    if too_many(fleet, 1).await {
        return;
    }
    let pages_of =
        async |max_bytes| fleet.pages("pods_list", question(&json!({}), LONGEST_PAGE, max_bytes)).await;
    for max_bytes in [1_200, 2_500, 5_000] {
        agree(
            &format!("pages of {max_bytes} bytes"),
            async || {
                let pages = pages_of(max_bytes).await;
                ground::compared(fleet, pages.len() > 1, format_args!("{max_bytes} bytes hold all pods"));
                check_cuts(&pages, max_bytes);
                keys(&pages)
            },
            async || keys(&pages_of(LARGEST_ANSWER).await),
        )
        .await;
    }
}

fn check_cuts(pages: &[Value], max_bytes: usize) {
    for page in pages {
        let (bytes, shown) = (page.to_string().len(), rows::of(page).len());
        assert!(bytes <= max_bytes, "{bytes} bytes for a budget of {max_bytes}: {page}");
        assert_eq!(page["shown"], shown);
    }
    let (last, cut) = pages.split_last().expect("pages");
    assert!(last.get("statusCounts").is_none(), "nothing was cut from the last page");
    let counts = |page: &Value| page["statusCounts"].is_object() && page["clusters"]["counts"].is_object();
    assert!(cut.iter().all(counts), "what was cut is counted");
}
