//! What a check came to, for a person, a pipe or a program.

use std::time::Duration;

use console::{Style, style};
use serde::Serialize;

/// The longest name of a check, for columns.
const CHECK_WIDTH: usize = 12;

/// The outcome of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Finding {
    /// What was looked at: `kubeconfig`, `context prod`, `gateway`, …
    pub(super) about: String,
    pub(super) check: &'static str,
    pub(super) verdict: Verdict,
    pub(super) said: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) took_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Verdict {
    Good,
    /// Nothing to do, and nothing that was to be expected.
    Note,
    /// It works, and is not as it should be.
    Warning,
    Wrong,
}

/// Collects what is found about one thing.
pub(super) struct About {
    about: String,
    pub(super) findings: Vec<Finding>,
}

impl About {
    pub(super) fn new(about: impl Into<String>) -> Self {
        Self { about: about.into(), findings: Vec::new() }
    }

    pub(super) fn good(&mut self, check: &'static str, said: impl Into<String>) {
        self.add(check, Verdict::Good, said.into(), None);
    }

    pub(super) fn note(&mut self, check: &'static str, said: impl Into<String>) {
        self.add(check, Verdict::Note, said.into(), None);
    }

    pub(super) fn warning(&mut self, check: &'static str, said: impl Into<String>, next: impl Into<String>) {
        self.add(check, Verdict::Warning, said.into(), Some(next.into()));
    }

    pub(super) fn wrong(&mut self, check: &'static str, said: impl Into<String>, next: impl Into<String>) {
        self.add(check, Verdict::Wrong, said.into(), Some(next.into()));
    }

    /// How long the last check took.
    pub(super) fn took(&mut self, time: Duration) {
        if let Some(finding) = self.findings.last_mut() {
            finding.took_ms = Some(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        }
    }

    fn add(&mut self, check: &'static str, verdict: Verdict, said: String, next: Option<String>) {
        let about = self.about.clone();
        self.findings.push(Finding { about, check, verdict, said, next, took_ms: None });
    }
}

/// For a terminal: what belongs together below its heading.
pub(super) fn for_people(findings: &[Finding]) -> String {
    let mut text = String::new();
    let mut about = "";
    for finding in findings {
        if finding.about != about {
            about = &finding.about;
            text.push_str(&format!("{}\n", style(about).bold().force_styling(true)));
        }
        let (mark, colour) = finding.verdict.mark();
        let said = colour.force_styling(true).apply_to(format!("{mark} {:CHECK_WIDTH$}", finding.check));
        text.push_str(&format!("  {said} {}{}\n", finding.said, finding.time()));
        if let Some(next) = &finding.next {
            text.push_str(&format!("    → {next}\n"));
        }
    }
    text
}

/// For a pipe: a line a check, that can be found by its first word.
pub(super) fn for_pipes(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let Finding { about, check, said, .. } = finding;
        let next = finding.next.as_ref().map(|next| format!("; next: {next}")).unwrap_or_default();
        format!("{:7}  {about}  {check}: {said}{}{next}\n", finding.verdict.word(), finding.time())
    };
    findings.iter().map(line).collect()
}

impl Finding {
    fn time(&self) -> String {
        self.took_ms.map(|ms| format!(" ({ms} ms)")).unwrap_or_default()
    }
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }

    fn mark(self) -> (char, Style) {
        match self {
            Self::Good => ('✔', Style::new().green()),
            Self::Note => ('·', Style::new().dim()),
            Self::Warning => ('!', Style::new().yellow()),
            Self::Wrong => ('✘', Style::new().red()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Vec<Finding> {
        let mut about = About::new("context prod");
        about.good("connect", "10.0.0.1:6443");
        about.took(Duration::from_millis(7));
        about.wrong("certificate", "it has expired", "renew it");
        about.findings
    }

    #[test]
    fn a_pipe_gets_a_line_a_check() {
        assert_eq!(
            for_pipes(&findings()),
            "good     context prod  connect: 10.0.0.1:6443 (7 ms)\n\
             wrong    context prod  certificate: it has expired; next: renew it\n"
        );
    }

    #[test]
    fn people_get_a_heading_and_colours() {
        let text = for_people(&findings());
        assert_eq!(text.matches("context prod").count(), 1);
        assert!(text.contains("\u{1b}[31m✘ certificate ") && text.contains("→ renew it"), "{text}");
    }

    #[test]
    fn programs_get_objects() {
        let json = serde_json::to_value(findings()).unwrap();
        assert_eq!(json[0]["tookMs"], 7);
        assert_eq!((&json[1]["verdict"], &json[1]["next"]), (&"wrong".into(), &"renew it".into()));
    }
}
