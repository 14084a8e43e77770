//! What witnesses are told of writes, lists and what is forgotten.

use std::sync::Arc;

use bytes::Bytes;
use kubeplex_proto::kind::{GroupResource, KindInfo, Scope};
use kubeplex_test_support::kind::kind;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::cache::{Before, KindShape, Part};
use crate::columns::Columns;
use crate::redact::DigestKey;
use crate::watch::KindHandle;
use crate::watch::applier::{Applier, Change};
use crate::watch::witness::{Fate, Sighting, Way, Witness, Witnesses};

/// Writes down what it is told: `+a@1`, `~a@1>2`, `!a`, `-a@2`, `?a` unreadable, `.a` forgotten, and how.
#[derive(Default)]
struct Diary(Mutex<Vec<String>>);

impl Witness for Diary {
    fn compares(&self, _: &KindInfo) -> bool {
        true
    }

    fn saw(&self, _: &KindInfo, way: Way, sightings: &[Sighting<'_>]) {
        let was = |before: Option<&Before>| before.map_or_else(|| "nothing".to_owned(), version);
        let told = sightings.iter().map(|sighting| {
            let name = sighting.name;
            assert_eq!(sighting.namespace, Some("shop"));
            let told = match &sighting.fate {
                Fate::Created(after) => format!("+{name}@{}", after.version),
                Fate::Updated { before, after } => format!("~{name}@{}>{}", was(*before), after.version),
                Fate::Replaced { before, after } => format!("!{name}@{}>{}", was(*before), after.version),
                Fate::Deleted { before } => format!("-{name}@{}", was(*before)),
                Fate::Unreadable => format!("?{name}"),
                Fate::Forgotten => format!(".{name}"),
            };
            format!("{told}{}", word(way))
        });
        self.0.lock().extend(told);
    }

    fn listed(&self, _: &KindInfo, way: Way) {
        self.0.lock().push(format!("listed{}", word(way)));
    }
}

fn word(way: Way) -> &'static str {
    match way {
        Way::Watch => "",
        Way::FirstList => " first",
        Way::ListAfterGap { .. } => " gap",
    }
}

fn version(before: &Before) -> String {
    let object: serde_json::Value = serde_json::from_slice(&before.json).unwrap();
    object["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
}

fn put(name: &str, uid: &str, version: u32) -> Change {
    Change::Put(Bytes::from(format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"shop","uid":"{uid}","resourceVersion":"{version}"}}}}"#
    )))
}

fn gone(name: &str, uid: &str, version: u32) -> Change {
    let Change::Put(raw) = put(name, uid, version) else { unreachable!("put puts") };
    Change::Delete(raw)
}

fn unreadable(name: &str, version: u32) -> Change {
    let deep = format!("{}1{}", r#"{"n":"#.repeat(400), "}".repeat(400));
    Change::Put(Bytes::from(format!(
        r#"{{"spec":{deep},"metadata":{{"name":"{name}","namespace":"shop","resourceVersion":"{version}"}}}}"#
    )))
}

#[test]
fn witnesses_hear_what_became_of_each_object_and_how_it_came() {
    let id = GroupResource::new("", "pods");
    let shape = KindShape {
        columns: Arc::new(Columns::builtin(&id).unwrap()),
        id: id.clone(),
        api_version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        scope: Scope::Namespaced,
        digest_key: DigestKey::new([0; 32]),
    };
    let info = kind("", "pods", Scope::Namespaced);
    let handle = Arc::new(KindHandle::new(info, shape, watch::Sender::default()));
    let diary = Arc::new(Diary::default());
    let witnesses = Witnesses::new(vec![Arc::clone(&diary) as Arc<dyn Witness>]);
    let applier = Applier::new(handle.divide(vec![Part::default()]).remove(0), Arc::default(), witnesses);
    let heard = |expected: &[&str]| assert_eq!(std::mem::take(&mut *diary.0.lock()), expected);

    applier.begin_list();
    applier.apply(&[put("a", "1", 1), put("b", "2", 2)]);
    applier.finish_list();
    heard(&["+a@1 first", "+b@2 first", "listed first"]);

    // Several changes of one object at once, an old one among them.
    applier.apply(&[put("a", "1", 3), put("b", "2", 1), put("a", "1", 4), put("c", "3", 5)]);
    heard(&["~a@1>3", "~a@3>4", "+c@5"]);
    applier.apply(&[gone("c", "3", 6), put("c", "4", 7), put("a", "5", 8), gone("x", "9", 9)]);
    heard(&["-c@5", "+c@7", "!a@4>8"]);
    applier.apply(&[unreadable("b", 10)]);
    heard(&["?b"]);

    applier.begin_list();
    applier.apply(&[put("a", "5", 8), put("b", "2", 11)]);
    applier.finish_list();
    heard(&["+b@11 gap", "-c@7 gap", "listed gap"]);

    applier.clear();
    heard(&[".a", ".b"]);
    applier.begin_list();
    applier.apply(&[put("a", "5", 8)]);
    applier.finish_list();
    heard(&["+a@8 first", "listed first"]);
}
