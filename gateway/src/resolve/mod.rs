//! Arguments become a [`Request`]: validated, with clusters and kinds found among those that the caller may see.

use serde_json::{Map, Value};

use crate::cursor::CursorSealer;
use crate::error::CallError;
use crate::fleet::Fleet;
use crate::request::Request;
use crate::tools::Tool;

/// What resolve may know.
pub struct Scope<'a> {
    /// The clusters that the caller may see.
    pub fleet: &'a Fleet,
    /// A stable name of the caller, unique over identity providers; cursors are bound to it.
    pub caller: &'a str,
    pub sealer: &'a CursorSealer,
    /// The gateway's time since 1970.
    pub now_ms: i64,
    /// `bounds::DEFAULT_MAX_BYTES_MCP` or `…_REST`.
    pub default_max_bytes: usize,
}

/// Arguments that passed the tool's schema, synonyms normalised.
pub struct Arguments(#[expect(dead_code, reason = "read by the tools' plans")] Map<String, Value>);

/// # Errors
/// `invalid_argument` naming the argument, its value and what is right; `not_found` for clusters and kinds that are not
/// there; `unavailable` while no cluster has said which kinds it has.
pub fn resolve(tool: &Tool, arguments: &Map<String, Value>, scope: &Scope<'_>) -> Result<Request, CallError> {
    (tool.plan)(&Arguments(arguments.clone()), scope)
}
