//! What a command asks: a tool, its arguments, and how the answer is to be read and shown.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::arguments::Target;

use super::flags::{How, Listing, Output};

/// A command line that says two things at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum UsageError {
    #[error(
        "\"{name}\" stands beside \"{first}\", which is a whole name already; write KIND {name} or KIND/{name}"
    )]
    Beside { name: String, first: String },
    #[error("\"{second}\" has a kind of its own beside \"{first}\"; ask for one kind at a time")]
    TwoKinds { first: String, second: String },
    #[error(
        "\"{names}\" are several objects, of which a table shows one; -o yaml shows them all, -l chooses by labels"
    )]
    ManyInATable { names: String },
    #[error("{flag} chooses among many, and \"{name}\" is named; leave one of them out")]
    NamedAndChosen { flag: &'static str, name: String },
    #[error("nothing is asked for; write {wanted}")]
    Nothing { wanted: &'static str },
    #[error("the file {path} can't be read: {problem}")]
    File { path: String, problem: String },
}

/// One command, understood.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) tool: &'static str,
    pub(super) arguments: Map<String, Value>,
    /// Set where the answer comes in pages.
    pub(super) paging: Option<Paging>,
    pub(super) output: Output,
    /// Set where it is asked again and again: how often.
    pub(super) watch: Option<Duration>,
    /// What rows are of, where they do not say it themselves.
    pub(super) kind: Option<String>,
    pub(super) target: Target,
}

/// How far to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paging {
    ToTheEnd,
    AtMost(u32),
}

impl Question {
    /// A question whose answer is read whole.
    pub(super) fn of(tool: &'static str, command: &impl Serialize, how: &How) -> Self {
        Self {
            tool,
            arguments: arguments(command),
            paging: None,
            output: how.output,
            watch: how.watch.then(|| Duration::from_secs(how.interval)),
            kind: None,
            target: how.target.clone(),
        }
    }

    /// Page by page, as far as is wanted. Programs read rows by the names of their columns.
    pub(super) fn paged(mut self, listing: &Listing) -> Self {
        self.paging = Some(listing.limit.map_or(Paging::ToTheEnd, Paging::AtMost));
        if matches!(self.output, Output::Json | Output::Yaml) {
            self.arguments.insert("output".to_owned(), json!("json"));
        }
        self
    }

    pub(super) fn about(mut self, argument: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.arguments.insert(argument.to_owned(), json!(value));
        }
        self
    }

    pub(super) fn of_kind(mut self, kind: &str) -> Self {
        self.kind = Some(kind.to_owned());
        self
    }

    /// Whether somebody reads along, and wants to know what the table covers.
    pub(super) fn is_for_people(&self) -> bool {
        matches!(self.output, Output::Table | Output::Wide)
    }

    /// Whether it is about what was, not about what is.
    pub(super) fn is_of_the_past(&self) -> bool {
        matches!(self.tool, "changes_list" | "events_list")
    }

    /// Whether lines are shown as they come.
    pub(super) fn follows(&self) -> bool {
        self.arguments.contains_key(super::follow::ARGUMENT)
    }
}

/// The fields of a command that were given, by their names.
fn arguments(command: &impl Serialize) -> Map<String, Value> {
    let Ok(Value::Object(given)) = serde_json::to_value(command) else { return Map::new() };
    given.into_iter().filter(|(_, value)| !matches!(value, Value::Null | Value::Bool(false))).collect()
}
