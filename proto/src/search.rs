//! Searches over all kinds: the question, and what counts as a match. The gateway parses it once; agents evaluate it.
//!
//! Case does not count: patterns and phrases are in lower case.

use std::cell::LazyCell;
use std::collections::BTreeMap;

use memchr::memchr2_iter;
use serde::{Deserialize, Serialize};

use crate::kind::GroupResource;
use crate::pattern::Pattern;

/// All terms must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Search {
    pub terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Term {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub negated: bool,
    pub condition: Condition,
}

/// What a term wants. Of several alternatives one is enough.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Condition {
    /// In the name, a label, an image or another column; or the kind itself.
    Word(Phrase),
    /// Over `pods`, `deployments.apps`.
    Kind(Vec<Pattern>),
    Namespace(Vec<Pattern>),
    Name(Vec<Pattern>),
    Image(Vec<Phrase>),
    Label(Vec<LabelTest>),
    /// Of pods: where they run.
    Node(Vec<Pattern>),
    /// What the `status` column says, or `ready` of kinds without one; one of its parts between commas is enough.
    Status(Vec<Pattern>),
    Restarts(Bound),
    /// In milliseconds.
    Age(Bound),
}

/// Free text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phrase {
    /// Found anywhere in a text.
    Part(String),
    /// The whole of a text.
    Glob(Pattern),
}

/// A label by its key, and by its value where one is given.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LabelTest {
    pub key: Pattern,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Pattern>,
}

/// A number, compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bound {
    pub comparison: Comparison,
    pub value: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

/// Where a match is; the best first. It leads the order of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    WholeName,
    NameStart,
    NamePart,
    Elsewhere,
}

/// What an agent says of a search beside its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchHead {
    /// Rows that match, by kind.
    #[serde(default)]
    pub kinds: BTreeMap<String, u64>,
    /// Kinds that the question may mean, and that were not looked through.
    #[serde(default)]
    pub not_searched: BTreeMap<NotSearched, Vec<String>>,
}

/// Why a kind was not looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NotSearched {
    /// Nobody asked for it yet, or it can't be watched.
    NotWatched,
    /// It is looked through where the question names it: there are so many that say so little.
    OnlyByName,
    /// Its first list is not there yet.
    Syncing,
    /// The agent may not watch it.
    Forbidden,
    Error,
}

impl Search {
    /// Whether objects of a kind can match, as far as the kind decides it.
    pub fn may_mean(&self, kind: &GroupResource) -> bool {
        let name = LazyCell::new(|| kind.to_string());
        self.terms.iter().all(|term| match &term.condition {
            Condition::Kind(patterns) => any(patterns, &name) != term.negated,
            _ => true,
        })
    }

    /// Whether a term wants this kind by its name.
    pub fn names(&self, kind: &GroupResource) -> bool {
        let name = kind.to_string();
        self.named().any(|named| named == name)
    }

    /// The kinds that are wanted by their names.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        let wanted = self.terms.iter().filter(|term| !term.negated);
        wanted.flat_map(|term| match &term.condition {
            Condition::Kind(patterns) => patterns.iter().filter_map(Pattern::literal).collect(),
            _ => Vec::new(),
        })
    }
}

impl Phrase {
    pub fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Part(part) => find(text.as_bytes(), part).is_some(),
            Self::Glob(glob) => matches(glob, text),
        }
    }

    /// Where in a name it is, if it is.
    pub fn place_in(&self, name: &[u8]) -> Option<Place> {
        match self {
            Self::Glob(glob) => place_of(glob, std::str::from_utf8(name).ok()?),
            Self::Part(part) => Some(match find(name, part)? {
                0 if part.len() == name.len() => Place::WholeName,
                0 => Place::NameStart,
                _ => Place::NamePart,
            }),
        }
    }
}

impl LabelTest {
    pub fn holds(&self, key: &str, value: &str) -> bool {
        matches(&self.key, key) && self.value.as_ref().is_none_or(|wanted| matches(wanted, value))
    }
}

impl Bound {
    pub fn holds(self, value: i64) -> bool {
        match self.comparison {
            Comparison::Less => value < self.value,
            Comparison::AtMost => value <= self.value,
            Comparison::Equal => value == self.value,
            Comparison::AtLeast => value >= self.value,
            Comparison::More => value > self.value,
        }
    }
}

