//! A gateway as on a network: the program with a certificate, agents that dial wss://, and callers who see what their tokens
//! name.

use std::collections::BTreeSet;

use kubeplex_agent::Agent;
use kubeplex_agent::config::AgentConfig;
use kubeplex_agent::link::{self, LinkConfig};
use kubeplex_cli::client::{Access, Client, Token};
use kubeplex_gateway::config::TokenHash;
use kubeplex_link::timings::Timings;
use kubeplex_proto::ids::ClusterId;
use kubeplex_test_support::pki::{Authority, TlsFolder};
use kubeplex_tests::program::{self, Folder, Program};
use kubeplex_tests::rows;
use kubeplex_tests::server::{Server, key};
use kubeplex_tests::wait;
use serde_json::{Map, Value, json};
use simcluster::{SimCluster, SimConfig};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::tokens::{self, Made};

const CLUSTERS: [&str; 3] = ["prod-eu", "prod-us", "test"];

/// Who calls, and what `kubeplex token create` is told of them.
const CALLERS: [(&str, &[&str]); 4] = [
    ("ops", &["--group", "sre", "--cluster", "*", "--namespace", "*", "--kind", "*"]),
    ("shop", &["--cluster", "prod-*", "--namespace", "shop", "--kind", "*"]),
    ("deployer", &["--cluster", "*", "--namespace", "shop,payments", "--kind", "deployments.apps"]),
    (
        "capacity",
        &["--cluster", "test", "--namespace", "shop", "--kind", "pods", "--cluster-scoped", "nodes"],
    ),
];

/// Cluster, namespace and name.
type Keys = BTreeSet<(String, String, String)>;

struct Network {
    gateway: Program,
    endpoint: String,
    tls: TlsFolder,
    folder: Folder,
    servers: Vec<Server>,
    tokens: Vec<(&'static str, String)>,
    stop: CancellationToken,
    tracker: TaskTracker,
}

impl Network {
    async fn start() -> Self {
        let (folder, tls, authority) = (Folder::new(), TlsFolder::new(), Authority::new());
        tls.put(&authority.issue("localhost"));
        tls.trust(&authority);
        let mut config = format!(
            "[gateway]\nlisten = \"0.0.0.0:0\"\nadmin = \"127.0.0.1:0\"\n[gateway.tls]\ncert_file = {:?}\nkey_file = {:?}\n",
            tls.cert_file(),
            tls.key_file()
        );
        for name in CLUSTERS {
            config += &format!("[[cluster]]\nname = {name:?}\ntoken_sha256 = \"{}\"\n", TokenHash::of(name));
        }
        let mut tokens = Vec::new();
        for (user, reach) in CALLERS {
            let Made { token, section } = tokens::make(user, reach).await;
            config += &format!("{section}\n");
            tokens.push((user, token));
        }
        let config = folder.write("gateway.toml", &config);
        let arguments = ["--config", &config, "--json"];
        let mut gateway =
            Program::start("kubeplex-gateway", &arguments, &[("KUBEPLEX_LOG", "debug")], &folder);
        let ready: Value = serde_json::from_str(&gateway.line().await).expect("a line of JSON");
        let endpoint = ready["endpoint"].as_str().expect("an endpoint");
        assert!(endpoint.starts_with("https://0.0.0.0:"), "{endpoint}");
        let endpoint = endpoint.replace("0.0.0.0", "localhost");
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        let mut network = Self { gateway, endpoint, tls, folder, servers: Vec::new(), tokens, stop, tracker };
        network.start_agents();
        network.until_complete().await;
        network
    }

    fn start_agents(&mut self) {
        let url = self.endpoint.replace("https://", "wss://").replace("/mcp", "");
        for (seed, name) in (1..).zip(CLUSTERS) {
            let sim = SimCluster::new(SimConfig { pods: 60, nodes: 3, ..SimConfig::named(name, seed) });
            let client = || kube::Client::new(sim.service(), "default");
            self.servers.push(Server::new(name, client()));
            let id = ClusterId::new(name).expect("a name");
            let link = LinkConfig::new(&url, name, Some(&self.tls.ca_file()), id.clone(), Timings::default());
            let (tracker, stop) = (self.tracker.clone(), self.stop.clone());
            let agent = Agent::start(AgentConfig::of_cluster(id), client(), tracker.clone(), stop.clone());
            let link = link::run(link.expect("a link"), agent.router(), tracker, stop);
            drop(self.tracker.spawn(link));
        }
    }

