//! Logs: what `pods_log` says, compared with what the API servers say themselves.

use std::collections::BTreeMap;

use kubeplex_tests::fleet::{LARGEST_ANSWER, TestFleet};
use kubeplex_tests::wait;
use serde_json::{Value, json};

use crate::ground;

/// What stands in logs that nobody may see.
const CANARY: &str = "KUBEPLEX-LEAK-CANARY";

macro_rules! on_both_grounds {
    ($($question:ident),+ $(,)?) => {
        mod simulated { $(#[test] fn $question() { crate::ground::simulated(super::$question); })+ }
        mod real {
            $(#[test] fn $question() {
                crate::ground::real_alone(stringify!($question), |fleet| async move {
                    super::grant(fleet).await;
                    super::$question(fleet).await;
                });
            })+
        }
    };
}

on_both_grounds! {
    lines_are_those_of_all_servers_in_the_order_of_their_times,
    what_is_redacted_is_neither_shown_nor_found,
    a_search_is_done_by_the_agents_and_shows_what_is_around,
    patterns_count_what_was_written,
    more_pods_than_are_read_are_counted,
    what_has_no_log_is_said,
    a_description_tells_sorts_of_errors,
}

/// A deployment whose pods run in at least two clusters, with those pods by cluster.
struct Workload {
    namespace: String,
    name: String,
    pods: PodsByCluster,
}

/// The pods of each cluster, each with its containers.
type PodsByCluster = BTreeMap<String, Vec<(String, Vec<String>)>>;

/// Agents read logs as their callers, and the one caller of this gateway is nobody to a real cluster.
async fn grant(fleet: &TestFleet) {
    const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
    let (version, name) = ("rbac.authorization.k8s.io/v1", "kubeplex-logs");
    for server in &fleet.servers {
        let rules = json!([{"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}]);
        let role =
            json!({"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules});
        let binding = json!({
            "apiVersion": version, "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "local"}],
        });
        for (kind, object) in [("clusterroles", role), ("clusterrolebindings", binding)] {
            if server.try_get(&format!("{RBAC}/{kind}/{name}")).await.is_err() {
                server.create(&format!("{RBAC}/{kind}"), object).await;
            }
        }
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {"user": "local", "resourceAttributes": {"verb": "get", "resource": "pods", "subresource": "log"}},
        });
        wait::until("the right to logs", async || {
            let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
            let reviewed = server.create(path, review.clone()).await;
            if reviewed["status"]["allowed"] == true { Ok(()) } else { Err(reviewed["status"].to_string()) }
        })
        .await;
    }
}

async fn workload(fleet: &TestFleet) -> Workload {
    let mut found: BTreeMap<(String, String), PodsByCluster> = BTreeMap::new();
    for server in &fleet.servers {
        let pods = server.list("/api/v1/pods").await;
        for deployment in server.list("/apis/apps/v1/deployments").await {
            let at = kubeplex_tests::server::key(&deployment);
            let labels =
                deployment["spec"]["selector"]["matchLabels"].as_object().cloned().unwrap_or_default();
            let is_its = |pod: &&Value| {
                pod["metadata"]["namespace"] == at.0.as_str()
                    && labels.iter().all(|(key, value)| pod["metadata"]["labels"].get(key) == Some(value))
            };
            let its: Vec<_> = pods.iter().filter(is_its).collect();
            if !its.is_empty() && its.iter().all(|pod| runs(pod)) {
                let named =
                    its.iter().map(|pod| (kubeplex_tests::server::key(pod).1, containers(pod))).collect();
                found.entry(at).or_default().insert(server.name.clone(), named);
            }
        }
    }
    let few =
        |pods: &BTreeMap<String, Vec<_>>| pods.len() > 1 && pods.values().map(Vec::len).sum::<usize>() <= 20;
    let ((namespace, name), pods) =
        found.into_iter().find(|(_, pods)| few(pods)).expect("a deployment that runs in two clusters");
    Workload { namespace, name, pods }
}

fn runs(pod: &Value) -> bool {
    let statuses = pod["status"]["containerStatuses"].as_array();
    let running = |status: &Value| status["state"]["running"].is_object();
    pod["metadata"].get("deletionTimestamp").is_none()
        && statuses.is_some_and(|statuses| !statuses.is_empty() && statuses.iter().all(running))
}

fn containers(pod: &Value) -> Vec<String> {
    let containers = pod["spec"]["containers"].as_array().expect("containers");
    containers.iter().map(|container| container["name"].as_str().expect("a name").to_owned()).collect()
}

impl Workload {
    fn question(&self, more: Value) -> Value {
        let clusters: Vec<_> = self.pods.keys().cloned().collect();
        let mut question = json!({
            "name": format!("deployment/{}", self.name), "namespace": self.namespace,
            "cluster": clusters.join(","), "maxBytes": LARGEST_ANSWER,
        });
        question.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        question
    }

    /// Every container with the lines that its server gives, as cluster, pod, container, time and line.
    async fn lines(&self, fleet: &TestFleet, query: &str) -> Vec<[String; 5]> {
        let mut lines = Vec::new();
        for (cluster, pods) in &self.pods {
            for (pod, containers) in pods {
                for container in containers {
                    let path = format!(
                        "/api/v1/namespaces/{}/pods/{pod}/log?container={container}&timestamps=true{query}",
                        self.namespace
                    );
                    let log = fleet.server(cluster).text(&path).await;
                    for line in log.lines() {
                        let (time, line) = line.split_once(' ').expect("a time");
                        let time: jiff::Timestamp = time.parse().expect("a time");
                        let time = time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
                        lines.push([cluster, pod, container, &time, line].map(|part| (*part).to_owned()));
                    }
                }
            }
        }
        lines
    }
}

/// The rows of an answer, each with what stands once for all.
fn rows(answer: &Value) -> Vec<BTreeMap<String, Value>> {
    let columns: Vec<_> =
        answer["columns"].as_array().expect("columns").iter().map(|c| c.as_str().expect("a name")).collect();
    let row = |row: &Value| {
        let cells = row.as_array().expect("cells").iter().cloned();
        let mut row: BTreeMap<String, Value> = columns.iter().map(|c| (*c).to_owned()).zip(cells).collect();
        for part in ["cluster", "namespace", "pod", "container"] {
            if let Some(shared) = answer.get(part) {
                row.insert(part.to_owned(), shared.clone());
            }
        }
        if let Some(date) = answer["date"].as_str() {
            let time = row["time"].as_str().expect("a time").to_owned();
            row.insert("time".to_owned(), format!("{date}T{time}").into());
        }
        row
    };
    answer["rows"].as_array().expect("rows").iter().map(row).collect()
}

fn told(row: &BTreeMap<String, Value>) -> [String; 5] {
    ["cluster", "pod", "container", "time", "line"]
        .map(|part| row[part].as_str().unwrap_or_default().to_owned())
}

async fn lines_are_those_of_all_servers_in_the_order_of_their_times(fleet: &'static TestFleet) {
    let workload = workload(fleet).await;
    wait::until("the lines that the servers have", async || {
        let answer = fleet.call("pods_log", workload.question(json!({"tail": 5}))).await;
        assert!(answer.get("partial").is_none(), "{answer}");
        let shown: Vec<_> = rows(&answer).iter().map(told).collect();
        assert!(shown.windows(2).all(|pair| pair[0][3] <= pair[1][3]), "out of order: {shown:?}");
        let mut ours: Vec<_> = shown
            .into_iter()
            .map(|mut line| {
                line[4] = line[4].replace("[redacted]", "*");
                line
            })
            .collect();
        let mut theirs = workload.lines(fleet, "&tailLines=5").await;
        for line in &mut theirs {
            if let Some((before, _)) = line[4].split_once(CANARY) {
                line[4] = format!("{before}*");
            }
        }
        ours.sort();
        theirs.sort();
        if ours == theirs {
            Ok(())
        } else {
            Err((ours.len(), theirs.len(), ours.first().cloned(), theirs.first().cloned()))
        }
    })
    .await;
}

/// Has a container of the workload log a credential, where it does not do so anyway.
async fn leaking(fleet: &TestFleet, workload: &Workload) {
    let (cluster, pods) = workload.pods.first_key_value().expect("a cluster");
    if let Some(sim) = fleet.sims.get(cluster) {
        let (pod, containers) = &pods[0];
        let place = [workload.namespace.as_str(), pod, &containers[0]];
        for at in 0..20 {
            sim.write_log(place, &format!("level=debug msg=\"signing in\" n={at} password={CANARY}-LOG"));
        }
    }
}

async fn what_is_redacted_is_neither_shown_nor_found(fleet: &'static TestFleet) {
    let workload = workload(fleet).await;
    leaking(fleet, &workload).await;
    let answer = fleet.call("pods_log", workload.question(json!({"grep": "signing in"}))).await;
    let lines = rows(&answer);
    assert!(
        lines
            .iter()
            .any(|row| row["line"].as_str().is_some_and(|line| line.ends_with("password=[redacted]"))),
        "{answer}"
    );
    assert!(!answer.to_string().contains(CANARY), "{answer}");
    for pattern in [CANARY, "LEAK", "password=K", "password=.E", r"password=\w"] {
        let found = fleet.call("pods_log", workload.question(json!({"grep": pattern}))).await;
        assert_eq!(found["total"], 0, "{pattern} finds what it must not: {found}");
    }
    let patterns = fleet.call("pods_log", workload.question(json!({"patterns": true}))).await;
    assert!(!patterns.to_string().contains(CANARY), "{patterns}");
}

async fn a_search_is_done_by_the_agents_and_shows_what_is_around(fleet: &'static TestFleet) {
    let workload = workload(fleet).await;
    let answer =
        fleet.call("pods_log", workload.question(json!({"grep": "level=(error|warn)", "tail": 7}))).await;
    let lines = rows(&answer);
    assert!(
        !lines.is_empty()
            && lines.iter().all(|row| {
                let line = row["line"].as_str().unwrap_or_default();
                line.contains("level=error") || line.contains("level=warn")
            }),
        "{answer}"
    );
    let around = workload.question(json!({"grep": "level=error", "tail": 3, "contextLines": 1}));
    let answer = fleet.call("pods_log", around).await;
    let lines = rows(&answer);
    let (hits, beside): (Vec<_>, Vec<_>) = lines.iter().partition(|row| row["match"] == true);
    assert!(!hits.is_empty() && !beside.is_empty(), "{answer}");
    assert!(hits.iter().all(|row| row["line"].as_str().is_some_and(|line| line.contains("level=error"))));
    let small = workload.question(json!({"maxBytes": 1_500}));
    let answer = fleet.call("pods_log", small).await;
    assert!(answer.to_string().len() <= 1_500 && answer["cut"].as_u64() > Some(0), "{answer}");
}

async fn patterns_count_what_was_written(fleet: &'static TestFleet) {
    let workload = workload(fleet).await;
    let answer = fleet.call("pods_log", workload.question(json!({"patterns": true, "tail": 100}))).await;
    let counts = answer["rows"].as_array().expect("rows").iter().map(|row| row[0].as_u64().expect("a count"));
    let containers: usize = workload.pods.values().flatten().map(|(_, containers)| containers.len()).sum();
    let (folded, sorts) = (counts.sum::<u64>(), answer["rows"].as_array().expect("rows").len());
    // A log that was told what to write may be shorter.
    assert!(folded <= 100 * containers as u64 && folded >= 20, "{answer}");
    assert!(sorts < 40, "{sorts} sorts of lines: {answer}");
}

async fn more_pods_than_are_read_are_counted(fleet: &'static TestFleet) {
    let error = fleet.refused("pods_log", json!({})).await;
    assert_eq!(error["code"], "too_large");
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains("logs of 20 are read at most") && message.contains("eu-1 "), "{message}");
    let error = fleet.refused("pods_log", json!({"name": "nobody-is-called-so"})).await;
    assert_eq!(error["code"], "not_found");
}

async fn what_has_no_log_is_said(fleet: &'static TestFleet) {
    let workload = workload(fleet).await;
    let answer = fleet.call("pods_log", workload.question(json!({"container": "nobody-is-called-so"}))).await;
    let notes = answer["notes"].as_array().expect("notes");
    assert!(
        notes
            .iter()
            .all(|note| note["message"].as_str().is_some_and(|said| said.contains("it has no container"))),
        "{answer}"
    );
    assert_eq!((answer["shown"].as_u64(), answer.get("partial")), (Some(0), None));
    let waiting = |pod: &Value| {
        pod["status"]["containerStatuses"][0]["state"]["waiting"].is_object()
            && pod["status"]["containerStatuses"][0]["lastState"].get("terminated").is_none()
            && pod["spec"]["nodeName"].is_string()
    };
    let mut asked = 0;
    for server in &fleet.servers {
        for pod in server.list("/api/v1/pods").await.iter().filter(|pod| waiting(pod)).take(2) {
            let (namespace, name) = kubeplex_tests::server::key(pod);
            let question = json!({"cluster": server.name, "namespace": namespace, "name": name});
            let answer = fleet.call("pods_log", question).await;
            // What plays the nodes of a real server serves a log of everything.
            let is_said = answer["notes"].to_string().contains("it has not started");
            assert!(is_said || fleet.sims.is_empty(), "{answer}");
            asked += 1;
        }
    }
    ground::compared(fleet, asked > 0, "no pod waits to start");
}

async fn a_description_tells_sorts_of_errors(fleet: &'static TestFleet) {
    let workload = workload(fleet).await;
    let (cluster, pods) = workload.pods.first_key_value().expect("a cluster");
    let question = |logs: bool| json!({"cluster": cluster, "namespace": workload.namespace, "name": format!("deployment/{}", workload.name), "logs": logs});
    let answer = fleet.call("resources_describe", question(true)).await;
    let description = &answer["descriptions"][0];
    assert!(description.get("notTold").is_none(), "{answer}");
    let lines: Vec<_> =
        description["logs"].as_array().expect("logs").iter().filter_map(Value::as_str).collect();
    let containers: usize = pods.iter().map(|(_, containers)| containers.len()).sum();
    let place = format!("in the last 500 lines of each container ({containers} in {} pods)", pods.len());
    assert!(lines[0].ends_with(&place), "{place}: {answer}");
    // What plays the containers writes an error now and then.
    assert!(lines[1..].iter().any(|line| line.starts_with('×') && line.contains("level=error")), "{answer}");
    assert!(lines.iter().all(|line| !line.contains("level=info") && !line.contains(CANARY)), "{answer}");
    let tokens =
        tiktoken_rs::o200k_base().expect("it is built in").encode_ordinary(&answer.to_string()).len();
    assert!(tokens <= 1_500, "{tokens} tokens: {answer}");
    let without = fleet.call("resources_describe", question(false)).await;
    assert!(without["descriptions"][0].get("logs").is_none(), "{without}");
}
