//! A real cluster with the printed manifest in it, and around its agent a gateway on this machine.

use kubeplex_cli::client::{Access, Client, Token};
use kubeplex_tests::program::{Folder, Program};
use kubeplex_tests::real::{self, ControlPlanes};
use kubeplex_tests::server::{Server, text};
use serde_json::{Map, Value};

use super::audit::AuditLog;
use super::cluster::{Cluster, Deployed, Dial, until_ready};
use crate::tokens::{self, Made};

/// The cluster that it happens in.
pub(super) const CLUSTER: &str = "eu-1";

/// All of it.
pub(super) struct Site {
    pub(super) deployed: Deployed,
    agent: Program,
    gateway: Program,
    endpoint: String,
    folder: Folder,
}

/// Somebody with a token who may see everything that the gateway has.
pub(super) async fn person(user: &str, groups: &str) -> Made {
    tokens::make(user, &["--group", groups, "--cluster", "*", "--namespace", "*", "--kind", "*"]).await
}

impl Site {
    /// Everything is up, and the agent says that it is ready. Without callers, whoever is at this machine is one.
    pub(super) async fn start(cluster: Cluster, options: &[&str], callers: &[&Made]) -> Self {
        let folder = Folder::new();
        let options = [&["--gateway", "wss://gateway.example.com"], options].concat();
        let deployed = Deployed::into(cluster, &options).await;
        let mut sections = deployed.section.clone();
        sections.extend(callers.iter().map(|caller| format!("\n{}", caller.section)));
        let (gateway, endpoint) = gateway(&folder, &sections).await;
        let url = endpoint.replace("http://", "ws://").replace("/mcp", "");
        let agent = deployed.agent(&folder, &Dial { url: &url, ca_file: None }).await;
        until_ready(&agent).await;
        Self { deployed, agent, gateway, endpoint, folder }
    }

    pub(super) fn server(&self) -> &Server {
        &self.deployed.cluster.server
    }

    pub(super) fn audit(&self) -> &AuditLog {
        &self.deployed.audit
    }

    /// The answer to a question, or its error.
    pub(super) async fn ask(&self, tool: &str, question: Value) -> Value {
        self.ask_with(None, tool, question).await
    }

    /// As [`ask`](Self::ask), as one of the callers.
    pub(super) async fn ask_as(&self, caller: &Made, tool: &str, question: Value) -> Value {
        self.ask_with(Some(caller.shown()), tool, question).await
    }

    async fn ask_with(&self, token: Option<Token>, tool: &str, question: Value) -> Value {
        let arguments: Map<_, _> = question.as_object().cloned().expect("an object");
        let access = Access { token, ca_file: None };
        let client = Client::with(self.endpoint.parse().expect("an endpoint"), access).expect("a client");
        let exchange = client.call(tool, arguments, false).await.expect("an answer");
        exchange.structured().unwrap_or_else(|error| error).clone()
    }

    /// Ends the programs and takes out what was applied.
    pub(super) async fn end(mut self) {
        assert!(self.agent.terminate().await.success(), "{}", self.agent.log());
        assert!(self.gateway.terminate().await.success(), "{}", self.gateway.log());
        self.deployed.take_out().await;
        drop(self.folder);
    }
}

/// A gateway with the sections as they were printed, and where it is.
async fn gateway(folder: &Folder, sections: &str) -> (Program, String) {
    let config = format!("[gateway]\nlisten = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n\n{sections}");
    let config = folder.write("gateway.toml", &config);
    let mut gateway = Program::start("kubeplex-gateway", &["--config", &config, "--json"], &[], folder);
    let ready: Value = serde_json::from_str(&gateway.line().await).expect("a line of JSON");
    (gateway, text(&ready["endpoint"]))
}

/// The control planes, where there are some.
pub(super) fn planes(test: &str) -> Option<ControlPlanes> {
    let planes = real::control_planes();
    if planes.is_none() {
        real::skipped(test);
    }
    planes
}
