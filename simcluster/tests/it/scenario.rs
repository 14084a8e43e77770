//! The scenario: what its clusters look like from the start, and what becomes of them by the beat.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use simcluster::{Gvr, Scenario, SimClock, SimCluster, SimConfig, Troubles};

const BEAT: Duration = Duration::from_secs(5);

fn start() -> Timestamp {
    "2026-11-26T10:00:00Z".parse().unwrap()
}

fn config(name: &str, scenario: Scenario) -> SimConfig {
    let clock = SimClock::starting_at(start());
    SimConfig { pods: 60, nodes: 4, clock, troubles: Troubles::None, scenario, ..SimConfig::named(name, 11) }
}

fn cluster(name: &str) -> SimCluster {
    SimCluster::new(config(name, Scenario::ShopDay))
}

async fn beats(cluster: &SimCluster, count: u64) {
    for _ in 0..count {
        tokio::time::advance(BEAT).await;
        cluster.workloads().tick();
    }
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn deployments(cluster: &SimCluster) -> Vec<Value> {
    cluster.objects(&Gvr::new("apps", "v1", "deployments"))
}

fn deployment(cluster: &SimCluster, namespace: &str, name: &str) -> Value {
    cluster.object(&Gvr::new("apps", "v1", "deployments"), namespace, name).unwrap()
}

fn pods_of(cluster: &SimCluster, workload: &str) -> Vec<Value> {
    let mut pods = cluster.objects(&Gvr::core("pods"));
    pods.retain(|pod| text(pod, "/metadata/labels/app.kubernetes.io~1name") == workload);
    pods
}

fn condition<'a>(object: &'a Value, name: &str) -> &'a Value {
    let conditions = object["status"]["conditions"].as_array().unwrap();
    conditions.iter().find(|condition| condition["type"] == name).unwrap()
}

fn events(cluster: &SimCluster, reason: &str) -> Vec<Value> {
    let mut events = cluster.objects(&Gvr::core("events"));
    events.retain(|event| text(event, "/reason") == reason);
    events
}

fn managers(object: &Value) -> Vec<&str> {
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    entries.iter().map(|entry| text(entry, "/manager")).collect()
}

