//! One served resource: a version of a kind, with what discovery says of it.

use crate::catalog::PrinterColumn;
use crate::names::{GroupResource, api_version};

/// A kind in one of its served versions.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resource {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) short_names: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) scope: Scope,
    pub(crate) verbs: Verbs,
    pub(crate) subresources: Vec<String>,
    /// Fields beyond name and namespace that lists can be selected by.
    pub(crate) selectable: Vec<String>,
    pub(crate) origin: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Cluster,
    Namespaced,
}

/// Which verbs a resource has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verbs {
    /// All eight of an ordinary stored kind.
    All,
    /// All but `deletecollection`, as namespaces and services have it.
    NoDeleteCollection,
    /// Computed kinds: `get` and `list`.
    ReadOnly,
    /// Reviews and bindings: `create`.
    CreateOnly,
}

impl Verbs {
    /// As discovery lists them.
    pub(crate) fn names(self) -> &'static [&'static str] {
        match self {
            Self::All => &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
            Self::NoDeleteCollection => &["create", "delete", "get", "list", "patch", "update", "watch"],
            Self::ReadOnly => &["get", "list"],
            Self::CreateOnly => &["create"],
        }
    }
}

/// Who brought a resource.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Origin {
    /// Part of every server.
    Builtin,
    /// The CRD of this name.
    Custom { crd: String, columns: Vec<PrinterColumn> },
    /// An aggregated API server behind an APIService.
    Aggregated,
}

impl Origin {
    /// Whether both are the same CRD, or both aggregated, whatever their columns.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Custom { crd: one, .. }, Self::Custom { crd: other, .. }) => one == other,
            (one, other) => one == other,
        }
    }
}

impl Resource {
    /// The kind behind this version.
    pub(crate) fn group_resource(&self) -> GroupResource {
        GroupResource::new(&*self.group, &*self.plural)
    }

    /// `v1`, `apps/v1`.
    pub(crate) fn api_version(&self) -> String {
        api_version(&self.group, &self.version)
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.selectable.iter().map(String::as_str)
    }

    pub(crate) fn is_namespaced(&self) -> bool {
        self.scope == Scope::Namespaced
    }

    /// Lists of built-in kinds leave kind and version out of their items; lists of custom ones do not.
    pub(crate) fn lists_typed_items(&self) -> bool {
        matches!(self.origin, Origin::Custom { .. })
    }
}
