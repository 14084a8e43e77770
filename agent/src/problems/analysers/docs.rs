//! The causes as a page for people.

use std::collections::HashSet;
use std::fmt::Write;

use super::{ALL, CAUSES, Severity};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/problems.md");

/// Set it to write the page instead of comparing it.
const UPDATE: &str = "KUBEPLEX_UPDATE_DOCS";

fn page() -> String {
    let kinds: Vec<_> =
        ALL.iter().map(|judges| format!("`{}`", named(judges.group, judges.resource))).collect();
    let mut page = format!(
        "# Problems\n\n\
        `problems_list` says what is wrong and why. Agents judge objects as they change, by what controllers and kubelets write\n\
        into them and into events; nothing is asked of the cluster for it. Objects of these kinds are judged: {}.\n\
        Of all other kinds that are watched, custom resources among them, it is said what a finalizer holds; a kind that nobody\n\
        asked for yet is watched once `problems_list` is asked for it.\n\
        What they refer to is looked at, too, as far as its kind is watched: where not all of a kind are known, nothing of it is\n\
        said to be missing.\n\n\
        A cause is said of the object that has it. What only follows from another object's problem is a symptom of that: pods of\n\
        a node that is not ready, pods that wait for a claim, a service whose pods crash. What looks wrong for a moment only is\n\
        no problem: how long each thing may last is in `agent/src/problems/thresholds.rs`.\n\n\
        [planted-faults.md](planted-faults.md) shows what was named of faults that were planted on real API servers.\n\n\
        This page is rendered from `agent/src/problems/analysers`, and a test keeps the two equal.\n\n\
        | cause | severity | what is looked at | when it is said |\n|---|---|---|---|\n",
        kinds.join(", ")
    );
    for cause in CAUSES.iter().flat_map(|causes| *causes) {
        let severities: Vec<_> = cause.severities.iter().map(|severity| word(*severity)).collect();
        // Writing to a string can't fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            cause.name,
            severities.join(", "),
            cause.looks_at,
            cause.when
        );
    }
    page
}

fn named(group: &str, resource: &str) -> String {
    if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

#[test]
fn the_page_is_the_table() {
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(PAGE, page()).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(written == page(), "docs/problems.md is not what the table says: run this test with {UPDATE}=1");
}

#[test]
fn each_cause_and_each_kind_once() {
    let mut seen = HashSet::new();
    assert!(CAUSES.iter().flat_map(|causes| *causes).all(|cause| seen.insert(cause.name)));
    assert!(ALL.iter().all(|judges| seen.insert(judges.resource)));
}
