//! An error with its causes in one line, for logs and answers of both ends.

use std::error::Error;
use std::fmt::Write as _;

/// `error` and what caused it, separated by colons. What a cause only repeats is left out.
pub fn reason(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Many libraries repeat their cause in their own text.
        if !text.contains(&said) {
            // Writing to a string does not fail.
            let _ = write!(text, ": {said}");
        }
        cause = error.source();
    }
    text
}
