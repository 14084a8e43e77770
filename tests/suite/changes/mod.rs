//! The flight recorder: what is told of changes is what was done, nothing else, and what is not known is declared.

mod day;
mod oracle;
mod story;

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::rows::{self, Row};
use kubeplex_tests::server::text;
use serde_json::{Value, json};

/// Longer than any of these tests takes.
pub(crate) const LATELY: &str = "20m";

/// Everything that is told, the newest first, over all pages; and the answer's first page.
pub(crate) async fn told(fleet: &TestFleet, mut question: Value) -> (Vec<Row>, Value) {
    question["limit"] = json!(1_000);
    question["maxBytes"] = json!(4 << 20);
    if question.get("since").is_none() && question.get("around").is_none() {
        question["since"] = json!(LATELY);
    }
    let mut first = None;
    let mut all = Vec::new();
    loop {
        let answer = fleet.call("changes_list", question.clone()).await;
        all.extend(rows::of(&answer));
        let next = answer.get("continue").cloned();
        first.get_or_insert(answer);
        match next {
            Some(next) => question["continue"] = next,
            None => return (all, first.unwrap_or_default()),
        }
    }
}

/// `Deployment/checkout: containers[app].image: a:1 → 2`.
pub(crate) fn line(row: &Row) -> String {
    format!("{}: {}", text(row.cell("object")), text(row.cell("change")))
}
