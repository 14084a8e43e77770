//! The seeded simulations (`kubeplex-sim`): what must hold of every answer while links, agents, API servers and the gateway
//! fail by schedules that follow from a seed.
//!
//! `KUBEPLEX_SEEDS=5000 KUBEPLEX_SEED=1000` plays others, and more of them; `cargo xtask simulate` does without a test.

use std::collections::BTreeSet;
use std::process::Command;

/// How many seeds are played where nobody says otherwise.
const SEEDS: &str = "200";

#[test]
fn every_seed_holds() {
    let of = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let (first, count) = (of("KUBEPLEX_SEED", "1"), of("KUBEPLEX_SEEDS", SEEDS));
    let played = simulate(&["--seed", &first, "--seeds", &count]);
    assert!(played.contains(" 0 fail"), "{played}");
}

/// The hash that is printed is of every event and every answer, with their times.
#[test]
fn a_seed_has_one_course() {
    let mut courses = BTreeSet::new();
    for seed in 1..=8 {
        let [first, second] = [(); 2].map(|()| simulate(&["--seed", &seed.to_string()]));
        assert!(first.contains("trail "), "{first}");
        assert_eq!(first, second, "seed {seed} has two courses");
        courses.insert(first);
    }
    assert_eq!(courses.len(), 8, "and another one than any other");
}

/// What the simulation prints.
fn simulate(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_kubeplex-sim")).args(arguments).output();
    let output = output.expect("the simulation runs");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
