//! Answers as clients get them: `structuredContent`, and the same as a compact table of text.

use serde_json::Value;

use crate::cursor::CursorSealer;

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
