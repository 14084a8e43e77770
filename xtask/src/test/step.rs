//! One part of the test run, and how it is counted.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// A part of the run.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) action: fn() -> Outcome,
}

impl Step {
    pub(super) fn run(&self) -> Outcome {
        (self.action)()
    }
}

/// What came of a part.
pub(crate) enum Outcome {
    Counted {
        passed: u64,
        failed: u64,
    },
    /// Why it could not run here.
    NotRun(String),
}

impl Outcome {
    /// A check that is one test by itself.
    pub(super) fn of(result: anyhow::Result<()>) -> Self {
        match result {
            Ok(()) => Self::Counted { passed: 1, failed: 0 },
            Err(error) => {
                eprintln!("{error:#}");
                Self::Counted { passed: 0, failed: 1 }
            }
        }
    }
}

impl Outcome {
    /// Both together; a part that did not run makes the whole not run.
    pub(super) fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Counted { passed: a, failed: b }, Self::Counted { passed: c, failed: d }) => {
                Self::Counted { passed: a + c, failed: b + d }
            }
            (not_run @ Self::NotRun(_), _) | (_, not_run @ Self::NotRun(_)) => not_run,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counted { passed, failed } => write!(f, "{passed} passed, {failed} failed"),
            Self::NotRun(reason) => write!(f, "did not run: {reason}"),
        }
    }
}

/// Runs a test command, shows what it prints, and adds up its `test result:` lines. A command that fails without a
/// failed test (it did not compile, it crashed) counts as one failure.
pub(super) fn counted(command: &mut Command) -> Outcome {
    let mut child = match command.stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return Outcome::of(Err(anyhow::anyhow!("starting {command:?}: {error}"))),
    };
    let (mut passed, mut failed) = (0, 0);
    for line in
        child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()).map_while(Result::ok)
    {
        println!("{line}");
        if let Some((good, bad)) = test_result(&line) {
            passed += good;
            failed += bad;
        }
    }
    let succeeded = child.wait().is_ok_and(|status| status.success());
    Outcome::Counted { passed, failed: if succeeded { failed } else { failed.max(1) } }
}

/// `test result: ok. 12 passed; 0 failed; …` → (12, 0).
fn test_result(line: &str) -> Option<(u64, u64)> {
    let counts = line.strip_prefix("test result: ")?;
    let count = |word: &str| {
        let before = &counts[..counts.find(word)?];
        before.trim_end().rsplit(' ').next()?.parse().ok()
    };
    Some((count("passed")?, count("failed")?))
}

#[cfg(test)]
mod tests {
    use super::test_result;

    #[test]
    fn result_lines_are_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(test_result(line), Some((12, 3)));
        assert_eq!(test_result("test result: unknown"), None);
        assert_eq!(test_result("running 3 tests"), None);
    }
}
