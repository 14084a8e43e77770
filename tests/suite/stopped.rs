//! Three real API servers, behind `kubeplex local` and behind a gateway and three agents that are processes of their own: the
//! rows of `kubectl get pods -A` on each, merged; and what is said while one of them is stopped.

use std::process::Stdio;

use kubeplex_cli::client::Client;
use kubeplex_tests::program::{self, Folder, Program};
use kubeplex_tests::real::{self, ControlPlanes};
use kubeplex_tests::{rows, wait};
use serde_json::{Map, Value, json};
use tokio::process::Command;

use crate::{ground, separate};

/// Cluster, namespace, name, ready, status, restarts.
type Line = [String; 6];

struct Endpoint {
    planes: ControlPlanes,
    /// Those before others end before them.
    programs: Vec<Program>,
    client: Client,
    url: String,
    _folder: Folder,
}

/// One process, agents inside.
async fn local(planes: ControlPlanes) -> Endpoint {
    let folder = Folder::new();
    let contexts: Vec<_> = planes.clusters.iter().map(|plane| plane.context.as_str()).collect();
    let kubeconfig = planes.kubeconfig.to_str().expect("a path in UTF-8").to_owned();
    let (contexts, any) = (contexts.join(","), "127.0.0.1:0");
    let arguments = [
        "local",
        "--kubeconfig",
        &kubeconfig,
        "--context",
        &contexts,
        "--listen",
        any,
        "--admin",
        any,
        "--json",
    ];
    let mut program = Program::start("kubeplex", &arguments, &[("KUBEPLEX_LOG", "info")], &folder);
    let ready: Value = serde_json::from_str(&program.line().await).expect("a line of JSON");
    let states = ready["clusters"].as_array().expect("clusters");
    assert!(states.iter().all(|cluster| cluster["ready"] == true), "{ready}");
    assert_eq!(states.len(), planes.clusters.len());
    let endpoint = ready["endpoint"].as_str().expect("an endpoint").to_owned();
    let client = Client::new(&endpoint).expect("a client");
    Endpoint { planes, programs: vec![program], client, url: endpoint, _folder: folder }
}

/// A gateway and three agents.
async fn linked(planes: ControlPlanes) -> Endpoint {
    let fleet = separate::start(Folder::new(), separate::real_sites().await).await;
    fleet.until_all_but(&[]).await;
    let programs = std::iter::once(fleet.gateway).chain(fleet.agents).collect();
    Endpoint { planes, programs, client: fleet.client, url: fleet.endpoint, _folder: fleet.folder }
}

impl Endpoint {
    async fn call(&self, tool: &str, arguments: Value) -> Value {
        let arguments: Map<_, _> = arguments.as_object().cloned().expect("an object");
        let exchange = self.client.call(tool, arguments, false).await.expect("an answer");
        exchange.structured().unwrap_or_else(|error| panic!("{tool}: {error}")).clone()
    }

    async fn pods(&self) -> (Vec<Line>, Value) {
        let answer = self.call("pods_list", json!({"limit": 1_000, "maxBytes": 4 << 20})).await;
        let line = |row: rows::Row| {
            let cell = |column: &str| plain(row.cell(column));
            [
                row.cluster.clone(),
                row.namespace.clone(),
                cell("name"),
                cell("ready"),
                cell("status"),
                cell("restarts"),
            ]
        };
        (rows::of(&answer).into_iter().map(line).collect(), answer)
    }

    /// What kubectl prints for each, one after the other.
    async fn kubectl(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for plane in &self.planes.clusters {
            let output = Command::new(self.planes.kubectl())
                .args(["kubectl", "--kubeconfig"])
                .arg(&self.planes.kubeconfig)
                .args(["--context", &plane.context, "get", "pods", "-A", "--no-headers"])
                .stdin(Stdio::null())
                .output()
                .await
                .expect("kubectl runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            for line in String::from_utf8(output.stdout).expect("text").lines() {
                // After the restarts may come how long ago the last was.
                let mut words = line.split_whitespace().map(str::to_owned);
                let mut next = || words.next().unwrap_or_default();
                lines.push([plane.name.clone(), next(), next(), next(), next(), next()]);
            }
        }
        lines.sort_by(|a, b| a[..3].cmp(&b[..3]));
        lines
    }

