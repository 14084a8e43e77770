//! The first stage: who is calling.
//!
//! Only this module makes a [`Caller`], so a call cannot reach the later stages without one. Today the gateway listens on
//! loopback alone, and whoever can connect there is the person who started it; certificates and tokens will be read here.

use kubeplex_proto::call::Identity;
use kubeplex_proto::visibility::Visibility;

/// A principal that was identified, and what policy lets them see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    identity: Identity,
    visibility: Visibility,
}

impl Caller {
    /// As clusters would know them.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    pub fn user(&self) -> &str {
        &self.identity.user
    }

    pub fn groups(&self) -> &[String] {
        &self.identity.groups
    }

    /// What agents may show this caller.
    pub fn visibility(&self) -> &Visibility {
        &self.visibility
    }
}

/// Identifies whoever sent a request to the loopback listener.
///
/// `Impersonate-*` and similar headers are never consulted: a caller is what the connection proves.
pub fn identify(_request: &http::request::Parts) -> Caller {
    local_user()
}

/// Everybody on loopback is the person at this machine.
fn local_user() -> Caller {
    Caller {
        identity: Identity { user: "local".to_owned(), groups: Vec::new() },
        visibility: Visibility::everything(),
    }
}

/// Somebody who may see only this, for tests of later stages.
#[cfg(test)]
pub(crate) fn somebody(visibility: Visibility) -> Caller {
    Caller { identity: Identity { user: "somebody".to_owned(), groups: Vec::new() }, visibility }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_cannot_claim_another_user() {
        let claims = [
            ("impersonate-user", "system:admin"),
            ("x-forwarded-user", "root"),
            ("authorization", "Basic cm9vdDo="),
        ];
        for (name, value) in claims {
            let (parts, ()) = http::Request::builder().header(name, value).body(()).unwrap().into_parts();
            assert_eq!(identify(&parts).user(), "local", "{name}: {value}");
        }
    }
}