/// Where in a name a pattern is, which matches it as a whole: a glob says how much of it somebody knew.
pub fn place_of(pattern: &Pattern, name: &str) -> Option<Place> {
    matches(pattern, name).then(|| match pattern.literal() {
        Some(_) => Place::WholeName,
        None if pattern.as_str().starts_with('*') => Place::NamePart,
        None => Place::NameStart,
    })
}

/// Whether any of these patterns matches a text, whatever its case.
pub fn any(patterns: &[Pattern], text: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, text))
}

/// The same for what may be a list: the text, or one of its parts between commas.
pub fn any_part(patterns: &[Pattern], text: &str) -> bool {
    any(patterns, text) || text.contains(',') && text.split(',').any(|part| any(patterns, part))
}

fn matches(pattern: &Pattern, text: &str) -> bool {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return pattern.matches(&text.to_ascii_lowercase());
    }
    pattern.matches(text)
}

/// The byte at which `part`, which is in lower case, begins in `text`.
fn find(text: &[u8], part: &str) -> Option<usize> {
    let part = part.as_bytes();
    let Some((first, rest)) = part.split_first() else { return Some(0) };
    let begins = &text[..(text.len() + 1).checked_sub(part.len())?];
    let goes_on = |at: &usize| text[at + 1..at + part.len()].eq_ignore_ascii_case(rest);
    memchr2_iter(*first, first.to_ascii_uppercase(), begins).find(goes_on)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(text: &str) -> Phrase {
        Phrase::Part(text.to_owned())
    }

    fn glob(text: &str) -> Phrase {
        Phrase::Glob(Pattern::new(text))
    }

    #[test]
    fn how_much_of_a_name_a_phrase_is_decides_its_place() {
        use Place::{NamePart, NameStart, WholeName};
        for (phrase, name, expected) in [
            (part("cart"), "cart", Some(WholeName)),
            (part("cart"), "cart-7d9f", Some(NameStart)),
            (part("cart"), "shop-cart", Some(NamePart)),
            (part("cart"), "System:Cart", Some(NamePart)),
            (part("cart"), "car", None),
            (glob("cart*"), "cart-7d9f", Some(NameStart)),
            (glob("*-cart"), "shop-cart", Some(NamePart)),
            (glob("c*t"), "cart-7d9f", None),
        ] {
            assert_eq!(phrase.place_in(name.as_bytes()), expected, "{phrase:?} in {name}");
        }
        assert!(WholeName < NameStart && NameStart < NamePart && NamePart < Place::Elsewhere);
    }

    #[test]
    fn kinds_are_meant_by_all_terms_that_name_some() {
        let kind = |negated, patterns: &[&str]| Term {
            negated,
            condition: Condition::Kind(patterns.iter().copied().map(Pattern::new).collect()),
        };
        let search =
            Search { terms: vec![kind(false, &["pods", "*.apps"]), kind(true, &["replicasets.apps"])] };
        for (group, resource, meant, named) in [
            ("", "pods", true, true),
            ("apps", "deployments", true, false),
            ("apps", "replicasets", false, false),
            ("", "services", false, false),
        ] {
            let id = GroupResource::new(group, resource);
            assert_eq!((search.may_mean(&id), search.names(&id)), (meant, named), "{id}");
        }
    }

    #[test]
    fn a_status_is_one_of_its_parts() {
        let patterns = |text: &str| vec![Pattern::new(text)];
        for (pattern, text, expected) in [
            ("ready", "Ready,SchedulingDisabled", true),
            ("schedulingdisabled", "Ready,SchedulingDisabled", true),
            ("ready", "NotReady", false),
            ("crash*", "CrashLoopBackOff", true),
        ] {
            assert_eq!(any_part(&patterns(pattern), text), expected, "{pattern} in {text}");
        }
    }

    proptest! {
        #[test]
        fn a_part_is_found_where_it_would_be_in_lower_case(text in "[a-zA-Zä:. -]{0,24}", part in "[a-z:. -]{0,4}") {
            let expected = text.to_ascii_lowercase().find(&part);
            prop_assert_eq!(find(text.as_bytes(), &part), expected);
        }
    }
}
