//! Lists against the plainest way to compute them: every object as JSON, filtered and sorted in memory.

use std::collections::VecDeque;

use kubeplex_proto::selector::{FieldSelector, LabelSelector};
use kubeplex_proto::sort::RowKey;
use proptest::prelude::*;

use super::*;
use crate::cache::Applied;

const NAMESPACES: [&str; 3] = ["pay", "shop", "shop-eu"];

const SORTS: [&str; 7] =
    ["name", "status", "age", "node", "restarts", "spec.containers[0].image", "metadata.labels.app"];

#[derive(Debug, Clone)]
struct Thing {
    namespace: usize,
    name: u16,
    app: Option<u8>,
    node: Option<u8>,
    phase: u8,
    created: i64,
    image: u8,
}

fn thing() -> impl Strategy<Value = Thing> {
    let fields = (
        0..3_usize,
        0..400_u16,
        prop::option::of(0..3_u8),
        prop::option::of(0..3_u8),
        0..3_u8,
        0..50_i64,
        0..4_u8,
    );
    fields.prop_map(|(namespace, name, app, node, phase, created, image)| Thing {
        namespace,
        name,
        app,
        node,
        phase,
        created,
        image,
    })
}

impl Thing {
    /// No two objects of a cluster have the same, and none comes back with one of an object that is gone.
    fn uid(&self) -> String {
        format!("u{}-{}", self.namespace, self.name)
    }

    fn json(&self) -> Value {
        let phase = ["Running", "Pending", "Failed"][usize::from(self.phase)];
        let mut object = json!({
            "metadata": {
                "name": format!("p{}", self.name), "namespace": NAMESPACES[self.namespace], "uid": self.uid(), "resourceVersion": "1",
                "creationTimestamp": jiff::Timestamp::from_second(1_700_000_000 + self.created).unwrap().to_string(),
            },
            "spec": {"containers": [{"name": "c", "image": format!("i:{}", self.image)}]},
            "status": {"phase": phase},
        });
        if let Some(app) = self.app {
            object["metadata"]["labels"] = json!({"app": format!("a{app}")});
        }
        if let Some(node) = self.node {
            object["spec"]["nodeName"] = format!("n{node}").into();
        }
        object
    }

    fn label(&self, key: &str) -> Option<String> {
        self.app.filter(|_| key == "app").map(|app| format!("a{app}"))
    }
}

#[derive(Debug, Clone)]
struct Question {
    namespaces: Vec<&'static str>,
    names: Vec<&'static str>,
    labels: &'static str,
    fields: &'static str,
    sort: Vec<(&'static str, bool)>,
    limit: u32,
}

fn question() -> impl Strategy<Value = Question> {
    let namespaces =
        prop::sample::select(vec![vec![], vec!["shop"], vec!["shop*"], vec!["shop-eu", "pay"], vec!["none"]]);
    let names = prop::sample::select(vec![vec![], vec!["p1*"], vec!["p7", "p8", "p9"], vec!["*5"]]);
    let labels = prop::sample::select(vec!["", "app=a1", "app!=a1", "!app", "app in (a0,a2)"]);
    let fields = prop::sample::select(vec![
        "",
        "spec.nodeName=n1",
        "status.phase!=Running",
        "metadata.name=p7",
        "spec.nodeName=",
        "spec.containers[0].image=i:2",
        "metadata.namespace=shop,status.phase=Pending",
        "spec.containers[*].image!=i:1",
        "status=Failed",
    ]);
    let sort = prop::collection::vec((prop::sample::select(SORTS.to_vec()), any::<bool>()), 0..3);
    (namespaces, names, labels, fields, sort, 1..40_u32).prop_map(
        |(namespaces, names, labels, fields, sort, limit)| Question {
            namespaces,
            names,
            labels,
            fields,
            sort,
            limit,
        },
    )
}

impl Question {
    fn request(&self) -> ListRequest {
        let direction =
            |descending: bool| if descending { Direction::Descending } else { Direction::Ascending };
        ListRequest {
            namespaces: patterns(&self.namespaces),
            names: patterns(&self.names),
            label_selector: self.labels.parse().unwrap(),
            field_selector: self.fields.parse().unwrap(),
            sort: self.sort.iter().map(|(word, descending)| sort(word, direction(*descending))).collect(),
            limit: self.limit,
            ..list_of("pods")
        }
    }

