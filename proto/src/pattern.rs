//! Patterns: a literal, or a glob in which `*` stands for any run of characters.

use serde::{Deserialize, Serialize};

/// A literal or a glob; matches whole names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The one name that this pattern can match, where it is not a glob.
    pub fn literal(&self) -> Option<&str> {
        (!self.0.contains('*')).then_some(self.0.as_str())
    }

    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        // The leftmost place for each middle part leaves the most room for what follows.
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

/// Whether any pattern matches; an empty list stands for "no restriction".
pub fn any_or_unrestricted(patterns: &[Pattern], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_names() {
        for (pattern, name, expected) in [
            ("shop", "shop", true),
            ("shop", "shopping", false),
            ("*", "", true),
            ("prod-*", "prod-eu", true),
            ("prod-*", "preprod-eu", false),
            ("*-eu-*", "prod-eu-1", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("aa*a", "aa", false),
            ("*ab", "aab", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(name), expected, "{pattern} against {name}");
        }
    }

    #[test]
    fn an_empty_list_restricts_nothing() {
        assert!(any_or_unrestricted(&[], "x"));
        assert!(!any_or_unrestricted(&[Pattern::new("y")], "x"));
    }
}
