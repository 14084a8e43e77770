use kubeplex_proto::kind::{GroupResource, Scope};
use kubeplex_proto::list::{ColumnChoice, Row};
use kubeplex_proto::visibility::{Reach, Visibility, VisibilityRule};
use parking_lot::RwLock;

use super::*;
use crate::query::Listing;
use crate::query::tests::{NOW_MS, budget, list_of, patterns, shape, store_of};

fn container(limits: Value) -> Value {
    json!({"name": "c", "resources": {"limits": limits}})
}

#[test]
fn a_limit_is_one_of_all_containers() {
    let both = json!({"cpu": "250m", "memory": "64Mi"});
    let cpu = json!({"cpu": "1"});
    for (spec, expected) in [
        (json!({"containers": [container(both.clone())]}), (Some(250), Some(64))),
        (json!({"containers": [container(both.clone()), container(cpu.clone())]}), (Some(1_250), None)),
        (json!({"containers": [container(both.clone()), container(json!({}))]}), (None, None)),
        (
            json!({"containers": [container(both.clone())], "initContainers": [container(json!({}))]}),
            (Some(250), Some(64)),
        ),
        (
            json!({"containers": [container(both)], "initContainers": [
                {"name": "proxy", "restartPolicy": "Always", "resources": {"limits": {"cpu": "50m"}}},
            ]}),
            (Some(300), None),
        ),
        (json!({"containers": [container(json!({}))], "resources": {"limits": cpu}}), (Some(1_000), None)),
    ] {
        let pod = json!({ "spec": spec });
        let milli = limit(&pod, "cpu").map(|cpu| parse_quantity(&cpu).unwrap() / 1_000_000);
        let mebi =
            limit(&pod, "memory").map(|memory| parse_quantity(&memory).unwrap() / (1_000_000_000 << 20));
        assert_eq!((milli, mebi), expected, "{pod}");
    }
}

#[test]
fn what_containers_use_is_added_up_exactly() {
    let of = |cpu: &str, memory: &str| json!({"name": "c", "usage": {"cpu": cpu, "memory": memory}});
    let sample = json!({"containers": [of("1n", "1Ki"), of("250m", "1")]});
    assert_eq!(used_by_pod(&sample), json!({"cpu": "250000001n", "memory": "1025"}));
    let broken = json!({"containers": [of("1n", "1Ki"), {"name": "c", "usage": {"cpu": "2n"}}]});
    assert_eq!(used_by_pod(&broken), json!({"cpu": "3n", "memory": null}), "a part is not the whole");
}

#[test]
fn who_asks_for_nothing_has_no_request() {
    let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": [
        {"name": "c", "resources": {"requests": {"cpu": "50m"}}},
    ]}});
    let made = super::pod(&pod, None);
    assert_eq!(made["requests"], json!({"cpu": "50m", "memory": null}));
    assert!(made.get("usage").is_none() && made.get("timestamp").is_none());
}

const TAKEN: &str = "2023-11-14T22:13:20Z";

fn of_pod(namespace: &str, name: &str, cpu: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": "2023-11-15T00:00:00Z", "labels": {"app": "cart"}},
        "timestamp": TAKEN, "window": "15s", "containers": [{"name": "c", "usage": {"cpu": cpu, "memory": "64Mi"}}],
    })
}

fn a_pod(namespace: &str, name: &str, phase: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": namespace, "uid": name, "creationTimestamp": "2023-11-14T00:00:00Z"},
        "spec": {"nodeName": "n1", "containers": [
            {"name": "c", "resources": {"requests": {"cpu": "100m", "memory": "32Mi"}, "limits": {"cpu": "250m"}}},
        ]},
        "status": {"phase": phase},
    })
}

fn a_node(name: &str) -> Value {
    json!({"metadata": {"name": name, "uid": name}, "status": {"allocatable": {"cpu": "2", "memory": "4Gi"}}})
}

fn of_node(name: &str) -> Value {
    json!({"metadata": {"name": name}, "timestamp": TAKEN, "window": "15s", "usage": {"cpu": "500m", "memory": "1Gi"}})
}

fn rows(resource: &str, scope: Scope, objects: Vec<Value>) -> Rows {
    let (group, resource) = resource.split_once('/').unwrap();
    let shape = shape(resource, "Kind", scope);
    let id = GroupResource::new(group, resource);
    let columns = if group.is_empty() { shape.columns.clone() } else { Arc::new(Columns::generic()) };
    Rows::Live(Arc::new(store_of(&KindShape { id, columns, ..shape }, objects)))
}

fn of_pods(samples: Vec<Value>, pods: Option<Vec<Value>>) -> Join {
    Join {
        metrics: rows("metrics.k8s.io/pods", Scope::Namespaced, samples),
        objects: pods.map(|pods| rows("/pods", Scope::Namespaced, pods)),
        pods: None,
    }
}

fn listed(join: Join, request: &ListRequest) -> (Listing, Option<i64>) {
    let Joined { store, oldest_ms } = join.made(request, &budget()).unwrap();
    (query::list(&RwLock::new(store), request, NOW_MS, &budget()).unwrap(), oldest_ms)
}

fn cells(rows: &[Row]) -> Vec<Vec<Value>> {
    rows.iter().map(|row| row.cells.clone()).collect()
}

