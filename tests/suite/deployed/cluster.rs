//! A real cluster into which a printed manifest is put, and an agent with the rights and the configuration that are in it then.

use std::path::Path;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kube::config::Kubeconfig;
use kubeplex_tests::program::{self, Folder, Program};
use kubeplex_tests::real::{ControlPlane, ControlPlanes};
use kubeplex_tests::server::{Server, text};
use kubeplex_tests::wait;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::audit::AuditLog;
use crate::ground;

const NAMESPACE: &str = "/api/v1/namespaces/kubeplex";

/// The agent, as the API server knows it.
pub(super) const ACCOUNT: &str = "system:serviceaccount:kubeplex:kubeplex-agent";

/// One of the control planes, with an administrator's rights.
pub(super) struct Cluster {
    pub(super) name: &'static str,
    pub(super) server: Server,
    planes: ControlPlanes,
}

/// A cluster with the manifest in it.
pub(super) struct Deployed {
    pub(super) cluster: Cluster,
    /// What kubectl made of the manifest.
    pub(super) applied: Vec<Value>,
    /// Since just before that.
    pub(super) audit: AuditLog,
    /// The gateway's, as it was printed.
    pub(super) section: String,
    manifest: String,
}

/// How an agent reaches its gateway from this machine.
pub(super) struct Dial<'a> {
    pub(super) url: &'a str,
    pub(super) ca_file: Option<&'a Path>,
}

impl Cluster {
    pub(super) async fn of(planes: &ControlPlanes, name: &'static str) -> Self {
        let server = Server::new(name, ground::client(name).await);
        Self { name, server, planes: planes.clone() }
    }

    fn plane(&self) -> &ControlPlane {
        self.planes.clusters.iter().find(|plane| plane.name == self.name).expect("the cluster of this test")
    }

    pub(super) async fn kubectl(&self, arguments: &[&str], input: &str) -> String {
        let mut kubectl = Command::new(self.planes.kubectl())
            .args(["kubectl", "--kubeconfig"])
            .arg(&self.planes.kubeconfig)
            .args(["--context", self.name])
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
        assert!(output.status.success(), "{}: kubectl {arguments:?}: {told}", self.name);
        String::from_utf8(output.stdout).expect("text")
    }

    /// The objects as the server has them. A warning of its is a failure.
    pub(super) async fn apply(&self, manifest: &str) -> Vec<Value> {
        let apply =
            ["apply", "--server-side", "--force-conflicts", "--warnings-as-errors", "-o", "json", "-f", "-"];
        let applied = self.kubectl(&apply, manifest).await;
        let list: Value = serde_json::from_str(&applied).expect("JSON");
        list["items"].as_array().cloned().expect("a list")
    }

    pub(super) async fn delete(&self, manifest: &str) {
        self.kubectl(&["delete", "--wait", "-f", "-"], manifest).await;
    }

    /// Waits until the pod of a Deployment was let in and placed on a node; kwok plays it.
    pub(super) async fn until_available(&self, namespace: &str, name: &str) {
        let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}");
        wait::until(&format!("the Deployment {name} to be available"), async || {
            let status = self.server.get(&path).await["status"].take();
            if status["availableReplicas"] == 1 { Ok(()) } else { Err(status.to_string()) }
        })
        .await;
    }

    /// Takes out what a test left that failed: rights of its agent would be those of the next.
    async fn clear(&self) {
        let label = "--selector=app.kubernetes.io/name=kubeplex-agent";
        self.kubectl(&["delete", "clusterroles,clusterrolebindings", label], "").await;
        self.kubectl(&["delete", "roles,rolebindings", "--all-namespaces", label], "").await;
        self.kubectl(&["delete", "namespace", "kubeplex", "--ignore-not-found", "--wait"], "").await;
    }
}

