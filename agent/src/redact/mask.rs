//! The table of patterns at work on names and texts.

use std::borrow::Cow;
use std::sync::{LazyLock, OnceLock};

use parking_lot::RwLock;
use regex::{Captures, Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::hints::Hints;
use super::patterns::{NAMES, POINTERS, VALUES};

/// What stands where a credential was.
pub(crate) const MASK: &str = "[redacted]";

/// Which patterns a name or a text is worth trying on.
static NAME_HINTS: LazyLock<Hints> = LazyLock::new(|| Hints::of(NAMES));
static VALUE_HINTS: LazyLock<Hints> = LazyLock::new(|| Hints::of(VALUES));

/// The table, each part compiled when a text first needs it: a cluster has texts for few of the patterns. Matchers build their
/// automatons as they meet texts, one for each thread that uses them at the same time, and never forget; a clone has the
/// table alone.
#[derive(Clone)]
struct Matchers {
    names: OnceLock<RegexSet>,
    pointers: OnceLock<Regex>,
    values: [OnceLock<Regex>; VALUES.len()],
}

static MATCHERS: RwLock<Matchers> = RwLock::new(Matchers::new());

/// What a matcher may remember of its automaton. Each keeps that for every thread that used it at the same time, and the
/// usual 2 MiB would cost more than thousands of pods.
const MATCHER_BYTES: usize = 128 << 10;

/// No pattern matches anything shorter than `pwd=x`.
pub(super) const SHORTEST_MATCH: usize = 5;

/// Whether what stands under this name is a credential.
pub(super) fn is_credential_name(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or_default();
    if !NAME_HINTS.any(name) {
        return false;
    }
    let name = words(name);
    let matchers = MATCHERS.read();
    matchers.names().is_match(&name) && !matchers.pointers().is_match(&name)
}

/// Gives back what the matchers remember of the texts that they met. They build it anew as they need it, so this is for when
/// many threads were busy and are not any more.
pub(super) fn forget() {
    let fresh = MATCHERS.read().clone();
    let remembering = std::mem::replace(&mut *MATCHERS.write(), fresh);
    // Not under the lock.
    drop(remembering);
}

/// Whether a value under such a name tells nothing: empty, a switch, or a reference to where the value is.
pub(super) fn is_harmless(value: &str) -> bool {
    let reference = |open: &str, close: char| {
        value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).is_some_and(|inner| {
            inner.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        })
    };
    matches!(value, "" | "true" | "false" | MASK) || reference("$(", ')') || reference("${", '}')
}

/// A text with every credential in it masked.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if text.len() < SHORTEST_MATCH {
        return Cow::Borrowed(text);
    }
    let mut masked = Cow::Borrowed(text);
    for pattern in VALUE_HINTS.patterns(text) {
        let matchers = MATCHERS.read();
        if let Cow::Owned(replaced) = matchers.value(pattern).replace_all(&masked, mask_match) {
            masked = Cow::Owned(replaced);
        }
    }
    masked
}

fn mask_match(captures: &Captures<'_>) -> String {
    let (Some(whole), secret) = (captures.get(0), captures.name("secret")) else { return MASK.to_owned() };
    match secret {
        Some(secret) if is_harmless(secret.as_str()) => whole.as_str().to_owned(),
        Some(secret) => {
            let (before, after) = (secret.start() - whole.start(), secret.end() - whole.start());
            format!("{}{MASK}{}", &whole.as_str()[..before], &whole.as_str()[after..])
        }
        None => MASK.to_owned(),
    }
}

/// A name in lower case with `_` between its words: `apiKey` → `api_key`, `X-Auth-Token` → `x_auth_token`.
fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    let mut previous = '_';
    for c in name.chars() {
        if !c.is_alphanumeric() {
            words.push('_');
        } else {
            if c.is_uppercase() && (previous.is_lowercase() || previous.is_ascii_digit()) {
                words.push('_');
            }
            words.extend(c.to_lowercase());
        }
        previous = c;
    }
    words
}

impl Matchers {
    const fn new() -> Self {
        Self {
            names: OnceLock::new(),
            pointers: OnceLock::new(),
            values: [const { OnceLock::new() }; VALUES.len()],
        }
    }

