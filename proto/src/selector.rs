//! Label and field selectors, in kubectl's grammar.
//!
//! Rules: <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors> and
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/>. A field selector here may name
//! any scalar path of an object, not only the few that the API server indexes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// All requirements must hold; none: everything matches.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LabelSelector {
    pub requirements: Vec<LabelRequirement>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LabelRequirement {
    pub key: String,
    pub test: LabelTest,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LabelTest {
    Exists,
    Missing,
    In(Vec<String>),
    /// Also holds where the label is missing, as in kubectl.
    NotIn(Vec<String>),
    GreaterThan(i64),
    LessThan(i64),
}

/// All requirements must hold; none: everything matches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldSelector {
    pub requirements: Vec<FieldRequirement>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FieldRequirement {
    pub path: String,
    pub value: String,
    /// Set for `!=`.
    #[serde(default)]
    pub negated: bool,
}

/// A selector that can't be read: where, and what was wanted there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {} of \"{selector}\": {problem}", at + 1)]
pub struct SelectorError {
    pub selector: String,
    /// How many characters come before it.
    pub at: usize,
    pub problem: String,
}

impl LabelSelector {
    /// `label` looks a label's value up.
    pub fn matches<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.requirements.iter().all(|requirement| requirement.test.holds(label(&requirement.key)))
    }

    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }
}

impl LabelTest {
    fn holds(&self, value: Option<&str>) -> bool {
        match (self, value) {
            (Self::Exists, value) => value.is_some(),
            (Self::Missing, value) => value.is_none(),
            (Self::In(wanted), Some(value)) => wanted.iter().any(|w| w == value),
            (Self::NotIn(unwanted), Some(value)) => unwanted.iter().all(|u| u != value),
            (Self::NotIn(_), None) => true,
            (Self::GreaterThan(bound), Some(value)) => value.parse::<i64>().is_ok_and(|v| v > *bound),
            (Self::LessThan(bound), Some(value)) => value.parse::<i64>().is_ok_and(|v| v < *bound),
            (Self::In(_) | Self::GreaterThan(_) | Self::LessThan(_), None) => false,
        }
    }
}

impl FieldSelector {
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }
}

impl FieldRequirement {
    /// Whether the value found at the path passes. A path that leads nowhere counts as the empty string, as on the API
    /// server.
    pub fn holds(&self, found: Option<&str>) -> bool {
        (found.unwrap_or_default() == self.value) != self.negated
    }
}

impl FromStr for LabelSelector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self { requirements: Scanner::of(text).requirements(Scanner::label_requirement)? })
    }
}

