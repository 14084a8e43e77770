//! The columns of the kinds that the API server itself knows: one table a kind, one file an API area.
//!
//! Rules: `k8s.io/kubernetes/pkg/printers/internalversion/printers.go`, for the kinds that it leaves to others the table
//! convertors of their registries. The server computes every Table with wide columns and wide texts, so nothing is
//! clipped here either. Kinds of alpha and beta APIs, whose columns come and go, may be missing: those are watched as the
//! server's Table.

use kubeplex_proto::column::CellFormat;
use kubeplex_proto::kind::GroupResource;
use serde_json::Value;

use super::Cell;

mod admission;
mod autoscaling;
mod batch;
mod certificates;
mod configuration;
mod coordination;
mod endpoints;
mod events;
mod extension;
pub(crate) mod field;
mod flowcontrol;
mod network;
mod nodes;
mod pods;
mod policy;
mod rbac;
mod resource;
mod services;
mod storage;
pub(super) mod usage;
mod workloads;

#[cfg(test)]
mod testing;

/// One column: the server's name for it, and how its cell is computed from the object.
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) wide: bool,
    pub(super) format: CellFormat,
    pub(super) read: fn(&Value) -> Cell,
}

pub(super) const GENERIC: &[Entry] = &[NAME, AGE];

/// What the server shows of a kind for which nobody wrote a printer.
const DEFAULT: &[Entry] = &[NAME, CREATED_AT];

const NAME: Entry = narrow("Name", field::name);
const AGE: Entry = age("Age", field::created);
/// An instant as the object spells it, not an age.
const CREATED_AT: Entry =
    narrow("Created At", |object| field::text(object, "/metadata/creationTimestamp").into());

/// The columns of a kind, by group and resource, where it is one of an area's.
type Area = fn(&str, &str) -> Option<&'static [Entry]>;

const AREAS: [Area; 19] = [
    pods::entries,
    nodes::entries,
    configuration::entries,
    workloads::entries,
    batch::entries,
    services::entries,
    endpoints::entries,
    network::entries,
    storage::entries,
    rbac::entries,
    autoscaling::entries,
    policy::entries,
    admission::entries,
    extension::entries,
    events::entries,
    certificates::entries,
    coordination::entries,
    flowcontrol::entries,
    resource::entries,
];

pub(super) fn entries(kind: &GroupResource) -> Option<&'static [Entry]> {
    AREAS.iter().find_map(|area| area(&kind.group, &kind.resource))
}

const fn narrow(name: &'static str, read: fn(&Value) -> Cell) -> Entry {
    Entry { name, wide: false, format: CellFormat::Plain, read }
}

const fn wide(name: &'static str, read: fn(&Value) -> Cell) -> Entry {
    Entry { name, wide: true, format: CellFormat::Plain, read }
}

/// A column of instants.
const fn age(name: &'static str, read: fn(&Value) -> Cell) -> Entry {
    Entry { name, wide: false, format: CellFormat::Age, read }
}

const fn wide_age(name: &'static str, read: fn(&Value) -> Cell) -> Entry {
    Entry { name, wide: true, format: CellFormat::Age, read }
}
