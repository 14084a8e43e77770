//! Simulations of the whole: a gateway, its agents and their clusters with a clock of their own and connections in memory,
//! while things go wrong by a schedule that follows from a seed.
//!
//! What a machine does by chance follows from the seed too ([`host`]), and everything runs on one thread: agents are told to
//! search their caches there. So a seed has one course, and what it found once it finds again, up to the last byte of every
//! answer. With `--seeds` many are played, each in a process of its own, because some of what a process does by chance is
//! decided once.

mod agents;
mod ask;
mod asking;
mod check;
mod cluster;
mod converge;
mod deeds;
mod dice;
mod host;
mod kind;
mod line;
mod links;
mod many;
mod people;
mod question;
mod schedule;
mod site;
mod trail;
mod truth;
mod widgets;
mod world;

use std::process::ExitCode;

use clap::Parser;
use kubeplex_gateway::telemetry::Telemetry;

use crate::dice::Dice;
use crate::trail::Trail;
use crate::world::World;

/// How many steps are shown of a simulation that failed.
const SHOWN: usize = 60;

#[derive(Parser)]
#[command(about = "Simulations with faults by seeded schedules; cargo xtask simulate runs many")]
struct Arguments {
    /// The seed, or the first of them
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many, each in a process of its own
    #[arg(long)]
    seeds: Option<u64>,
    /// How many of them at a time
    #[arg(long, default_value_t = 2)]
    at_once: usize,
    /// Show every step
    #[arg(long)]
    steps: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.seeds {
        Some(seeds) => many::run(arguments.seed, seeds, arguments.at_once),
        None => one(&arguments),
    }
}

/// Plays one seed.
fn one(arguments: &Arguments) -> ExitCode {
    let seed = arguments.seed;
    host::seed(seed);
    // Metrics are timed by the processor's own counter, which is measured once against a clock that passes by itself.
    drop(Telemetry::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let mut dice = Dice::new(seed);
    let steps = schedule::of(&mut dice);
    let trail = runtime.block_on(async {
        host::start_clock();
        let trail = Trail::begin();
        World::new(&mut dice, trail.clone()).play(steps.clone(), &mut dice).await;
        trail
    });
    if arguments.steps {
        println!("{}", trail.last(usize::MAX).join("\n"));
    }
    let Some(violation) = trail.violation() else {
        println!("seed {seed} holds, trail {:016x}", trail.hash());
        return ExitCode::SUCCESS;
    };
    let schedule: Vec<_> = steps.iter().map(|step| format!("{:>8?} {:?}", step.at, step.fault)).collect();
    println!("seed {seed} fails: {violation}\n\nits schedule:\n{}\n", schedule.join("\n"));
    println!("its last steps:\n{}\n", trail.last(SHOWN).join("\n"));
    println!("again: cargo run -p kubeplex-tests --bin kubeplex-sim -- --seed {seed} --steps");
    ExitCode::FAILURE
}