    fn names(&self) -> &RegexSet {
        self.names.get_or_init(|| set(NAMES.iter().map(|pattern| pattern.expression)))
    }

    fn pointers(&self) -> &Regex {
        self.pointers.get_or_init(|| regex(POINTERS.expression))
    }

    /// The matcher of the pattern at this place of the table of values.
    fn value(&self, at: usize) -> &Regex {
        self.values[at].get_or_init(|| regex(VALUES[at].expression))
    }
}

#[expect(clippy::expect_used, reason = "the expressions are constants, and a test compiles them all")]
fn regex(expression: &str) -> Regex {
    RegexBuilder::new(expression).dfa_size_limit(MATCHER_BYTES).build().expect("a constant expression")
}

#[expect(clippy::expect_used, reason = "the expressions are constants, and a test compiles them all")]
fn set<'a>(expressions: impl Iterator<Item = &'a str>) -> RegexSet {
    RegexSetBuilder::new(expressions).dfa_size_limit(MATCHER_BYTES).build().expect("constant expressions")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_caught_by_its_own_pattern() {
        for pattern in NAMES {
            assert!(regex(pattern.expression).is_match(&words(pattern.example)), "{}", pattern.id);
            assert!(is_credential_name(pattern.example), "{}", pattern.id);
        }
        for pattern in VALUES {
            assert!(regex(pattern.expression).is_match(pattern.example), "{}", pattern.id);
            assert!(text(pattern.example).contains(MASK), "{}", pattern.id);
        }
        assert!(!is_credential_name(POINTERS.example));
    }

    #[test]
    fn the_shortest_credentials_are_caught() {
        let shortest = ["pwd=x", "token=x", "token: x", "-token x", "a://:x@", r#""token":"x""#, "mysql -px"];
        for credential in shortest {
            assert!(text(credential).contains(MASK), "{credential}");
        }
        assert!(shortest.iter().any(|credential| credential.len() == SHORTEST_MATCH));
    }

    #[test]
    fn ordinary_names_stay() {
        for name in [
            "PATH",
            "HOSTNAME",
            "LOG_LEVEL",
            "secretName",
            "SECRET_NAME",
            "tokenExpirationSeconds",
            "MAX_TOKENS",
            "TOKENIZER_MODEL",
            "COMPASS_URL",
            "passthrough",
            "key",
            "KEYBOARD",
            "monkey",
            "author",
            "PASSWORD_FILE",
            "serviceAccountName",
            "PINNED_VERSION",
            "assault",
            "name",
            "value",
        ] {
            assert!(!is_credential_name(name), "{name}");
        }
    }

    #[test]
    fn ordinary_texts_stay() {
        for ordinary in [
            "registry.example.com/shop/cart@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
            "containerd://9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "MountVolume.SetUp failed for volume \"certs\" : secret \"cart-tls\" not found",
            "https://example.com/path?page=2",
            "--listen=0.0.0.0:8080",
            "cart-7d9f8b6c5d-x2x9k",
            "--password=$(DB_PASSWORD)",
            "Back-off restarting failed container web in pod cart-7d9f8b6c5d-x2x9k_shop",
            "system:serviceaccount:kube-system:token-cleaner",
        ] {
            assert_eq!(text(ordinary), ordinary);
        }
    }

    #[test]
    fn only_the_credential_is_masked() {
        for (before, after) in [
            ("postgres://shop:hunter2@db/shop", "postgres://shop:[redacted]@db/shop"),
            ("redis://:hun@ter2@cache", "redis://:[redacted]@cache"),
            ("run --password hunter2 --user x", "run --password [redacted] --user x"),
            ("export API_KEY='a b'; go", "export API_KEY=[redacted]; go"),
            (r#"{"clientSecret":"hunter2","n":1}"#, r#"{"clientSecret":"[redacted]","n":1}"#),
            ("a: 1\npassword: hunter2\nb: 2", "a: 1\npassword: [redacted]\nb: 2"),
            (
                "curl -H 'Authorization: Bearer 0123456789abcdef'",
                "curl -H 'Authorization: Bearer [redacted]'",
            ),
        ] {
            assert_eq!(text(before), after);
        }
    }
}
