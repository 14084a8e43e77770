//! The identity of what clusters hold: `k8s://{cluster}/{namespace or -}/{group or core}/{resource}/{name}`, each part
//! percent-encoded; without the name, of a list.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::kind::GroupResource;

/// What every identity begins with.
pub const SCHEME: &str = "k8s://";

/// In place of the namespace of what is in none.
const NO_NAMESPACE: &str = "-";
/// In place of the empty name of the core group, which no other group can have: theirs have a dot or are Kubernetes' own.
const CORE: &str = "core";

/// One object of one cluster, or all of a kind there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectUri {
    pub cluster: ClusterId,
    pub namespace: Option<String>,
    pub kind: GroupResource,
    /// `None`: of a list.
    pub name: Option<String>,
}

/// Why a text is no identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{problem}; k8s://CLUSTER/NAMESPACE/GROUP/RESOURCE/NAME is wanted, with - for no namespace and core for no group"
)]
pub struct InvalidObjectUri {
    problem: String,
}

impl FromStr for ObjectUri {
    type Err = InvalidObjectUri;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |problem: String| Err(InvalidObjectUri { problem });
        let Some(rest) = text.strip_prefix(SCHEME) else {
            return wrong(format!("it does not begin with {SCHEME}"));
        };
        let parts: Vec<&str> = rest.split('/').collect();
        if !(4..=5).contains(&parts.len()) {
            return wrong(format!("it has {} parts", parts.len()));
        }
        let mut decoded = Vec::with_capacity(parts.len());
        for part in parts {
            match decode(part) {
                Some(text) if !text.is_empty() => decoded.push(text),
                Some(_) => return wrong("one of its parts is empty".to_owned()),
                None => return wrong(format!("\"{part}\" is not percent-encoded UTF-8")),
            }
        }
        let mut decoded = decoded.into_iter();
        let mut next = || decoded.next().unwrap_or_default();
        let cluster =
            ClusterId::new(next()).map_err(|error| InvalidObjectUri { problem: error.to_string() })?;
        let (namespace, group, resource) = (next(), next(), next());
        Ok(Self {
            cluster,
            namespace: (namespace != NO_NAMESPACE).then_some(namespace),
            kind: GroupResource::new(if group == CORE { String::new() } else { group }, resource),
            name: decoded.next(),
        })
    }
}

impl fmt::Display for ObjectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = if self.kind.group.is_empty() { CORE } else { &self.kind.group };
        let namespace = self.namespace.as_deref().unwrap_or(NO_NAMESPACE);
        f.write_str(SCHEME)?;
        let parts = [self.cluster.as_str(), namespace, group, &self.kind.resource];
        for (at, part) in parts.into_iter().chain(self.name.as_deref()).enumerate() {
            f.write_str(if at == 0 { "" } else { "/" })?;
            encode(part, f)?;
        }
        Ok(())
    }
}

/// What RFC 3986 calls unreserved stays.
fn encode(part: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    part.bytes().try_for_each(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => f.write_char(byte.into()),
        other => write!(f, "%{other:02X}"),
    })
}

fn decode(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn identities_read_as_they_are_written() {
        let cluster = || ClusterId::new("prod-eu").unwrap();
        for (text, identity) in [
            (
                "k8s://prod-eu/shop/apps/deployments/cart",
                ObjectUri {
                    cluster: cluster(),
                    namespace: Some("shop".into()),
                    kind: GroupResource::new("apps", "deployments"),
                    name: Some("cart".into()),
                },
            ),
            (
                "k8s://prod-eu/-/rbac.authorization.k8s.io/clusterroles/system%3Anode",
                ObjectUri {
                    cluster: cluster(),
                    namespace: None,
                    kind: GroupResource::new("rbac.authorization.k8s.io", "clusterroles"),
                    name: Some("system:node".into()),
                },
            ),
            (
                "k8s://prod-eu/shop/core/pods",
                ObjectUri {
                    cluster: cluster(),
                    namespace: Some("shop".into()),
                    kind: GroupResource::new("", "pods"),
                    name: None,
                },
            ),
        ] {
            assert_eq!(text.parse(), Ok(identity.clone()));
            assert_eq!(identity.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_identity_is_told_why() {
        for (text, said) in [
            ("https://prod-eu/shop/core/pods/x", "does not begin with k8s://"),
            ("k8s://prod-eu/shop/core", "has 3 parts"),
            ("k8s://prod-eu/shop/core/pods/a/b", "has 6 parts"),
            ("k8s://prod-eu/shop/core//x", "one of its parts is empty"),
            ("k8s://prod-eu/shop/core/pods/%zz", "\"%zz\" is not percent-encoded"),
            ("k8s://prod-eu/shop/core/pods/%f", "is not percent-encoded"),
            ("k8s://prod-eu/shop/core/pods/%ff", "is not percent-encoded UTF-8"),
            ("k8s://prod-*/shop/core/pods/x", "can't name a cluster"),
        ] {
            let error = text.parse::<ObjectUri>().unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_name_survives(
            cluster in "[^\\s\\pC,*\"']{1,20}",
            namespace in prop::option::of("[a-z][a-z0-9-]{0,10}"),
            group in "|[a-z]{1,8}\\.[a-z]{1,8}",
            resource in "[a-z]{1,10}",
            name in prop::option::of(".{1,20}"),
        ) {
            let identity = ObjectUri {
                cluster: ClusterId::new(cluster).unwrap(),
                namespace,
                kind: GroupResource::new(group, resource),
                name,
            };
            let text = identity.to_string();
            prop_assert!(text.is_ascii() && !text.contains(char::is_whitespace));
            prop_assert_eq!(text.parse(), Ok(identity));
        }
    }
}
