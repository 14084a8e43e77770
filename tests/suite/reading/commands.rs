//! The commands of the program that read: the same questions as a person types them, and what scripts get of them.

use std::collections::BTreeSet;

use kubeplex_tests::fleet::{Contents, TestFleet};
use kubeplex_tests::program::{self, Folder, Program};
use kubeplex_tests::server::text;
use rustix::process::Signal;
use serde_json::{Value, json};
use simcluster::Gvr;

use super::agree::agree;
use crate::ground;

struct Outcome {
    status: Option<i32>,
    out: String,
    error: String,
}

async fn kubeplex(fleet: &TestFleet, line: &str) -> Outcome {
    let endpoint = fleet.endpoint();
    let mut arguments: Vec<&str> = line.split(' ').collect();
    arguments.extend(["--endpoint", &endpoint]);
    let output = program::run("kubeplex", &arguments, "").await;
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Outcome { status: output.status.code(), out: text(output.stdout), error: text(output.stderr) }
}

/// What a command that finds something prints.
async fn found(fleet: &TestFleet, line: &str) -> String {
    let outcome = kubeplex(fleet, line).await;
    assert_eq!(outcome.status, Some(0), "kubeplex {line}: {}", outcome.error);
    outcome.out
}

async fn names_at_the_servers(fleet: &TestFleet, path: &str, prefix: &str) -> Vec<String> {
    let mut names = BTreeSet::new();
    for server in &fleet.servers {
        let objects = server.list(path).await;
        names.extend(objects.iter().map(|object| format!("{prefix}/{}", text(&object["metadata"]["name"]))));
    }
    names.into_iter().collect()
}

pub(crate) async fn commands_list_what_the_servers_have(fleet: &'static TestFleet) {
    for (line, path, prefix) in [
        ("pods -o name", "/api/v1/pods", "pods"),
        ("get no -o name", "/api/v1/nodes", "no"),
        ("get deployments.apps -A -o name", "/apis/apps/v1/deployments", "deployments.apps"),
    ] {
        agree(
            line,
            async || {
                let printed = kubeplex(fleet, line).await.out;
                printed.lines().map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
            },
            async || names_at_the_servers(fleet, path, prefix).await,
        )
        .await;
    }
    // All columns of a kind have more than the usual ones, and a pipe gets them as wide as they are.
    let usual = found(fleet, "get nodes").await;
    let wide = found(fleet, "get nodes -o wide").await;
    let columns = |printed: &str| printed.lines().next().unwrap_or_default().split_whitespace().count();
    assert!(columns(&wide) > columns(&usual), "{wide}");
    assert_eq!(wide.lines().count(), usual.lines().count());
}

pub(crate) async fn named_objects_are_rows_and_whole_objects(fleet: &'static TestFleet) {
    let row = found(fleet, "get namespace/kube-system").await;
    let clusters: Vec<_> = row.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    let servers: Vec<_> = fleet.servers.iter().map(|server| server.name.as_str()).collect();
    assert_eq!(clusters, servers, "{row}");
    assert!(row.lines().skip(1).all(|line| line.contains("kube-system")), "{row}");

    let whole: Value =
        serde_json::from_str(&found(fleet, "get namespace kube-system -o json").await).expect("JSON");
    let of_all: BTreeSet<_> = whole["objects"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|shared| shared["clusters"].as_array().cloned().unwrap_or_default())
        .map(|cluster| text(&cluster))
        .collect();
    assert_eq!(of_all.iter().map(String::as_str).collect::<Vec<_>>(), servers);
    let yaml = found(fleet, "get namespace kube-system -o yaml --fields metadata.name").await;
    assert!(yaml.contains("objects:\n") && yaml.contains("name: kube-system\n"), "{yaml}");
}

pub(crate) async fn commands_end_as_scripts_expect(fleet: &'static TestFleet) {
    let server = &fleet.servers[0].name;
    for (line, status, told) in [
        ("get nodes --limit 1".to_owned(), 0, "clusters answered"),
        ("get namespaces --fields name -l no-such-label-anywhere".to_owned(), 4, "nothing found"),
        ("get namespace/no-such-namespace-anywhere".to_owned(), 4, "nothing found"),
        ("get namespace no-such-namespace-anywhere -o yaml".to_owned(), 4, ""),
        ("get nosuchkind".to_owned(), 4, "not_found: "),
        ("pods --cluster nowhere".to_owned(), 4, "not_found: "),
        ("pods --sort-by restarts,,age".to_owned(), 3, "invalid_argument: sortBy"),
        (format!("pods -n a --to-namespace b --cluster {server}"), 2, "--to-namespace"),
        ("get pod/a b".to_owned(), 2, "\"b\""),
    ] {
        let outcome = kubeplex(fleet, &line).await;
        assert_eq!(outcome.status, Some(status), "kubeplex {line}: {}", outcome.error);
        assert!(outcome.error.contains(told), "kubeplex {line} should say {told}: {}", outcome.error);
        assert!(!outcome.out.contains('\x1b') && !outcome.error.contains('\x1b'), "kubeplex {line}");
    }
    if fleet.contents == Contents::Seeded {
        let cut = kubeplex(fleet, "pods --limit 2").await;
        assert_eq!(cut.out.lines().count(), 3, "{}", cut.out);
        let cursor = cut.error.lines().find_map(|line| line.split("--continue ").nth(1)).expect("a cursor");
        let next = found(fleet, &format!("pods --limit 2 --continue {cursor}")).await;
        assert_ne!(next, cut.out);
    }
}

/// A row comes, changes and goes; Ctrl-C ends it.
#[test]
fn simulated_watching_shows_what_changes() {
    ground::simulated(async |fleet| {
        let (folder, endpoint) = (Folder::new(), fleet.endpoint());
        let sim = &fleet.sims[ground::WITH_CANARIES];
        let map = |labels: Value| {
            json!({"apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": "watched", "namespace": "shop", "labels": labels}, "data": {"a": "1"}})
        };
        let arguments = [
            "get",
            "configmaps",
            "-n",
            "shop",
            "--cluster",
            ground::WITH_CANARIES,
            "--fields",
            "name,metadata.labels.stage",
            "--watch",
            "--interval",
            "1",
            "--endpoint",
            &endpoint,
        ];
        sim.apply(json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "always", "namespace": "shop"}}))
            .expect("it is applied");
        let mut watching = Program::start("kubeplex", &arguments, &[], &folder);
        assert!(watching.line().await.starts_with("cluster"));
        sim.apply(map(json!({"stage": "one"}))).expect("it is applied");
        let mut marks = Vec::new();
        while marks.len() < 3 {
            let line = watching.line().await;
            let is_new = line.contains(" watched ") && line.starts_with(['+', '~', '-']);
            if !is_new {
                continue;
            }
            marks.push(line.chars().next().unwrap_or_default());
            match marks.len() {
                1 => drop(sim.apply(map(json!({"stage": "two"}))).expect("it is applied")),
                2 => sim.delete(&Gvr::new("", "v1", "configmaps"), "shop", "watched").expect("it is deleted"),
                _ => {}
            }
        }
        assert_eq!(marks, ['+', '~', '-']);
        watching.signal(Signal::INT);
        assert!(watching.ended().await.success(), "{}", watching.log());
    });
}
