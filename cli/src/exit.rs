//! What the exit status of a command that asks a gateway says. Scripts rely on it.

use std::process::ExitCode;

/// Why a command ended. That the gateway could not be asked at all (1) and a wrong command line (2) are told by whoever
/// runs the command, and by the library that reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Answered, with something in it.
    Found,
    /// The command line is wrong in a way that only this program sees.
    WrongUsage,
    /// Answered with an error: not 1, which says that there was no answer.
    AnsweredWithAnError,
    /// Answered, and there is nothing of what was asked for.
    NothingFound,
    /// Answered, and some of it is missing or old: some clusters did not answer, or not in full.
    Partial,
}

impl Exit {
    fn status(self) -> u8 {
        match self {
            Self::Found => 0,
            Self::WrongUsage => 2,
            Self::AnsweredWithAnError => 3,
            Self::NothingFound => 4,
            Self::Partial => 5,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}

/// In the help of `call` and `clusters`, whose answers are for programs to look into.
pub(crate) const OF_CALLS: &str = "\
Exit status:
  0  answered; an answer that lacks some clusters says so (\"partial\": true with --json)
  1  no gateway answered
  2  the command line is wrong, or the arguments are not a JSON object
  3  answered with an error, as code: message";

/// In the help of the commands that read.
pub(crate) const OF_READING: &str = "\
Exit status:
  0  answered, with something in it
  1  no gateway answered
  2  the command line is wrong
  3  answered with an error, as code: message
  4  there is nothing of what was asked for
  5  answered in part: the clusters that lack stand on standard error";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_has_every_status() {
        for exit in
            [Exit::Found, Exit::WrongUsage, Exit::AnsweredWithAnError, Exit::NothingFound, Exit::Partial]
        {
            assert!(OF_READING.contains(&format!("\n  {}  ", exit.status())), "{exit:?}");
        }
    }
}
