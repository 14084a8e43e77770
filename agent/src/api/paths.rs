//! Paths of the API, and their queries.

use std::fmt::Write;

use kubeplex_proto::kind::{KindInfo, Scope};

/// `/api/v1/pods`, `/apis/apps/v1/namespaces/shop/deployments`. A namespace is left out for a cluster-scoped kind.
pub fn collection_path(kind: &KindInfo, namespace: Option<&str>) -> String {
    let root = if kind.id.group.is_empty() { "/api" } else { "/apis" };
    let mut path = format!("{root}/{}", kind.api_version());
    if let (Some(namespace), Scope::Namespaced) = (namespace, kind.scope) {
        path.push_str("/namespaces/");
        encode(namespace, &mut path);
    }
    path.push('/');
    path.push_str(&kind.id.resource);
    path
}

/// The path of one object.
pub fn object_path(kind: &KindInfo, namespace: Option<&str>, name: &str) -> String {
    let mut path = collection_path(kind, namespace);
    path.push('/');
    encode(name, &mut path);
    path
}

/// Builds `path?key=value&…`, encoding the values.
#[derive(Debug, Clone)]
pub struct Query {
    text: String,
    started: bool,
}

impl Query {
    pub fn of(path: impl Into<String>) -> Self {
        let text = path.into();
        let started = text.contains('?');
        Self { text, started }
    }

    /// `key` is sent as it is.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.text.push(if std::mem::replace(&mut self.started, true) { '&' } else { '?' });
        self.text.push_str(key);
        self.text.push('=');
        encode(value, &mut self.text);
        self
    }

    pub fn build(self) -> String {
        self.text
    }
}

/// Everything but RFC 3986's unreserved characters is percent-encoded.
fn encode(value: &str, into: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use kubeplex_test_support::kind::kind;

    use super::*;

    #[test]
    fn paths_follow_group_and_scope() {
        let pods = kind("", "pods", Scope::Namespaced);
        let roles = kind("rbac.authorization.k8s.io", "clusterroles", Scope::Cluster);
        for (path, expected) in [
            (collection_path(&pods, None), "/api/v1/pods"),
            (collection_path(&pods, Some("shop")), "/api/v1/namespaces/shop/pods"),
            (object_path(&pods, Some("shop"), "web-0"), "/api/v1/namespaces/shop/pods/web-0"),
            (
                object_path(&roles, Some("ignored"), "system:node"),
                "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
            ),
            (object_path(&pods, Some("../.."), "a/b?c"), "/api/v1/namespaces/..%2F../pods/a%2Fb%3Fc"),
        ] {
            assert_eq!(path, expected);
        }
    }

    #[test]
    fn query_values_are_encoded() {
        let query = Query::of("/api/v1/pods").with("limit", "500").with("labelSelector", "app in (a,b)");
        assert_eq!(query.build(), "/api/v1/pods?limit=500&labelSelector=app%20in%20%28a%2Cb%29");
    }
}
