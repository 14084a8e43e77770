//! What is wrong: planted in simulated clusters and in real ones, and named with its cause.

mod real;
mod simulated;

use std::collections::BTreeMap;

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::rows::Row;
use kubeplex_tests::server::text;
use kubeplex_tests::wait;
use serde_json::{Value, json};

/// What is asked for in every comparison.
const COLUMNS: &str = "cause,object,namespace,clusters,objects";

/// `CrashLoop deployments/fraud-detector payments`, with clusters and objects.
fn said(row: &Row) -> (String, (String, String)) {
    let cell = |column: &str| text(row.cell(column));
    let what = format!("{} {} {}", cell("cause"), cell("object"), row.namespace);
    (what.trim_end().to_owned(), (cell("clusters"), cell("objects")))
}

/// All problems that a question finds, by what they are.
async fn found(fleet: &TestFleet, question: &Value) -> BTreeMap<String, (String, String)> {
    let mut question = question.clone();
    question["fields"] = json!(COLUMNS);
    fleet.rows("problems_list", question).await.iter().map(said).collect()
}

/// Waits until these are found, beside others.
async fn until_found(fleet: &TestFleet, question: &Value, wanted: &[&str]) {
    wait::until(&format!("{question} to find {wanted:?}"), async || {
        let found = found(fleet, question).await;
        if wanted.iter().all(|wanted| found.contains_key(*wanted)) { Ok(()) } else { Err(found) }
    })
    .await;
}

/// Waits until nothing is.
async fn until_well(fleet: &TestFleet, question: &Value) {
    wait::until(&format!("{question} to find nothing"), async || {
        let found = found(fleet, question).await;
        if found.is_empty() { Ok(()) } else { Err(found) }
    })
    .await;
}
