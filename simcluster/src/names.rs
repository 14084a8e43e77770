//! Names of things: which kind of object (group and resource), which served form of it (with a version), and which object (its key).

use std::fmt;

/// A kind of object as the server stores it: all served versions of it are the same objects.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupResource {
    group: String,
    resource: String,
}

impl GroupResource {
    /// `group` is empty for the core group; `resource` is the plural in lower case.
    pub fn new(group: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { group: group.into(), resource: resource.into() }
    }

    /// The API group, empty for the core group.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// The plural name in lower case.
    pub fn resource(&self) -> &str {
        &self.resource
    }
}

/// `pods`, `deployments.apps`: the form that error messages use.
impl fmt::Display for GroupResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.group.as_str() {
            "" => f.write_str(&self.resource),
            group => write!(f, "{}.{group}", self.resource),
        }
    }
}

/// A served form of a kind: group, version, resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gvr {
    group: String,
    version: String,
    resource: String,
}

impl Gvr {
    /// `Gvr::new("apps", "v1", "deployments")`; the core group is the empty string.
    pub fn new(group: &str, version: &str, resource: &str) -> Self {
        Self { group: group.into(), version: version.into(), resource: resource.into() }
    }

    /// A kind of the core group: `Gvr::core("pods")`.
    pub fn core(resource: &str) -> Self {
        Self::new("", "v1", resource)
    }

    /// The API group, empty for the core group.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// The version alone, `v1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The plural name in lower case.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The kind behind this served form.
    pub fn group_resource(&self) -> GroupResource {
        GroupResource::new(&*self.group, &*self.resource)
    }
}

/// `v1` for the core group, `apps/v1` for others.
pub(crate) fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

/// The key of an object within its kind, ordered as the real store orders it: by the text `namespace/name`, in which `a-b/x` comes before `a/x`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ObjectKey(Box<str>);

impl ObjectKey {
    /// `namespace` is empty for objects that belong to the cluster.
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self(Self::path(namespace, name).into())
    }

    /// The key as one text, from which `range` bounds are made.
    pub(crate) fn path(namespace: &str, name: &str) -> String {
        if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
    }

    pub(crate) fn from_path(path: &str) -> Self {
        Self(path.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn namespace(&self) -> &str {
        self.0.split_once('/').map_or("", |(namespace, _)| namespace)
    }

    pub(crate) fn name(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_order_as_the_real_store_does() {
        let mut keys = [ObjectKey::new("a", "x"), ObjectKey::new("a-b", "x"), ObjectKey::new("a", "b")];
        keys.sort();
        assert_eq!(keys.map(|key| key.0.into_string()), ["a-b/x", "a/b", "a/x"]);
    }

    #[test]
    fn a_kind_prints_as_in_error_messages() {
        assert_eq!(GroupResource::new("", "pods").to_string(), "pods");
        assert_eq!(Gvr::new("apps", "v1", "deployments").group_resource().to_string(), "deployments.apps");
    }
}