    async fn until_same_as_kubectl(&self) -> Vec<Line> {
        wait::until("the rows of kubectl", async || {
            let (ours, answer) = self.pods().await;
            let whole = answer["clusters"].get("problems").is_none() && answer.get("partial").is_none();
            if whole && ours == self.kubectl().await { Ok(ours) } else { Err(answer["clusters"].to_string()) }
        })
        .await
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Stops or starts the API server of a cluster.
async fn control_plane(verb: &str, cluster: &str) {
    let output = program::run("xtask", &["controlplane", verb, cluster], "").await;
    assert!(output.status.success(), "{verb} {cluster}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn local_shows_the_rows_of_kubectl_and_says_when_a_server_stops() {
    let Some(planes) = real::control_planes() else {
        return real::skipped("local_shows_the_rows_of_kubectl_and_says_when_a_server_stops");
    };
    let _alone = ground::changing().await;
    a_server_stops_and_starts(local(planes).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_show_the_rows_of_kubectl_and_say_when_a_server_stops() {
    let Some(planes) = real::control_planes() else {
        return real::skipped("agents_show_the_rows_of_kubectl_and_say_when_a_server_stops");
    };
    let _alone = ground::changing().await;
    a_server_stops_and_starts(linked(planes).await).await;
}

async fn a_server_stops_and_starts(mut endpoint: Endpoint) {
    let rows = endpoint.until_same_as_kubectl().await;
    assert!(rows.len() > 50, "{} pods are few for three clusters", rows.len());
    printed_by_the_program(&endpoint, &rows).await;

    let stopped = endpoint.planes.clusters[1].name.clone();
    control_plane("stop", &stopped).await;
    let told = said_while_stopped(&endpoint, &stopped, &rows).await;
    // Whatever was seen, the server is to run again for the tests after this one.
    control_plane("start", &stopped).await;
    told.expect("what is said of a stopped cluster");
    endpoint.until_same_as_kubectl().await;
    for program in &mut endpoint.programs {
        assert!(program.terminate().await.success(), "{}", program.log());
    }
}

/// `kubeplex call` prints the same rows for a person.
async fn printed_by_the_program(endpoint: &Endpoint, rows: &[Line]) {
    let arguments =
        ["call", "--endpoint", &endpoint.url, "pods_list", r#"{"limit":1000,"maxBytes":4000000}"#];
    let output = program::run("kubeplex", &arguments, "").await;
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("text");
    for [.., name, _, status, _] in rows {
        let line = text.lines().find(|line| line.split_whitespace().any(|word| word == name));
        assert!(line.is_some_and(|line| line.contains(status.as_str())), "{name} {status} in {text}");
    }
}

/// Rows that are known stay, marked as old; a kind that nobody has read yet is missing from that cluster, and that is said.
async fn said_while_stopped(endpoint: &Endpoint, stopped: &str, rows: &[Line]) -> Result<(), Value> {
    let deadline = tokio::time::Instant::now() + wait::PATIENCE;
    let marked = loop {
        let (seen, answer) = endpoint.pods().await;
        let problem = answer["clusters"]["problems"][0].clone();
        if problem["cluster"] == stopped && problem["status"] == "stale" {
            let marked = seen == rows && problem["rowsShown"] == "old" && answer["partial"] == true;
            break if marked { Ok(()) } else { Err(answer) };
        }
        if tokio::time::Instant::now() > deadline {
            break Err(answer);
        }
        wait::pass(std::time::Duration::from_millis(50)).await;
    };
    marked?;
    let answer = endpoint.call("resources_list", json!({"kind": "flowschemas", "timeoutSeconds": 5})).await;
    let clusters: Vec<_> = rows::of(&answer).into_iter().map(|row| row.cluster).collect();
    let others = endpoint.planes.clusters.iter().map(|plane| &plane.name).filter(|name| *name != stopped);
    let complete = others.into_iter().all(|name| clusters.contains(name))
        && !clusters.iter().any(|name| name == stopped);
    let said = answer["partial"] == true && answer["clusters"]["problems"][0]["cluster"] == stopped;
    if complete && said { Ok(()) } else { Err(answer) }
}