    fn matches(&self, thing: &Thing) -> bool {
        let object = thing.json();
        let any = |globs: &[&str], text: &str| {
            globs.is_empty() || patterns(globs).iter().any(|glob| glob.matches(text))
        };
        let labels: LabelSelector = self.labels.parse().unwrap();
        let fields: FieldSelector = self.fields.parse().unwrap();
        any(&self.namespaces, NAMESPACES[thing.namespace])
            && any(&self.names, &format!("p{}", thing.name))
            && labels.matches(|key| thing.label(key).map(|value| &*value.leak()))
            && fields.requirements.iter().all(|wanted| {
                let pointer = match wanted.path.as_str() {
                    "spec.containers[0].image" | "spec.containers[*].image" => {
                        "/spec/containers/0/image".to_owned()
                    }
                    "status" => "/status/phase".to_owned(),
                    path => format!("/{}", path.replace('.', "/")),
                };
                wanted.holds(object.pointer(&pointer).and_then(Value::as_str))
            })
    }

    fn key(&self, thing: &Thing) -> RowKey {
        let object = thing.json();
        let text = |pointer: &str| object.pointer(pointer).map_or(KeyValue::Missing, KeyValue::from_json);
        let value = |word: &&str| match *word {
            "name" => text("/metadata/name"),
            "status" => text("/status/phase"),
            // The youngest is the least.
            "age" => KeyValue::from_ms(-(1_700_000_000 + thing.created) * 1_000),
            "node" => text("/spec/nodeName"),
            "restarts" => KeyValue::from_integer(0),
            "spec.containers[0].image" => text("/spec/containers/0/image"),
            _ => text("/metadata/labels/app"),
        };
        RowKey {
            values: self.sort.iter().map(|(word, _)| value(word)).collect(),
            namespace: NAMESPACES[thing.namespace].to_owned(),
            name: format!("p{}", thing.name),
            uid: thing.uid(),
        }
    }

    fn expected(&self, things: &BTreeMap<(usize, u16), Thing>) -> Vec<RowKey> {
        let directions: Vec<_> = self.request().sort.iter().map(|term| term.direction).collect();
        let mut keys: Vec<_> =
            things.values().filter(|thing| self.matches(thing)).map(|thing| self.key(thing)).collect();
        keys.sort_by(|a, b| a.compare(b, &directions));
        keys
    }
}

fn unique(things: Vec<Thing>) -> BTreeMap<(usize, u16), Thing> {
    things.into_iter().map(|thing| ((thing.namespace, thing.name), thing)).collect()
}

proptest! {
    /// Page after page, a list shows what the oracle shows, in its order, and counts it.
    #[test]
    fn pages_of_a_list_are_the_oracle_s(things in prop::collection::vec(thing(), 0..120), question in question()) {
        let things = unique(things);
        let store = store_of(&pods_shape(), things.values().map(Thing::json));
        let expected = question.expected(&things);
        let mut request = question.request();
        let mut shown = Vec::new();
        loop {
            let page = list(&store, &request, &budget()).unwrap();
            prop_assert_eq!(page.total, expected.len() as u64);
            prop_assert!(page.rows.len() <= question.limit as usize);
            shown.extend(page.rows.into_iter().map(|row| row.key));
            prop_assert_eq!(page.more, shown.len() < expected.len());
            request.after = shown.last().cloned();
            if !page.more {
                break;
            }
        }
        prop_assert_eq!(shown, expected);
    }

    /// Objects come, change their places and go between pages: whatever stood still all the time is shown once.
    #[test]
    fn what_stays_is_shown_once(
        staying in prop::collection::vec(thing(), 1..60),
        passing in prop::collection::vec(thing(), 1..60),
        question in question(),
    ) {
        let (staying, passing) = (unique(staying), unique(passing));
        let store = store_of(&pods_shape(), staying.values().map(Thing::json));
        let mut passing = passing.values().filter(|thing| !staying.contains_key(&(thing.namespace, thing.name)));
        let mut request = question.request();
        let (mut shown, mut came) = (Vec::new(), VecDeque::new());
        loop {
            let page = list(&store, &request, &budget()).unwrap();
            shown.extend(page.rows.iter().map(|row| row.key.clone()));
            request.after = shown.last().cloned();
            if !page.more {
                break;
            }
            for thing in passing.by_ref().take(3) {
                store.write().apply(prepare_value(&pods_shape(), thing.json()).unwrap());
                came.push_back(thing);
            }
            if let Some(moved) = came.pop_front() {
                let elsewhere = Thing { image: 3 - moved.image, created: 50 - moved.created, ..moved.clone() };
                let mut object = elsewhere.json();
                object["metadata"]["resourceVersion"] = json!("2");
                let applied = store.write().apply(prepare_value(&pods_shape(), object).unwrap());
                prop_assert_ne!(applied, Applied::Unchanged);
            }
            if let Some(gone) = came.pop_back() {
                let (namespace, name) = (NAMESPACES[gone.namespace], format!("p{}", gone.name));
                prop_assert!(store.write().delete(Some(namespace), &name, None));
            }
        }
        for key in question.expected(&staying) {
            prop_assert_eq!(shown.iter().filter(|other| **other == key).count(), 1, "{:?}", key);
        }
    }
}