    async fn until_complete(&self) {
        wait::until("ops sees every cluster whole", async || {
            let answer = self.ask("ops", "pods_list", json!({})).await.expect("an answer");
            if answer["clusters"]["answered"] == 3 && answer.get("partial").is_none() {
                Ok(())
            } else {
                Err(answer)
            }
        })
        .await;
    }

    fn token(&self, user: &str) -> &str {
        let found = self.tokens.iter().find(|(name, _)| *name == user);
        &found.expect("a caller").1
    }

    /// What a caller is answered, or the code of the refusal.
    async fn ask(&self, user: &str, tool: &str, arguments: Value) -> Result<Value, Value> {
        let token = Some(Token::new(self.token(user)).expect("a token"));
        let access = Access { token, ca_file: Some(self.tls.ca_file()) };
        let client = Client::with(self.endpoint.parse().expect("an endpoint"), access).expect("a client");
        let mut all: Map<_, _> =
            [("limit".to_owned(), json!(1_000)), ("maxBytes".to_owned(), json!(4 << 20))]
                .into_iter()
                .collect();
        all.extend(arguments.as_object().expect("arguments").clone());
        let exchange = client.call(tool, all, false).await.expect("an answer");
        exchange.structured().cloned().map_err(Clone::clone)
    }

    async fn rows(&self, user: &str, kind: &str) -> Result<Keys, String> {
        let answer = self.ask(user, "resources_list", json!({"kind": kind})).await;
        match answer {
            Ok(answer) => Ok(rows::of(&answer).iter().map(rows::Row::key).collect()),
            Err(error) => Err(error["code"].as_str().unwrap_or_default().to_owned()),
        }
    }

    /// What the API servers have, of these clusters and namespaces.
    async fn truth(&self, path: &str, clusters: &[&str], namespaces: Option<&[&str]>) -> Keys {
        let mut keys = Keys::new();
        for server in self.servers.iter().filter(|server| clusters.contains(&server.name.as_str())) {
            let listed = server.list(path).await;
            let in_reach = |namespace: &str| namespaces.is_none_or(|reach| reach.contains(&namespace));
            let seen = listed.iter().map(key).filter(|(namespace, _)| in_reach(namespace));
            keys.extend(seen.map(|(namespace, name)| (server.name.clone(), namespace, name)));
        }
        keys
    }

