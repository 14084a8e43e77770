//! A gateway and an agent for each cluster, as processes of their own: WebSockets, tokens and configuration files.

use kubeplex_cli::client::Client;
use kubeplex_tests::program::{Folder, Program};
use kubeplex_tests::real;
use kubeplex_tests::server::Server;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::ground::{self, CLUSTERS};

/// A cluster, and the kubeconfig with its context that an agent is given.
pub(crate) struct Site {
    pub(crate) server: Server,
    pub(crate) kubeconfig: String,
}

/// A gateway and its agents.
pub(crate) struct Fleet {
    pub(crate) folder: Folder,
    pub(crate) gateway: Program,
    /// In the order of the sites.
    pub(crate) agents: Vec<Program>,
    pub(crate) client: Client,
    pub(crate) endpoint: String,
    pub(crate) sites: Vec<Site>,
}

pub(crate) fn token(cluster: &str) -> String {
    format!("secret-token-of-{cluster}-0123456789abcdef")
}

pub(crate) async fn real_sites() -> Vec<Site> {
    let planes = real::control_planes().expect("real control planes");
    let kubeconfig = planes.kubeconfig.to_str().expect("a path in UTF-8").to_owned();
    let mut sites = Vec::new();
    for (name, ..) in CLUSTERS {
        let server = Server::new(name, ground::client(name).await);
        sites.push(Site { server, kubeconfig: kubeconfig.clone() });
    }
    sites
}

pub(crate) fn start_agent(folder: &Folder, site: &Site, gateway: &str, token: &str) -> Program {
    let name = &site.server.name;
    let token_file = folder.write(&format!("{name}.token"), token);
    let config = format!(
        "cluster = {name:?}\n[gateway]\nurl = {gateway:?}\ntoken_file = {token_file:?}\n\
         [kubernetes]\nkubeconfig = {:?}\ncontext = {name:?}\n",
        site.kubeconfig
    );
    let config = folder.write(&format!("{name}.toml"), &config);
    let environment = [("KUBEPLEX_LOG", "debug"), ("KUBEPLEX_LOG_FORMAT", "json")];
    Program::start("kubeplex-agent", &["--config", &config], &environment, folder)
}

pub(crate) async fn start(folder: Folder, sites: Vec<Site>) -> Fleet {
    let mut config = String::from("[gateway]\nlisten = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n");
    for Site { server, .. } in &sites {
        let hash: String =
            Sha256::digest(token(&server.name)).iter().map(|byte| format!("{byte:02x}")).collect();
        config += &format!("[[cluster]]\nname = {:?}\ntoken_sha256 = {hash:?}\n", server.name);
    }
    let config = folder.write("gateway.toml", &config);
    let mut gateway = Program::start(
        "kubeplex-gateway",
        &["--config", &config, "--json"],
        &[("KUBEPLEX_LOG", "debug")],
        &folder,
    );
    let ready: Value = serde_json::from_str(&gateway.line().await).expect("a line of JSON");
    let dial = format!("ws://{}", ready["listen"].as_str().expect("an address"));
    let agents =
        sites.iter().map(|site| start_agent(&folder, site, &dial, &token(&site.server.name))).collect();
    let endpoint = ready["endpoint"].as_str().expect("an endpoint").to_owned();
    let client = Client::new(&endpoint).expect("a client");
    Fleet { folder, gateway, agents, client, endpoint, sites }
}

impl Fleet {
    pub(crate) fn dial(&self) -> String {
        self.endpoint.replace("http://", "ws://").replace("/mcp", "")
    }
}
