//! The trial of planted faults on real API servers, and the page that tells of it.

use anyhow::ensure;

use crate::test::{Outcome, PLANTED, on_control_planes};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write what was named to docs/planted-faults.md
    #[arg(long)]
    write: bool,
}

/// Brings control planes up, plants faults in them, and takes the control planes down.
///
/// # Errors
/// When Go is missing, or a fault was not named as it should be.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let outcome = on_control_planes(|tests| {
        tests.args([PLANTED, "--nocapture"]);
        if options.write {
            tests.env("KUBEPLEX_UPDATE_DOCS", "1");
        }
    });
    ensure!(
        matches!(outcome, Outcome::Counted { passed: 1.., failed: 0 }),
        "the trial of planted faults: {outcome}; what was not named is said above"
    );
    Ok(())
}
