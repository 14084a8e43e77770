//! A real cluster with the printed manifest in it, a gateway with the printed section, and an agent with the rights and the
//! configuration that are in the cluster then.

use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kube::config::Kubeconfig;
use kubeplex_cli::client::{Access, Client, Token};
use kubeplex_tests::program::{self, Folder, Program};
use kubeplex_tests::real::{self, ControlPlane, ControlPlanes};
use kubeplex_tests::server::{Server, text};
use kubeplex_tests::wait;
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::audit::AuditLog;
use crate::ground;

/// The cluster that it happens in.
pub(super) const CLUSTER: &str = "eu-1";

const NAMESPACE: &str = "/api/v1/namespaces/kubeplex";

/// The agent, as the API server knows it.
pub(super) const ACCOUNT: &str = "system:serviceaccount:kubeplex:kubeplex-agent";

/// Somebody with a token who may see everything that the gateway has.
pub(super) struct Person {
    token: Token,
    section: String,
}

/// All of it.
pub(super) struct Site {
    pub(super) server: Server,
    /// What kubectl made of the manifest.
    pub(super) applied: Vec<Value>,
    pub(super) audit: AuditLog,
    pub(super) agent: Program,
    pub(super) gateway: Program,
    endpoint: String,
    planes: ControlPlanes,
    manifest: String,
    folder: Folder,
}

impl Person {
    pub(super) async fn new(user: &str, groups: &str) -> Self {
        let fixed = ["token", "create", "--json", "--cluster", "*", "--namespace", "*", "--kind", "*"];
        let arguments: Vec<_> = fixed.into_iter().chain(["--user", user, "--group", groups]).collect();
        let output = program::run("kubeplex", &arguments, "").await;
        let made: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        Self { token: Token::new(&text(&made["token"])).expect("a token"), section: text(&made["caller"]) }
    }
}

impl Site {
    /// Everything is up, and the agent says that it is ready. Without callers, whoever is at this machine is one.
    pub(super) async fn start(planes: ControlPlanes, options: &[&str], callers: &[&Person]) -> Self {
        let plane = plane(&planes).clone();
        let folder = Folder::new();
        let (manifest, mut section) = printed(options).await;
        section.extend(callers.iter().map(|caller| format!("\n{}", caller.section)));
        let server = Server::new(CLUSTER, ground::client(CLUSTER).await);
        clear(&planes).await;
        let audit = AuditLog::from_here(&plane);
        let applied = apply(&planes, &manifest).await;
        let (gateway, endpoint) = gateway(&folder, &section).await;
        let agent = agent(&folder, &plane, &server, &endpoint).await;
        let site = Self { server, applied, audit, agent, gateway, endpoint, planes, manifest, folder };
        site.until_ready().await;
        site
    }

    /// The answer to a question, or its error.
    pub(super) async fn ask(&self, tool: &str, question: Value) -> Value {
        self.ask_with(None, tool, question).await
    }

    /// As [`ask`](Self::ask), as one of the callers.
    pub(super) async fn ask_as(&self, caller: &Person, tool: &str, question: Value) -> Value {
        self.ask_with(Some(caller.token.clone()), tool, question).await
    }

    async fn ask_with(&self, token: Option<Token>, tool: &str, question: Value) -> Value {
        let arguments: Map<_, _> = question.as_object().cloned().expect("an object");
        let access = Access { token, ca_file: None };
        let client = Client::with(self.endpoint.parse().expect("an endpoint"), access).expect("a client");
        let exchange = client.call(tool, arguments, false).await.expect("an answer");
        exchange.structured().unwrap_or_else(|error| error).clone()
    }

    /// What `/readyz` says, as a kubelet would ask it.
    async fn until_ready(&self) {
        wait::until("the agent to be ready", async || {
            let log = self.agent.log();
            let address = log.split_once("\"admin.address\":\"").and_then(|(_, rest)| rest.split('"').next());
            let Some(address) = address else { return Err(log) };
            let answer =
                reqwest::get(format!("http://{address}/readyz")).await.map_err(|error| error.to_string())?;
            if answer.status().is_success() { Ok(()) } else { Err(answer.text().await.unwrap_or_default()) }
        })
        .await;
    }

    /// Ends the programs and takes out what was applied.
    pub(super) async fn end(mut self) {
        assert!(self.agent.terminate().await.success(), "{}", self.agent.log());
        assert!(self.gateway.terminate().await.success(), "{}", self.gateway.log());
        kubectl(&self.planes, &["delete", "--wait", "-f", "-"], &self.manifest).await;
        drop(self.folder);
    }
}

/// Takes out what a test left that failed: rights of its agent would be those of the next.
async fn clear(planes: &ControlPlanes) {
    let label = "--selector=app.kubernetes.io/name=kubeplex-agent";
    kubectl(planes, &["delete", "clusterroles,clusterrolebindings", label], "").await;
    kubectl(planes, &["delete", "roles,rolebindings", "--all-namespaces", label], "").await;
    kubectl(planes, &["delete", "namespace", "kubeplex", "--ignore-not-found", "--wait"], "").await;
}

