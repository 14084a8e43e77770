//! What pods and nodes use, beside what the clusters' own metrics APIs say; and clusters that have none.

use std::collections::BTreeMap;

use kubeplex_proto::quantity::{mebibytes, millicores, parse_quantity};
use kubeplex_tests::fleet::{LARGEST_ANSWER, LONGEST_PAGE, TestFleet};
use kubeplex_tests::program;
use kubeplex_tests::rows::{self, Row, plain};
use kubeplex_tests::server::{Server, key, text};
use kubeplex_tests::wait;
use serde_json::{Value, json};
use simcluster::MetricsApi;

use crate::ground;

mod real;

const METRICS: &str = "/apis/metrics.k8s.io/v1beta1";

/// Cluster, namespace and name; CPU and memory, limits of both.
type Usage = ((String, String, String), [String; 4]);

fn shown(row: &Row) -> Usage {
    (row.key(), ["cpu", "memory", "cpuLimit", "memoryLimit"].map(|column| plain(row.cell(column))))
}

/// In one page; an error where there is none, as where live reads come too fast.
async fn told(fleet: &TestFleet, clusters: &str) -> Result<Vec<Usage>, String> {
    let arguments = json!({
        "cluster": clusters, "sortBy": "cluster,namespace,name", "limit": LONGEST_PAGE, "maxBytes": LARGEST_ANSWER,
    });
    let exchange = fleet.exchange("top", arguments).await;
    let answer = exchange.structured().map_err(Value::to_string)?;
    Ok(rows::of(answer).iter().map(shown).collect())
}

/// All of `of` in these containers; empty where one of them has none.
fn sum<'a>(containers: impl IntoIterator<Item = &'a Value>, of: &str, show: fn(i128) -> String) -> String {
    let amounts = containers.into_iter().map(|container| parse_quantity(container.pointer(of)?.as_str()?));
    amounts.sum::<Option<i128>>().map(show).unwrap_or_default()
}

fn containers<'a>(pod: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    pod.pointer(list).and_then(Value::as_array).into_iter().flatten()
}

/// What runs as long as the pod does.
fn running(pod: &Value) -> Vec<&Value> {
    let sidecars = containers(pod, "/spec/initContainers").filter(|init| init["restartPolicy"] == "Always");
    containers(pod, "/spec/containers").chain(sidecars).collect()
}

async fn measured(server: &Server) -> Vec<Usage> {
    let samples = server.list(&format!("{METRICS}/pods")).await;
    let samples: BTreeMap<_, _> = samples.iter().map(|sample| (key(sample), sample)).collect();
    let mut usage = Vec::new();
    for pod in server.list("/api/v1/pods").await {
        let place = key(&pod);
        let sample = samples.get(&place);
        if sample.is_none() && pod["status"]["phase"] != "Running" {
            continue;
        }
        let used = |of: &str, show| match sample {
            Some(sample) => sum(containers(sample, "/containers"), of, show),
            None => String::new(),
        };
        let cells = [
            used("/usage/cpu", millicores),
            used("/usage/memory", mebibytes),
            sum(running(&pod), "/resources/limits/cpu", millicores),
            sum(running(&pod), "/resources/limits/memory", mebibytes),
        ];
        usage.push(((server.name.clone(), place.0, place.1), cells));
    }
    usage.sort();
    usage
}

/// Samples are taken all the time, so it may take some looks to see the same ones.
async fn usage_is_what_the_servers_measure(fleet: &TestFleet, clusters: &[&str]) {
    wait::until("what pods use to be what the servers measure", async || {
        let mut expected = Vec::new();
        for cluster in clusters {
            expected.extend(measured(fleet.server(cluster)).await);
        }
        let told = told(fleet, &clusters.join(",")).await?;
        let is_measured = told.iter().any(|(_, cells)| !cells[0].is_empty());
        let differs = told.iter().zip(&expected).find(|(told, expected)| told != expected);
        match differs {
            None if told.len() == expected.len() && is_measured => Ok(()),
            differs => {
                Err(format!("{} of {}, measured: {is_measured}; {differs:?}", told.len(), expected.len()))
            }
        }
    })
    .await;
}

/// One order over clusters, page by page, and sums of the same.
async fn pages_and_sums_follow(fleet: &TestFleet, clusters: &str) {
    let whole = fleet.rows("top", json!({ "cluster": clusters })).await;
    let cpu = |row: &Row| row.cell("cpu").as_str().and_then(parse_quantity);
    let (measured, unmeasured): (Vec<_>, Vec<_>) = whole.iter().partition(|row| cpu(row).is_some());
    assert!(measured.len() > 20 && measured.is_sorted_by_key(|row| std::cmp::Reverse(cpu(row))), "{whole:?}");
    assert_eq!(whole, measured.iter().chain(&unmeasured).map(|row| (**row).clone()).collect::<Vec<_>>());
    let pages = fleet.pages("top", json!({"cluster": clusters, "limit": 9})).await;
    let paged: Vec<_> = pages.iter().flat_map(rows::of).collect();
    assert!(pages.len() > 2, "{} pages", pages.len());
    // Between two pages a sample may be taken, and what is used may be another a little.
    let mut keys: Vec<_> = paged.iter().map(Row::key).collect();
    keys.sort();
    let mut expected: Vec<_> = whole.iter().map(Row::key).collect();
    expected.sort();
    keys.dedup();
    assert!(keys.len() + 3 >= expected.len(), "{} of {} rows", keys.len(), expected.len());

    let groups = fleet.rows("top", json!({"cluster": clusters, "groupBy": "namespace,sum(cpuLimit)"})).await;
    for group in groups {
        let there = whole.iter().filter(|row| row.namespace == group.namespace);
        let limits = there.clone().filter_map(|row| row.cell("cpuLimit").as_str().and_then(parse_quantity));
        let (count, sum) = (there.count(), limits.sum::<i128>());
        assert_eq!(group.cell("count"), &json!(count), "{group:?}");
        let shown = if sum == 0 { String::new() } else { millicores(sum) };
        assert_eq!(plain(group.cell("sum(cpuLimit)")), shown, "{group:?}");
    }
}