    async fn stop(mut self) {
        assert!(self.gateway.terminate().await.success(), "{}", self.gateway.log());
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
        let log = self.gateway.log();
        for (user, token) in &self.tokens {
            assert!(!log.contains(token), "the token of {user} is in the log");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_tokens_show_what_they_name() {
    let network = Network::start().await;
    let (prod, shop) = (&CLUSTERS[..2], Some(&["shop"][..]));
    let shops = Some(&["shop", "payments"][..]);
    const PODS: &str = "/api/v1/pods";
    const NODES: &str = "/api/v1/nodes";
    const DEPLOYMENTS: &str = "/apis/apps/v1/deployments";
    // What a token does not name is like what there is not.
    let nothing = || Err("not_found".to_owned());
    for (user, kind, wanted) in [
        ("ops", "pods", Ok(network.truth(PODS, &CLUSTERS, None).await)),
        ("ops", "deployments", Ok(network.truth(DEPLOYMENTS, &CLUSTERS, None).await)),
        ("ops", "nodes", Ok(network.truth(NODES, &CLUSTERS, None).await)),
        ("shop", "pods", Ok(network.truth(PODS, prod, shop).await)),
        ("shop", "deployments", Ok(network.truth(DEPLOYMENTS, prod, shop).await)),
        ("shop", "nodes", nothing()),
        ("deployer", "pods", nothing()),
        ("deployer", "deployments", Ok(network.truth(DEPLOYMENTS, &CLUSTERS, shops).await)),
        ("deployer", "nodes", nothing()),
        ("capacity", "pods", Ok(network.truth(PODS, &["test"], shop).await)),
        ("capacity", "deployments", nothing()),
        ("capacity", "nodes", Ok(network.truth(NODES, &["test"], None).await)),
    ] {
        assert!(wanted.as_ref().is_ok_and(|keys| !keys.is_empty()) || wanted.is_err(), "{user} {kind}: weak");
        assert_eq!(network.rows(user, kind).await, wanted, "{user} {kind}");
    }
    for (user, clusters, nodes) in [
        ("ops", &CLUSTERS[..], true),
        ("shop", prod, false),
        ("deployer", &CLUSTERS[..], false),
        ("capacity", &["test"], true),
    ] {
        let listed = network.ask(user, "clusters_list", json!({})).await.expect("an answer");
        assert_eq!(listed["clusters"]["expected"], clusters.len(), "{user}");
        let rows = rows::of(&listed);
        assert_eq!(rows.iter().map(rows::Row::name).collect::<Vec<_>>(), clusters, "{user}");
        assert!(rows.iter().all(|row| row.cell("nodes").is_null() != nodes), "{user}: {listed}");
    }
    // Two clusters of which one is out of reach: the answer is as if there were no such name.
    let named = json!({"cluster": "prod-eu,test"});
    let refused = network.ask("shop", "pods_list", named).await.expect_err("a refusal");
    assert_eq!(refused["code"], "not_found", "{refused}");
    network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_shows_a_token_and_believes_a_named_authority() {
    let network = Network::start().await;
    let (token, wrong) =
        (network.folder.write("token", network.token("shop")), network.folder.write("wrong", "wrong"));
    let ca_file = network.tls.ca_file();
    let trusting = ["--ca-file", ca_file.to_str().expect("a path in UTF-8")];
    for (more, status, told) in [
        ([&trusting[..], &["--token-file", &token]].concat(), 0, ""),
        (trusting.to_vec(), 3, "unauthenticated: no token was shown"),
        ([&trusting[..], &["--token-file", &wrong]].concat(), 3, "unauthenticated: the token is not one"),
        (vec!["--token-file", &token], 1, "no gateway answers at https://localhost"),
        (vec!["--token-file", "/does/not/exist"], 1, "--token-file: /does/not/exist can't be read"),
    ] {
        let arguments = [&["clusters", "--endpoint", &network.endpoint][..], &more].concat();
        let output = program::run("kubeplex", &arguments, "").await;
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{more:?}: {error}");
        assert!(error.contains(told), "{more:?}: {error}");
        let shown = String::from_utf8_lossy(&output.stdout);
        assert_eq!(shown.contains("prod-us"), status == 0, "{more:?}: {shown}");
        assert!(!shown.contains("test"), "{shown}");
    }
    network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_could_not_be_used_is_not_made() {
    for (arguments, told) in [
        (
            &["--user", "system:admin", "--cluster", "*", "--namespace", "*", "--kind", "*"][..],
            "Kubernetes' own",
        ),
        (
            &[
                "--user",
                "a",
                "--group",
                "system:masters",
                "--cluster",
                "*",
                "--namespace",
                "*",
                "--kind",
                "*",
            ],
            "groups[0]",
        ),
        (
            &["--user", "a", "--cluster", "*", "--namespace", "*", "--kind", "Pods"],
            "kinds[0]: \"Pods\" can match nothing",
        ),
        (&["--user", "a", "--namespace", "*", "--kind", "*"], "--cluster"),
        (&["--user", "a", "--cluster", "*"], "--namespace"),
    ] {
        let output = program::run("kubeplex", &[&["token", "create"][..], arguments].concat(), "").await;
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}");
        assert!(error.contains(told), "{arguments:?}: {error}");
    }
    let good = ["token", "create", "--user", "a", "--cluster", "*", "--namespace", "*", "--kind", "*"];
    let output = program::run("kubeplex", &good, "").await;
    let (token, section) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(token.trim_end().len(), 64, "{token}");
    assert!(
        section.contains(&format!("token_sha256 = \"{}\"", TokenHash::of(token.trim_end()))),
        "{section}"
    );
    assert!(
        section.starts_with("# For the configuration of the gateway:\n[[caller]]\nuser = \"a\"\n"),
        "{section}"
    );
}
