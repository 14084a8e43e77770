//! `kubeplex doctor` on kubeconfigs that are well, and that are not.

use kubeplex_tests::program::{self, Folder};
use serde_json::{Value, json};
use simcluster::{SimCluster, SimConfig};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Runs the doctor in a home of its own; its exit status and its findings.
async fn doctor(folder: &Folder, kubeconfig: &str, more: &[&str]) -> (Option<i32>, Value) {
    let home = folder.path("home");
    std::fs::create_dir_all(&home).expect("a folder");
    let arguments = ["doctor", "--kubeconfig", kubeconfig, "--json"];
    let mut command = program::command("kubeplex", &[&arguments, more].concat());
    for variable in ["HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"] {
        command.env(variable, &home);
    }
    let output = command.current_dir(&home).output().await.expect("it runs");
    let findings = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), findings)
}

/// What a check of a context came to: verdicts, and what was said.
fn found(findings: &Value, about: &str, check: &str) -> Vec<(String, String)> {
    let all = findings["findings"].as_array().expect("findings");
    let these = all.iter().filter(|finding| finding["about"] == about && finding["check"] == check);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    these
        .map(|finding| {
            let needs = matches!(finding["verdict"].as_str(), Some("wrong" | "warning"));
            assert_eq!(finding["next"].is_string(), needs, "what is wrong has a next step: {finding}");
            (text(&finding["verdict"]), text(&finding["said"]))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_context_is_followed_as_far_as_it_leads() {
    let folder = Folder::new();
    let sim = SimCluster::new(SimConfig { pods: 20, nodes: 1, ..SimConfig::named("sim", 1) });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let nobody = closed.local_addr().expect("its address");
    drop(closed);
    let mut serving = JoinSet::new();
    serving.spawn(async move { sim.serve(listener, std::future::pending()).await.expect("it serves") });
    let cluster = |name: &str, server: String| json!({"name": name, "cluster": {"server": server}});
    let context = |name: &str, cluster: &str, user: &str| json!({"name": name, "context": {"cluster": cluster, "user": user}});
    let exec = |script: &str| json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "sh", "args": ["-c", script]}});
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config",
        "clusters": [
            cluster("sim", format!("http://{address}")),
            cluster("tls", format!("https://{address}")),
            cluster("closed", format!("http://{nobody}")),
            cluster("nowhere", "https://kubernetes.invalid".to_owned()),
        ],
        "users": [
            {"name": "me", "user": {}},
            {"name": "fails", "user": exec("echo please log in >&2; exit 1")},
            {"name": "hangs", "user": exec("sleep 600")},
        ],
        "contexts": [
            context("well", "sim", "me"), context("tls", "tls", "me"), context("closed", "closed", "me"),
            context("nowhere", "nowhere", "me"), context("lost", "none", "me"), context("fails", "sim", "fails"),
            context("hangs", "sim", "hangs"),
        ],
    });
    let kubeconfig = folder.write("kubeconfig", &kubeconfig.to_string());
    let (status, findings) = doctor(&folder, &kubeconfig, &["--plugin-timeout", "1"]).await;
    assert_eq!(status, Some(3), "{findings:#}");
    let is = |context: &str, check: &str, verdict: &str, said: &str| {
        let found = found(&findings, &format!("context {context}"), check);
        let matches = |(is, told): &(String, String)| is == verdict && told.contains(said);
        assert!(found.iter().any(matches), "{context} {check} should be {verdict}, {said}: {found:?}");
    };
    is("well", "connect", "good", "accepts connections");
    is("well", "version", "good", "v1.");
    is("well", "clock", "good", "agrees");
    is("well", "rights", "good", "pods");
    is("tls", "certificate", "wrong", "");
    is("closed", "connect", "wrong", "refused");
    is("nowhere", "address", "wrong", "kubernetes.invalid");
    is("lost", "server", "wrong", "none");
    is("fails", "credentials", "wrong", "please log in");
    is("hangs", "credentials", "wrong", "did not answer within 1 s");
    assert!(
        found(&findings, "context closed", "version").is_empty(),
        "nothing is asked that can't be answered"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_kubeconfig_the_first_step_is_said() {
    let folder = Folder::new();
    let (status, findings) = doctor(&folder, "/no/such/file", &[]).await;
    assert_eq!(status, Some(3));
    assert_eq!(findings["findings"][0]["verdict"], "wrong", "{findings:#}");
    let clients = found(&findings, "clients", "servers");
    assert_eq!(clients, [("warning".to_owned(), "no client of this machine names kubeplex".to_owned())]);
}
