//! Requests in the name of a caller: whom the API server is told that they are for.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use kubeplex_proto::call::Identity;

use crate::limits::CALLER_GROUPS;

const USER: HeaderName = HeaderName::from_static("impersonate-user");
const GROUP: HeaderName = HeaderName::from_static("impersonate-group");

/// Names that a cluster gives to its own parts. A caller who could claim one would be more than any caller is.
const RESERVED: &str = "system:";

/// The caller that requests are sent for, as headers. Nothing else makes these headers.
#[derive(Debug, Clone)]
pub struct Impersonation(Arc<HeaderMap>);

/// Why nobody acts as a caller, whatever rights there are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoImpersonation {
    #[error("a caller without a name reads nothing live")]
    Nameless,
    #[error("{0:?} can't be acted as: names that begin with \"system:\" belong to the cluster itself")]
    Reserved(String),
    #[error("{0:?} can't be acted as: the API server would read that name as another")]
    Unspeakable(String),
    #[error("a caller in {0} groups reads nothing live: at most {CALLER_GROUPS} are passed on")]
    TooManyGroups(usize),
}

impl Impersonation {
    /// # Errors
    /// For a user or a group that no caller can be, and that no request may name.
    pub fn of(caller: &Identity) -> Result<Self, NoImpersonation> {
        if caller.user.is_empty() {
            return Err(NoImpersonation::Nameless);
        }
        if caller.groups.len() > CALLER_GROUPS {
            return Err(NoImpersonation::TooManyGroups(caller.groups.len()));
        }
        let mut headers = HeaderMap::with_capacity(1 + caller.groups.len());
        headers.insert(USER, spoken(&caller.user)?);
        for group in &caller.groups {
            headers.append(GROUP, spoken(group)?);
        }
        Ok(Self(Arc::new(headers)))
    }

    pub(super) fn add_to(&self, headers: &mut HeaderMap) {
        headers.extend(self.0.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
}

/// A name as a header's value. What HTTP would trim or can't carry would arrive as somebody else's name.
fn spoken(name: &str) -> Result<HeaderValue, NoImpersonation> {
    if name.trim_start().starts_with(RESERVED) {
        return Err(NoImpersonation::Reserved(name.to_owned()));
    }
    let unspeakable = || NoImpersonation::Unspeakable(name.to_owned());
    if name.is_empty() || name.trim() != name {
        return Err(unspeakable());
    }
    HeaderValue::from_bytes(name.as_bytes()).map_err(|_| unspeakable())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(user: &str, groups: &[&str]) -> Result<HeaderMap, NoImpersonation> {
        let groups = groups.iter().map(ToString::to_string).collect();
        let impersonation = Impersonation::of(&Identity { user: user.to_owned(), groups })?;
        let mut headers = HeaderMap::new();
        impersonation.add_to(&mut headers);
        Ok(headers)
    }

    #[test]
    fn a_caller_is_named_with_all_groups() {
        let headers = of("ann@example.com", &["developers", "équipe a"]).unwrap();
        assert_eq!(headers["impersonate-user"], "ann@example.com");
        let groups: Vec<_> = headers.get_all("impersonate-group").iter().collect();
        assert_eq!(groups, ["developers".as_bytes(), "équipe a".as_bytes()]);
    }

    #[test]
    fn nobody_is_the_cluster_itself_or_somebody_else_on_the_wire() {
        let name = str::to_owned;
        for (user, groups, expected) in [
            ("", &[][..], NoImpersonation::Nameless),
            ("system:admin", &[], NoImpersonation::Reserved(name("system:admin"))),
            ("ann", &["a", "system:masters"], NoImpersonation::Reserved(name("system:masters"))),
            ("ann", &[" system:masters"], NoImpersonation::Reserved(name(" system:masters"))),
            ("\tann", &[], NoImpersonation::Unspeakable(name("\tann"))),
            (
                "ann\r\nimpersonate-group: a",
                &[],
                NoImpersonation::Unspeakable(name("ann\r\nimpersonate-group: a")),
            ),
            ("ann", &[""], NoImpersonation::Unspeakable(name(""))),
            ("ann", &["a"; CALLER_GROUPS + 1], NoImpersonation::TooManyGroups(CALLER_GROUPS + 1)),
        ] {
            assert_eq!(of(user, groups).unwrap_err(), expected);
        }
    }
}