#[test]
fn pods_that_run_and_pods_that_are_measured_have_a_row() {
    let samples =
        vec![of_pod("shop", "busy", "200m"), of_pod("shop", "unknown", "1n"), of_pod("pay", "done", "5m")];
    let pods = vec![
        a_pod("shop", "busy", "Running"),
        a_pod("shop", "new", "Running"),
        a_pod("shop", "waits", "Pending"),
        a_pod("pay", "done", "Succeeded"),
    ];
    let (listing, oldest_ms) = listed(of_pods(samples.clone(), Some(pods)), &list_of("pods"));
    let (memory, request) = (json!((64 << 20).to_string()), json!((32 << 20).to_string()));
    let row = |name: &str, cpu: Value, used: &Value, request: Value, limit: Value, wanted: &Value| {
        vec![json!(name), cpu, request, limit, used.clone(), wanted.clone(), Value::Null, Value::Null]
    };
    let measured =
        |name, cpu: &str| row(name, json!(cpu), &memory, json!("100m"), json!("250000000n"), &request);
    assert_eq!(
        cells(&listing.rows),
        [
            measured("done", "5000000n"),
            measured("busy", "200000000n"),
            row("new", Value::Null, &Value::Null, json!("100m"), json!("250000000n"), &request),
            row("unknown", json!("1n"), &memory, Value::Null, Value::Null, &Value::Null),
        ]
    );
    assert_eq!(oldest_ms, Some(1_700_000_000_000));
    // Where nothing is known of the pods, what they use is.
    let (alone, _) = listed(of_pods(samples, None), &list_of("pods"));
    assert_eq!(alone.total, 3);
    let fields = ["name", "age", "cpuPercent", "node", "metadata.labels.app", "sampled"].map(str::to_owned);
    let asked = ListRequest { columns: ColumnChoice::Fields(fields.to_vec()), ..list_of("pods") };
    let pods = vec![a_pod("shop", "busy", "Running")];
    let (listing, _) =
        listed(of_pods(vec![of_pod("shop", "busy", "200m"), of_pod("shop", "x", "1m")], Some(pods)), &asked);
    assert_eq!(
        cells(&listing.rows),
        [
            vec![
                json!("busy"),
                json!(1_699_920_000_000_i64),
                json!(80),
                json!("n1"),
                Value::Null,
                json!(1_700_000_000_000_i64)
            ],
            vec![
                json!("x"),
                Value::Null,
                Value::Null,
                Value::Null,
                json!("cart"),
                json!(1_700_000_000_000_i64)
            ],
        ],
        "the age is the pod's, and never that of its sample"
    );
}

#[test]
fn who_may_not_see_a_pod_or_its_sample_sees_neither() {
    let only = |pattern: &str| Reach::Only(patterns(&[pattern]));
    let seen = |kinds: &str, namespaces: &str| VisibilityRule::of(only(kinds), only(namespaces));
    let samples = || vec![of_pod("shop", "a", "1m"), of_pod("pay", "b", "1m"), of_pod("pay", "gone", "1m")];
    let pods = || vec![a_pod("shop", "a", "Running"), a_pod("pay", "b", "Running")];
    for (rules, expected) in [
        (vec![seen("pods*", "*")], &["b", "gone", "a"][..]),
        (vec![seen("pods*", "shop")], &["a"]),
        // The one kind in one namespace, the other in another.
        (vec![seen("pods", "shop"), seen("pods.metrics.k8s.io", "pay")], &["a"]),
        (vec![seen("pods.metrics.k8s.io", "*")], &[]),
    ] {
        let mut request = list_of("pods");
        request.context.visibility = Visibility::of(rules.clone());
        let (listing, _) = listed(of_pods(samples(), Some(pods())), &request);
        let names: Vec<_> = listing.rows.iter().map(|row| row.key.name.as_str()).collect();
        assert_eq!(names, expected, "{rules:?}");
    }
    let mut request = list_of("pods");
    request.context.visibility =
        Visibility::of(vec![seen("pods", "shop"), seen("pods.metrics.k8s.io", "pay")]);
    let (listing, _) = listed(of_pods(samples(), Some(pods())), &request);
    assert_eq!(listing.rows[0].cells[1], Value::Null, "what it uses is not for this caller");
}

#[test]
fn nodes_are_told_with_what_their_pods_ask_for() {
    let join = |pods: Option<Vec<Value>>| Join {
        metrics: rows("metrics.k8s.io/nodes", Scope::Cluster, vec![of_node("n1")]),
        objects: Some(rows("/nodes", Scope::Cluster, vec![a_node("n1"), a_node("n2")])),
        pods: pods.map(|pods| rows("/pods", Scope::Namespaced, pods)),
    };
    let pods =
        vec![a_pod("shop", "a", "Running"), a_pod("shop", "b", "Pending"), a_pod("pay", "c", "Succeeded")];
    // Which pods are counted has nothing to do with which rows are asked for.
    let request = ListRequest { namespaces: patterns(&["shop"]), ..list_of("nodes") };
    let requested = json!((64_u64 << 20).to_string());
    let (listing, _) = listed(join(Some(pods)), &request);
    assert_eq!(
        cells(&listing.rows),
        [
            vec![
                json!("n1"),
                json!("500m"),
                json!(25),
                json!("200m"),
                json!("2"),
                json!("1Gi"),
                json!(25),
                requested,
                json!("4Gi"),
            ],
            vec![
                json!("n2"),
                Value::Null,
                Value::Null,
                json!("0m"),
                json!("2"),
                Value::Null,
                Value::Null,
                json!("0"),
                json!("4Gi"),
            ],
        ]
    );
    let (listing, _) = listed(join(None), &request);
    assert!(listing.rows.iter().all(|row| row.cells[3].is_null()), "a sum over some of the pods is none");
}
