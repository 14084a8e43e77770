//! Three real clusters with the manifest in each, a gateway with TLS on every address of this machine, and callers whose
//! tokens reach differently far.

use kubeplex_cli::client::{Access, Client};
use kubeplex_test_support::pki::{Authority, TlsFolder};
use kubeplex_tests::program::{Folder, Program};
use kubeplex_tests::real::ControlPlanes;
use kubeplex_tests::server::text;
use rustix::process::Signal;
use serde_json::Value;

use super::cluster::{Cluster, Deployed, Dial, until_ready};
use crate::ground::CLUSTERS;
use crate::tokens::{self, Made};

/// What a caller's token names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    pub(super) user: &'static str,
    pub(super) clusters: &'static [&'static str],
    /// None: all, and what is in none.
    pub(super) namespaces: Option<&'static [&'static str]>,
    /// As `kubeplex token create` is told the same, beside the clusters.
    told: &'static [&'static str],
}

/// The callers, from the farthest reach to the nearest.
pub(super) const CALLERS: [Reach; 4] = [
    Reach {
        user: "ops",
        clusters: &["ap-1", "eu-1", "us-1"],
        namespaces: None,
        told: &["--cluster", "*", "--namespace", "*", "--kind", "*"],
    },
    Reach {
        user: "deployer",
        clusters: &["ap-1", "eu-1", "us-1"],
        namespaces: Some(&["payments", "shop"]),
        told: &["--cluster", "*", "--namespace", "shop,payments", "--kind", "deployments.apps"],
    },
    Reach {
        user: "shop",
        clusters: &["eu-1", "us-1"],
        namespaces: Some(&["shop"]),
        told: &["--cluster", "eu-*,us-*", "--namespace", "shop", "--kind", "*"],
    },
    Reach {
        user: "capacity",
        clusters: &["ap-1"],
        namespaces: Some(&["shop"]),
        told: &["--cluster", "ap-*", "--namespace", "shop", "--kind", "pods", "--cluster-scoped", "nodes"],
    },
];

/// Everything that runs.
pub(super) struct Fleet {
    pub(super) deployed: Vec<Deployed>,
    /// In the order of the clusters.
    agents: Vec<Program>,
    gateway: Program,
    /// `localhost` and the port, which stay when the gateway is started again.
    place: String,
    /// By caller, in their order.
    callers: Vec<(Made, Client)>,
    tls: TlsFolder,
    folder: Folder,
}

impl Fleet {
    /// The gateway first, which does not know of any cluster; then the manifests, with its address and its authority in them,
    /// whose sections it reads while it runs; then the agents.
    pub(super) async fn start(planes: &ControlPlanes) -> Self {
        let (folder, tls, authority) = (Folder::new(), TlsFolder::new(), Authority::new());
        tls.put(&authority.issue("localhost"));
        tls.trust(&authority);
        let mut made = Vec::new();
        for Reach { user, told, .. } in CALLERS {
            made.push(tokens::make(user, told).await);
        }
        let config = config(&folder, &tls, &made);
        let (gateway, place) = start_gateway(&folder, &config, "0.0.0.0:0").await;
        let client = |made: &Made| {
            let access = Access { token: Some(made.shown()), ca_file: Some(tls.ca_file()) };
            let endpoint = format!("https://{place}/mcp").parse().expect("an endpoint");
            Client::with(endpoint, access).expect("a client")
        };
        let callers = made.into_iter().map(|made| (made.clone(), client(&made))).collect();
        let (deployed, agents) = (Vec::new(), Vec::new());
        let mut fleet = Self { deployed, agents, gateway, place, callers, tls, folder };
        fleet.deploy(planes, config).await;
        fleet
    }

    async fn deploy(&mut self, planes: &ControlPlanes, mut config: String) {
        let (url, ca_file) = (format!("wss://{}", self.place), self.tls.ca_file());
        let ca_file = ca_file.to_str().expect("a path in UTF-8");
        for (name, ..) in CLUSTERS {
            let options = ["--gateway", url.as_str(), "--ca-file", ca_file, "--label", "env=test"];
            let deployed = Deployed::into(Cluster::of(planes, name).await, &options).await;
            config += &format!("\n{}", deployed.section);
            self.deployed.push(deployed);
        }
        self.folder.write("gateway.toml", &config);
        self.gateway.signal(Signal::HUP);
        for at in 0..self.deployed.len() {
            let agent = self.new_agent(at).await;
            self.agents.push(agent);
        }
        for (agent, deployed) in self.agents.iter().zip(&self.deployed) {
            until_ready(agent).await;
            deployed.cluster.until_available("kubeplex", "kubeplex-agent").await;
        }
    }