impl FromStr for FieldSelector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self { requirements: Scanner::of(text).requirements(Scanner::field_requirement)? })
    }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// All that the text asks for, each taken by `one`.
    fn requirements<T>(
        mut self,
        one: impl Fn(&mut Self) -> Result<T, SelectorError>,
    ) -> Result<Vec<T>, SelectorError> {
        let mut requirements = Vec::new();
        self.skip_spaces();
        while !self.at_end() {
            requirements.push(one(&mut self)?);
            self.separator()?;
        }
        Ok(requirements)
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn at_end(&self) -> bool {
        self.rest().is_empty()
    }

    fn skip_spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn error<T>(&self, problem: impl Into<String>) -> Result<T, SelectorError> {
        let selector = self.text.chars().take(200).collect();
        let at = self.text[..self.at].chars().count();
        Err(SelectorError { selector, at, problem: problem.into() })
    }

    /// Takes `token` if it comes next, with the white space behind it.
    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
            self.skip_spaces();
        }
        found
    }

    fn take_first<T: Copy>(&mut self, tokens: &[(&str, T)]) -> Option<T> {
        tokens.iter().find(|(token, _)| self.take(token)).map(|(_, meaning)| *meaning)
    }

    /// The comma between requirements; a selector may not end with one.
    fn separator(&mut self) -> Result<(), SelectorError> {
        if self.at_end() {
            return Ok(());
        }
        if !self.take(",") {
            return self.error("a comma is wanted between requirements");
        }
        if self.at_end() { self.error("a requirement is wanted after the comma") } else { Ok(()) }
    }

    fn word(&mut self, is_part: impl Fn(char) -> bool) -> String {
        let end = self.rest().find(|c| !is_part(c)).unwrap_or(self.rest().len());
        let word = self.rest()[..end].to_owned();
        self.at += end;
        self.skip_spaces();
        word
    }

    fn label_requirement(&mut self) -> Result<LabelRequirement, SelectorError> {
        if self.take("!") {
            return Ok(LabelRequirement { key: self.label_key()?, test: LabelTest::Missing });
        }
        let key = self.label_key()?;
        let test = self.label_test()?;
        Ok(LabelRequirement { key, test })
    }

    fn label_test(&mut self) -> Result<LabelTest, SelectorError> {
        if self.at_end() || self.rest().starts_with(',') {
            return Ok(LabelTest::Exists);
        }
        if let Some(equal) = self.take_first(&[("==", true), ("=", true), ("!=", false)]) {
            let value = vec![self.label_value()?];
            return Ok(if equal { LabelTest::In(value) } else { LabelTest::NotIn(value) });
        }
        if let Some(greater) = self.take_first(&[(">", true), ("<", false)]) {
            let bound = self.integer()?;
            return Ok(if greater { LabelTest::GreaterThan(bound) } else { LabelTest::LessThan(bound) });
        }
        if let Some(test) = self.set_test()? {
            return Ok(test);
        }
        self.error("one of =, ==, !=, >, <, in (…), notin (…), a comma or the end is wanted")
    }

    /// `in (a, b)` or `notin (a, b)`.
    fn set_test(&mut self) -> Result<Option<LabelTest>, SelectorError> {
        let start = self.at;
        let operator = self.word(|c| c.is_ascii_alphabetic());
        let build: fn(Vec<String>) -> LabelTest = match operator.as_str() {
            "in" => LabelTest::In,
            "notin" => LabelTest::NotIn,
            _ => {
                self.at = start;
                return Ok(None);
            }
        };
        if !self.take("(") {
            return self.error(format!("a list in brackets is wanted after \"{operator}\""));
        }
        let mut values = vec![self.label_value()?];
        while self.take(",") {
            values.push(self.label_value()?);
        }
        if self.take(")") {
            Ok(Some(build(values)))
        } else {
            self.error("a comma or a closing bracket is wanted")
        }
    }

    fn label_key(&mut self) -> Result<String, SelectorError> {
        let start = self.at;
        let key = self.word(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'));
        let name = key.rsplit('/').next().unwrap_or_default();
        let problem = if key.is_empty() {
            "a label key is wanted"
        } else if key.matches('/').count() > 1
            || key.starts_with('/')
            || !is_label_text(name)
            || name.is_empty()
        {
            "a label key is an optional DNS prefix and a slash, then at most 63 letters, digits, '-', '_' or '.'"
        } else {
            return Ok(key);
        };
        self.at = start;
        self.error(problem)
    }

    fn label_value(&mut self) -> Result<String, SelectorError> {
        let start = self.at;
        let value = self.word(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if is_label_text(&value) {
            return Ok(value);
        }
        self.at = start;
        self.error("a label value has at most 63 letters, digits, '-', '_' or '.', and begins and ends with a letter or digit")
    }

    fn integer(&mut self) -> Result<i64, SelectorError> {
        let start = self.at;
        let word = self.word(|c| c.is_ascii_digit() || c == '-');
        word.parse().or_else(|_| {
            self.at = start;
            self.error("an integer is wanted")
        })
    }

    fn field_requirement(&mut self) -> Result<FieldRequirement, SelectorError> {
        let path = self.field_path();
        if path.is_empty() {
            return self.error("a field path is wanted, such as status.phase");
        }
        let Some(negated) = self.take_first(&[("!=", true), ("==", false), ("=", false)]) else {
            return self.error("one of =, == or != is wanted after the field path");
        };
        Ok(FieldRequirement { path, value: self.field_value()?, negated })
    }

    /// A path may hold quoted keys with any character: `metadata.labels['app.kubernetes.io/name']`.
    fn field_path(&mut self) -> String {
        let mut quoted = None;
        let end = self.rest().find(|c| match (quoted, c) {
            (Some(quote), c) => {
                if c == quote {
                    quoted = None;
                }
                false
            }
            (None, '\'' | '"') => {
                quoted = Some(c);
                false
            }
            (None, c) => matches!(c, '=' | '!' | ',') || c.is_whitespace(),
        });
        let end = end.unwrap_or(self.rest().len());
        let path = self.rest()[..end].to_owned();
        self.at += end;
        self.skip_spaces();
        path
    }

    /// Up to the next comma; `\,`, `\=` and `\\` stand for the characters themselves, as in the API server.
    fn field_value(&mut self) -> Result<String, SelectorError> {
        let mut value = String::new();
        let mut characters = self.text[self.at..].char_indices();
        let mut end = self.text.len();
        while let Some((offset, c)) = characters.next() {
            match c {
                ',' => {
                    end = self.at + offset;
                    break;
                }
                '\\' => match characters.next() {
                    Some((_, escaped @ (',' | '=' | '\\'))) => value.push(escaped),
                    _ => {
                        self.at += offset;
                        return self
                            .error("a backslash may stand before a comma, an equals sign or a backslash");
                    }
                },
                '=' => {
                    self.at += offset;
                    return self.error("an equals sign inside a value is written \\=");
                }
                c => value.push(c),
            }
        }
        self.at = end;
        Ok(value.trim_end().to_owned())
    }
}

/// At most 63 characters that begin and end with a letter or digit; empty is a value, too.
fn is_label_text(text: &str) -> bool {
    let ends_well = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    text.len() <= 63 && ends_well(text.chars().next()) && ends_well(text.chars().next_back())
}

impl fmt::Display for FieldRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.path, if self.negated { "!=" } else { "=" }, self.value)
    }
}

#[cfg(test)]
mod tests;
