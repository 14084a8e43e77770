//! Which patterns of the table a text could match at all: one pass over it for the words that they can't do without.
//!
//! Nearly every string of a cluster holds none of them, and a set of patterns this large costs a hundred times more than
//! the pass: its automaton outgrows what a thread may keep of it, and is built over and over.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::patterns::Pattern;

/// The words that patterns need, of one part of the table.
pub(super) struct Hints {
    words: AhoCorasick,
    /// The pattern that each word belongs to, as its bit.
    patterns: Vec<u32>,
    all: u32,
}

impl Hints {
    #[expect(clippy::expect_used, reason = "the words are constants, and a test builds every table of them")]
    pub(super) fn of(table: &[Pattern]) -> Self {
        assert!(table.len() <= 32, "one bit a pattern");
        let words = || {
            table
                .iter()
                .zip(0_u32..)
                .flat_map(|(pattern, at)| pattern.needs.iter().map(move |word| (word, at)))
        };
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(words().map(|(word, _)| word));
        Self {
            words: automaton.expect("constant words"),
            patterns: words().map(|(_, at)| 1 << at).collect(),
            all: words().fold(0, |all, (_, at)| all | 1 << at),
        }
    }

    /// The patterns to try on a text, by their places in the table.
    pub(super) fn patterns(&self, text: &str) -> impl Iterator<Item = usize> + use<> {
        let bits = self.bits(text);
        (0..32).filter(move |at| bits >> at & 1 == 1)
    }

    pub(super) fn any(&self, text: &str) -> bool {
        !text.is_ascii() || self.words.is_match(text)
    }

    fn bits(&self, text: &str) -> u32 {
        if !text.is_ascii() {
            // Patterns fold cases as Unicode does, which has a second small k; the words know the first alone.
            return self.all;
        }
        self.words
            .find_overlapping_iter(text)
            .fold(0, |bits, found| bits | self.patterns[found.pattern().as_usize()])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::string::string_regex;

    use super::super::mask::SHORTEST_MATCH;
    use super::super::patterns::{NAMES, VALUES};
    use super::*;

    /// A generator has no notion of where a text or a word begins: what matches with these conditions matches without them.
    fn unconditional(expression: &str) -> String {
        let mut expression = expression.to_owned();
        for (condition, always) in [
            ("(^|_)", "_?"),
            ("($|_)", "_?"),
            ("(^|\\s)", "\\s?"),
            ("|\\z)", ")"),
            ("\\b", ""),
            ("(?im)^", "(?i)"),
            ("$", ""),
        ] {
            expression = expression.replace(condition, always);
        }
        expression
    }

    fn of(table: &'static [Pattern]) -> impl Strategy<Value = (usize, String)> {
        prop::sample::select((0..table.len()).collect::<Vec<_>>()).prop_flat_map(move |at| {
            let matching = string_regex(&unconditional(table[at].expression)).unwrap();
            matching.prop_map(move |text| (at, text))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Whatever an expression can match is long enough to be tried, and holds one of the words that it is tried for.
        #[test]
        fn no_match_goes_without_its_words((at, text) in of(VALUES), (name, words) in of(NAMES)) {
            prop_assert!(text.len() >= SHORTEST_MATCH, "{}: {text:?}", VALUES[at].id);
            prop_assert!(Hints::of(VALUES).patterns(&text).any(|tried| tried == at), "{}: {text:?}", VALUES[at].id);
            prop_assert!(Hints::of(NAMES).patterns(&words).any(|tried| tried == name), "{}: {words:?}", NAMES[name].id);
        }
    }

    #[test]
    fn ordinary_texts_are_not_tried() {
        let hints = Hints::of(VALUES);
        for text in [
            "registry.example.com/shop/cart@sha256:2c26b46b",
            "cart-7d9f8b6c5d-x2x9k",
            "2026-01-01T00:00:00Z",
        ] {
            assert_eq!(hints.patterns(text).count(), 0, "{text}");
        }
    }
}
