//! From text to a path.

use serde_json::Value;

use super::filter::{Filter, OPERATORS, Operand};
use super::{Path, PathError, Step};
use crate::limits::{PATH_CHARACTERS, PATH_DESCENTS, PATH_STEPS};

/// What becomes of `..`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Descents {
    Taken,
    Refused,
}

pub(super) fn parse(text: &str, descents: Descents) -> Result<Path, PathError> {
    let mut parser = Parser { text, characters: text.char_indices().collect(), at: 0, descents };
    if parser.characters.len() > PATH_CHARACTERS {
        parser.at = PATH_CHARACTERS;
        return parser.error(format!("the path goes on; at most {PATH_CHARACTERS} characters are read"));
    }
    let braced = parser.take('{');
    let path = parser.path(Root::Object)?;
    if braced && !parser.take('}') {
        return parser.error("a closing brace is wanted");
    }
    if let Some(c) = parser.peek() {
        return parser.error(format!("a dot or a bracket is wanted, not {c:?}"));
    }
    if path.steps.is_empty() {
        return parser.error("a key is wanted, as in spec.nodeName");
    }
    Ok(path)
}

/// What a path starts from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Root {
    Object,
    /// The element that a filter looks at.
    Element,
}

struct Parser<'a> {
    text: &'a str,
    characters: Vec<(usize, char)>,
    at: usize,
    descents: Descents,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).map(|(_, c)| *c)
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn take_text(&mut self, wanted: &str) -> bool {
        let start = self.characters.get(self.at).map_or(self.text.len(), |(byte, _)| *byte);
        let found = self.text[start..].starts_with(wanted);
        self.at += if found { wanted.chars().count() } else { 0 };
        found
    }

    fn skip_spaces(&mut self) {
        while self.take(' ') {}
    }

    fn error<T>(&self, problem: impl Into<String>) -> Result<T, PathError> {
        let path = self.text.chars().take(200).collect();
        Err(PathError { path, at: self.at, problem: problem.into() })
    }

    fn expect(&mut self, wanted: char) -> Result<(), PathError> {
        if self.take(wanted) { Ok(()) } else { self.error(format!("{wanted:?} is wanted")) }
    }

    fn path(&mut self, root: Root) -> Result<Path, PathError> {
        let mut steps = Vec::new();
        let rooted = self.take(if root == Root::Object { '$' } else { '@' });
        // Only the path of a whole object may do without its leading dot.
        if root == Root::Object && !rooted && self.peek().is_some_and(|c| is_bare(c) || c == '*') {
            steps.push(self.bare_step()?);
        }
        while let Some(c) = self.peek() {
            match c {
                '.' => self.dotted(&mut steps)?,
                '[' => steps.push(self.bracket()?),
                _ => break,
            }
            self.check_limits(&steps)?;
        }
        Ok(Path { steps })
    }

    fn check_limits(&self, steps: &[Step]) -> Result<(), PathError> {
        if steps.len() > PATH_STEPS {
            return self.error(format!("the path has more than {PATH_STEPS} steps"));
        }
        if steps.iter().filter(|step| **step == Step::Descend).count() > PATH_DESCENTS {
            return self.error(format!("the path has more than {PATH_DESCENTS} '..'"));
        }
        Ok(())
    }

    fn dotted(&mut self, steps: &mut Vec<Step>) -> Result<(), PathError> {
        self.expect('.')?;
        if self.descents == Descents::Refused && self.peek() == Some('.') {
            return self.error("one dot is enough; a search at every depth, '..', is not taken here");
        }
        if self.take('.') {
            steps.push(Step::Descend);
        }
        // `a.[0]` is `a[0]`.
        if self.peek() != Some('[') {
            steps.push(self.bare_step()?);
        }
        Ok(())
    }

    fn bare_step(&mut self) -> Result<Step, PathError> {
        if self.take('*') {
            return Ok(Step::Each);
        }
        let mut key = String::new();
        while let Some(c) = self.peek() {
            if c == '\\' {
                self.at += 1;
                let Some(escaped) = self.peek() else {
                    return self.error("the character that the backslash stands before is missing");
                };
                key.push(escaped);
            } else if is_bare(c) {
                key.push(c);
            } else {
                break;
            }
            self.at += 1;
        }
        if key.is_empty() { self.error("a key is wanted after the dot") } else { Ok(Step::Key(key)) }
    }

    fn bracket(&mut self) -> Result<Step, PathError> {
        self.expect('[')?;
        self.skip_spaces();
        if self.take('?') {
            return self.filter();
        }
        let mut steps = vec![self.bracket_item()?];
        while self.take(',') {
            self.skip_spaces();
            steps.push(self.bracket_item()?);
        }
        if !self.take(']') {
            return self.error("a closing bracket is wanted");
        }
        Ok(if steps.len() == 1 { steps.remove(0) } else { Step::Any(steps) })
    }

    fn bracket_item(&mut self) -> Result<Step, PathError> {
        let step = match self.peek() {
            Some('*') => {
                self.at += 1;
                Step::Each
            }
            Some('\'' | '"') => Step::Key(self.quoted()?),
            Some(c) if c.is_ascii_digit() || matches!(c, '-' | ':') => self.index_or_slice()?,
            _ => {
                return self
                    .error("an index, a quoted key, '*' or a filter '?(…)' is wanted in the brackets");
            }
        };
        self.skip_spaces();
        Ok(step)
    }

    fn index_or_slice(&mut self) -> Result<Step, PathError> {
        let from = self.integer()?;
        if !self.take(':') {
            return from.map_or_else(|| self.error("an index is wanted"), |index| Ok(Step::Index(index)));
        }
        let to = self.integer()?;
        let by = if self.take(':') { self.integer()?.unwrap_or(1) } else { 1 };
        if by < 1 {
            return self.error("the step of a slice must be 1 or more");
        }
        Ok(Step::Slice { from, to, by })
    }

    fn integer(&mut self) -> Result<Option<i64>, PathError> {
        let start = self.at;
        self.take('-');
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            return Ok(None);
        }
        let digits: String = self.characters[start..self.at].iter().map(|(_, c)| *c).collect();
        digits.parse().map(Some).or_else(|_| {
            self.at = start;
            self.error(format!("{digits:?} is not an index"))
        })
    }

    fn quoted(&mut self) -> Result<String, PathError> {
        let start = self.at;
        let quote = self.peek();
        self.at += 1;
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '\\' => {
                    text.extend(self.peek());
                    self.at += 1;
                }
                c if Some(c) == quote => return Ok(text),
                c => text.push(c),
            }
        }
        self.at = start;
        self.error("this quote is never closed")
    }

    fn filter(&mut self) -> Result<Step, PathError> {
        self.expect('(')?;
        let left = self.operand()?;
        let operator = OPERATORS.iter().find(|(text, _)| self.take_text(text)).map(|(_, operator)| *operator);
        let filter = match (operator, left) {
            (Some(operator), left) => Filter::Compare { left, operator, right: self.operand()? },
            (None, Operand::Path(path)) => Filter::Exists(path),
            (None, Operand::Literal(_)) => {
                return self.error("a comparison is wanted: ==, !=, <, <=, > or >=");
            }
        };
        if !self.take(')') {
            return self.error("a comparison or a closing parenthesis is wanted");
        }
        self.skip_spaces();
        self.expect(']')?;
        Ok(Step::Where(filter))
    }

    fn operand(&mut self) -> Result<Operand, PathError> {
        self.skip_spaces();
        let operand = match self.peek() {
            Some('@') => Operand::Path(self.path(Root::Element)?),
            Some('\'' | '"') => Operand::Literal(Value::String(self.quoted()?)),
            _ => Operand::Literal(self.literal()?),
        };
        self.skip_spaces();
        Ok(operand)
    }

    fn literal(&mut self) -> Result<Value, PathError> {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.')) {
            self.at += 1;
        }
        let word: String = self.characters[start..self.at].iter().map(|(_, c)| *c).collect();
        match serde_json::from_str(&word) {
            Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::Null)) => Ok(value),
            _ => {
                self.at = start;
                self.error("'@', a quoted text, a number, true or false is wanted")
            }
        }
    }
}

/// Characters of a key that needs no quotes. kubectl takes almost anything; what is left out here is what a typing error
/// would otherwise turn into part of a key.
fn is_bare(c: char) -> bool {
    c == '\\' || c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | '~' | '%' | '+')
}

#[cfg(test)]
mod tests;
