//! The third stage: may this caller do this? Pure: values in, a [`Permit`] or a refusal out.
//!
//! [`decide`] is the only place where it is decided. What `tools/list` shows and what `tools/call` lets through both come
//! from it, so a tool that a caller can't use is a tool that does not exist for them.

use crate::error::{CallError, ErrorCode};
use crate::identify::Caller;
use crate::request::Request;
use crate::tools::Tool;

/// A request that its caller may make. Only [`authorize`] makes one.
#[derive(Debug)]
pub struct Permit {
    caller: Caller,
    request: Request,
}

impl Permit {
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    pub fn request(&self) -> &Request {
        &self.request
    }

    pub fn into_request(self) -> Request {
        self.request
    }
}

/// Whether a caller may use a tool at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Allow,
    /// For this caller there is no such tool.
    Hide,
}

/// The one decision about tools.
///
/// Whoever may see nothing has no use for a tool that reads. A tool that changes clusters is shown to nobody yet: the
/// consent that it needs does not exist.
pub fn decide(caller: &Caller, tool: &Tool) -> Decision {
    if tool.annotations.read_only && !caller.visibility().rules().is_empty() {
        Decision::Allow
    } else {
        Decision::Hide
    }
}

/// Lets a request through to the clusters.
///
/// What a caller sees of a kind is the agents' to decide, object by object; here a request is refused that could only
/// come back empty, because the refusal says why.
///
/// # Errors
/// `forbidden`, when the tool or the kind is not the caller's to use.
pub fn authorize(caller: Caller, tool: &Tool, request: Request) -> Result<Permit, CallError> {
    if decide(&caller, tool) == Decision::Hide {
        return Err(forbidden(format!("{} may not use {}", caller.user(), tool.name)));
    }
    if let Some(kind) = request.kind()
        && caller.visibility().for_kind(kind).is_empty()
    {
        return Err(forbidden(format!("{} may not see {kind} in any cluster", caller.user())));
    }
    Ok(Permit { caller, request })
}

fn forbidden(message: String) -> CallError {
    CallError::new(ErrorCode::Forbidden, message)
}
