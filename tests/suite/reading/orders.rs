//! One order over all clusters: each compared with a sort of what the servers have, done here by other means.

use std::cmp::Reverse;

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::rows::Row;
use kubeplex_tests::server::{key, text};
use serde_json::{Value, json};

use super::agree::agree;
use crate::ground;

/// A pod, and the cluster that it is in.
type Pod = (String, Value);
type Key = (String, String, String);

async fn pods(fleet: &TestFleet) -> Vec<Pod> {
    let mut pods = Vec::new();
    for server in &fleet.servers {
        let listed = server.list("/api/v1/pods").await;
        pods.extend(listed.into_iter().map(|pod| (server.name.clone(), pod)));
    }
    pods
}

fn key_of((cluster, pod): &Pod) -> Key {
    let (namespace, name) = key(pod);
    (cluster.clone(), namespace, name)
}

/// Compares `sortBy` with the order by `rank`; ties go by cluster, namespace and name.
async fn same_order<R: Ord>(fleet: &'static TestFleet, sort_by: &str, rank: impl Fn(&Pod) -> R) {
    let mut distinct = 0;
    agree(
        sort_by,
        async || {
            let rows = fleet.rows("pods_list", json!({"sortBy": sort_by, "fields": "name"})).await;
            rows.iter().map(Row::key).collect::<Vec<_>>()
        },
        async || {
            let mut pods = pods(fleet).await;
            pods.sort_by_cached_key(|pod| (rank(pod), key_of(pod)));
            distinct = pods.chunk_by(|a, b| rank(a) == rank(b)).count();
            pods.iter().map(key_of).collect()
        },
    )
    .await;
    ground::compared(fleet, distinct > 1, format_args!("all pods are alike in {sort_by}"));
}

/// What is missing comes last in either direction.
fn missing_last(value: &Value) -> (bool, String) {
    (value.is_null(), text(value))
}

fn restarts(pod: &Value) -> u64 {
    let of = |field: &str| pod["status"][field].as_array().cloned().unwrap_or_default();
    let count = |status: &Value| status["restartCount"].as_u64().unwrap_or_default();
    // While a pod initialises, the printer counts init containers only; afterwards, of those only the ones that go on.
    let always = |name: &Value| {
        let containers = pod["spec"]["initContainers"].as_array().cloned().unwrap_or_default();
        containers.iter().any(|c| &c["name"] == name && c["restartPolicy"] == "Always")
    };
    let init = of("initContainerStatuses");
    let done = |status: &Value| {
        status["state"]["terminated"]["exitCode"] == 0 || always(&status["name"]) && status["started"] == true
    };
    if !init.iter().all(done) {
        return init.iter().map(count).sum();
    }
    let sidecars: u64 = init.iter().filter(|status| always(&status["name"])).map(count).sum();
    sidecars + of("containerStatuses").iter().map(count).sum::<u64>()
}

pub(crate) async fn restarts_of_all_clusters_in_one_order(fleet: &'static TestFleet) {
    same_order(fleet, "-restarts", |(_, pod)| Reverse(restarts(pod))).await;
}

pub(crate) async fn ages_of_all_clusters_in_one_order(fleet: &'static TestFleet) {
    // Times in RFC 3339 with a Z sort as text; the youngest is what was created last.
    let created = |(_, pod): &Pod| text(&pod["metadata"]["creationTimestamp"]);
    same_order(fleet, "age", |pod| Reverse(created(pod))).await;
    same_order(fleet, "-age", created).await;
}

pub(crate) async fn labels_of_clusters_order_rows(fleet: &'static TestFleet) {
    let region = |(cluster, _): &Pod| ground::labels(cluster)["region"].clone();
    same_order(fleet, "cluster.labels.region,-name", |pod| (region(pod), Reverse(key_of(pod).2))).await;
    same_order(fleet, "-cluster", |(cluster, _)| Reverse(cluster.clone())).await;
}

pub(crate) async fn paths_order_rows(fleet: &'static TestFleet) {
    same_order(fleet, "spec.nodeName", |(_, pod)| missing_last(&pod["spec"]["nodeName"])).await;
    same_order(fleet, "-spec.nodeName,namespace", |(_, pod)| {
        let (missing, node) = missing_last(&pod["spec"]["nodeName"]);
        (missing, Reverse(node), text(&pod["metadata"]["namespace"]))
    })
    .await;
}

/// In billionths, the smallest part that a quantity can have.
fn quantity(value: &Value) -> Option<u128> {
    const ONE: u128 = 1_000_000_000;
    let text = value.as_str()?;
    let digits = text.trim_end_matches(|c: char| c.is_alphabetic());
    let unit = match &text[digits.len()..] {
        "n" => 1,
        "u" => 1_000,
        "m" => 1_000_000,
        "" => ONE,
        "k" => 1_000 * ONE,
        "Ki" => ONE << 10,
        "M" => 1_000_000 * ONE,
        "Mi" => ONE << 20,
        "G" => ONE * ONE,
        "Gi" => ONE << 30,
        "T" => 1_000 * ONE * ONE,
        "Ti" => ONE << 40,
        other => panic!("a unit that this test does not know: {other}"),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let parts = format!("{whole}{fraction}").parse::<u128>().unwrap_or_else(|_| panic!("no number: {text}"));
    Some(parts * unit / 10_u128.pow(fraction.len() as u32))
}

pub(crate) async fn quantities_order_by_value(fleet: &'static TestFleet) {
    let requests = |(_, pod): &Pod, what: &str| {
        let value = quantity(&pod["spec"]["containers"][0]["resources"]["requests"][what]);
        (value.is_none(), value)
    };
    let path = |what: &str| format!("spec.containers[0].resources.requests.{what}");
    same_order(fleet, &path("memory"), |pod| requests(pod, "memory")).await;
    same_order(fleet, &format!("-{}", path("cpu")), |pod| {
        let (missing, value) = requests(pod, "cpu");
        (missing, Reverse(value))
    })
    .await;
}
