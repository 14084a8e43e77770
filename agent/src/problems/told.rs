//! Which events tell of which object.

use std::cmp::Reverse;

use super::ObjectRef;
use super::cluster::visit;
use super::sight::events;
use crate::cache::{CellRef, RowRef};
use crate::kinds::KindHandle;
use crate::limits::{PROBLEM_EVENTS_LOOKED_AT, ROWS_UNDER_LOCK};

/// Where the row of an event says what it tells of.
struct Places {
    api_version: Option<usize>,
    kind: Option<usize>,
    namespace: Option<usize>,
    name: Option<usize>,
    last_seen: Option<usize>,
}

/// What an event tells of, as the event calls it.
pub(super) struct ToldOf {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) namespace: Option<String>,
    pub(super) name: String,
}

/// The newest events that tell of an object, the newest first. `kind` is as in `Pod`. Nothing is decoded, so going through all
/// events takes a fraction of a millisecond.
pub(super) fn newest(handle: &KindHandle, kind: &str, namespace: Option<&str>, name: &str) -> Vec<ObjectRef> {
    let places = Places::of(handle);
    let mut found: Vec<(i64, ObjectRef)> = Vec::new();
    visit(handle, None, ROWS_UNDER_LOCK, |row| {
        let tells = text(row, places.name) == name
            && text(row, places.namespace) == namespace.unwrap_or_default()
            && text(row, places.kind) == kind;
        if tells {
            let seen_ms = match places.last_seen.map(|at| row.cell(at)) {
                Some(CellRef::Time(ms)) => ms,
                _ => row.created_ms().unwrap_or(i64::MIN),
            };
            let (namespace, name) = (row.namespace().map(str::to_owned), row.name().to_owned());
            found.push((seen_ms, ObjectRef { kind: events(), namespace, name }));
        }
        true
    });
    found.sort_by(|a, b| (Reverse(a.0), &a.1).cmp(&(Reverse(b.0), &b.1)));
    found.truncate(PROBLEM_EVENTS_LOOKED_AT);
    found.into_iter().map(|(_, event)| event).collect()
}

/// `row` is one of the handle's.
pub(super) fn told_of(handle: &KindHandle, row: RowRef<'_>) -> ToldOf {
    let places = Places::of(handle);
    let owned = |place| text(row, place).to_owned();
    ToldOf {
        api_version: owned(places.api_version),
        kind: owned(places.kind),
        namespace: Some(owned(places.namespace)).filter(|namespace| !namespace.is_empty()),
        name: owned(places.name),
    }
}

impl Places {
    fn of(handle: &KindHandle) -> Self {
        let shape = handle.store_shape();
        let narrow = shape.columns.defs().iter().filter(|def| !def.wide).count();
        let at = |path: &str| {
            let at = shape.indexed_paths().iter().position(|indexed| *indexed == path);
            at.map(|at| narrow + at)
        };
        Self {
            api_version: at("involvedObject.apiVersion"),
            kind: at("involvedObject.kind"),
            namespace: at("involvedObject.namespace"),
            name: at("involvedObject.name"),
            last_seen: handle.narrow_column("lastSeen"),
        }
    }
}

fn text(row: RowRef<'_>, place: Option<usize>) -> &str {
    match place.map(|at| row.cell(at)) {
        Some(CellRef::Text(text)) => text,
        _ => "",
    }
}
