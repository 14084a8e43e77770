//! What pods and nodes use, beside what they asked for: the columns of such an answer, which agents fill and the gateway
//! names.

use crate::column::{CellFormat, same_column};
use crate::kind::GroupResource;

/// The API group that tells what is used.
pub const METRICS_GROUP: &str = "metrics.k8s.io";

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageColumn {
    pub name: &'static str,
    pub format: CellFormat,
    /// Whether it is shown although nobody asks for it.
    pub usual: bool,
}

/// Usage, requests and limits of all containers together. A limit is there where every container has one. `atLimit` names the
/// containers that use what they may; `cpuPercent` and `memoryPercent` are those of the container that is nearest to its
/// limit; `sampled` is when it was measured.
pub const OF_PODS: [UsageColumn; 12] = [
    usual("name", CellFormat::Plain),
    usual("cpu", CellFormat::Cpu),
    usual("cpuRequest", CellFormat::Cpu),
    usual("cpuLimit", CellFormat::Cpu),
    usual("memory", CellFormat::Memory),
    usual("memoryRequest", CellFormat::Memory),
    usual("memoryLimit", CellFormat::Memory),
    usual("atLimit", CellFormat::Plain),
    asked_for("cpuPercent", CellFormat::Plain),
    asked_for("memoryPercent", CellFormat::Plain),
    asked_for("node", CellFormat::Plain),
    asked_for("sampled", CellFormat::Age),
];

/// Percents are of what can be allocated; requested is the sum over the pods on the node.
pub const OF_NODES: [UsageColumn; 10] = [
    usual("name", CellFormat::Plain),
    usual("cpu", CellFormat::Cpu),
    usual("cpuPercent", CellFormat::Plain),
    usual("cpuRequested", CellFormat::Cpu),
    usual("cpuAllocatable", CellFormat::Cpu),
    usual("memory", CellFormat::Memory),
    usual("memoryPercent", CellFormat::Plain),
    usual("memoryRequested", CellFormat::Memory),
    usual("memoryAllocatable", CellFormat::Memory),
    asked_for("sampled", CellFormat::Age),
];

/// The columns of a kind; `None` for one of which nobody measures anything.
pub fn columns(kind: &GroupResource) -> Option<&'static [UsageColumn]> {
    match (kind.group.as_str(), kind.resource.as_str()) {
        ("", "pods") => Some(&OF_PODS),
        ("", "nodes") => Some(&OF_NODES),
        _ => None,
    }
}

/// The kind that tells what objects of a kind use.
pub fn measured_by(kind: &GroupResource) -> Option<GroupResource> {
    columns(kind).map(|_| GroupResource::new(METRICS_GROUP, kind.resource.as_str()))
}

/// The column that a word means, in any of its spellings.
pub fn find(kind: &GroupResource, word: &str) -> Option<&'static UsageColumn> {
    columns(kind)?.iter().find(|column| same_column(column.name, word))
}

const fn usual(name: &'static str, format: CellFormat) -> UsageColumn {
    UsageColumn { name, format, usual: true }
}

const fn asked_for(name: &'static str, format: CellFormat) -> UsageColumn {
    UsageColumn { name, format, usual: false }
}
