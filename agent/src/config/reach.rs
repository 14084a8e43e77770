//! How far an agent goes into its cluster: what it never touches, and where it watches.

use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::pattern::Pattern;

/// What never enters the cache and is never read live.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deny {
    kinds: Vec<Pattern>,
    namespaces: Vec<Pattern>,
}

/// The namespaces to watch a kind in that can't be watched in the whole cluster; perhaps none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchedNamespaces(Vec<String>);

/// What the agent learns of Secrets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SecretsWatch {
    /// Nothing: calls for them are answered `forbidden`.
    #[default]
    Never,
    /// Names, labels, types and numbers of keys, and what is told from the data of some types.
    Metadata(SecretData),
}

/// From the data of which Secrets the agent tells something, before it drops the data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecretData {
    /// Dates, issuer and names of certificates, from those of the type `kubernetes.io/tls`.
    pub tls_dates: bool,
    /// Chart, versions and status of Helm releases, from those of the type `helm.sh/release.v1`.
    pub helm_releases: bool,
}

impl Deny {
    /// Patterns over kinds (`secrets`, `*.cert-manager.io`) and over namespaces.
    pub fn new(kinds: Vec<Pattern>, namespaces: Vec<Pattern>) -> Self {
        Self { kinds, namespaces }
    }

    pub fn kind(&self, id: &GroupResource) -> bool {
        let name = id.to_string();
        self.kinds.iter().any(|pattern| pattern.matches(&name))
    }

    pub fn namespace(&self, name: &str) -> bool {
        self.namespaces.iter().any(|pattern| pattern.matches(name))
    }

    /// Whether an object is out of reach by where it is, or is such a namespace itself.
    pub fn object(&self, kind: &GroupResource, namespace: Option<&str>, name: &str) -> bool {
        let is_namespace = kind.group.is_empty() && kind.resource == "namespaces";
        namespace.or(is_namespace.then_some(name)).is_some_and(|namespace| self.namespace(namespace))
    }
}

impl WatchedNamespaces {
    /// Sorted, each once.
    ///
    /// # Errors
    /// The first name that no namespace can have.
    pub fn new(names: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut names: Vec<String> = names.into_iter().collect();
        if let Some(wrong) = names.iter().find(|name| !is_label(name)) {
            return Err(wrong.clone());
        }
        names.sort_unstable();
        names.dedup();
        Ok(Self(names))
    }

    pub fn names(&self) -> &[String] {
        &self.0
    }
}

impl SecretsWatch {
    /// Metadata, and nothing from any data.
    pub fn metadata() -> Self {
        Self::Metadata(SecretData::default())
    }

    /// From whose data something is told.
    pub fn data(self) -> SecretData {
        match self {
            Self::Never => SecretData::default(),
            Self::Metadata(data) => data,
        }
    }
}

/// What a namespace can be called: a DNS label.
fn is_label(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let (Some(first), Some(last)) = (name.bytes().next(), name.bytes().last()) else { return false };
    name.len() <= 63 && plain(first) && plain(last) && name.bytes().all(|byte| plain(byte) || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_are_named_exactly() {
        let names = |names: &[&str]| WatchedNamespaces::new(names.iter().map(ToString::to_string));
        assert_eq!(names(&["shop", "a-1", "shop"]).unwrap().names(), ["a-1", "shop"]);
        for wrong in ["", "team-*", "Shop", "-a", "a-", "a.b", &"x".repeat(64)] {
            assert_eq!(names(&["shop", wrong]).unwrap_err(), wrong);
        }
    }
}
