//! Logs: which pods a question means, and what their containers wrote.
//!
//! A log is asked for in two steps, so that nobody reads more than is shown: agents first say which pods are meant
//! ([`LogPodsRequest`]), then read those ([`LogRequest`]). Both answers are [gathered](crate::gather).

use serde::{Deserialize, Serialize};

use crate::call::CallContext;
use crate::events::Moment;
use crate::kind::GroupResource;
use crate::pattern::Pattern;
use crate::selector::LabelSelector;
use crate::template::Template;

/// The pods of every visible object of a kind whose namespace, name and labels match; of the kind `pods` those themselves.
/// The head of the answer counts all, the items are [`PodName`]s.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogPodsRequest {
    pub context: CallContext,
    pub kind: GroupResource,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(default)]
    pub namespaces: Vec<Pattern>,
    #[serde(default)]
    pub names: Vec<Pattern>,
    #[serde(default)]
    pub label_selector: LabelSelector,
    /// At most so many are named.
    pub limit: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PodName {
    pub namespace: String,
    pub name: String,
}

/// What the containers of these pods wrote. The items of the answer are [`LogItem`]s.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogRequest {
    pub context: CallContext,
    pub pods: Vec<PodName>,
    /// Without one, all that have something to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    #[serde(flatten)]
    pub lines: LogLines,
    /// So long new lines are waited for, after those that there are.
    #[serde(default)]
    pub follow_ms: u64,
    /// Templates of lines instead of the lines.
    #[serde(default)]
    pub patterns: bool,
}

/// Which lines of a container are meant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogLines {
    /// The newest so many of those that match.
    pub tail: u32,
    /// Of the run before the last restart.
    #[serde(default)]
    pub previous: bool,
    /// A regular expression that a line matches, as it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grep: Option<String>,
    /// Lines shown before and after one that matches.
    #[serde(default)]
    pub context_lines: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
}

/// A part of what was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LogItem {
    /// Before the first line of it.
    Source(LogSource),
    /// At most [`ROWS_PER_FRAME`](crate::ROWS_PER_FRAME), of any sources. Those of one source come in its order.
    Lines(Vec<LogLine>),
    /// After the last line of it.
    Over(LogOver),
    Templates {
        templates: Vec<Template>,
        /// Lines of no template, because they were of too many sorts.
        #[serde(default)]
        others: u64,
    },
}

/// A container whose log is read, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSource {
    /// What its lines call it.
    pub id: u32,
    pub namespace: String,
    pub pod: String,
    /// Empty where no container of the pod can be read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub container: String,
}

/// A line, redacted and of bounded length.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Its [`LogSource::id`].
    #[serde(rename = "s")]
    pub source: u32,
    /// When it was written by its node's clock, in nanoseconds since 1970; of a line without a time, that of the one before.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub at_ns: Option<i64>,
    #[serde(rename = "l")]
    pub text: String,
    /// It does not match, and stands beside one that does.
    #[serde(rename = "c", default, skip_serializing_if = "std::ops::Not::not")]
    pub beside: bool,
}

/// How reading a container went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogOver {
    pub id: u32,
    /// Why there is nothing of it, or not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Some of it could not be read that there is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
    /// Lines that match, of all that were read.
    #[serde(default)]
    pub matched: u64,
    /// Of the newest that are wanted, those that did not fit: the oldest.
    #[serde(default)]
    pub dropped: u64,
    /// Lines of which only the beginning is shown.
    #[serde(default)]
    pub shortened: u64,
}

impl LogLine {
    /// About what it takes of an answer, in bytes.
    pub fn weight(&self) -> usize {
        self.text.len() + 40
    }
}

/// Puts lines in the order of their times, and leaves out the oldest until the rest has at most so many bytes. Of each line
/// left out `dropped` is told. Lines of the same time keep their order.
pub fn keep_newest(lines: &mut Vec<LogLine>, max_bytes: usize, mut dropped: impl FnMut(&LogLine)) {
    lines.sort_by_key(|line| line.at_ns);
    let mut bytes = 0;
    let kept = lines.iter().rev().take_while(|line| {
        bytes += line.weight();
        bytes <= max_bytes
    });
    let gone = lines.len() - kept.count();
    lines.drain(..gone).for_each(|line| dropped(&line));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(source: u32, at_ns: Option<i64>, text: &str) -> LogLine {
        LogLine { source, at_ns, text: text.to_owned(), beside: false }
    }

    #[test]
    fn the_newest_lines_are_kept_in_the_order_of_their_times() {
        let lines = || {
            vec![
                line(0, Some(1), "a"),
                line(0, Some(4), "b"),
                line(1, None, "c"),
                line(1, Some(4), "d"),
                line(1, Some(2), "e"),
            ]
        };
        for (room_for, kept, left_out) in
            [(9, "c a e b d", ""), (3, "e b d", "c a"), (1, "d", "c a e b"), (0, "", "c a e b d")]
        {
            let (mut lines, mut gone) = (lines(), Vec::new());
            keep_newest(&mut lines, room_for * 41, |line| gone.push(line.text.clone()));
            let texts: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
            assert_eq!((texts.join(" ").as_str(), gone.join(" ").as_str()), (kept, left_out));
        }
    }
}
