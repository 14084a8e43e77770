//! Whole objects: equal ones once, distinct ones apart, and what is left out.

use std::collections::{BTreeMap, BTreeSet};

use kubeplex_tests::fleet::{Contents, LARGEST_ANSWER, TestFleet};
use kubeplex_tests::server::key;
use kubeplex_tests::wait;
use serde_json::{Value, json};

use crate::ground;

/// What stands where a credential was.
const REDACTED: &str = "[redacted]";

/// As many objects of a kind as are asked for one by one from somebody's clusters.
const MOST_OBJECTS: usize = 50;

/// Clusters that have an object, by namespace and name.
async fn holders(fleet: &TestFleet, path: &str) -> BTreeMap<(String, String), BTreeMap<String, Value>> {
    let mut holders = BTreeMap::<_, BTreeMap<_, _>>::new();
    for server in &fleet.servers {
        for object in server.list(path).await {
            holders.entry(key(&object)).or_default().insert(server.name.clone(), object);
        }
    }
    match fleet.contents {
        Contents::Seeded => holders,
        Contents::Foreign => holders.into_iter().take(MOST_OBJECTS).collect(),
    }
}

/// What a person wrote: that decides most whether objects are the same.
fn spec(object: &Value) -> Value {
    let mut spec = json!([object["spec"], object["metadata"]["labels"], object["data"]]);
    strip(&mut spec);
    spec
}

/// Whether an answer shows what a server has, but for what it keeps to itself.
fn shows(shown: &Value, held: &Value) -> bool {
    match (shown, held) {
        (Value::String(shown), Value::String(_)) if shown.contains(REDACTED) => true,
        (Value::Object(shown), Value::Object(held)) => {
            let below =
                |(key, value): (&String, &Value)| held.get(key).is_some_and(|held| shows(value, held));
            shown.len() == held.len() && shown.iter().all(below)
        }
        (Value::Array(shown), Value::Array(held)) => {
            shown.len() == held.len() && shown.iter().zip(held).all(|(shown, held)| shows(shown, held))
        }
        (shown, held) => shown == held,
    }
}

/// Leaves out where credentials may stand, which an answer shows redacted, and what the server writes in passing.
fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for field in ["env", "args", "command", "creationTimestamp", "clusterIP", "clusterIPs"] {
                map.shift_remove(field);
            }
            map.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

fn names(value: &Value) -> Vec<String> {
    let names = value.as_array().unwrap_or_else(|| panic!("no clusters in {value}"));
    names.iter().map(|name| name.as_str().unwrap_or_default().to_owned()).collect()
}

/// Kinds of which clusters hold objects of the same name, some alike and some not.
const KINDS: [(&str, &str); 4] = [
    ("deployments", "/apis/apps/v1/deployments"),
    ("daemonsets", "/apis/apps/v1/daemonsets"),
    ("svc", "/api/v1/services"),
    ("namespaces", "/api/v1/namespaces"),
];

/// Each object, with the clusters that an answer groups it by.
async fn grouped(fleet: &TestFleet, kind: &str, at: &(String, String)) -> Vec<(Vec<String>, Value)> {
    let mut question = json!({"kind": kind, "name": at.1, "maxBytes": LARGEST_ANSWER});
    if !at.0.is_empty() {
        question["namespace"] = json!(at.0);
    }
    let answer = fleet.call("resources_get", question).await;
    let objects = answer["objects"].as_array().expect("objects");
    objects.iter().map(|object| (names(&object["clusters"]), object["object"].clone())).collect()
}

pub(crate) async fn equal_objects_come_once_with_their_clusters(fleet: &'static TestFleet) {
    let mut shared = 0;
    for (kind, path) in KINDS {
        shared += wait::until(&format!("{kind} as the servers have them"), async || {
            let mut shared = 0;
            for (at, holders) in holders(fleet, path).await {
                shared += objects_shared(fleet, kind, &at, &holders).await?;
            }
            Ok::<_, String>(shared)
        })
        .await;
    }
    ground::compared(fleet, shared > 3, format_args!("only {shared} objects are alike in two clusters"));
}

/// How many groups of equal objects have more than one cluster; or what is wrong with them.
async fn objects_shared(
    fleet: &TestFleet,
    kind: &str,
    at: &(String, String),
    holders: &BTreeMap<String, Value>,
) -> Result<usize, String> {
    let groups = grouped(fleet, kind, at).await;
    let told: BTreeSet<_> = groups.iter().flat_map(|(clusters, _)| clusters).collect();
    let count: usize = groups.iter().map(|(clusters, _)| clusters.len()).sum();
    if !told.iter().copied().eq(holders.keys()) || count != told.len() {
        return Err(format!("{kind} {at:?} has each cluster once: {groups:?}"));
    }
    for (clusters, object) in &groups {
        let (shown, held) = (spec(object), clusters.iter().map(|cluster| spec(&holders[cluster])));
        if let Some(held) = held.into_iter().find(|held| !shows(&shown, held)) {
            return Err(format!("{kind} {at:?} of {clusters:?}: {shown}, the server has {held}"));
        }
    }
    Ok(groups.iter().filter(|(clusters, _)| clusters.len() > 1).count())
}

