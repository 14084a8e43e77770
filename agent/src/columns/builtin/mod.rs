//! The columns of the kinds that the API server itself knows: one table a kind, one file an API area.
//!
//! Rules: `k8s.io/kubernetes/pkg/printers/internalversion/printers.go`. The server computes every Table with wide columns
//! and wide texts, so nothing is clipped here either.

use kubeplex_proto::column::CellFormat;
use kubeplex_proto::kind::GroupResource;
use serde_json::Value;

use super::Cell;

pub(super) mod field;

/// One column: the server's name for it, and how its cell is computed from the object.
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) wide: bool,
    pub(super) format: CellFormat,
    pub(super) read: fn(&Value) -> Cell,
}

pub(super) const GENERIC: &[Entry] = &[NAME, AGE];

const NAME: Entry = narrow("Name", field::name);
const AGE: Entry = age("Age", field::created);

pub(super) fn entries(kind: &GroupResource) -> Option<&'static [Entry]> {
    Some(match (kind.group.as_str(), kind.resource.as_str()) {
        _ => return None,
    })
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
