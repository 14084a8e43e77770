//! Why a program failed, for the person who started it.

use std::io::Write as _;
use std::process::ExitCode;

/// The exit status of a program's outcome; a failure is told on standard error first.
pub fn exit(program: &str, outcome: anyhow::Result<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        report(program, &error);
        ExitCode::FAILURE
    })
}

/// Tells a failure on standard error.
pub fn report(program: &str, error: &anyhow::Error) {
    // Where nobody reads standard error, nobody can be told.
    let _ = writeln!(std::io::stderr().lock(), "{program}: {}", describe(error));
}

/// What was being done, and below it a line a cause. Many errors say their causes themselves: none is said twice.
pub fn describe(error: &anyhow::Error) -> String {
    let mut lines: Vec<String> = Vec::new();
    for cause in error.chain() {
        let said = cause.to_string();
        let said = said.trim();
        if !said.is_empty() && !lines.iter().any(|line| line.contains(said)) {
            lines.push(said.to_owned());
        }
    }
    lines.join("\n").replace('\n', "\n  ")
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("reading /no: {source}")]
    struct SaysItsCause {
        source: io::Error,
    }

    #[test]
    fn each_cause_is_said_once_on_its_own_line() {
        let cause = io::Error::other("the disk is gone");
        let error = anyhow::Error::new(SaysItsCause { source: cause }).context("starting");
        assert_eq!(describe(&error), "starting\n  reading /no: the disk is gone");
        let silent = anyhow::Error::new(io::Error::other("no space")).context("writing").context("starting");
        assert_eq!(describe(&silent), "starting\n  writing\n  no space");
    }

    #[test]
    fn a_failure_is_a_failure_to_the_shell() {
        assert_eq!(exit("test", Err(anyhow::anyhow!("no"))), ExitCode::FAILURE);
        assert_eq!(exit("test", Ok(ExitCode::from(3))), ExitCode::from(3));
    }
}
