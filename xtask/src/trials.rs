//! Trials on real API servers, and the pages that tell of them.

use anyhow::ensure;

use crate::test::{Outcome, PLANTED, WALKS, on_control_planes};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write what came of it to its page in docs
    #[arg(long)]
    write: bool,
}

/// One of them.
pub(crate) struct Trial {
    about: &'static str,
    /// The tests of the suite that it is.
    tests: &'static str,
}

/// Writes docs/planted-faults.md.
pub(crate) const FAULTS: Trial = Trial { about: "the trial of planted faults", tests: PLANTED };

/// Writes docs/walks.md.
pub(crate) const QUESTIONS: Trial = Trial { about: "the walks", tests: WALKS };

/// Brings control planes up, puts them on trial, and takes them down.
///
/// # Errors
/// When Go is missing, or something was not as it should be.
pub(crate) fn run(trial: &Trial, options: &Options) -> anyhow::Result<()> {
    let outcome = on_control_planes(|tests| {
        tests.args([trial.tests, "--nocapture"]);
        if options.write {
            tests.env("KUBEPLEX_UPDATE_DOCS", "1");
        }
    });
    ensure!(
        matches!(outcome, Outcome::Counted { passed: 1.., failed: 0 }),
        "{}: {outcome}; what was not as it should be is said above",
        trial.about
    );
    Ok(())
}
