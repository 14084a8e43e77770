//! Agents behind a proxy that the environment names: the programs, and a proxy that lets them out or does not.

use kubeplex_cli::client::{Access, Client};
use kubeplex_gateway::config::TokenHash;
use kubeplex_test_support::connect_proxy::{ConnectProxy, Manners};
use kubeplex_test_support::pki::{Authority, TlsFolder};
use kubeplex_tests::program::{Folder, Program};
use kubeplex_tests::rows::{self, Row};
use kubeplex_tests::wait;
use serde_json::{Map, Value};
use tokio::task::JoinSet;

use crate::processes::simulated_sites;
use crate::separate::{Site, token};

pub(crate) const CLUSTER: &str = "ap-1";

/// A name that nobody but the proxy knows the way to.
const FAR_AWAY: &str = "gateway.test";

/// `alice:s3cret`.
const ALICE: &str = "Basic YWxpY2U6czNjcmV0";

/// What an agent says that it is, and shows.
pub(crate) struct Credentials<'a> {
    pub(crate) cluster: &'a str,
    pub(crate) token: &'a str,
}

/// An agent's surroundings: its cluster, whom it believes, and a gateway with a certificate.
pub(crate) struct Surroundings {
    folder: Folder,
    tls: TlsFolder,
    site: Site,
    pub(crate) gateway: Program,
    port: u16,
    client: Client,
    _servers: JoinSet<()>,
}

impl Surroundings {
    pub(crate) async fn new() -> Self {
        let (folder, tls, authority) = (Folder::new(), TlsFolder::new(), Authority::new());
        tls.put(&authority.issue_for(&["localhost", FAR_AWAY]));
        tls.trust(&authority);
        let (sites, servers) = simulated_sites(&folder).await;
        let config = format!(
            "[gateway]\nlisten = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n[gateway.tls]\ncert_file = {:?}\nkey_file = {:?}\n\
             [[cluster]]\nname = {CLUSTER:?}\ntoken_sha256 = \"{}\"\n",
            tls.cert_file(),
            tls.key_file(),
            TokenHash::of(&token(CLUSTER)),
        );
        let config = folder.write("gateway.toml", &config);
        let mut gateway = Program::start("kubeplex-gateway", &["--config", &config, "--json"], &[], &folder);
        let ready: Value = serde_json::from_str(&gateway.line().await).expect("a line of JSON");
        let endpoint = ready["endpoint"].as_str().expect("an endpoint").replace("127.0.0.1", "localhost");
        let port = ready["listen"].as_str().and_then(|address| address.parse::<std::net::SocketAddr>().ok());
        let access = Access { ca_file: Some(tls.ca_file()), ..Access::default() };
        let client = Client::with(endpoint.parse().expect("an endpoint"), access).expect("a client");
        let site = sites.into_iter().next().expect("a site");
        Self { folder, tls, site, gateway, port: port.expect("a port").port(), client, _servers: servers }
    }

    /// The agent of the cluster.
    fn own_agent(&self, host: &str, environment: &[(&str, &str)]) -> Program {
        self.agent(host, &Credentials { cluster: CLUSTER, token: &token(CLUSTER) }, environment)
    }

