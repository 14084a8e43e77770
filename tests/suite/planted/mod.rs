//! Faults of many kinds are planted on real API servers, one at a time and in threes, and each must be named by its true cause
//! before all else; where nothing is wrong, nothing may be named. `docs/planted-faults.md` is the table of it.

mod caused;
mod fault;
mod page;
mod plant;
mod trial;
mod well;
mod written;

use kubeplex_tests::fleet::TestFleet;

use crate::{ground, pages};

#[test]
fn every_fault_is_named_first_and_none_where_nothing_is_wrong() {
    ground::real_alone("every_fault_is_named_first_and_none_where_nothing_is_wrong", all_named);
}

async fn all_named(fleet: &'static TestFleet) {
    let outcome = trial::run(fleet).await;
    if pages::are_to_be_written() {
        page::write(&outcome);
    }
    trial::clear(fleet).await;
    let wrong = outcome.wrong();
    assert!(
        wrong.is_empty(),
        "{} faults were not named as they should be:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// The page has a row for each fault, in the trial's order: it is of this trial.
#[test]
fn simulated_page_is_of_these_faults() {
    let page = include_str!("../../../docs/planted-faults.md");
    let faults: Vec<_> = trial::faults().collect();
    let mut rows =
        page.lines().filter(|line| line.contains(" | caused | ") || line.contains(" | written | "));
    for fault in &faults {
        let row = rows.next().unwrap_or_default();
        let start = format!("| {} |", fault.about);
        assert!(
            row.starts_with(&start),
            "docs/planted-faults.md has another fault in the place of \"{}\"",
            fault.about
        );
        assert!(row.ends_with("| 1 |"), "{row}");
    }
    assert_eq!(rows.next(), None);
    assert!(faults.len() >= 30 && trial::threes().iter().map(Vec::len).sum::<usize>() >= 30);
}
