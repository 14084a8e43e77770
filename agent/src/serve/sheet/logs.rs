//! What an object's pods wrote of errors, read live and in the caller's name.

use kubeplex_proto::log::{LogLines, LogRequest, PodName};
use kubeplex_proto::sheet::{SheetLogs, SheetPattern};
use kubeplex_proto::template::Template;
use serde_json::Value;

use super::look::Child;
use super::{Composing, Described, relatives};
use crate::limits::{SHEET_LOG_LINES, SHEET_LOG_PATTERNS, SHEET_LOG_PODS};
use crate::logs::Grep;
use crate::serve::logs::{Folded, folded};
use crate::serve::opening::NotRead;

/// What lines that tell of errors have in them: words, or the first letter of a line of klog
/// (<https://github.com/kubernetes/klog>).
const ERRORS: &str = r"(?i)error|\berr\b|exception|fatal|panic|fail|critical|traceback|refused|denied|unable to|timed? ?out|(?-i:^[EF]\d{4} )";

/// Reasons why some of it is not read that are told; of more the number.
const REASONS: usize = 2;

/// What there is of logs, and what can't be told of them.
#[derive(Default)]
pub(super) struct Told {
    logs: Option<SheetLogs>,
    not_told: Vec<String>,
}

impl Told {
    pub(super) fn told(self, not_told: &mut Vec<String>) -> Option<SheetLogs> {
        not_told.extend(self.not_told.into_iter().map(|why| format!("logs: {why}")));
        self.logs
    }

    fn nothing(why: impl Into<String>) -> Self {
        Self { logs: None, not_told: vec![why.into()] }
    }
}

impl Composing<'_> {
    /// Sorts of errors in the last lines of its pods, where they are asked for.
    pub(super) async fn logs(&self, described: &Described, children: &[Child]) -> Told {
        if !self.logs {
            return Told::default();
        }
        let grep = match Grep::new(ERRORS) {
            Ok(grep) => grep,
            Err(problem) => return Told::nothing(problem),
        };
        let mut pods = pods(described, children);
        if pods.is_empty() {
            return Told::nothing("it has no pods");
        }
        let more_pods = pods.len().saturating_sub(SHEET_LOG_PODS) as u64;
        pods.truncate(SHEET_LOG_PODS);
        let read = pods.len() as u64;
        match folded(self.service, self.log_request(pods), grep, self.deadline).await {
            Ok(folded) => of_folded(folded, read, more_pods),
            Err(NotRead::Nothing(nothing)) => {
                Told::nothing(nothing.message.unwrap_or_else(|| "they can't be read".to_owned()))
            }
            Err(NotRead::Refused(error)) => Told::nothing(error.message),
        }
    }

    fn log_request(&self, pods: Vec<PodName>) -> LogRequest {
        let mut context = self.context.clone();
        context.deadline_ms = u64::try_from(self.deadline.remaining().as_millis()).unwrap_or(u64::MAX);
        let lines = LogLines { tail: SHEET_LOG_LINES, ..LogLines::default() };
        LogRequest { context, pods, container: None, lines, follow_ms: 0, patterns: true }
    }
}

/// The object itself, or the pods below it: those that are not well first.
fn pods(described: &Described, children: &[Child]) -> Vec<PodName> {
    if described.object["kind"] == "Pod" {
        return vec![name(&described.object)];
    }
    let mut pods: Vec<(bool, PodName)> = children
        .iter()
        .filter_map(|child| Some((relatives::is_well(&child.relative), name(child.pod.as_ref()?))))
        .collect();
    pods.sort();
    pods.into_iter().map(|(_, pod)| pod).collect()
}

fn name(pod: &Value) -> PodName {
    let text = |pointer: &str| relatives::text(pod, pointer).to_owned();
    PodName { namespace: text("/metadata/namespace"), name: text("/metadata/name") }
}

fn of_folded(folded: Folded, pods: u64, more_pods: u64) -> Told {
    let Folded { templates, others, containers, unread } = folded;
    let more = templates.len().saturating_sub(SHEET_LOG_PATTERNS) as u64 + u64::from(others > 0);
    let pattern = |template: Template| SheetPattern {
        text: template.text,
        count: template.count,
        last_ms: template.last_ns.map(|ns| ns / 1_000_000),
    };
    let patterns = templates.into_iter().take(SHEET_LOG_PATTERNS).map(pattern).collect();
    let lines = u64::from(SHEET_LOG_LINES);
    let logs = SheetLogs { pods, more_pods, containers, lines, patterns, more };
    let others = unread.len().saturating_sub(REASONS);
    let mut not_told: Vec<String> = unread.into_iter().take(REASONS).collect();
    if others > 0 {
        not_told.push(format!("and {others} more containers"));
    }
    Told { logs: Some(logs), not_told }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::{Reading, Wanted};
    use kubeplex_proto::template::Fold;

    /// Which of these lines are told of.
    fn told(lines: &[&str]) -> Vec<String> {
        let grep = Some(Grep::new(ERRORS).unwrap());
        let wanted =
            Wanted { grep, since_ns: None, until_ns: None, tail: 100, max_bytes: 1 << 20, beside: 0 };
        let (mut reading, mut fold) = (Reading::new(0, wanted), Fold::default());
        lines.iter().for_each(|line| reading.take(format!("2026-01-01T00:00:00Z {line}\n").as_bytes()));
        reading.end();
        reading.fold_into(&mut fold);
        fold.into_templates().0.into_iter().map(|template| template.text).collect()
    }

    #[test]
    fn errors_are_told_from_other_lines() {
        for line in [
            r#"{"level":"error","msg":"x"}"#,
            "level=warn err=\"no route\"",
            "java.lang.IllegalStateException: x",
            "panic: runtime",
            "dial tcp: connection refused",
            "request timed out",
            "request timeout",
            "E1130 x.go] y",
            "Traceback (most recent call last):",
        ] {
            assert_eq!(told(&[line]).len(), 1, "{line}");
        }
        for line in ["GET /cart in time", "listening", "interruption", "I1130 x.go] y", "Elapsed"] {
            assert!(told(&[line]).is_empty(), "{line}");
        }
    }
}
