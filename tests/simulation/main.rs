//! The seeded simulations (`kubeplex-sim`): what must hold of every answer while links, agents, API servers and the gateway
//! fail by schedules that follow from a seed.
//!
//! `KUBEPLEX_SEEDS=5000 KUBEPLEX_SEED=1000` plays others, and more of them; `cargo xtask simulate` does without a test.

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

/// What the simulation prints.
fn simulate(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_kubeplex-sim")).args(arguments).output();
    let output = output.expect("the simulation runs");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
