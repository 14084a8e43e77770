use std::sync::Arc;

use kubeplex_proto::kind::{GroupResource, Scope};
use parking_lot::RwLock;

use super::*;
use crate::columns::{Cell, Columns};
use crate::limits;
use crate::redact::DigestKey;

mod ahead;
mod model;
mod parts;

fn shape(resource: &str) -> KindShape {
    let id = GroupResource::new("", resource);
    KindShape {
        columns: Arc::new(Columns::builtin(&id).unwrap_or_else(Columns::generic)),
        id,
        api_version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        scope: Scope::Namespaced,
        digest_key: DigestKey::new([0; 32]),
    }
}

fn store() -> KindStore {
    KindStore::new(shape("pods"))
}

fn object(namespace: &str, name: &str, uid: &str, version: &str, content: &str) -> Prepared {
    Prepared {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        uid: uid.to_owned(),
        version: version.to_owned(),
        created_ms: Some(1_000),
        labels: [("app", "cart"), ("pod-template-hash", content)].map(|(k, v)| (k.into(), v.into())).into(),
        last_writer: Some(kubelet()),
        writers: Vec::new(),
        cells: vec![Cell::from(name), Cell::from(content), Cell::Integer(3)],
        json: format!(r#"{{"metadata":{{"name":"{name}","uid":"{uid}"}},"content":"{content}"}}"#)
            .into_bytes(),
        pressed: None,
    }
}

fn pod(name: &str, version: &str) -> Prepared {
    object("shop", name, &format!("uid of {name}"), version, "a")
}

fn json(row: RowRef<'_>) -> String {
    let mut json = Vec::new();
    assert!(row.object(&mut json));
    String::from_utf8(json).unwrap()
}

fn kubelet() -> LastWriter {
    let [manager, operation, api_version] = ["kubelet", "Update", "v1"].map(str::to_owned);
    LastWriter { manager, operation, api_version, time_ms: 7 }
}

fn names(store: &KindStore) -> Vec<&str> {
    store.rows().map(|row| row.name()).collect()
}

#[test]
fn a_row_shows_all_that_was_put_in() {
    let mut store = store();
    let uid = "0f3c2a10-9b7e-4d55-8e1a-c0ffee00d00d";
    assert_eq!(store.apply(object("shop", "cart-0", uid, "12", "a1")), Applied::Created);
    let row = store.get(Some("shop"), "cart-0").unwrap();
    assert_eq!((row.namespace(), row.name(), &*row.uid()), (Some("shop"), "cart-0", uid));
    assert_eq!((&*row.resource_version(), row.created_ms()), ("12", Some(1_000)));
    assert_eq!((row.label("app"), row.label("gone")), (Some("cart"), None));
    assert_eq!(
        [row.cell(0), row.cell(1), row.cell(2)],
        [CellRef::Text("cart-0"), CellRef::Text("a1"), CellRef::Integer(3)]
    );
    assert_eq!((row.cell(4), row.cell(400)), (CellRef::Null, CellRef::Null));
    let expected = Manager { manager: "kubelet", operation: "Update", api_version: "v1", time_ms: 7 };
    assert_eq!(row.last_manager(), Some(expected));
    assert!(json(row).contains("a1"));
    assert!(store.get(None, "cart-0").is_none() && store.get(Some("shop"), "cart-1").is_none());
}

#[test]
fn only_news_changes_the_revision() {
    let mut store = store();
    for (version, uid, expected, revision) in [
        ("10", "u1", Applied::Created, 1),
        ("10", "u1", Applied::Unchanged, 1),
        ("9", "u1", Applied::Unchanged, 1),
        ("11", "u1", Applied::Updated, 2),
        ("12", "u2", Applied::Replaced, 3),
        ("11", "u1", Applied::Unchanged, 3),
        ("13", "u1", Applied::Unchanged, 3),
        ("18446744073709551617", "u2", Applied::Updated, 4),
        ("18446744073709551616", "u2", Applied::Unchanged, 4),
    ] {
        assert_eq!(store.apply(object("shop", "cart", uid, version, version)), expected, "{version} {uid}");
        assert_eq!(store.revision(), revision, "{version} {uid}");
    }
}

#[test]
fn versions_that_are_no_numbers_count_by_arrival() {
    let mut store = store();
    for (version, content, expected) in [
        ("abc", "1", Applied::Created),
        ("abc", "2", Applied::Unchanged),
        ("abd", "2", Applied::Updated),
        ("aaa", "3", Applied::Updated),
        ("", "3", Applied::Unchanged),
        ("", "4", Applied::Updated),
    ] {
        assert_eq!(
            store.apply(object("shop", "cart", "u", version, content)),
            expected,
            "{version} {content}"
        );
    }
}

#[test]
fn a_late_event_does_not_bring_a_deleted_object_back() {
    let mut store = store();
    store.apply(pod("cart", "5"));
    assert!(store.delete(Some("shop"), "cart", Some("uid of cart")));
    assert_eq!(store.apply(pod("cart", "4")), Applied::Unchanged);
    assert!(!store.delete(Some("shop"), "cart", None));
    assert_eq!((store.len(), store.revision()), (0, 2));
    assert_eq!(store.apply(object("shop", "cart", "another", "6", "b")), Applied::Created);
    // The deletion of an earlier object of the same name, late.
    assert!(!store.delete(Some("shop"), "cart", Some("uid of cart")));
    // A list may be older than the deletion; the watch that follows it tells.
    store.delete(Some("shop"), "cart", Some("another"));
    store.begin_relist();
    assert_eq!(store.apply(object("shop", "cart", "another", "6", "b")), Applied::Created);
}

#[test]
fn a_deletion_that_arrives_first_holds() {
    let mut store = store();
    assert!(!store.delete(Some("shop"), "cart", Some("uid of cart")));
    assert_eq!(store.apply(pod("cart", "4")), Applied::Unchanged);
}

#[test]
fn a_relist_shows_neither_an_empty_nor_a_half_list() {
    let mut store = store();
    for name in ["a", "b", "c"] {
        store.apply(pod(name, "1"));
    }
    store.begin_relist();
    assert_eq!(names(&store), ["a", "b", "c"]);
    store.apply(pod("b", "1"));
    store.apply(pod("d", "2"));
    assert_eq!(names(&store), ["a", "b", "c", "d"]);
    let revision = store.revision();
    // It broke off: what the next one does not bring is gone, whatever the first one saw.
    let relist = store.begin_relist();
    store.apply(pod("d", "2"));
    assert_eq!(store.finish_relist(relist, &Part::default(), &mut |_| ()), 3);
    assert_eq!((names(&store), store.revision()), (vec!["d"], revision + 1));
}

#[test]
fn an_object_that_is_too_large_keeps_its_row() {
    let mut store = store();
    let mut large = pod("large", "1");
    large.json = vec![b' '; limits::OBJECT_BYTES + 1];
    store.apply(large.clone());
    let row = store.get(Some("shop"), "large").unwrap();
    assert!(!row.object(&mut Vec::new()));
    assert_eq!(row.too_large(), Some(large.json.len() as u64));
    assert!(store.memory().records < 64 << 10);
    store.apply(pod("large", "2"));
    assert!(store.get(Some("shop"), "large").unwrap().object(&mut Vec::new()));
}

#[test]
fn of_events_the_newest_are_kept() {
    let mut store = KindStore::new(shape("events"));
    let relist = store.begin_relist();
    for at in 0..limits::EVENTS_KEPT * 3 / 2 {
        // In the order of names, which is not that of versions.
        store.apply(pod(&format!("e{at:06}"), &((at * 7_919) % 1_000_003 + 1).to_string()));
    }
    store.finish_relist(relist, &Part::default(), &mut |_| ());
    let len = store.len();
    assert!((limits::EVENTS_KEPT * 9 / 10..=limits::EVENTS_KEPT).contains(&len), "{len}");
    let oldest = store.rows().map(|row| row.resource_version().parse::<u64>().unwrap()).min().unwrap();
    assert!(oldest > 300_000, "{oldest}");
    assert_eq!(store.apply(pod("old", "1")), Applied::Unchanged);
    assert_eq!(store.apply(pod("new", "2000000")), Applied::Created);
}

#[test]
fn large_events_are_bounded_by_their_bytes() {
    let mut store = KindStore::new(shape("events"));
    let mut noise = 1_u64;
    for at in 0..400 {
        let mut event = pod(&format!("e{at}"), &(at + 1).to_string());
        event.json = (0..100_000)
            .map(|_| {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (noise >> 56) as u8
            })
            .collect();
        store.apply(event);
        assert!(store.memory().records < limits::EVENT_BYTES_KEPT + (2 << 20));
    }
    assert!(store.get(Some("shop"), "e399").is_some());
}

/// The text of an event is a cell too: it counts, though it compresses to nothing.
#[test]
fn talkative_events_are_bounded_by_their_strings() {
    let mut store = KindStore::new(shape("events"));
    for at in 0..limits::EVENTS_KEPT {
        let mut event = pod(&format!("e{at}"), &(at + 1).to_string());
        event.cells.fill(Cell::Text(format!("{at} {}", "the image is not there ".repeat(90))));
        event.labels = vec![("event".to_owned(), format!("{at} {}", "x".repeat(200)))];
        store.apply(event);
    }
    let memory = store.memory();
    // Tables of hashes double when they are full: that much may be spare.
    let bounds = limits::EVENT_BYTES_KEPT / 2..limits::EVENT_BYTES_KEPT + (2 << 20);
    assert!(bounds.contains(&memory.total()), "{memory:?}");
    assert!(store.get(Some("shop"), &format!("e{}", limits::EVENTS_KEPT - 1)).is_some());
}

/// What a rollout replaces leaves nothing behind.
#[test]
fn rollouts_do_not_grow_the_store() {
    let mut store = store();
    let mut version = 0;
    let mut settled = 0;
    for rollout in 0..60 {
        for replica in 0..200 {
            version += 1;
            let hash = format!("hash{rollout}");
            let name = format!("cart-{hash}-{replica}");
            store.apply(object("shop", &name, &format!("{rollout}-{replica}"), &version.to_string(), &hash));
            if rollout > 0 {
                let old = format!("cart-hash{}-{replica}", rollout - 1);
                assert!(store.delete(Some("shop"), &old, None));
            }
        }
        if rollout == 30 {
            settled = store.memory().total();
        }
    }
    let end = store.memory().total();
    assert!(end <= settled + settled / 10, "{settled} bytes became {end}");
}

#[test]
fn a_dictionary_is_trained_and_everything_stays_readable() {
    let store = RwLock::new(store());
    let long = |at: usize| {
        object("shop", &format!("p{at:05}"), &format!("u{at}"), "1", &"some words that repeat, ".repeat(20))
    };
    for at in 0..3_000 {
        store.write().apply(long(at));
    }
    let before = store.read().memory();
    assert!(store.read().wants_tending());
    tend(&store);
    let store = store.into_inner();
    assert!(!store.wants_tending());
    let after = store.memory();
    assert!(after.dictionaries > 0 && after.records < before.records, "{before:?} became {after:?}");
    for at in 0..3_000 {
        let expected = long(at);
        assert_eq!(json(store.get(Some("shop"), expected.name()).unwrap()).into_bytes(), expected.json);
    }
}

#[test]
fn tending_and_writing_at_once_lose_nothing() {
    let store = RwLock::new(store());
    let content = |at: usize, round: usize| format!("{at} in round {round} ").repeat(8);
    std::thread::scope(|scope| {
        let tending = scope.spawn(|| {
            while store.read().get(Some("shop"), "last").is_none() {
                tend(&store);
            }
        });
        for round in 1..4 {
            for at in (0..2_500).filter(|at| at % round == 0) {
                store.write().apply(object(
                    "shop",
                    &format!("p{at}"),
                    "u",
                    &round.to_string(),
                    &content(at, round),
                ));
            }
        }
        store.write().apply(pod("last", "1"));
        tending.join().unwrap();
    });
    let store = store.into_inner();
    for at in 0..2_500 {
        let round = (1..4).rev().find(|round| at % round == 0).unwrap();
        assert!(
            json(store.get(Some("shop"), &format!("p{at}")).unwrap()).contains(&content(at, round)),
            "p{at}"
        );
    }
}

#[test]
fn rows_are_brought_together_when_most_are_gone() {
    let store = RwLock::new(store());
    for at in 0..6_000 {
        store.write().apply(pod(&format!("p{at:04}"), "1"));
    }
    tend(&store);
    let full = store.read().memory();
    for at in (0..6_000).filter(|at| at % 60 != 7) {
        assert!(store.write().delete(Some("shop"), &format!("p{at:04}"), None));
    }
    tend(&store);
    let mut store = store.into_inner();
    let rest = store.memory();
    assert!(rest.rows < full.rows / 4 && rest.records < full.records / 4, "{full:?} became {rest:?}");
    let expected: Vec<_> = (0..6_000).filter(|at| at % 60 == 7).map(|at| format!("p{at:04}")).collect();
    assert_eq!(names(&store), expected);
    for name in &expected {
        assert!(json(store.get(Some("shop"), name).unwrap()).contains(name.as_str()));
        assert_eq!(store.apply(pod(name, "2")), Applied::Updated);
    }
    for at in 0..3_000 {
        store.apply(pod(&format!("q{at:04}"), "1"));
    }
    assert_eq!(store.len(), 3_100);
    assert!(store.rows().map(|row| row.name()).is_sorted());
}

#[test]
fn a_cleared_store_is_empty_at_once_and_counts_on() {
    let mut store = KindStore::counting_from(shape("pods"), 1 << 40);
    assert!(store.clear().is_none());
    assert_eq!(store.revision(), 1 << 40, "nothing has changed");
    for at in 0..100 {
        store.apply(pod(&format!("p{at}"), "1"));
    }
    let before = store.revision();
    assert_eq!(store.clear().map(|cleared| cleared.len()), Some(100));
    assert!(store.is_empty() && store.revision() > before);
    store.apply(pod("p1", "1"));
    assert_eq!(names(&store), ["p1"], "what was forgotten may come back as it was");
}

#[test]
fn stores_that_count_apart_never_meet() {
    let (first, second) = (unused_revisions(), unused_revisions());
    assert!(first.abs_diff(second) >= 1 << 36);
}

#[test]
fn what_is_pressed_beforehand_is_stored_as_it_is_and_only_news_are() {
    let lock = RwLock::new(store());
    lock.write().apply(pod("old", "5"));
    let mut arriving = vec![pod("old", "5"), pod("old", "6"), pod("new", "1")];
    press(&lock, arriving.iter_mut());
    let pressed: Vec<bool> = arriving.iter().map(|object| object.pressed.is_some()).collect();
    assert_eq!(pressed, [false, true, true]);
    for object in arriving {
        lock.write().apply(object);
    }
    let (pressed, plain) = (lock.into_inner(), {
        let mut plain = store();
        for object in [pod("old", "6"), pod("new", "1")] {
            plain.apply(object);
        }
        plain
    });
    let shown = |store: &KindStore| store.rows().map(json).collect::<Vec<_>>();
    assert_eq!(shown(&pressed), shown(&plain));
}

#[test]
fn what_was_pressed_with_another_dictionary_is_compressed_again() {
    let lock = RwLock::new(store());
    let mut early = pod("early", "1");
    press(&lock, std::iter::once(&mut early));
    for at in 0..1_500 {
        lock.write().apply(pod(&format!("p{at}"), "1"));
    }
    tend(&lock);
    lock.write().apply(early.clone());
    early.pressed = None;
    let expected = String::from_utf8(early.json).unwrap();
    assert_eq!(lock.read().get(Some(&early.namespace), "early").map(json), Some(expected));
}
