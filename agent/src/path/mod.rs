//! Paths into objects: the part of kubectl's JSONPath that names places, and nothing that computes.
//!
//! `spec.containers[0].image`, `metadata.labels['app.kubernetes.io/name']`, `{.spec.ports[*].port}`,
//! `status.conditions[?(@.type=="Ready")].status`, `..image`. A leading `$`, a leading dot and the braces of kubectl are
//! optional; a dot inside a key is written `\.` or the key is quoted.
//!
//! Grammar: <https://kubernetes.io/docs/reference/kubectl/jsonpath/>

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

mod filter;
mod parse;
mod project;
mod walk;

pub use project::project;

use filter::Filter;
use parse::Descents;

/// A parsed path. Two texts that mean the same place are equal.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    steps: Vec<Step>,
}

/// One step from a value to some of those inside it.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// A key of a map.
    Key(String),
    /// A place in an array, from its end where negative.
    Index(i64),
    /// A range of an array, as in Python.
    Slice { from: Option<i64>, to: Option<i64>, by: i64 },
    /// All values of a map or an array.
    Each,
    /// The value itself and everything below it.
    Descend,
    /// What any of these steps finds, in their order.
    Any(Vec<Step>),
    /// The elements of an array that pass a test.
    Where(Filter),
}

/// A path that can't be read: where, and what was wanted there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {} of the path \"{path}\": {problem}", at + 1)]
pub struct PathError {
    /// The path, shortened where it is very long.
    pub path: String,
    /// How many characters come before the fault.
    pub at: usize,
    pub problem: String,
}

impl Path {
    /// # Errors
    /// [`PathError`] names the character at which the text stops being a path.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        parse::parse(text, Descents::Taken)
    }

    /// A path of a caller. Two dots, which in a kind's own columns look at every depth, are a typing mistake here far more
    /// often than they are meant, and find nothing instead of telling.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn of_caller(text: &str) -> Result<Self, PathError> {
        parse::parse(text, Descents::Refused)
    }

    /// The first value at the path, in the object's order.
    pub fn first<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        walk::first(&self.steps, object)
    }

    /// All values at the path, in the object's order.
    pub fn all<'a>(&self, object: &'a Value) -> Vec<&'a Value> {
        let mut found = Vec::new();
        walk::each(&self.steps, object, &mut |value| found.push(value));
        found
    }

    /// Whether the path names at most one place whatever the object: keys and indexes only.
    pub fn is_single(&self) -> bool {
        self.steps.iter().all(|step| matches!(step, Step::Key(_) | Step::Index(_)))
    }

    /// The keys of the path, where it has nothing else: `["spec", "nodeName"]`.
    pub fn keys(&self) -> Option<Vec<&str>> {
        self.steps
            .iter()
            .map(|step| match step {
                Step::Key(key) => Some(key.as_str()),
                _ => None,
            })
            .collect()
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// The canonical spelling: `spec.containers[0].image`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut after_dots = true;
        for step in &self.steps {
            step.write(f, after_dots)?;
            after_dots = *step == Step::Descend;
        }
        Ok(())
    }
}

impl Step {
    fn write(&self, f: &mut fmt::Formatter<'_>, after_dots: bool) -> fmt::Result {
        match self {
            Self::Key(key) if is_plain(key) => write!(f, "{}{key}", if after_dots { "" } else { "." }),
            Self::Each => f.write_str("[*]"),
            Self::Descend => f.write_str(".."),
            Self::Where(filter) => write!(f, "[?({filter})]"),
            Self::Key(_) | Self::Index(_) | Self::Slice { .. } | Self::Any(_) => {
                f.write_str("[")?;
                self.write_inner(f)?;
                f.write_str("]")
            }
        }
    }

    fn write_inner(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "'{}'", key.replace('\\', "\\\\").replace('\'', "\\'")),
            Self::Index(index) => write!(f, "{index}"),
            Self::Slice { from, to, by } => {
                let bound = |bound: &Option<i64>| bound.map(|n| n.to_string()).unwrap_or_default();
                write!(f, "{}:{}:{by}", bound(from), bound(to))
            }
            Self::Any(steps) => steps.iter().enumerate().try_for_each(|(index, step)| {
                f.write_str(if index == 0 { "" } else { "," })?;
                step.write_inner(f)
            }),
            Self::Each => f.write_str("*"),
            Self::Descend | Self::Where(_) => self.write(f, true),
        }
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}