fn plane(planes: &ControlPlanes) -> &ControlPlane {
    planes.clusters.iter().find(|plane| plane.name == CLUSTER).expect("the cluster of this test")
}

/// The manifest, and the gateway's section.
async fn printed(options: &[&str]) -> (String, String) {
    let fixed = ["agent", "manifest", "--cluster", CLUSTER, "--gateway", "wss://gateway.example.com"];
    let arguments: Vec<_> = fixed.iter().chain(options).copied().collect();
    let output = program::run("kubeplex", &arguments, "").await;
    let text = |bytes| String::from_utf8(bytes).expect("text");
    assert!(output.status.success(), "{}", text(output.stderr));
    (text(output.stdout), text(output.stderr))
}

/// The objects as the server has them. A warning of its is a failure.
pub(super) async fn apply(planes: &ControlPlanes, manifest: &str) -> Vec<Value> {
    let apply =
        ["apply", "--server-side", "--force-conflicts", "--warnings-as-errors", "-o", "json", "-f", "-"];
    let applied = kubectl(planes, &apply, manifest).await;
    let list: Value = serde_json::from_str(&applied).expect("JSON");
    list["items"].as_array().cloned().expect("a list")
}

/// Waits until the pod of a Deployment was let in and placed on a node; kwok plays it.
pub(super) async fn until_available(server: &Server, namespace: &str, name: &str) {
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}");
    wait::until(&format!("the Deployment {name} to be available"), async || {
        let status = server.get(&path).await["status"].take();
        if status["availableReplicas"] == 1 { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
}

pub(super) async fn kubectl(planes: &ControlPlanes, arguments: &[&str], input: &str) -> String {
    let mut kubectl = Command::new(planes.kubectl())
        .args(["kubectl", "--kubeconfig"])
        .arg(&planes.kubeconfig)
        .args(["--context", CLUSTER])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubectl runs");
    let mut stdin = kubectl.stdin.take().expect("its standard input");
    stdin.write_all(input.as_bytes()).await.expect("it reads");
    drop(stdin);
    let output = kubectl.wait_with_output().await.expect("its output");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "kubectl {arguments:?}: {told}");
    String::from_utf8(output.stdout).expect("text")
}

/// A gateway with the section as it was printed, and where it is.
async fn gateway(folder: &Folder, section: &str) -> (Program, String) {
    let config = format!("[gateway]\nlisten = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n\n{section}");
    let config = folder.write("gateway.toml", &config);
    let mut gateway = Program::start("kubeplex-gateway", &["--config", &config, "--json"], &[], folder);
    let ready: Value = serde_json::from_str(&gateway.line().await).expect("a line of JSON");
    (gateway, text(&ready["endpoint"]))
}

/// An agent with the account's token, and the configuration and the secret of the cluster; only where things are differs
/// from a pod.
async fn agent(folder: &Folder, plane: &ControlPlane, server: &Server, endpoint: &str) -> Program {
    let configuration = server.get(&format!("{NAMESPACE}/configmaps/kubeplex-agent")).await;
    let config = folder.write("agent.toml", &text(&configuration["data"]["agent.toml"]));
    let secret = server.get(&format!("{NAMESPACE}/secrets/kubeplex-agent")).await;
    let token = BASE64.decode(text(&secret["data"]["token"])).expect("base64");
    let token_file = folder.write("token", &String::from_utf8(token).expect("text"));
    let kubeconfig = folder.write("kubeconfig", &kubeconfig(plane, server).await);
    let url = endpoint.replace("http://", "ws://").replace("/mcp", "");
    let environment = [
        ("KUBEPLEX_LOG", "debug"),
        ("KUBEPLEX_LOG_FORMAT", "json"),
        ("KUBEPLEX_AGENT__GATEWAY__URL", url.as_str()),
        ("KUBEPLEX_AGENT__GATEWAY__TOKEN_FILE", token_file.as_str()),
        ("KUBEPLEX_AGENT__KUBERNETES__KUBECONFIG", kubeconfig.as_str()),
        ("KUBEPLEX_AGENT__ADMIN__LISTEN", "127.0.0.1:0"),
    ];
    Program::start("kubeplex-agent", &["--config", &config], &environment, folder)
}

/// With a token as a pod of the account gets one.
async fn kubeconfig(plane: &ControlPlane, server: &Server) -> String {
    let request = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3_600},
    });
    let granted = server.create(&format!("{NAMESPACE}/serviceaccounts/kubeplex-agent/token"), request).await;
    let known = Kubeconfig::read_from(&plane.kubeconfig).expect("the kubeconfig of the cluster");
    let cluster = known.clusters.first().expect("its cluster");
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "agent",
        "clusters": [cluster],
        "users": [{"name": "agent", "user": {"token": granted["status"]["token"]}}],
        "contexts": [{"name": "agent", "context": {"cluster": cluster.name, "user": "agent"}}],
    })
    .to_string()
}

/// The control planes, where there are some.
pub(super) fn planes(test: &str) -> Option<ControlPlanes> {
    let planes = real::control_planes();
    if planes.is_none() {
        real::skipped(test);
    }
    planes
}