    async fn new_agent(&self, at: usize) -> Program {
        let (url, ca_file) = (format!("wss://{}", self.place), self.tls.ca_file());
        self.deployed[at].agent(&self.folder, &Dial { url: &url, ca_file: Some(&ca_file) }).await
    }

    /// Calls tools as somebody.
    pub(super) fn client(&self, user: &str) -> Client {
        let at = CALLERS.iter().position(|caller| caller.user == user).expect("a caller");
        self.callers[at].1.clone()
    }

    /// As a Deployment does it that has one pod more for a moment: the old agent ends when the new one is ready.
    pub(super) async fn roll(&mut self, at: usize) {
        let new = self.new_agent(at).await;
        until_ready(&new).await;
        end(&mut self.agents[at]).await;
        self.agents[at] = new;
    }

    /// As a Deployment does it that replaces its pod whole: the old agent ends first.
    pub(super) async fn recreate(&mut self, at: usize) {
        end(&mut self.agents[at]).await;
        self.agents[at] = self.new_agent(at).await;
        until_ready(&self.agents[at]).await;
    }

    /// Ends the gateway and starts it again, at the same place.
    pub(super) async fn restart_gateway(&mut self) {
        assert!(self.gateway.terminate().await.success(), "{}", self.gateway.log());
        self.check_log();
        let listen = self.place.replace("localhost", "0.0.0.0");
        let config = self.folder.path("gateway.toml");
        let config = config.to_str().expect("a path in UTF-8");
        (self.gateway, _) = start_program(&self.folder, config, &listen).await;
    }

    /// Ends the programs; the manifests stay.
    pub(super) async fn stop(mut self) -> Vec<Deployed> {
        for agent in &mut self.agents {
            end(agent).await;
        }
        assert!(self.gateway.terminate().await.success(), "{}", self.gateway.log());
        self.check_log();
        self.deployed
    }

    /// Nobody's token is in the gateway's log.
    fn check_log(&self) {
        let log = self.gateway.log();
        assert!(log.len() > 100, "a log at the level debug says something");
        assert!(self.callers.iter().all(|(made, _)| !log.contains(&made.token)), "a token is in the log");
    }
}

async fn end(agent: &mut Program) {
    assert!(agent.terminate().await.success(), "{}", agent.log());
}

/// Without clusters: their sections are not printed yet.
fn config(folder: &Folder, tls: &TlsFolder, callers: &[Made]) -> String {
    // Cursors go on after a restart.
    let key = folder.write("cursor.key", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
    let mut config = format!(
        "[gateway]\nlisten = \"0.0.0.0:0\"\nadmin = \"127.0.0.1:0\"\ncursor_key_file = {key:?}\n\
         [gateway.tls]\ncert_file = {:?}\nkey_file = {:?}\n",
        tls.cert_file(),
        tls.key_file()
    );
    config.extend(callers.iter().map(|caller| format!("\n{}", caller.section)));
    config
}

async fn start_gateway(folder: &Folder, config: &str, listen: &str) -> (Program, String) {
    let file = folder.write("gateway.toml", config);
    start_program(folder, &file, listen).await
}

/// The gateway, and its place by the name that its certificate is for.
async fn start_program(folder: &Folder, config: &str, listen: &str) -> (Program, String) {
    let arguments = ["--config", config, "--listen", listen, "--json"];
    let mut gateway = Program::start("kubeplex-gateway", &arguments, &[("KUBEPLEX_LOG", "debug")], folder);
    let ready: Value = serde_json::from_str(&gateway.line().await).expect("a line of JSON");
    let listen = text(&ready["listen"]);
    let port = listen.strip_prefix("0.0.0.0:").expect("every address of this machine");
    (gateway, format!("localhost:{port}"))
}
