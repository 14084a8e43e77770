//! Which cells tell good from bad, and how.

use console::Style;

/// Columns that say how something is.
const OF_STATE: [&str; 9] =
    ["status", "state", "phase", "severity", "verdict", "health", "type", "link", "reason"];

const GOOD: [&str; 12] = [
    "running",
    "succeeded",
    "completed",
    "complete",
    "ready",
    "active",
    "bound",
    "available",
    "true",
    "healthy",
    "ok",
    "linked",
];

/// Neither good nor bad yet.
const WAITING: [&str; 9] = [
    "pending",
    "warning",
    "unknown",
    "terminating",
    "containercreating",
    "podinitializing",
    "degraded",
    "suspect",
    "syncing",
];

/// What reasons of trouble have in them, as the kubelet and the controllers write them.
const BAD: [&str; 12] = [
    "backoff",
    "error",
    "fail",
    "errimage",
    "oomkilled",
    "evicted",
    "notready",
    "critical",
    "unhealthy",
    "false",
    "disconnected",
    "lost",
];

/// A cell as it is to be printed in colour.
pub(super) fn of_cell(column: &str, text: &str) -> String {
    let style = if OF_STATE.contains(&column) { of_state(text) } else { None };
    style.map_or_else(|| text.to_owned(), |style| style.force_styling(true).apply_to(text).to_string())
}

fn of_state(text: &str) -> Option<Style> {
    let text = text.to_lowercase();
    if BAD.iter().any(|word| text.contains(word)) {
        return Some(Style::new().red());
    }
    if WAITING.iter().any(|word| text.starts_with(word)) {
        return Some(Style::new().yellow());
    }
    GOOD.iter().any(|word| text == *word).then(|| Style::new().green())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_and_bad_are_told_apart() {
        let is = |text: &str| {
            let painted = of_cell("status", text);
            [("32", "good"), ("33", "waiting"), ("31", "bad")]
                .into_iter()
                .find(|(code, _)| painted.contains(&format!("[{code}m")))
                .map_or("plain", |(_, name)| name)
        };
        for (text, wanted) in [
            ("Running", "good"),
            ("CrashLoopBackOff", "bad"),
            ("NotReady", "bad"),
            ("NotReady,SchedulingDisabled", "bad"),
            ("Pending", "waiting"),
            ("Warning", "waiting"),
            ("Normal", "plain"),
            ("Init:0/1", "plain"),
        ] {
            assert_eq!(is(text), wanted, "{text}");
        }
        assert_eq!(of_cell("name", "error"), "error");
    }
}
