//! The programs as processes of their own: a gateway and three agents over WebSockets, tokens and configuration files, on
//! simulated clusters that are served over loopback and on real ones; and the program for a person.

use std::time::{Duration, Instant};

use kubeplex_tests::program::{self, Folder, Program};
use kubeplex_tests::rows::{self, Row};
use kubeplex_tests::server::{Server, key};
use kubeplex_tests::{real, wait};
use rustix::process::Signal;
use serde_json::{Map, Value, json};
use simcluster::{SimCluster, SimConfig};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::ground::{self, CLUSTERS};
use crate::leaks;
use crate::separate::{Fleet, Site, real_sites, start, start_agent, token};

/// A link is lost after 12 s of silence, by a heartbeat's jitter later at most.
const NOTICED_WITHIN: Duration = Duration::from_secs(15);

/// Simulated clusters on loopback, for as long as the set of their servers is kept.
pub(crate) async fn simulated_sites(folder: &Folder) -> (Vec<Site>, JoinSet<()>) {
    let (mut sites, mut servers) = (Vec::new(), JoinSet::new());
    for (seed, (name, ..)) in (1..).zip(CLUSTERS) {
        let sim = SimCluster::new(SimConfig { pods: 30, nodes: 3, ..SimConfig::named(name, seed) });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": format!("http://{address}")}}],
            "users": [{"name": "agent", "user": {}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": "agent"}}],
        });
        let kubeconfig = folder.write(&format!("{name}.kubeconfig"), &kubeconfig.to_string());
        let server = Server::new(name, kube::Client::new(sim.service(), "default"));
        servers.spawn(async move { sim.serve(listener, std::future::pending()).await.expect("it serves") });
        sites.push(Site { server, kubeconfig });
    }
    (sites, servers)
}

impl Fleet {
    async fn pods(&self) -> Value {
        let arguments = [("limit".to_owned(), json!(1_000)), ("maxBytes".to_owned(), json!(4 << 20))];
        let arguments = arguments.into_iter().collect::<Map<_, _>>();
        let exchange = self.client.call("pods_list", arguments, false).await.expect("an answer");
        exchange.structured().unwrap_or_else(|error| error).clone()
    }

    /// Waits until the rows are those of all servers but these, which are told to be missing.
    pub(crate) async fn until_all_but(&self, missing: &[&str]) -> Duration {
        let began = Instant::now();
        let mut pods = Vec::new();
        for Site { server, .. } in
            self.sites.iter().filter(|site| !missing.contains(&site.server.name.as_str()))
        {
            let listed = server.list("/api/v1/pods").await;
            pods.extend(
                listed.iter().map(key).map(|(namespace, name)| (server.name.clone(), namespace, name)),
            );
        }
        pods.sort();
        wait::until(&format!("all rows but those of {missing:?}"), async || {
            let answer = self.pods().await;
            let problems = answer["clusters"]["problems"].as_array().cloned().unwrap_or_default();
            let told: Vec<_> =
                problems.iter().map(|problem| (&problem["cluster"], &problem["status"])).collect();
            let wanted: Vec<_> = missing.iter().map(|name| json!(name)).collect();
            let disconnected = json!("disconnected");
            let wanted: Vec<_> = wanted.iter().map(|name| (name, &disconnected)).collect();
            let complete = answer
                .get("groups")
                .is_some_and(|_| rows::of(&answer).iter().map(Row::key).eq(pods.iter().cloned()));
            let partial = answer["partial"] == true;
            if complete && told == wanted && partial != missing.is_empty() {
                Ok(())
            } else {
                Err(answer["clusters"].to_string())
            }
        })
        .await;
        began.elapsed()
    }