    fn address(&self) -> std::net::SocketAddr {
        std::net::SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// An agent that is to dial `host` with these credentials, in an environment that says so of proxies.
    pub(crate) fn agent(&self, host: &str, shown: &Credentials<'_>, environment: &[(&str, &str)]) -> Program {
        let (token_file, cluster) = (self.put_token(shown.token), shown.cluster);
        let config = format!(
            "cluster = {cluster:?}\n[gateway]\nurl = \"wss://{host}:{}\"\ntoken_file = {token_file:?}\nca_file = {:?}\n\
             [link]\ndial_timeout_s = 2\nreconnect_max_s = 1\n[kubernetes]\nkubeconfig = {:?}\ncontext = {CLUSTER:?}\n",
            self.port,
            self.tls.ca_file(),
            self.site.kubeconfig,
        );
        let config = self.folder.write("agent.toml", &config);
        let environment = [environment, &[("KUBEPLEX_LOG", "info")]].concat();
        Program::start("kubeplex-agent", &["--config", &config], &environment, &self.folder)
    }

    /// What the agent shows whenever it dials from now on.
    pub(crate) fn put_token(&self, token: &str) -> String {
        self.folder.write("agent.token", token)
    }

    pub(crate) async fn clusters(&self) -> Value {
        let exchange = self.client.call("clusters_list", Map::new(), false).await.expect("an answer");
        exchange.structured().expect("clusters").clone()
    }

    pub(crate) async fn until_linked(&self, agent: &Program) {
        wait::until("the cluster is linked", async || {
            let answer = self.clusters().await;
            let linked = rows::of(&answer).iter().any(|row: &Row| row.cell("link") == "connected");
            if linked { Ok(()) } else { Err((answer, agent.log())) }
        })
        .await;
    }

    pub(crate) async fn stop(mut self, mut agent: Program) {
        assert!(agent.terminate().await.success(), "{}", agent.log());
        assert!(self.gateway.terminate().await.success(), "{}", self.gateway.log());
        for secret in ["s3cret", "YWxp", &token(CLUSTER)] {
            assert!(!agent.log().contains(secret), "a secret in the log: {}", agent.log());
        }
    }
}

/// Waits until a line of the log says all of these.
async fn until_said(agent: &Program, words: &[&str]) {
    wait::until(&format!("the agent's log says {words:?}"), async || {
        let log = agent.log();
        let said = log.lines().any(|line| words.iter().all(|word| line.contains(word)));
        if said { Ok(()) } else { Err(log) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_links_through_the_proxy_of_its_environment() {
    let surroundings = Surroundings::new().await;
    let proxy = ConnectProxy::to(surroundings.address(), Manners::OpenTo(ALICE.to_owned())).await;
    let named = format!("http://alice:s3cret@{}", proxy.address);
    let agent = surroundings.own_agent(FAR_AWAY, &[("HTTPS_PROXY", &named), ("NO_PROXY", "other.test")]);
    surroundings.until_linked(&agent).await;
    assert_eq!(proxy.asked(), [format!("{FAR_AWAY}:{}", surroundings.port)], "it looks the name up");
    let address = format!("http://{}", proxy.address);
    until_said(&agent, &["the gateway is dialled through a proxy", &address]).await;
    surroundings.stop(agent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_opens_no_way_is_named_with_what_is_wrong() {
    let surroundings = Surroundings::new().await;
    for (manners, told) in [
        (Manners::OpenTo("Basic else".to_owned()), ["407", "write USER:PASSWORD@ before its name"]),
        (
            Manners::Say("HTTP/1.1 403 Forbidden\r\nContent-Length: 16\r\n\r\nnot on this list"),
            ["403 Forbidden: not on this list", "have it allow CONNECT to the gateway's host and port"],
        ),
        (Manners::Hang, ["no answer within 2s", "have it allow CONNECT"]),
    ] {
        let proxy = ConnectProxy::to(surroundings.address(), manners).await;
        let named = format!("http://alice:s3cret@{}", proxy.address);
        let mut agent = surroundings.own_agent(FAR_AWAY, &[("HTTPS_PROXY", &named)]);
        let place = format!("wss://{FAR_AWAY}:{}/agent/v1/link", surroundings.port);
        let address = format!("through the proxy http://{}: ", proxy.address);
        until_said(&agent, &[&place, &address, told[0], told[1]]).await;
        assert!(!agent.log().contains("s3cret") && !agent.log().contains("YWxp"), "{}", agent.log());
        agent.kill().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_no_proxy_is_dialled_without_one() {
    let surroundings = Surroundings::new().await;
    let proxy = ConnectProxy::to(surroundings.address(), Manners::Hang).await;
    let named = format!("http://{}", proxy.address);
    let mut agent =
        surroundings.own_agent(FAR_AWAY, &[("HTTPS_PROXY", &named), ("NO_PROXY", "x.test, .gateway.test")]);
    // Nobody else knows the way there.
    until_said(&agent, &["no link to the gateway", FAR_AWAY]).await;
    assert!(!agent.log().contains("proxy"), "{}", agent.log());
    agent.kill().await;
    // This machine is never reached through a proxy.
    let agent = surroundings.own_agent("localhost", &[("HTTPS_PROXY", &named)]);
    surroundings.until_linked(&agent).await;
    assert!(proxy.asked().is_empty(), "{:?}", proxy.asked());
    surroundings.stop(agent).await;
}
