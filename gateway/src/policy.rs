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

#[cfg(test)]
mod tests {
    use kubeplex_proto::pattern::Pattern;
    use kubeplex_proto::visibility::{Reach, Visibility, VisibilityRule};
    use serde_json::json;

    use super::*;
    use crate::identify::somebody;
    use crate::request::fixtures::{cluster, fleet, resolved};
    use crate::tools;

    fn only_kinds(kind: &str) -> Visibility {
        let kinds = Reach::Only(vec![Pattern::new(kind)]);
        Visibility::of(vec![VisibilityRule { kinds, namespaces: Reach::All, names: Reach::All }])
    }

    #[test]
    fn a_caller_who_may_see_nothing_has_no_tools() {
        for tool in tools::catalogue().tools() {
            assert_eq!(decide(&somebody(Visibility::everything()), tool), Decision::Allow, "{}", tool.name);
            assert_eq!(decide(&somebody(Visibility::nothing()), tool), Decision::Hide, "{}", tool.name);
        }
    }

    #[test]
    fn what_is_listed_and_what_is_let_through_agree() {
        let fleet = fleet(vec![cluster("a", &[])]);
        let tool = tools::catalogue().get("pods_list").unwrap();
        for (visibility, refusal) in [
            (Visibility::everything(), None),
            (only_kinds("pods"), None),
            (only_kinds("deployments.apps"), Some("somebody may not see pods in any cluster")),
            (Visibility::nothing(), Some("somebody may not use pods_list")),
        ] {
            let request = resolved(&fleet, "pods_list", &json!({})).unwrap();
            let refused = authorize(somebody(visibility), tool, request).err();
            assert_eq!(refused.as_ref().map(|error| error.message.as_str()), refusal);
            assert!(refused.is_none_or(|error| error.code == ErrorCode::Forbidden));
        }
    }
}