    /// What the logs at the level debug must not hold.
    fn check_logs(&self) {
        for program in self.agents.iter().chain([&self.gateway]) {
            let log = program.log();
            assert!(log.len() > 100, "a log at the level debug says something");
            for line in log.lines() {
                assert!(!leaks::leaks(line), "a secret in a log: {line}");
                assert!(!line.contains("secret-token-of"), "a token in a log: {line}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_and_three_agents_serve_simulated_clusters() {
    let folder = Folder::new();
    let (sites, _servers) = simulated_sites(&folder).await;
    agents_come_and_go(start(folder, sites).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_and_three_agents_serve_real_clusters() {
    if real::control_planes().is_none() {
        return real::skipped("a_gateway_and_three_agents_serve_real_clusters");
    }
    let _quiet = ground::reading().await;
    agents_come_and_go(start(Folder::new(), real_sites().await).await).await;
}

async fn agents_come_and_go(mut fleet: Fleet) {
    fleet.until_all_but(&[]).await;
    // Killed: the connection breaks, which is noticed sooner than silence.
    fleet.agents[1].kill().await;
    let noticed = fleet.until_all_but(&["eu-1"]).await;
    assert!(noticed < NOTICED_WITHIN, "a killed agent was noticed after {noticed:?}");
    fleet.agents[1] = start_agent(&fleet.folder, &fleet.sites[1], &fleet.dial(), &token("eu-1"));
    fleet.until_all_but(&[]).await;

    // Frozen: only its silence tells.
    fleet.agents[2].signal(Signal::STOP);
    let noticed = fleet.until_all_but(&["us-1"]).await;
    assert!(
        noticed < NOTICED_WITHIN + Duration::from_secs(5),
        "a frozen agent was noticed after {noticed:?}"
    );
    fleet.agents[2].signal(Signal::CONT);
    fleet.until_all_but(&[]).await;

    let output = program::run("kubeplex", &["clusters", "--json", "--endpoint", &fleet.endpoint], "").await;
    let clusters: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let links: Vec<_> =
        rows::of(&clusters).iter().map(|row| (row.name().to_owned(), row.cell("link").clone())).collect();
    assert_eq!(links, CLUSTERS.map(|(name, ..)| (name.to_owned(), json!("connected"))));

    // Asked to end, an agent says good-bye first.
    assert!(fleet.agents[0].terminate().await.success(), "{}", fleet.agents[0].log());
    fleet.until_all_but(&["ap-1"]).await;
    assert!(fleet.gateway.terminate().await.success(), "{}", fleet.gateway.log());
    fleet.check_logs();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_with_a_wrong_token_stays_out_and_says_why() {
    let folder = Folder::new();
    let (sites, _servers) = simulated_sites(&folder).await;
    let mut fleet = start(folder, sites).await;
    fleet.until_all_but(&[]).await;
    fleet.agents[0].kill().await;
    fleet.until_all_but(&["ap-1"]).await;
    // The token of another cluster is as wrong as any.
    let wrong = start_agent(&fleet.folder, &fleet.sites[0], &fleet.dial(), &token("eu-1"));
    let told = wait::until("the refusal in the agent's log", async || {
        let log = wrong.log();
        let line = log.lines().find(|line| line.contains("\"ERROR\""));
        line.map(str::to_owned).ok_or_else(|| log.lines().last().unwrap_or_default().to_owned())
    })
    .await;
    assert!(told.contains("token"), "what to look at is said: {told}");
    fleet.until_all_but(&["ap-1"]).await;
    fleet.agents.push(wrong);
    fleet.check_logs();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_is_asked_by_the_program() {
    let folder = Folder::new();
    let any = "127.0.0.1:0";
    let arguments = ["demo", "--json", "--clusters", "3", "--pods", "30", "--listen", any, "--admin", any];
    let mut demo = Program::start("kubeplex", &arguments, &[], &folder);
    let ready: Value = serde_json::from_str(&demo.line().await).expect("a line of JSON");
    let clusters = ready["clusters"].as_array().expect("clusters");
    assert!(clusters.len() == 3 && clusters.iter().all(|cluster| cluster["ready"] == true), "{ready}");
    let endpoint = ready["endpoint"].as_str().expect("an endpoint");

    let call = async |arguments: &[&str], input: &str| {
        let all: Vec<_> = ["call", "--endpoint", endpoint].iter().chain(arguments).copied().collect();
        let output = program::run("kubeplex", &all, input).await;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, answer, _) = call(&["--json", "pods_list", "-"], r#"{"limit":5}"#).await;
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!((code, rows::of(&answer).len(), &answer["clusters"]["answered"]), (Some(0), 5, &json!(3)));

    let (code, table, trace) = call(&["pods_list", r#"{"limit":6}"#, "--trace"], "").await;
    assert!(code == Some(0) && table.starts_with("cluster  "), "{table}");
    let header: Vec<_> = table.lines().next().expect("a header").split_whitespace().collect();
    assert_eq!(header[..5], ["cluster", "namespace", "name", "ready", "status"]);
    for said in ["tools/call", "structuredContent", "resolve", "merge"] {
        assert!(trace.contains(said), "{said} is missing in the trace: {trace}");
    }
    for cluster in clusters {
        assert!(trace.contains(cluster["name"].as_str().expect("a name")), "{trace}");
    }
    let (code, nothing, error) = call(&["pods_list", r#"{"cluster":"nowhere"}"#], "").await;
    assert!(code == Some(3) && nothing.is_empty(), "{nothing}");
    assert!(error.starts_with("not_found: ") && error.contains("nowhere"), "{error}");

    demo.signal(Signal::INT);
    assert!(demo.ended().await.success(), "{}", demo.log());
}
