//! What becomes of a row whose object changes into something that can't be read.

use kubeplex_proto::kind::{KindInfo, Scope};
use tokio::sync::watch;

use super::*;
use crate::cache::KindShape;
use crate::columns::Columns;
use crate::redact::DigestKey;

/// Deeper than the parser goes.
const DEPTH: usize = 400;

fn applier() -> Applier {
    let id = GroupResource::new("", "pods");
    let info = KindInfo {
        id: id.clone(),
        version: "v1".to_owned(),
        versions: vec!["v1".to_owned()],
        kind: "Pod".to_owned(),
        scope: Scope::Namespaced,
        verbs: vec![],
        short_names: vec![],
        singular: "pod".to_owned(),
        categories: vec![],
    };
    let shape = KindShape {
        columns: Arc::new(Columns::builtin(&id).unwrap_or_else(Columns::generic)),
        id,
        api_version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        scope: Scope::Namespaced,
        digest_key: DigestKey::new([0; 32]),
    };
    let handle = KindHandle::new(info, shape, watch::Sender::default());
    Applier::new(Arc::new(handle), Arc::default())
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
    let store = applier.handle.store.read();
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
    let revision = |applier: &Applier| applier.handle.store.read().revision();
    let before = revision(&applier);
    applier.apply(&[deep("a", 2)]);
    assert_ne!(revision(&applier), before, "or a gateway would go on showing the row from its cache");
}
