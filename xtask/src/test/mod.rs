//! `cargo xtask test`: everything that must hold, in one run that ends with `N passed, N failed`.

mod conformance;
mod npm;
mod step;
mod steps;

use std::process::ExitCode;
use std::time::Instant;

pub(crate) use step::Outcome;
use step::Step;
pub(crate) use steps::{PLANTED, WALKS, on_control_planes};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Fail when a part can't run here (no Go, no Node); CI passes this
    #[arg(long)]
    require_all: bool,
    /// Run only the parts whose name contains this
    #[arg(long)]
    only: Option<String>,
}

/// Runs the parts in order, goes on after a failure, and counts. A failure is a test that failed, and with `--require-all` a
/// part that did not run.
pub(crate) fn run(options: &Options) -> ExitCode {
    let wanted = |step: &&Step| options.only.as_deref().is_none_or(|part| step.name.contains(part));
    let (mut passed, mut failed, mut summary) = (0, 0, Vec::new());
    for step in steps::ALL.iter().filter(wanted) {
        println!("\n== {}: {}", step.name, step.about);
        let started = Instant::now();
        let outcome = step.run();
        let seconds = started.elapsed().as_secs();
        summary.push(format!("{:>12}  {outcome}  ({seconds} s)", step.name));
        match outcome {
            Outcome::Counted { passed: good, failed: bad } => {
                passed += good;
                failed += bad;
            }
            Outcome::NotRun(_) if options.require_all => failed += 1,
            Outcome::NotRun(_) => {}
        }
    }
    println!("\n{}", summary.join("\n"));
    println!("{passed} passed, {failed} failed");
    if failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
