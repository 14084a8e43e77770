//! Whether a line matches: as it is shown, and beside what is masked in it.
//!
//! Whoever could tell by a pattern what a masked text was would need no text. So whether a line matches is decided by the
//! masked line alone: each part beside a mask is searched as a text of its own, and a match that would reach into a mask does
//! not count.
//!
//! Masking costs more than searching, and most lines match nothing. A line that does not match as it was written can't
//! match as it is shown, whose parts are parts of it: it is passed over unmasked. That does not hold for patterns that look
//! at what is around them (`^`, `\b`), because a mask changes that, nor for lines that are no UTF-8, because those are
//! shown otherwise than written. There every line is masked first: else what is inside a mask would decide.

use regex::bytes::{Regex, RegexBuilder};

use crate::redact;

/// A compiled pattern takes no more than this, and its automaton neither.
const PATTERN_BYTES: usize = 1 << 20;

/// What some pattern of the syntax looks around with.
const LOOKS_AROUND: [&str; 8] = ["^", "$", "\\b", "\\B", "\\A", "\\z", "\\<", "\\>"];

/// A pattern that lines are searched for.
#[derive(Debug, Clone)]
pub struct Grep {
    regex: Regex,
    looks_around: bool,
}

impl Grep {
    /// # Errors
    /// What is wrong with the pattern, in a sentence.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let regex = RegexBuilder::new(pattern)
            .size_limit(PATTERN_BYTES)
            .dfa_size_limit(PATTERN_BYTES)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { regex, looks_around: LOOKS_AROUND.iter().any(|word| pattern.contains(word)) })
    }

    /// Whether a line can't match, to be found out without masking it.
    pub(super) fn passes_over(&self, line: &[u8]) -> bool {
        !self.looks_around && !self.regex.is_match(line) && std::str::from_utf8(line).is_ok()
    }

    /// Whether a line matches that has masks in it, or none.
    pub(super) fn matches(&self, masked: &str, has_masks: bool) -> bool {
        if !has_masks {
            return self.regex.is_match(masked.as_bytes());
        }
        masked.split(redact::MASK).any(|part| !part.is_empty() && self.regex.is_match(part.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    /// Whether a line is found, as [`Reading`](super::super::Reading) does it.
    fn finds(pattern: &str, line: &str) -> bool {
        let grep = Grep::new(pattern).unwrap();
        let masked = redact::text(line);
        !grep.passes_over(line.as_bytes()) && grep.matches(&masked, matches!(masked, Cow::Owned(_)))
    }

    #[test]
    fn a_match_counts_beside_what_is_masked() {
        let line = "retry token=hunter2 failed: timeout";
        for (pattern, found) in [
            ("timeout", true),
            ("retry.*", true),
            (".*timeout", true),
            ("^retry", true),
            ("timeout$", true),
            (r"\btoken\b", true),
            ("(?i)RETRY", true),
            // What was masked, and what reaches into it.
            ("hunter2", false),
            ("hunter", false),
            ("token=h", false),
            (r"token=\w", false),
            ("redacted", false),
            (r"token=\S+ failed", false),
            ("nothing", false),
        ] {
            assert_eq!(finds(pattern, line), found, "{pattern}");
        }
        assert!(finds("redacted", "this was redacted by its writer"));
    }

    /// Two lines that are shown alike are found alike, whatever they were before.
    #[test]
    fn no_pattern_tells_what_was_masked() {
        let patterns = [
            "hunter",
            "=h",
            r"=\B",
            r"=\b",
            r"^\D*$",
            r"\d",
            "o{2}",
            r"[^a-z]k",
            "token=(a|h)",
            r"=\w+\b",
            r"\x{FFFD}|hunter",
            r"e.{12}k",
            r"\S{12}",
            ".{30}",
            r"(?-u)\xff|hunter",
        ];
        for pattern in patterns {
            let found: Vec<_> = ["hunter2", "12", "-", "\u{e9}too", "hunter2-and-much-longer"]
                .iter()
                .map(|secret| finds(pattern, &format!("x token={secret} ok")))
                .collect();
            assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{pattern}: {found:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_decide_nothing() {
        let grep = Grep::new(r"\x{FFFD}|hunter").unwrap();
        for secret in ["hunter2", "else"] {
            let line = [b"\xff token=".as_slice(), secret.as_bytes()].concat();
            assert!(!grep.passes_over(&line), "{secret}: it is shown with U+FFFD, which matches");
            let text = String::from_utf8_lossy(&line);
            assert!(grep.matches(&redact::text(&text), true));
        }
    }

    #[test]
    fn a_pattern_that_is_none_or_too_large_is_refused() {
        assert!(Grep::new("(").unwrap_err().contains("unclosed group"));
        assert!(Grep::new(r"(\w{100}){100}").unwrap_err().contains("size limit"));
    }
}
