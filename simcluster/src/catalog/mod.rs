//! What the server serves: every kind with its names, scope and verbs. Built-in kinds stand in a table; CRDs and withdrawn versions change it at
//! run time.

mod builtin;
mod custom;
mod resource;

use std::collections::BTreeSet;
use std::sync::Arc;

pub(crate) use custom::{CrdError, PrinterColumn, parse_crd};
pub(crate) use resource::{Origin, Resource, Scope, Verbs};

use crate::names::Gvr;

/// One state of what is served. Values are cheap to clone and never change in place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalog {
    resources: Vec<Arc<Resource>>,
    withdrawn: BTreeSet<(String, String)>,
}

impl Catalog {
    /// The kinds every server has.
    pub(crate) fn builtin() -> Self {
        let resources = builtin::resources().into_iter().map(Arc::new).collect();
        Self { resources, withdrawn: BTreeSet::new() }
    }

    /// The resource that a path names, unless its version is withdrawn.
    pub(crate) fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Resource>> {
        self.served().find(|resource| {
            resource.plural == plural && resource.group == group && resource.version == version
        })
    }

    /// The resource that `gvr` names.
    pub(crate) fn find_gvr(&self, gvr: &Gvr) -> Option<&Arc<Resource>> {
        self.find(gvr.group(), gvr.version(), gvr.resource())
    }

    /// The resource of an object by its own `apiVersion` and `kind`.
    pub(crate) fn find_kind(&self, api_version: &str, kind: &str) -> Option<&Arc<Resource>> {
        self.served().find(|resource| resource.kind == kind && resource.api_version() == api_version)
    }

    /// Everything that is served now, in the order of groups and versions.
    pub(crate) fn served(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.resources.iter().filter(|resource| !self.is_withdrawn(resource))
    }

    /// The groups in order of priority, without the core group.
    pub(crate) fn groups(&self) -> Vec<&str> {
        let mut groups = Vec::new();
        for resource in self.served().filter(|resource| !resource.group.is_empty()) {
            if !groups.contains(&resource.group.as_str()) {
                groups.push(resource.group.as_str());
            }
        }
        groups
    }

    /// The served versions of a group, preferred first.
    pub(crate) fn versions(&self, group: &str) -> Vec<&str> {
        let mut versions: Vec<&str> = Vec::new();
        for resource in self.served().filter(|resource| resource.group == group) {
            if !versions.contains(&resource.version.as_str()) {
                versions.push(&resource.version);
            }
        }
        versions.sort_by_key(|version| std::cmp::Reverse(version_priority(version)));
        versions
    }

    /// The resources of one version of a group.
    pub(crate) fn in_version(&self, group: &str, version: &str) -> Vec<&Arc<Resource>> {
        self.served().filter(|resource| resource.group == group && resource.version == version).collect()
    }

    /// With these resources added, in place of those that came from the same origin.
    pub(crate) fn with(mut self, origin: &Origin, resources: Vec<Resource>) -> Self {
        self = self.without(origin);
        self.resources.extend(resources.into_iter().map(Arc::new));
        self
    }

    /// Without the resources of this origin.
    pub(crate) fn without(mut self, origin: &Origin) -> Self {
        self.resources.retain(|resource| !resource.origin.is_same(origin));
        self
    }

    /// With a version of a group withdrawn: paths under it answer 404 and discovery does not name it.
    pub(crate) fn withdraw(mut self, group: &str, version: &str) -> Self {
        self.withdrawn.insert((group.to_owned(), version.to_owned()));
        self
    }

    /// With a withdrawn version served again.
    pub(crate) fn restore(mut self, group: &str, version: &str) -> Self {
        self.withdrawn.remove(&(group.to_owned(), version.to_owned()));
        self
    }

    fn is_withdrawn(&self, resource: &Resource) -> bool {
        self.withdrawn.iter().any(|(group, version)| *group == resource.group && *version == resource.version)
    }
}

/// Kubernetes' order of versions: stable before beta before alpha, larger numbers first, anything else last.
pub(crate) fn version_priority(version: &str) -> (u8, u32, u32) {
    let parse = || {
        let rest = version.strip_prefix('v')?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let major: u32 = rest[..digits].parse().ok()?;
        let (stage, minor) = match &rest[digits..] {
            "" => (3, 0),
            rest if rest.starts_with("beta") => (2, rest[4..].parse().unwrap_or(0)),
            rest if rest.starts_with("alpha") => (1, rest[5..].parse().unwrap_or(0)),
            _ => return None,
        };
        Some((stage, major, minor))
    };
    parse().unwrap_or((0, 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_kubernetes_orders_them() {
        let mut versions = ["v1alpha1", "v2", "foo1", "v1", "v11beta2", "v10beta3", "v2beta1"];
        versions.sort_by_key(|version| std::cmp::Reverse(version_priority(version)));
        assert_eq!(versions, ["v2", "v1", "v11beta2", "v10beta3", "v2beta1", "v1alpha1", "foo1"]);
    }

    #[test]
    fn a_withdrawn_version_is_neither_found_nor_named() {
        let catalog = Catalog::builtin();
        assert!(catalog.find("policy", "v1", "poddisruptionbudgets").is_some());
        let without = catalog.withdraw("policy", "v1");
        assert!(without.find("policy", "v1", "poddisruptionbudgets").is_none());
        assert!(!without.groups().contains(&"policy"));
        assert!(without.restore("policy", "v1").groups().contains(&"policy"));
    }

    #[test]
    fn every_builtin_is_unique() {
        let catalog = Catalog::builtin();
        let mut names: Vec<_> = catalog.served().map(|r| (&r.group, &r.version, &r.plural)).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(all > 50);
    }
}
