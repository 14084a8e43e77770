//! A store against a plain map.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Apply { key: (u8, u8), uid: u8, version: u16, content: u8 },
    Delete { key: (u8, u8), uid: Option<u8> },
    BeginRelist,
    FinishRelist,
}

fn step() -> impl Strategy<Value = Step> {
    let key = || (0..3_u8, 0..6_u8);
    prop_oneof![
        12 => (key(), 0..3_u8, 0..60_u16, any::<u8>()).prop_map(|(key, uid, version, content)| Step::Apply { key, uid, version, content }),
        4 => (key(), prop::option::of(0..3_u8)).prop_map(|(key, uid)| Step::Delete { key, uid }),
        1 => Just(Step::BeginRelist),
        1 => Just(Step::FinishRelist),
    ]
}

/// What a store should hold, in the plainest terms.
#[derive(Default)]
struct Model {
    objects: BTreeMap<(String, String), (String, u16, String)>,
    seen: Option<HashSet<(String, String)>>,
    buried: HashSet<String>,
}

impl Model {
    fn apply(&mut self, key: (String, String), uid: String, version: u16, content: String) {
        if let Some((_, stored, _)) = self.objects.get(&key)
            && version <= *stored
        {
            self.seen.iter_mut().for_each(|seen| _ = seen.insert(key.clone()));
            return;
        }
        let known = self.objects.get(&key).map(|(uid, ..)| uid.clone());
        if known.is_some() {
            self.seen.iter_mut().for_each(|seen| _ = seen.insert(key.clone()));
        }
        if known.as_ref() != Some(&uid) && self.buried.contains(&uid) {
            return;
        }
        known.filter(|known| *known != uid).into_iter().for_each(|known| _ = self.buried.insert(known));
        self.seen.iter_mut().for_each(|seen| _ = seen.insert(key.clone()));
        self.objects.insert(key, (uid, version, content));
    }

    fn delete(&mut self, key: &(String, String), uid: Option<String>) {
        self.buried.extend(uid.clone());
        let matches = self.objects.get(key).is_some_and(|(stored, ..)| uid.is_none_or(|uid| uid == *stored));
        if matches {
            let (stored, ..) = self.objects.remove(key).unwrap();
            self.buried.insert(stored);
        }
    }

    fn finish_relist(&mut self) {
        if let Some(seen) = self.seen.take() {
            self.objects.retain(|key, _| seen.contains(key));
        }
    }
}

proptest! {
    /// Any sequence leaves what a plain map would hold, and the revision grows exactly when that changes.
    #[test]
    fn a_store_is_a_map(steps in prop::collection::vec(step(), 1..200)) {
        let (mut store, mut model, mut relist) = (store(), Model::default(), None);
        for step in steps {
            let (objects, revision) = (model.objects.clone(), store.revision());
            match step {
                Step::Apply { key: (ns, name), uid, version, content } => {
                    let (ns, name) = (format!("ns{ns}"), format!("p{name}"));
                    let (uid, content) = (format!("{ns}/{name}/{uid}"), content.to_string());
                    store.apply(object(&ns, &name, &uid, &version.to_string(), &content));
                    model.apply((ns, name), uid, version, content);
                }
                Step::Delete { key: (ns, name), uid } => {
                    let (ns, name) = (format!("ns{ns}"), format!("p{name}"));
                    let uid = uid.map(|uid| format!("{ns}/{name}/{uid}"));
                    store.delete(Some(&ns), &name, uid.as_deref());
                    model.delete(&(ns, name), uid);
                }
                Step::BeginRelist => {
                    relist = Some(store.begin_relist());
                    model.seen = Some(HashSet::new());
                    model.buried.clear();
                }
                Step::FinishRelist => {
                    if let Some(relist) = relist.take() {
                        store.finish_relist(relist, &Part::default(), &mut |_| ());
                    }
                    model.finish_relist();
                }
            }
            prop_assert_eq!(store.revision() > revision, model.objects != objects);
        }
        prop_assert_eq!(store.len(), model.objects.len());
        for (row, ((ns, name), (uid, version, content))) in store.rows().zip(&model.objects) {
            prop_assert_eq!((row.namespace(), row.name()), (Some(ns.as_str()), name.as_str()));
            prop_assert_eq!((&*row.uid(), row.resource_version().into_owned()), (uid.as_str(), version.to_string()));
            prop_assert_eq!(row.cell(1), CellRef::Text(content));
            let wanted = format!("\"content\":\"{content}\"");
            prop_assert!(json(row).contains(&wanted));
        }
    }
}
