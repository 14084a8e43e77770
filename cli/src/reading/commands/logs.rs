//! `kubeplex logs`: the one command that also shows what has not been written yet.

use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::completion;
use crate::reading::flags::{How, Labels, Place, Times};
use crate::reading::follow;
use crate::reading::question::{Question, UsageError};

#[derive(Debug, Args, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Logs {
    /// A pod, or what has pods: checkout-7d9f8b6c5d-x2x9k, deployment/checkout, job/report
    #[arg(value_name = "POD|KIND/NAME", add = completion::logged())]
    name: Option<String>,
    #[command(flatten)]
    #[serde(flatten)]
    place: Place,
    #[command(flatten)]
    #[serde(flatten)]
    labels: Labels,
    #[command(flatten)]
    #[serde(flatten)]
    times: Times,
    /// Only this container
    #[arg(short, long, value_name = "NAME", help_heading = "Which")]
    container: Option<String>,
    /// So many lines of each container, from its end
    #[arg(long, value_name = "LINES", help_heading = "Which")]
    tail: Option<u64>,
    /// Of the container before its last restart
    #[arg(short, long, help_heading = "Which")]
    previous: bool,
    /// Only lines that match this regular expression
    #[arg(long, value_name = "REGEX", help_heading = "Which")]
    grep: Option<String>,
    /// So many lines around each match
    #[arg(
        short = 'C',
        long = "context-lines",
        value_name = "LINES",
        requires = "grep",
        help_heading = "Which"
    )]
    context_lines: Option<u32>,
    /// Fold lines that are alike into patterns with counts
    #[arg(long, conflicts_with = "follow", help_heading = "Which")]
    patterns: bool,
    /// Go on with what is written from now, until Ctrl-C
    #[arg(short, long, conflicts_with_all = ["previous", "until", "watch"], help_heading = "How")]
    #[serde(skip)]
    follow: bool,
    #[command(flatten)]
    #[serde(flatten)]
    how: How,
}

impl Logs {
    pub(super) fn question(&self) -> Result<Question, UsageError> {
        if self.name.is_none() && self.labels.label_selector.is_none() {
            return Err(UsageError::Nothing {
                wanted: "a pod, a workload (deployment/checkout) or labels (-l app=checkout)",
            });
        }
        let mut question = Question::of("pods_log", self, &self.how);
        if self.follow {
            question.arguments.insert(follow::ARGUMENT.to_owned(), json!(follow::ROUND.as_secs()));
        }
        Ok(question)
    }
}
