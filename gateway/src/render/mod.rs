//! Answers as clients get them: `structuredContent`, and the same as a compact table of text.
//!
//! The structs here are the contract's shape, fields in its order; what there is nothing to say of is left out.

mod again;
mod coverage;
mod diff;
mod explain;
mod folded;
mod get;
mod groups;
mod health;
mod list;
mod logs;
mod moment;
mod omit;
mod page;
mod plain;
mod reply;
mod search;
mod sheets;

use serde_json::Value;

use crate::clock::Now;
use crate::cursor::CursorSealer;

pub(crate) use again::{Again, Lasting};
pub(crate) use coverage::Nouns;
pub(crate) use diff::diff;
pub(crate) use explain::explain;
pub(crate) use folded::folded;
pub(crate) use get::get;
pub(crate) use groups::Groups;
pub(crate) use health::health;
pub(crate) use list::list;
pub(crate) use logs::logs;
pub(crate) use moment::{day_and_time, rfc3339};
pub(crate) use page::{Page, PageCursor, Place, PlacedRow};
pub use reply::{Reply, Written};
pub(crate) use sheets::sheets;

/// A reply as it is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// For `structuredContent`; an object.
    pub structured: Value,
    /// For `content[0].text`.
    pub text: String,
}

/// What rendering needs from outside.
pub struct RenderContext<'a> {
    pub now: Now,
    pub sealer: &'a CursorSealer,
    /// Random and fresh for each call; it seals the cursor.
    pub nonce: [u8; 24],
}

/// A value of a closed set as it is serialised.
pub(crate) fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

fn is_false(flag: &bool) -> bool {
    !flag
}
