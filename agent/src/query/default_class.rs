//! Which of several storage classes that are marked as the default is the one: the newest, of equals the first by name.
//!
//! A claim without a class gets it from that one (the admission plugin DefaultStorageClass, since Kubernetes 1.26), and
//! servers from 1.37 on print `(default)` behind no other (kubernetes/kubernetes#135964). Rows are printed one by one,
//! so that each marked class says so; here they are seen together.

use std::cmp::Reverse;

use serde_json::Value;

use crate::cache::{CellRef, KindStore, RowRef};

const MARK: &str = " (default)";

/// The name of the default among all classes of the store; `None` for other kinds, and where no class is marked.
pub(super) fn name(store: &KindStore) -> Option<String> {
    let kind = &store.shape().id;
    if (kind.group.as_str(), kind.resource.as_str()) != ("storage.k8s.io", "storageclasses") {
        return None;
    }
    let newest = store.rows().filter(is_marked).max_by_key(|row| (row.created_ms(), Reverse(row.name())));
    newest.map(|row| row.name().to_owned())
}

/// Takes the mark from the cells of a class that is not the default.
pub(super) fn unmark(cells: &mut [Value], class: &str) {
    let is_marked = |cell: &Value| cell.as_str().and_then(|text| text.strip_suffix(MARK)) == Some(class);
    for cell in cells.iter_mut().filter(|cell| is_marked(cell)) {
        *cell = class.into();
    }
}

/// A name holds no blanks, so that nothing else can end like this.
fn is_marked(row: &RowRef<'_>) -> bool {
    matches!(row.cell(0), CellRef::Text(text) if text.ends_with(MARK))
}