pub(crate) async fn distinct_objects_stand_apart(fleet: &'static TestFleet) {
    let mut apart = 0;
    for (kind, path) in KINDS {
        for (at, holders) in holders(fleet, path).await {
            let distinct: BTreeSet<_> = holders.values().map(|object| spec(object).to_string()).collect();
            let groups = grouped(fleet, kind, &at).await;
            assert!(groups.len() >= distinct.len(), "{kind} {at:?}: {distinct:?} as {groups:?}");
            apart += usize::from(distinct.len() > 1);
        }
    }
    ground::compared(fleet, apart > 0, "nothing differs between clusters");
}

pub(crate) async fn no_answer_has_managed_fields(fleet: &'static TestFleet) {
    let mut managed = 0;
    for (kind, path) in
        [("deploy", "/apis/apps/v1/deployments"), ("ns", "/api/v1/namespaces"), ("no", "/api/v1/nodes")]
    {
        for ((namespace, name), holders) in holders(fleet, path).await {
            managed +=
                holders.values().filter(|object| object["metadata"].get("managedFields").is_some()).count();
            let mut question = json!({"kind": kind, "name": name, "maxBytes": LARGEST_ANSWER});
            if !namespace.is_empty() {
                question["namespace"] = json!(namespace);
            }
            let answer = fleet.call("resources_get", question).await.to_string();
            assert!(!answer.contains("managedFields"), "{answer}");
            assert!(!answer.contains("last-applied-configuration"), "{answer}");
        }
    }
    ground::compared(fleet, managed > 0, "there are no managed fields to leave out");
}

pub(crate) async fn fields_cut_an_object_down(fleet: &'static TestFleet) {
    let Some(((namespace, name), holders)) = holders(fleet, "/apis/apps/v1/deployments").await.pop_first()
    else {
        return ground::compared(fleet, false, "there are no deployments");
    };
    let fields = "spec.replicas,metadata.uid,spec.template.spec.containers[0].image";
    let question = json!({"kind": "deployment", "namespace": namespace, "name": name, "fields": fields});
    for (cluster, whole) in holders {
        let mut question = question.clone();
        question["cluster"] = json!(cluster);
        let answer = fleet.call("resources_get", question).await;
        let wanted = json!({
            "kind": "Deployment", "apiVersion": "apps/v1",
            "metadata": {"name": name, "namespace": namespace, "uid": whole["metadata"]["uid"]},
            "spec": {
                "replicas": whole["spec"]["replicas"],
                "template": {"spec": {"containers": [{"image": whole["spec"]["template"]["spec"]["containers"][0]["image"]}]}},
            },
        });
        assert_eq!(answer["objects"][0]["object"], wanted, "{cluster}");
    }
}

pub(crate) async fn what_is_too_large_is_left_out_and_named(fleet: &'static TestFleet) {
    let Some(((namespace, name), holders)) = holders(fleet, "/apis/apps/v1/deployments").await.pop_first()
    else {
        return ground::compared(fleet, false, "there are no deployments");
    };
    let cluster = holders.keys().next_back().expect("a cluster has it");
    let question = |max_bytes: usize| json!({"kind": "deployment", "namespace": namespace, "name": name, "cluster": cluster, "maxBytes": max_bytes});
    let whole = fleet.call("resources_get", question(LARGEST_ANSWER)).await;
    assert!(whole.get("omitted").is_none(), "{whole}");
    let budget = whole.to_string().len() / 2;
    let small = fleet.call("resources_get", question(budget)).await;
    assert!(small.to_string().len() <= budget, "{} of {budget} bytes: {small}", small.to_string().len());
    let omitted = names(&small["omitted"]);
    assert!(!omitted.is_empty());
    for path in omitted {
        // What was left out can be asked for by the path that the answer named.
        let mut question = question(LARGEST_ANSWER);
        question["fields"] = json!(path);
        let answer = fleet.call("resources_get", question).await;
        let pointer = format!("/objects/0/object/{}", path.replace(['.', '['], "/").replace(']', ""));
        // Of an array only the element that was asked for comes, so it stands first.
        let steps = pointer["/objects/0/object".len()..].split('/').map(|step| match step.parse::<usize>() {
            Ok(_) => "0",
            Err(_) => step,
        });
        let alone = format!("/objects/0/object{}", steps.collect::<Vec<_>>().join("/"));
        let (left_out, asked) = (small.pointer(&pointer), answer.pointer(&alone));
        assert!(left_out.is_some_and(|value| value["omittedBytes"].is_u64()), "{path} in {small}");
        assert_eq!(asked, whole.pointer(&pointer), "{path}");
    }
}