impl Deployed {
    /// Prints a manifest with these options and applies it.
    pub(super) async fn into(cluster: Cluster, options: &[&str]) -> Self {
        let (manifest, section) = printed(cluster.name, options).await;
        cluster.clear().await;
        let audit = AuditLog::from_here(cluster.plane());
        let applied = cluster.apply(&manifest).await;
        Self { cluster, applied, audit, section, manifest }
    }

    /// An agent with the account's token, and the configuration and the secret of the cluster; only where things are differs
    /// from a pod.
    pub(super) async fn agent(&self, folder: &Folder, dial: &Dial<'_>) -> Program {
        let Cluster { name, server, .. } = &self.cluster;
        let configuration = server.get(&format!("{NAMESPACE}/configmaps/kubeplex-agent")).await;
        let config = folder.write(&format!("{name}.agent.toml"), &text(&configuration["data"]["agent.toml"]));
        let secret = server.get(&format!("{NAMESPACE}/secrets/kubeplex-agent")).await;
        let token = BASE64.decode(text(&secret["data"]["token"])).expect("base64");
        let token = String::from_utf8(token).expect("text");
        let token_file = folder.write(&format!("{name}.token"), &token);
        let kubeconfig = folder.write(&format!("{name}.kubeconfig"), &self.kubeconfig().await);
        let mut environment = vec![
            ("KUBEPLEX_LOG", "debug"),
            ("KUBEPLEX_LOG_FORMAT", "json"),
            ("KUBEPLEX_AGENT__GATEWAY__URL", dial.url),
            ("KUBEPLEX_AGENT__GATEWAY__TOKEN_FILE", token_file.as_str()),
            ("KUBEPLEX_AGENT__KUBERNETES__KUBECONFIG", kubeconfig.as_str()),
            ("KUBEPLEX_AGENT__ADMIN__LISTEN", "127.0.0.1:0"),
        ];
        let ca_file = dial.ca_file.map(|path| path.to_str().expect("a path in UTF-8"));
        environment.extend(ca_file.map(|path| ("KUBEPLEX_AGENT__GATEWAY__CA_FILE", path)));
        Program::start("kubeplex-agent", &["--config", &config], &environment, folder)
    }

    /// With a token as a pod of the account gets one.
    async fn kubeconfig(&self) -> String {
        let request = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3_600},
        });
        let path = format!("{NAMESPACE}/serviceaccounts/kubeplex-agent/token");
        let granted = self.cluster.server.create(&path, request).await;
        let known =
            Kubeconfig::read_from(&self.cluster.plane().kubeconfig).expect("the cluster's kubeconfig");
        let cluster = known.clusters.first().expect("its cluster");
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "agent",
            "clusters": [cluster],
            "users": [{"name": "agent", "user": {"token": granted["status"]["token"]}}],
            "contexts": [{"name": "agent", "context": {"cluster": cluster.name, "user": "agent"}}],
        })
        .to_string()
    }

    /// Takes out what was applied.
    pub(super) async fn take_out(self) {
        self.cluster.delete(&self.manifest).await;
    }
}

/// The manifest, and the gateway's section.
async fn printed(cluster: &str, options: &[&str]) -> (String, String) {
    let fixed = ["agent", "manifest", "--cluster", cluster];
    let arguments: Vec<_> = fixed.iter().chain(options).copied().collect();
    let output = program::run("kubeplex", &arguments, "").await;
    let text = |bytes| String::from_utf8(bytes).expect("text");
    assert!(output.status.success(), "{}", text(output.stderr));
    (text(output.stdout), text(output.stderr))
}

/// What `/readyz` of an agent says, as a kubelet would ask it.
pub(super) async fn until_ready(agent: &Program) {
    wait::until("the agent to be ready", async || {
        let log = agent.log();
        let address = log.split_once("\"admin.address\":\"").and_then(|(_, rest)| rest.split('"').next());
        let Some(address) = address else { return Err(log) };
        let answer =
            reqwest::get(format!("http://{address}/readyz")).await.map_err(|error| error.to_string())?;
        if answer.status().is_success() { Ok(()) } else { Err(answer.text().await.unwrap_or_default()) }
    })
    .await;
}
