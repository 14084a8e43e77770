//! Answers as clients get them: `structuredContent`, and the same as a compact table of text.
//!
//! The structs here are the contract's shape, fields in its order; what there is nothing to say of is left out.

mod coverage;
mod duration;
mod escape;
mod get;
mod list;
mod omit;
mod page;
mod plain;

use std::io;

use serde::Serialize;
use serde_json::Value;

use crate::cursor::CursorSealer;

pub(crate) use coverage::Nouns;
pub use duration::{human_duration, rfc3339};
pub use escape::{escaped, one_line};
pub(crate) use get::get;
pub(crate) use list::list;
pub(crate) use page::{Page, PageCursor, Place, PlacedRow};

/// A reply, ready to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// For `structuredContent`; an object.
    pub structured: Value,
    /// For `content[0].text`.
    pub text: String,
}

/// What rendering needs from outside.
pub struct RenderContext<'a> {
    /// The gateway's time since 1970.
    pub now_ms: i64,
    pub sealer: &'a CursorSealer,
    /// Random and fresh for each call; it seals the cursor.
    pub nonce: [u8; 24],
}

/// The bytes that a value takes as JSON.
pub(crate) fn json_len(value: &impl Serialize) -> usize {
    let mut counter = Counter(0);
    // Writing into a counter can't fail, and every value here has a JSON form.
    let _ = serde_json::to_writer(&mut counter, value);
    counter.0
}

struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}
