//! What a store must know of its kind before the first object arrives.

use std::sync::Arc;

use kubeplex_proto::column::same_column;
use kubeplex_proto::kind::{GroupResource, Scope};

use crate::columns::Columns;
use crate::limits;
use crate::redact::DigestKey;

/// One kind, in the version that the cluster serves it in.
#[derive(Clone)]
pub struct KindShape {
    pub id: GroupResource,
    /// `v1`, `apps/v1`: what objects of a list, which do not say it themselves, are given.
    pub api_version: String,
    /// `Pod`.
    pub kind: String,
    pub scope: Scope,
    pub columns: Arc<Columns>,
    /// Under which values that may not be stored are told apart.
    pub digest_key: DigestKey,
}

/// How much of a kind is kept; beyond it the oldest objects go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    pub objects: usize,
    /// Of everything that is held for them.
    pub bytes: usize,
}

/// Core's `secrets`.
pub fn is_secrets(id: &GroupResource) -> bool {
    id.group.is_empty() && id.resource == "secrets"
}

impl KindShape {
    /// Paths that field selectors name often enough to be answered from the row, beside `metadata.*` and the columns.
    pub fn indexed_paths(&self) -> &'static [&'static str] {
        match (self.id.group.as_str(), self.id.resource.as_str()) {
            ("", "pods") => &["spec.nodeName", "status.phase"],
            ("", "events") => &[
                "involvedObject.apiVersion",
                "involvedObject.kind",
                "involvedObject.namespace",
                "involvedObject.name",
                "reason",
                "type",
                "count",
                "series.count",
            ],
            ("", "nodes") => &["spec.unschedulable"],
            ("", "namespaces" | "persistentvolumes" | "persistentvolumeclaims") => &["status.phase"],
            ("", "secrets") => &["type"],
            _ => &[],
        }
    }

    /// Where objects of this kind hold the spec of pods, as a JSON pointer: a row keeps the images named there, in one text
    /// behind its indexed paths, because they are searched for and a whole object takes long to decode.
    pub fn pod_spec(&self) -> Option<&'static str> {
        match (self.id.group.as_str(), self.id.resource.as_str()) {
            ("", "pods") => Some("/spec"),
            ("", "replicationcontrollers")
            | ("apps", "deployments" | "replicasets" | "statefulsets" | "daemonsets")
            | ("batch", "jobs") => Some("/spec/template/spec"),
            ("batch", "cronjobs") => Some("/spec/jobTemplate/spec/template/spec"),
            _ => None,
        }
    }

    /// The cell of a row that holds its images, with commas between.
    pub fn image_cell(&self) -> Option<usize> {
        self.pod_spec().map(|_| self.narrow_columns() + self.indexed_paths().len())
    }

    /// The place of a column among a row's cells, which are those of the columns that are not wide.
    pub fn narrow_column(&self, name: &str) -> Option<usize> {
        let mut narrow = self.columns.defs().iter().filter(|def| !def.wide);
        narrow.position(|def| same_column(&def.column.name, name))
    }

    /// How many cells of a row are columns; the indexed paths follow, and the images.
    pub fn narrow_columns(&self) -> usize {
        self.columns.defs().iter().filter(|def| !def.wide).count()
    }

    /// Cells of a row.
    pub fn cells(&self) -> usize {
        self.narrow_columns() + self.indexed_paths().len() + usize::from(self.pod_spec().is_some())
    }

    /// Whether objects of this kind may hold what no store may.
    pub fn is_secrets(&self) -> bool {
        is_secrets(&self.id)
    }

    /// The bound of kinds that grow without anybody's intent.
    pub fn bound(&self) -> Option<Bound> {
        let is_events = self.id.group.is_empty() && self.id.resource == "events";
        is_events.then_some(Bound { objects: limits::EVENTS_KEPT, bytes: limits::EVENT_BYTES_KEPT })
    }
}