async fn nodes_are_beside_what_they_have(fleet: &TestFleet, cluster: &str) {
    let nodes = fleet.server(cluster).list("/api/v1/nodes").await;
    let rows = fleet.rows("top", json!({"cluster": cluster, "kind": "nodes"})).await;
    assert_eq!(rows.len(), nodes.len());
    for row in &rows {
        let node = nodes.iter().find(|node| node["metadata"]["name"] == row.name()).expect("a node");
        let of =
            |resource: &str| parse_quantity(&text(&node["status"]["allocatable"][resource])).expect("some");
        assert_eq!(plain(row.cell("cpuAllocatable")), millicores(of("cpu")), "{row:?}");
        assert_eq!(plain(row.cell("memoryAllocatable")), mebibytes(of("memory")), "{row:?}");
        assert!(row.cell("cpuRequested").is_string(), "who may see all pods sees their sum: {row:?}");
        if let Some(cpu) = row.cell("cpu").as_str().and_then(parse_quantity) {
            assert_eq!(row.cell("cpuPercent"), &json!((cpu * 100 / of("cpu")) as i64), "{row:?}");
        }
    }
    assert!(rows.iter().any(|row| row.cell("cpu").is_string()), "{rows:?}");
}

fn problem<'a>(answer: &'a Value, cluster: &str) -> &'a Value {
    let problems = answer["clusters"]["problems"].as_array().into_iter().flatten();
    let mut problems = problems.filter(|problem| problem["cluster"] == cluster);
    problems.next().unwrap_or_else(|| panic!("nothing of {cluster}: {answer}"))
}

/// What has no metrics API is said, and takes nothing from the others.
fn check_absent(answer: &Value, cluster: &str) {
    let said = problem(answer, cluster);
    assert_eq!((&said["status"], &said["rowsShown"]), (&json!("absent"), &json!("none")), "{said}");
    assert!(
        text(&said["message"]).contains("no metrics API (metrics.k8s.io): install metrics-server"),
        "{said}"
    );
    assert!(answer.get("partial").is_none(), "{answer}");
}

#[test]
fn simulated_usage_is_what_the_servers_measure() {
    ground::simulated(async |fleet| {
        let names: Vec<_> = fleet.servers.iter().map(|server| server.name.as_str()).collect();
        usage_is_what_the_servers_measure(fleet, &names).await;
        pages_and_sums_follow(fleet, "*").await;
        nodes_are_beside_what_they_have(fleet, names[0]).await;
        let answer = fleet.call("top", json!({})).await;
        assert_eq!(answer["clusters"]["source"], "live", "{}", answer["clusters"]);
    });
}

/// The demo's checkout in prod-eu may have 25m and wants more; its cluster for development measures nothing here.
#[tokio::test(flavor = "multi_thread")]
async fn simulated_who_is_throttled_stands_at_its_limit() {
    let mut configs = kubeplex_cli::demo::configs(6, 150);
    let dev = configs.iter_mut().find(|config| config.name == "dev-eu").expect("a cluster of the demo");
    dev.metrics_api = MetricsApi::Absent;
    let fleet = TestFleet::simulated(configs).await.ready().await;
    let arguments = json!({"cluster": "prod-eu,dev-eu", "namespace": "shop", "labelSelector": "app.kubernetes.io/name=checkout", "fields": "name,atLimit,cpuPercent"});
    let answer = fleet.call("top", arguments).await;
    check_absent(&answer, "dev-eu");
    let rows = rows::of(&answer);
    assert!(rows.len() > 1 && rows.iter().all(|row| row.cluster == "prod-eu"), "{answer}");
    let at_limit: Vec<_> = rows.iter().filter(|row| !row.cell("atLimit").is_null()).collect();
    assert!(2 * at_limit.len() > rows.len(), "most of them want more: {answer}");
    for row in at_limit {
        assert_eq!(plain(row.cell("atLimit")), "checkout cpu 25m of 25m", "{row:?}");
        assert_eq!(plain(row.cell("cpuPercent")), "100", "{row:?}");
    }
    let endpoint = fleet.endpoint();
    let line = ["top", "nodes", "--cluster", "prod-eu,dev-eu", "-o", "wide", "--endpoint", &endpoint];
    let output = program::run("kubeplex", &line, "").await;
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(out.contains("memoryPercent") && out.contains("sampled") && out.contains("Mi"), "{out}");
    assert!(error.contains("dev-eu") && error.contains("install metrics-server"), "{error}");
    fleet.stop().await;
}
