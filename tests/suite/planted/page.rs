//! The outcome of the trial as a page for people.

use std::fmt::Write as _;

use super::fault::Made;
use super::trial::Outcome;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/planted-faults.md");

pub(super) fn write(outcome: &Outcome) {
    std::fs::write(PAGE, page(outcome)).expect("docs/planted-faults.md is written");
}

fn page(outcome: &Outcome) -> String {
    let named = outcome.alone.iter().filter(|named| named.rank == Some(1)).count();
    let mut page = format!(
        "# Planted faults\n\n\
        Faults that were planted on real API servers, with real controllers and a real scheduler, and what `problems_list` named\n\
        first where it was asked for the namespace (or for the object, where there is no namespace). kwok plays the nodes: what needs\n\
        a kubelet is *written* as a status and events in the kubelet's words, all else is *caused*. Rank 1 is the first row; what\n\
        only follows from the fault is a symptom in that row, and no row of its own. What has to last for a quarter of an hour is\n\
        dated back in the condition that its controller has set.\n\n\
        Written by `cargo xtask planted --write`. Of {} faults planted one at a time, {named} were named first. Two namespaces in which nothing is\n\
        wrong had {} problems.\n\n\
        | fault | how | expected | named first | rank |\n|---|---|---|---|---:|\n",
        outcome.alone.len(),
        outcome.well.len(),
    );
    for named in &outcome.alone {
        let how = if named.fault.made == Made::Caused { "caused" } else { "written" };
        let rank = named.rank.map_or_else(|| "not named".to_owned(), |rank| rank.to_string());
        // Writing to a string can't fail.
        let _ = writeln!(
            page,
            "| {} | {how} | `{}` | {} | {rank} |",
            named.fault.about, named.fault.cause, named.first
        );
    }
    page.push_str("\n## In threes\n\nThree faults in one namespace: the first three rows name one each.\n\n");
    page.push_str("| faults | the first rows |\n|---|---|\n");
    for three in &outcome.in_threes {
        let faults: Vec<_> = three.faults.iter().map(|fault| fault.about).collect();
        let _ = writeln!(page, "| {} | {} |", faults.join("; "), three.causes.join(", "));
    }
    page
}
