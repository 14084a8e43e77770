//! What becomes of a row whose object changes into something that can't be read, and of cells that change their places.

use kubeplex_proto::column::{CellFormat, Column};
use kubeplex_proto::kind::{GroupResource, KindInfo, Scope};
use kubeplex_test_support::kind::kind;
use tokio::sync::watch;

use super::*;
use crate::cache::{CellRef, KindShape, Part};
use crate::columns::{ColumnDef, Columns};
use crate::limits::EVENTS_KEPT;
use crate::redact::DigestKey;
use crate::watch::{Fate, KindHandle, Witness};

/// Deeper than the parser goes.
const DEPTH: usize = 400;

fn applier() -> Applier {
    let id = GroupResource::new("", "pods");
    applier_of(&id, Columns::builtin(&id).unwrap(), Witnesses::default())
}

/// Of a kind whose columns only the server knows.
fn applier_of_tables() -> Applier {
    let column = |name: &str| ColumnDef {
        column: Column { name: name.to_owned(), format: CellFormat::Plain },
        wide: false,
    };
    let columns = Columns::served(&["name", "size"].map(column));
    applier_of(&GroupResource::new("example.com", "widgets"), columns, Witnesses::default())
}

fn applier_of(id: &GroupResource, columns: Columns, witnesses: Witnesses) -> Applier {
    let info = kind(&id.group, &id.resource, Scope::Namespaced);
    let shape = KindShape {
        columns: Arc::new(columns),
        id: id.clone(),
        api_version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        scope: Scope::Namespaced,
        digest_key: DigestKey::new([0; 32]),
    };
    let handle = Arc::new(KindHandle::new(info, shape, watch::Sender::default()));
    Applier::new(handle.divide(vec![Part::default()]).remove(0), Arc::default(), witnesses)
}

