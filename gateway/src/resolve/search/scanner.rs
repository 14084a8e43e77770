//! The words of a query with the columns where they begin.

use crate::error::CallError;
use crate::resolve::guard::short;

/// Looks at a query character by character.
pub(super) struct Scanner<'q> {
    text: &'q str,
    /// The byte that is next.
    at: usize,
}

/// A value as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    /// In quotes a `*` is a character like others.
    pub(super) quoted: bool,
    /// The character where it begins, from 1.
    pub(super) column: usize,
}

impl<'q> Scanner<'q> {
    pub(super) fn new(text: &'q str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn column(&self) -> usize {
        self.text[..self.at].chars().count() + 1
    }

    pub(super) fn rest(&self) -> &'q str {
        &self.text[self.at..]
    }

    pub(super) fn skip_spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Whether `text` is next; then it is taken.
    pub(super) fn takes(&mut self, text: &str) -> bool {
        let is_next = self.rest().starts_with(text);
        self.at += if is_next { text.len() } else { 0 };
        is_next
    }

    /// What is next and of these characters; it is taken.
    pub(super) fn take_while(&mut self, is: impl Fn(char) -> bool) -> &'q str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !is(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    /// A text in quotes, or up to a space or one of these characters.
    ///
    /// # Errors
    /// `invalid_argument` for a quote that does not end.
    pub(super) fn piece(&mut self, ends: &[char]) -> Result<Piece, CallError> {
        let column = self.column();
        if self.rest().starts_with('"') {
            return Ok(Piece { text: self.quoted()?, quoted: true, column });
        }
        let text = self.take_while(|c| !c.is_whitespace() && !ends.contains(&c));
        Ok(Piece { text: text.to_owned(), quoted: false, column })
    }

    fn quoted(&mut self) -> Result<String, CallError> {
        let (column, start) = (self.column(), self.rest());
        self.takes("\"");
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|c| c != '"' && c != '\\'));
            if self.takes("\"") {
                return Ok(text);
            }
            if !self.takes("\\") {
                return Err(wrong(column, &format!("{} has no closing quote", short(start, 60))));
            }
            let mut characters = self.rest().chars();
            text.extend(characters.next());
            self.at = self.text.len() - characters.as_str().len();
        }
    }
}

/// A mistake in a query, at a column.
pub(super) fn wrong(column: usize, problem: &str) -> CallError {
    CallError::invalid(format!("query, column {column}: {problem}"))
}
