//! What can be wrong with a configuration.

use std::fmt;
use std::path::PathBuf;

use super::Malformed;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the configuration {} can't be read", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the configuration {} can't be used", path.display())]
    InFile { path: PathBuf, source: Box<ConfigError> },
    /// An unknown key or a value of the wrong type: said alone, because what is beside it was not read.
    #[error(transparent)]
    Malformed(Malformed),
    /// Every value that can't be used, not only the first: a line each.
    #[error("{}", Lines(.0))]
    Wrong(Vec<Mistake>),
}

/// One value that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct Mistake {
    /// As written in the file, `limits.sessions`, `cluster[2].name`; or as a flag, `--listen`.
    pub key: String,
    /// What is wrong with which value, and what would be right.
    pub problem: String,
}

struct Lines<'a>(&'a [Mistake]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{mistake}")?;
        }
        Ok(())
    }
}