fn metadata(name: &str, version: u32) -> String {
    format!(r#"{{"name":"{name}","namespace":"shop","uid":"of {name}","resourceVersion":"{version}"}}"#)
}

fn flat(name: &str, version: u32) -> Change {
    Change::Put(Bytes::from(format!(r#"{{"metadata":{}}}"#, metadata(name, version))))
}

fn deep(name: &str, version: u32) -> Change {
    let spec = format!("{}1{}", r#"{"n":"#.repeat(DEPTH), "}".repeat(DEPTH));
    Change::Put(Bytes::from(format!(r#"{{"spec":{spec},"metadata":{}}}"#, metadata(name, version))))
}

fn gone(name: &str, version: u32) -> Change {
    let Change::Put(raw) = flat(name, version) else { unreachable!("flat objects are put") };
    Change::Delete(raw)
}

fn garbage() -> Change {
    Change::Put(Bytes::from_static(b"{\"metadata\":7}"))
}

/// Names of the rows with their versions, and how many objects are said to be missing.
fn state(applier: &Applier) -> (String, usize) {
    let store = applier.feed.handle.store.read();
    let rows: Vec<_> = store.rows().map(|row| format!("{}@{}", row.name(), row.resource_version())).collect();
    (rows.join(" "), applier.unreadable.lock().count())
}

#[test]
fn a_row_goes_when_its_object_can_not_be_read_any_more_and_comes_back_with_it() {
    let applier = applier();
    for (change, newest, rows, missing) in [
        (flat("a", 1), Some("1"), "a@1", 0),
        (flat("b", 2), Some("2"), "a@1 b@2", 0),
        (deep("a", 5), Some("5"), "b@2", 1),
        // The same again, and what came before it late.
        (deep("a", 5), Some("5"), "b@2", 1),
        (flat("a", 4), Some("4"), "b@2", 1),
        (deep("c", 6), Some("6"), "b@2", 2),
        (flat("a", 7), Some("7"), "a@7 b@2", 1),
        (deep("a", 6), Some("6"), "a@7 b@2", 1),
        (gone("c", 8), Some("8"), "a@7 b@2", 0),
        // A late word on what is gone.
        (deep("c", 6), Some("6"), "a@7 b@2", 0),
        (garbage(), None, "a@7 b@2", 1),
    ] {
        assert_eq!(applier.apply(std::slice::from_ref(&change)).as_deref(), newest, "{change:?}");
        assert_eq!(state(&applier), (rows.to_owned(), missing), "{change:?}");
    }
    assert_eq!(applier.complaint().unwrap(), "an object could not be read and is missing");
    applier.begin_list();
    assert_eq!(applier.complaint(), None);
}

#[test]
fn a_row_that_goes_is_a_new_revision() {
    let applier = applier();
    applier.apply(&[flat("a", 1)]);
    let revision = |applier: &Applier| applier.feed.handle.store.read().revision();
    let before = revision(&applier);
    applier.apply(&[deep("a", 2)]);
    assert_ne!(revision(&applier), before, "or a gateway would go on showing the row from its cache");
}

/// A row of a Table, as an item of a list is one.
fn row(name: &str, version: u32, cells: &str, spec: &str) -> String {
    format!(r#"{{"cells":{cells},"object":{{"spec":{spec},"metadata":{}}}}}"#, metadata(name, version))
}

/// A Table of one row, as an event of a watch has it.
fn table(columns: &str, row: &str) -> Bytes {
    Bytes::from(format!(
        r#"{{"kind":"Table","apiVersion":"meta.k8s.io/v1","columnDefinitions":{columns},"rows":[{row}]}}"#
    ))
}

#[test]
fn a_row_of_a_list_that_can_not_be_read_is_not_missing_any_more_when_it_can() {
    let applier = applier_of_tables();
    let deep = format!("{}1{}", r#"{"n":"#.repeat(DEPTH), "}".repeat(DEPTH));
    applier.intake().note_columns(&["Name", "Size"].map(str::to_owned));
    applier.apply(&[Change::Put(row("a", 1, r#"["a",1]"#, &deep).into())]);
    assert_eq!(state(&applier), (String::new(), 1));
    applier.apply(&[Change::Put(table("null", &row("a", 2, r#"["a",1]"#, "{}")))]);
    assert_eq!(state(&applier), ("a@2".to_owned(), 0));
}

#[test]
fn cells_are_read_where_the_watch_says_that_they_stand() {
    let applier = applier_of_tables();
    applier.intake().note_columns(&["Name", "Size"].map(str::to_owned));
    let size = |name: &str| {
        let store = applier.feed.handle.store.read();
        let CellRef::Integer(size) = store.get(Some("shop"), name).unwrap().cell(1) else { return None };
        Some(size)
    };
    let event = |columns: &str, name: &str, cells: &str| table(columns, &row(name, 1, cells, "{}"));
    applier.apply(&[Change::Put(event("null", "a", r#"["a",1,7]"#))]);
    let moved = r#"[{"name":"Name"},{"name":"Colour"},{"name":"Size"}]"#;
    applier.apply(&[Change::Put(event(moved, "b", r#"["b",1,7]"#))]);
    applier.apply(&[Change::Put(event("null", "c", r#"["c",1,7]"#))]);
    assert_eq!(["a", "b", "c"].map(size), [Some(1), Some(7), Some(7)]);
    // The first event of a watch may be a deletion.
    let back = r#"[{"name":"Name"},{"name":"Size"}]"#;
    applier.apply(&[Change::Delete(event(back, "a", "[]"))]);
    applier.apply(&[Change::Put(event("[]", "d", r#"["d",1,7]"#))]);
    assert_eq!(size("d"), Some(1));
}

/// The objects that it was told are kept no more.
#[derive(Default)]
struct Forgotten(Mutex<Vec<String>>);

impl Witness for Forgotten {
    fn compares(&self, _kind: &KindInfo) -> bool {
        false
    }

    fn saw(&self, _kind: &KindInfo, _way: Way, sightings: &[Sighting<'_>]) {
        let gone = sightings.iter().filter(|seen| matches!(seen.fate, Fate::Forgotten));
        self.0.lock().extend(gone.map(|seen| seen.name.to_owned()));
    }

    fn listed(&self, _kind: &KindInfo, _way: Way) {}
}

#[test]
fn what_makes_room_for_newer_ones_is_told_of() {
    let (id, forgotten) = (GroupResource::new("", "events"), Arc::new(Forgotten::default()));
    let witnesses = Witnesses::new(vec![Arc::clone(&forgotten) as Arc<dyn Witness>]);
    let applier = applier_of(&id, Columns::builtin(&id).unwrap(), witnesses);
    let name = |at: u32| format!("e{at:05}");
    let last = EVENTS_KEPT as u32 + 1;
    let all: Vec<Change> = (1..last).map(|at| flat(&name(at), at)).collect();
    all.chunks(1_000).for_each(|some| drop(applier.apply(some)));
    assert!(forgotten.0.lock().is_empty());
    applier.apply(&[flat(&name(last), last)]);
    let mut told = forgotten.0.lock().clone();
    told.sort();
    let left = applier.feed.handle.store.read().len() as u32;
    assert!(left < last);
    assert_eq!(told, (1..=last - left).map(name).collect::<Vec<_>>());
}
