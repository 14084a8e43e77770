//! A soak: the whole for as long as wanted, in real time and over real sockets, while links, agents and API servers fail and
//! people go on asking. Every answer is checked, and after each round of faults what the process holds is compared with
//! what it held before.
//!
//! Everything is in this process, so what is counted is what all parts hold together: the gateway, the agents, and the
//! simulated API servers. What the soak notes to check answers by is in it too, and is counted apart.

mod check;
mod cluster;
mod people;
mod report;
mod round;
mod stage;
mod trouble;
mod truth;

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;

use crate::report::Report;
use crate::stage::Stage;

kubeplex_tests::counted_allocator!();

#[derive(Parser)]
#[command(about = "The whole under faults in real time; cargo xtask soak runs it")]
struct Arguments {
    /// How long
    #[arg(long, default_value_t = 20)]
    minutes: u64,
    /// One JSON object in place of the table
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let until = Instant::now() + Duration::from_secs(arguments.minutes * 60);
    let stage = Stage::start().await?;
    let mut report = Report::default();
    while Instant::now() < until && stage.violations().is_empty() {
        let mut round = round::play(&stage, report.rounds.len()).await;
        round.usage.live = round.usage.live.saturating_sub(stage.noted() + report.noted());
        progress(&round.line());
        report.rounds.push(round);
    }
    progress("");
    report.violations = stage.end().await;
    if arguments.json {
        println!("{}", serde_json::to_string(&report.json())?);
    } else {
        println!("{}", report.table());
    }
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Shows a person what has just been done, on a line of its own that the next one replaces.
fn progress(line: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[2K{line}");
    }
}