/// Deployments that do not have all that they want.
fn wanting(cluster: &SimCluster) -> Vec<String> {
    let all = deployments(cluster).into_iter();
    let is_wanting = |deployment: &Value| {
        deployment["status"]["readyReplicas"] != deployment["spec"]["replicas"]
            || deployment["status"]["updatedReplicas"] != deployment["spec"]["replicas"]
    };
    all.filter(is_wanting).map(|deployment| text(&deployment, "/metadata/name").to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_release_that_is_killed_for_its_memory_is_stuck_as_a_real_one_is() {
    let us = cluster("prod-us");
    let checkout = deployment(&us, "shop", "checkout");
    let progressing = condition(&checkout, "Progressing");
    assert_eq!(text(progressing, "/reason"), "ProgressDeadlineExceeded");
    // Two hours and ten minutes ago, and a deadline of ten minutes.
    let stuck_since: Timestamp = text(progressing, "/lastTransitionTime").parse().unwrap();
    let ago = start().duration_since(stuck_since);
    assert!((115..=120).contains(&ago.as_mins()), "{ago:#}");
    assert!(managers(&checkout).contains(&"argocd-controller"), "{:?}", managers(&checkout));
    assert_eq!(text(&checkout, "/metadata/annotations/deployment.kubernetes.io~1revision"), "2");
    assert_eq!(checkout["status"]["readyReplicas"], checkout["spec"]["replicas"], "the old ones still serve");
    let bad: Vec<Value> = pods_of(&us, "checkout")
        .into_iter()
        .filter(|pod| text(pod, "/spec/containers/0/image").ends_with(":1.9.0"))
        .collect();
    assert!(!bad.is_empty());
    for pod in &bad {
        let status = &pod["status"]["containerStatuses"][0];
        assert_eq!(text(status, "/lastState/terminated/reason"), "OOMKilled");
        assert_eq!(text(status, "/state/waiting/reason"), "CrashLoopBackOff");
        let restarts = status["restartCount"].as_i64().unwrap();
        assert!((20..35).contains(&restarts), "{restarts} restarts in two hours");
    }
    let before = bad[0]["status"]["containerStatuses"][0]["restartCount"].as_i64().unwrap();
    beats(&us, 70).await;
    let later = us.object(&Gvr::core("pods"), "shop", text(&bad[0], "/metadata/name")).unwrap();
    assert!(later["status"]["containerStatuses"][0]["restartCount"].as_i64().unwrap() > before);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_not_heard_from_keeps_pods_that_cannot_end() {
    let eu = cluster("prod-eu");
    let nodes = eu.objects(&Gvr::core("nodes"));
    let silent: Vec<&Value> =
        nodes.iter().filter(|node| condition(node, "Ready")["status"] == "Unknown").collect();
    let [silent] = *silent else { panic!("{} nodes are silent", silent.len()) };
    let (mut stuck, mut daemons) = (0, 0);
    for pod in eu.objects(&Gvr::core("pods")) {
        if text(&pod, "/spec/nodeName") != text(silent, "/metadata/name")
            || text(&pod, "/status/phase") != "Running"
        {
            continue;
        }
        match text(&pod, "/metadata/ownerReferences/0/kind") {
            "DaemonSet" => daemons += 1,
            _ => {
                stuck += 1;
                assert!(pod["metadata"]["deletionTimestamp"].is_string(), "{}", pod["metadata"]["name"]);
            }
        }
        assert_eq!(condition(&pod, "Ready")["status"], "False");
    }
    assert!(stuck > 0 && daemons > 0, "{stuck} stuck, {daemons} of daemons");
    assert_eq!(wanting(&eu), Vec::<String>::new(), "they were replaced on other nodes");
    assert_eq!(
        events(&eu, "NodeNotReady").iter().filter(|event| event["involvedObject"]["kind"] == "Node").count(),
        1
    );
    assert!(!events(&eu, "TaintManagerEviction").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_lacks_a_digit_holds_checkout_back() {
    let eu = cluster("prod-eu");
    let checkout = deployment(&eu, "shop", "checkout");
    assert_eq!(text(&checkout, "/spec/template/spec/containers/0/resources/limits/cpu"), "25m");
    let autoscaler =
        eu.object(&Gvr::new("autoscaling", "v2", "horizontalpodautoscalers"), "shop", "checkout").unwrap();
    assert_eq!(text(condition(&autoscaler, "ScalingLimited"), "/reason"), "TooManyReplicas");
}

#[tokio::test(start_paused = true)]
async fn each_cluster_has_its_own_troubles() {
    let waiting = "/status/containerStatuses/0/state/waiting/reason";
    for (name, workload, pointer, expected) in [
        ("prod-ap", "recommendations", "/status/conditions/0/reason", "Unschedulable"),
        ("staging-us", "fraud-detector", waiting, "CreateContainerConfigError"),
        ("dev-eu", "catalog", waiting, "ImagePullBackOff"),
        ("staging-eu", "ledger", "/status/conditions/2/reason", "ContainersNotReady"),
        ("prod-eu", "nightly-settlement", "/status/containerStatuses/0/state/terminated/reason", "Error"),
    ] {
        let cluster = cluster(name);
        let pods = pods_of(&cluster, workload);
        assert!(pods.iter().any(|pod| text(pod, pointer) == expected), "{name}: {workload} {expected}");
    }
    let ap = cluster("prod-ap");
    let scheduling = events(&ap, "FailedScheduling");
    assert!(text(&scheduling[0], "/message").contains("4 Insufficient memory"), "{scheduling:?}");
    let api = deployment(&ap, "payments", "payments-api");
    assert!(managers(&api).contains(&"kubectl-edit"), "{:?}", managers(&api));
    let eu = cluster("staging-eu");
    let evicted = eu.objects(&Gvr::core("pods"));
    assert_eq!(evicted.iter().filter(|pod| text(pod, "/status/reason") == "Evicted").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn events_are_kept_for_an_hour_and_tell_of_no_future() {
    for name in ["prod-eu", "prod-us", "prod-ap", "staging-eu", "staging-us", "dev-eu"] {
        let cluster = cluster(name);
        beats(&cluster, 20).await;
        let now = cluster.clock().now();
        for event in cluster.objects(&Gvr::core("events")) {
            let last: Timestamp = text(&event, "/lastTimestamp").parse().unwrap();
            assert!(last <= now && last >= now - SignedDuration::from_mins(61), "{name}: {event}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_release_breaks_one_region_and_is_taken_back() {
    let ap = cluster("prod-ap");
    let troubled_before = wanting(&ap);
    beats(&ap, 40).await;
    assert!(wanting(&ap).contains(&"catalog".to_owned()));
    let crashing = pods_of(&ap, "catalog");
    let last_words = "/status/containerStatuses/0/lastState/terminated/message";
    assert!(crashing.iter().any(|pod| text(pod, last_words).contains("ap-southeast-2")));
    beats(&ap, 60).await;
    let catalog = deployment(&ap, "shop", "catalog");
    assert!(text(&catalog, "/spec/template/spec/containers/0/image").ends_with(":3.11.2"));
    assert_eq!(text(&catalog, "/metadata/annotations/deployment.kubernetes.io~1revision"), "3");
    assert_eq!(wanting(&ap), troubled_before);
}

#[tokio::test(start_paused = true)]
async fn two_rounds_leave_no_more_than_one() {
    for name in ["prod-ap", "staging-us"] {
        let cluster = cluster(name);
        beats(&cluster, 360).await;
        let pods = |cluster: &SimCluster| cluster.count(&Gvr::core("pods"));
        let (after_two, troubled) = (pods(&cluster), wanting(&cluster));
        beats(&cluster, 180).await;
        assert_eq!((pods(&cluster), wanting(&cluster)), (after_two, troubled), "{name}");
        assert!(cluster.count(&Gvr::core("events")) < 2_000, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_tells_the_same_story() {
    let (one, other) = (cluster("prod-us"), cluster("prod-us"));
    for _ in 0..30 {
        tokio::time::advance(BEAT).await;
        one.workloads().tick();
        other.workloads().tick();
    }
    for plural in ["pods", "events", "nodes"] {
        let gvr = Gvr::core(plural);
        assert_eq!(one.objects(&gvr), other.objects(&gvr), "{plural}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_without_a_part_is_quiet() {
    let (with, without) = (cluster("prod-eu-2"), SimCluster::new(config("prod-eu-2", Scenario::None)));
    let pods = Gvr::core("pods");
    assert_eq!(with.objects(&pods), without.objects(&pods));
    beats(&with, 100).await;
    assert_eq!(wanting(&with), Vec::<String>::new());
}
