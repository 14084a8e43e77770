//! The program for a person as scripts and terminals meet it: exit statuses, streams, and clusters that are in no hurry.

use std::os::unix::fs::PermissionsExt;

use kubeplex_tests::program::{self, Folder, Program};
use kubeplex_tests::rows;
use serde_json::{Value, json};
use simcluster::{SimCluster, SimConfig};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const ANY: &str = "127.0.0.1:0";

/// What a credential plugin prints.
const CREDENTIAL: &str =
    r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","status":{"token":"t"}}"#;

struct Outcome {
    status: Option<i32>,
    out: String,
    error: String,
}

async fn kubeplex(arguments: &[&str]) -> Outcome {
    let output = program::run("kubeplex", arguments, "").await;
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Outcome { status: output.status.code(), out: text(output.stdout), error: text(output.stderr) }
}

async fn ready_line(program: &mut Program) -> Value {
    serde_json::from_str(&program.line().await).expect("a line of JSON")
}

fn start_demo(folder: &Folder, more: &[&str]) -> Program {
    let fixed = ["demo", "--clusters", "2", "--pods", "30", "--listen", ANY, "--admin", ANY];
    let arguments: Vec<_> = fixed.iter().chain(more).copied().collect();
    Program::start("kubeplex", &arguments, &[], folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_statuses_say_why_there_is_no_answer() {
    let folder = Folder::new();
    let mut demo = start_demo(&folder, &["--json"]);
    let endpoint = ready_line(&mut demo).await["endpoint"].as_str().expect("an endpoint").to_owned();
    let at = |arguments: &[&'static str]| {
        let mut all: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        all.extend(["--endpoint".to_owned(), endpoint.clone()]);
        all
    };
    for (arguments, status, told) in [
        (at(&["clusters"]), 0, ""),
        (at(&["call", "pods_list", r#"{"limit":3}"#]), 0, ""),
        (at(&["call", "pods_list", "[1]"]), 2, "a JSON object is wanted"),
        (at(&["call", "pods_list", "{limit:3}"]), 2, "{limit:3}"),
        (at(&["call"]), 2, "<TOOL>"),
        (at(&["clusters", "--no-such-flag"]), 2, "--no-such-flag"),
        (at(&["clusters", "--log", "a=b=c"]), 2, "target=level"),
        (
            vec!["clusters".into(), "--endpoint".into(), "http://gateway.example.com/mcp".into()],
            2,
            "only for this machine",
        ),
        (at(&["call", "pods_list", r#"{"cluster":"nowhere"}"#]), 3, "not_found: "),
        (at(&["call", "pods_list", r#"{"limt":3}"#]), 3, "did you mean limit?"),
        (at(&["call", "pods_lst"]), 3, "did you mean pods_list"),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let outcome = kubeplex(&arguments).await;
        assert_eq!(outcome.status, Some(status), "{arguments:?}: {}", outcome.error);
        assert!(outcome.error.contains(told), "{arguments:?} should say {told}: {}", outcome.error);
        assert_eq!(outcome.out.is_empty(), status != 0, "{arguments:?} prints {}", outcome.out);
    }
    // A script that reads JSON finds the error where it reads.
    let refused =
        kubeplex(&["call", "pods_list", r#"{"cluster":"nowhere"}"#, "--json", "--endpoint", &endpoint]).await;
    let error: Value = serde_json::from_str(&refused.out).expect("JSON");
    assert_eq!((refused.status, &error["code"]), (Some(3), &json!("not_found")));

    assert!(demo.terminate().await.success(), "{}", demo.log());
    let gone = kubeplex(&["clusters", "--endpoint", &endpoint]).await;
    assert_eq!(gone.status, Some(1));
    assert!(
        gone.error.contains("start one with `kubeplex demo`") && gone.error.contains("refused"),
        "{}",
        gone.error
    );
    assert_eq!(gone.error.matches("refused").count(), 1, "each cause is said once: {}", gone.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_gets_plain_lines_and_the_next_steps() {
    let folder = Folder::new();
    let mut demo = start_demo(&folder, &[]);
    let mut lines = Vec::new();
    while lines.last().is_none_or(|line| line != "Ctrl-C stops.") {
        lines.push(demo.line().await);
    }
    let text = lines.join("\n");
    for said in
        ["prod-eu  ready: v1.", "prod-us  ready: v1.", "MCP endpoint  http://127.0.0.1:", "code --add-mcp"]
    {
        assert!(text.contains(said), "{said} is missing:\n{text}");
    }
    assert!(!text.contains('\x1b'), "{text}");
    // What it says to try is what works.
    let call =
        text.lines().find(|line| line.contains(" call ") && line.contains("pods_list")).expect("a call");
    let output = tokio::process::Command::new("sh").args(["-c", call]).output().await.expect("it runs");
    let table = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success() && table.starts_with("cluster  namespace"), "{table}");
    assert!(demo.terminate().await.success(), "{}", demo.log());
}

/// Contexts of three servers: one that works, and two whose credential plugins do not yet.
struct Laptop {
    folder: Folder,
    kubeconfig: String,
    _server: JoinSet<()>,
}

impl Laptop {
    async fn new() -> Self {
        let folder = Folder::new();
        let sim = SimCluster::new(SimConfig { pods: 20, nodes: 3, ..SimConfig::named("sim", 1) });
        let (mut serving, mut clusters) = (JoinSet::new(), Vec::new());
        for name in ["works", "waits", "missing"] {
            let (sim, listener) = (sim.clone(), TcpListener::bind(ANY).await.expect("a port"));
            let server = format!("http://{}", listener.local_addr().expect("its address"));
            serving
                .spawn(async move { sim.serve(listener, std::future::pending()).await.expect("it serves") });
            clusters.push(json!({"name": name, "cluster": {"server": server}}));
        }
        let path = |name: &str| folder.path(name).to_str().expect("a path in UTF-8").to_owned();
        plugin(&folder, "waits", &format!("while [ ! -e {} ]; do sleep 0.1; done", path("logged-in")));
        let user = |command: &str| {
            let exec =
                json!({"apiVersion": "client.authentication.k8s.io/v1beta1", "command": path(command)});
            json!({"name": command, "user": {"exec": exec}})
        };
        let context = |name: &str| json!({"name": name, "context": {"cluster": name, "user": name}});
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config",
            "clusters": clusters,
            "users": [{"name": "works", "user": {}}, user("waits"), user("missing")],
            "contexts": [context("works"), context("waits"), context("missing")],
        });
        let kubeconfig = folder.write("kubeconfig", &kubeconfig.to_string());
        Self { folder, kubeconfig, _server: serving }
    }
}

/// A script that does something, and prints a credential.
fn plugin(folder: &Folder, name: &str, script: &str) {
    // Renamed into its place when it can be run: whoever looks for it finds it whole.
    let unfinished =
        folder.write(&format!("{name}.new"), &format!("#!/bin/sh\n{script}\necho '{CREDENTIAL}'\n"));
    std::fs::set_permissions(&unfinished, PermissionsExt::from_mode(0o755)).expect("it can be run");
    std::fs::rename(unfinished, folder.path(name)).expect("its place");
}

#[tokio::test(flavor = "multi_thread")]
async fn contexts_without_credentials_delay_nobody_and_come_up_when_they_can() {
    let laptop = Laptop::new().await;
    let arguments = ["local", "--kubeconfig", &laptop.kubeconfig, "--listen", ANY, "--admin", ANY, "--json"];
    let mut local = Program::start("kubeplex", &arguments, &[], &laptop.folder);
    let ready = ready_line(&mut local).await;
    let cluster = |name: &str| {
        let clusters = ready["clusters"].as_array().expect("clusters");
        clusters.iter().find(|cluster| cluster["name"] == name).expect("each context").clone()
    };
    assert_eq!(cluster("works")["ready"], true, "{ready}");
    for (name, told) in [("waits", "has not answered yet"), ("missing", "can't be run")] {
        let state = cluster(name)["state"].as_str().expect("a state").to_owned();
        assert!(state.starts_with("not started: ") && state.contains(told), "{name}: {state}");
    }
    assert!(cluster("missing")["state"].to_string().contains("tried again"), "{ready}");

    let endpoint = ready["endpoint"].as_str().expect("an endpoint");
    let partial = kubeplex(&["call", "pods_list", "--json", "--endpoint", endpoint]).await;
    let answer: Value = serde_json::from_str(&partial.out).expect("JSON");
    assert_eq!((partial.status, &answer["partial"]), (Some(0), &json!(true)));
    assert!(!rows::of(&answer).is_empty() && answer["clusters"]["answered"] == 1, "{}", answer["clusters"]);
    let rows = kubeplex(&["pods", "--endpoint", endpoint]).await;
    assert_eq!(rows.status, Some(5), "{}", rows.error);
    assert!(
        rows.out.starts_with("cluster") && rows.out.lines().skip(1).all(|line| line.starts_with("works "))
    );
    assert!(rows.error.contains("! missing ") && rows.error.contains("! waits "), "{}", rows.error);
    let shown = kubeplex(&["clusters", "--endpoint", endpoint]).await;
    assert!(shown.out.contains("can't be run") && shown.out.contains("tried again"), "{}", shown.out);

    plugin(&laptop.folder, "missing", ":");
    laptop.folder.write("logged-in", "");
    let mut late = vec!["missing", "waits"];
    while !late.is_empty() {
        let news = ready_line(&mut local).await;
        late.retain(|name| news["name"] != *name || news["ready"] != true);
    }
    let whole = kubeplex(&["call", "pods_list", "--json", "--endpoint", endpoint]).await;
    let answer: Value = serde_json::from_str(&whole.out).expect("JSON");
    assert_eq!(answer["clusters"]["answered"], 3, "{}", answer["clusters"]);
    assert!(local.terminate().await.success(), "{}", local.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kubeconfig_that_is_no_use_is_named_with_the_way_out() {
    let folder = Folder::new();
    let broken = folder.write("broken", "contexts: [");
    let empty = folder.write("empty", "{}");
    let good = folder.write(
        "good",
        &json!({"contexts": [{"name": "prod-eu", "context": {"cluster": "x", "user": "x"}}]}).to_string(),
    );
    for (arguments, told) in [
        (vec!["--kubeconfig", "/no/such/file"], "the kubeconfig /no/such/file can't be read: No such file"),
        (vec!["--kubeconfig", &broken], "can't be understood"),
        (vec!["--kubeconfig", &empty], "names no context"),
        (vec!["--kubeconfig", &good, "--context", "prod-eux"], "did you mean prod-eu?"),
    ] {
        let all: Vec<_> =
            ["local", "--listen", ANY, "--admin", ANY].iter().chain(&arguments).copied().collect();
        let outcome = kubeplex(&all).await;
        assert_eq!(outcome.status, Some(1), "{arguments:?}: {}", outcome.error);
        assert!(outcome.error.starts_with("kubeplex: ") && outcome.error.contains(told), "{}", outcome.error);
    }
}
