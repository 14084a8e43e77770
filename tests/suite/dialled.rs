//! A gateway that dials: the program, and agents that listen as processes of their own, with certificates and tokens in files.

use kubeplex_cli::client::Client;
use kubeplex_gateway::config::TokenHash;
use kubeplex_test_support::pki::{Authority, TlsFolder};
use kubeplex_tests::program::{Folder, Program};
use kubeplex_tests::wait;
use rustix::process::Signal;
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::processes::simulated_sites;
use crate::separate::Site;

const CLUSTER: &str = "ap-1";

/// An agent that listens, and what it shows.
struct Agent {
    program: Program,
    address: String,
    tls: TlsFolder,
}

/// A gateway that dials the agent of one cluster, and where it finds out how.
struct Dialling {
    folder: Folder,
    site: Site,
    gateway: Program,
    client: Client,
    metrics: String,
    _servers: JoinSet<()>,
}

fn token(name: &str) -> String {
    format!("secret-token-{name}-0123456789abcdef")
}

/// Where the gateway reads the token and the authority from.
fn files(folder: &Folder) -> [String; 2] {
    ["agent.token", "agent-ca.pem"].map(|name| folder.path(name).to_str().expect("UTF-8").to_owned())
}

impl Agent {
    /// On a port of the system's choice, with a certificate that `authority` signed, for gateways that show `token`.
    async fn start(folder: &Folder, site: &Site, authority: &Authority, token: &str) -> Self {
        let tls = TlsFolder::new();
        tls.put(&authority.issue("localhost"));
        let program = Self::run(folder, site, &tls, "127.0.0.1:0", token);
        let address = wait::until("the agent listens", async || {
            let log = program.log();
            let told = log.lines().find(|line| line.contains("gateways may dial")).map(str::to_owned);
            let address = told.and_then(|line| Some(line.split("127.0.0.1:").nth(1)?.to_owned()));
            let port = address.map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
            port.ok_or(log)
        })
        .await;
        Self { program, address: format!("127.0.0.1:{address}"), tls }
    }

    fn run(folder: &Folder, site: &Site, tls: &TlsFolder, listen: &str, token: &str) -> Program {
        let config = format!(
            "cluster = {CLUSTER:?}\n[serve]\nlisten = {listen:?}\ncert_file = {:?}\nkey_file = {:?}\ntoken_sha256 = \"{}\"\n\
             [kubernetes]\nkubeconfig = {:?}\ncontext = {CLUSTER:?}\n",
            tls.cert_file(),
            tls.key_file(),
            TokenHash::of(token),
            site.kubeconfig,
        );
        let config = folder.write(&format!("agent-{}.toml", TokenHash::of(token)), &config);
        Program::start("kubeplex-agent", &["--config", &config], &[("KUBEPLEX_LOG", "info")], folder)
    }

    fn url(&self) -> String {
        self.address.replace("127.0.0.1", "https://localhost")
    }
}

impl Dialling {
    /// The gateway with `token` and `authority` in its files, and the agent that it dials.
    async fn start(token_in_file: &str, authority_in_file: &Authority, agents: &Authority) -> (Self, Agent) {
        let folder = Folder::new();
        let (sites, servers) = simulated_sites(&folder).await;
        let site = sites.into_iter().next().expect("a site");
        let agent = Agent::start(&folder, &site, agents, &token("one")).await;
        tell(&folder, &agent.url(), token_in_file, authority_in_file);
        let config = folder.path("gateway.toml").to_str().expect("UTF-8").to_owned();
        let arguments = ["--config", &config, "--json"];
        let mut gateway =
            Program::start("kubeplex-gateway", &arguments, &[("KUBEPLEX_LOG", "info")], &folder);
        let ready: Value = serde_json::from_str(&gateway.line().await).expect("a line of JSON");
        let client = Client::new(ready["endpoint"].as_str().expect("an endpoint")).expect("a client");
        let metrics = format!("http://{}/metrics", ready["admin"].as_str().expect("an address"));
        (Self { folder, site, gateway, client, metrics, _servers: servers }, agent)
    }

    /// Tells the gateway how the agent is dialled from now on.
    fn reload(&self, url: &str, token: &str, authority: &Authority) {
        tell(&self.folder, url, token, authority);
        self.gateway.signal(Signal::HUP);
    }

    async fn ask(&self, tool: &str, arguments: Value) -> Value {
        let arguments: Map<_, _> = arguments.as_object().cloned().expect("arguments");
        let exchange = self.client.call(tool, arguments, false).await.expect("an answer");
        exchange.structured().unwrap_or_else(|error| error).clone()
    }

    async fn until_whole(&self) {
        wait::until("pods of the cluster", async || {
            let answer = self.ask("pods_list", json!({"limit": 1_000})).await;
            if answer["total"].as_u64() > Some(30) && answer.get("partial").is_none() {
                Ok(())
            } else {
                Err(answer)
            }
        })
        .await;
    }

    /// Asks again and again until `steps` are done: no answer may be without the cluster.
    async fn no_call_fails_while<T>(&self, steps: impl Future<Output = T>) -> T {
        let done = CancellationToken::new();
        let calling = async {
            for count in 1_u64.. {
                // Another question each time: none is answered from what an earlier one left.
                let labels = format!("app!=none-{count}");
                let answer = self.ask("pods_list", json!({"limit": 3, "labelSelector": labels})).await;
                let whole = answer["total"].as_u64() > Some(30) && answer.get("partial").is_none();
                assert!(whole, "call {count}: {answer}; {}", self.gateway.log());
                if done.is_cancelled() {
                    return count;
                }
            }
            unreachable!("as many calls as there are numbers")
        };
        let stepping = async {
            let came_to = steps.await;
            done.cancel();
            came_to
        };
        let (calls, came_to) = tokio::join!(calling, stepping);
        assert!(calls > 2, "{calls} calls show nothing");
        came_to
    }

    /// Waits until `clusters_list` says these words of the cluster.
    async fn until_told(&self, words: &[&str]) {
        wait::until(&format!("clusters_list says {words:?}"), async || {
            let answer = self.ask("clusters_list", json!({})).await;
            let message =
                answer["clusters"]["problems"][0]["message"].as_str().unwrap_or_default().to_owned();
            if words.iter().all(|word| message.contains(word)) { Ok(()) } else { Err(message) }
        })
        .await;
    }

    /// How many lines of the gateway's log say all of these.
    fn said(&self, words: &[&str]) -> usize {
        let log = self.gateway.log();
        log.lines().filter(|line| words.iter().all(|word| line.contains(word))).count()
    }

    async fn until_said(&self, times: usize, words: &[&str]) {
        wait::until(&format!("the gateway's log says {words:?} {times} times"), async || {
            if self.said(words) >= times { Ok(()) } else { Err(self.gateway.log()) }
        })
        .await;
    }

    /// Waits until so many links were refused by the agent.
    async fn until_tried(&self, times: u64) {
        wait::until(&format!("{times} attempts"), async || {
            let told = reqwest::get(&self.metrics).await.expect("an answer").text().await.expect("text");
            let broken = told.lines().find_map(|line| {
                line.strip_prefix("kubeplex_gateway_links_ended_total{reason=\"broken\"} ")?
                    .parse::<u64>()
                    .ok()
            });
            if broken >= Some(times) { Ok(()) } else { Err(broken) }
        })
        .await;
    }

    async fn stop(mut self, agents: Vec<Agent>) {
        assert!(self.gateway.terminate().await.success(), "{}", self.gateway.log());
        for Agent { mut program, .. } in agents {
            assert!(program.terminate().await.success(), "{}", program.log());
            assert!(!program.log().contains("secret-token"), "a token in the agent's log");
        }
        assert!(!self.gateway.log().contains("secret-token"), "a token in the gateway's log");
    }
}

/// Writes the gateway's configuration and what it names.
fn tell(folder: &Folder, url: &str, token: &str, authority: &Authority) {
    let [token_file, ca_file] = files(folder);
    folder.write("agent.token", &format!("{token}\n"));
    folder.write("agent-ca.pem", authority.pem());
    let config = format!(
        "[gateway]\nlisten = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n[link]\nreconnect_max_ms = 500\n\
         [[cluster]]\nname = {CLUSTER:?}\nurl = {url:?}\ntoken_file = {token_file:?}\nca_file = {ca_file:?}\n"
    );
    folder.write("gateway.toml", &config);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_dialled_is_asked_and_found_again_after_a_restart() {
    let authority = Authority::new();
    let (dialling, mut agent) = Dialling::start(&token("one"), &authority, &authority).await;
    dialling.until_whole().await;
    for restart in 1..=2 {
        if restart == 1 {
            agent.program.kill().await;
        } else {
            assert!(agent.program.terminate().await.success(), "{}", agent.program.log());
        }
        dialling.until_told(&["no link for", "nobody answers where the agent is dialled"]).await;
        let Agent { tls, address, .. } = &agent;
        agent.program = Agent::run(&dialling.folder, &dialling.site, tls, address, &token("one"));
        dialling.until_whole().await;
    }
    dialling.stop(vec![agent]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_address_token_and_authority_are_taken_over_and_no_call_fails() {
    let [authority, next, last] = [Authority::new(), Authority::new(), Authority::new()];
    let (dialling, mut first) = Dialling::start(&token("one"), &authority, &authority).await;
    dialling.until_whole().await;
    let second = Agent::start(&dialling.folder, &dialling.site, &next, &token("second")).await;
    dialling
        .no_call_fails_while(async {
            dialling.reload(&second.url(), &token("second"), &next);
            dialling.until_said(2, &["linked"]).await;
            wait::until("the first agent is left", async || {
                let log = first.program.log();
                if log.contains("a gateway's link is over") { Ok(()) } else { Err(log) }
            })
            .await;
            assert!(first.program.terminate().await.success(), "{}", first.program.log());
            // The agent's certificate is renewed, by another authority, and the gateway told whom to believe.
            second.tls.put(&last.issue("localhost"));
            wait::until("the agent shows its new certificate", async || {
                let log = second.program.log();
                if log.contains("new connections are shown the new certificate") { Ok(()) } else { Err(log) }
            })
            .await;
            dialling.reload(&second.url(), &token("second"), &last);
            dialling.until_said(3, &["linked"]).await;
        })
        .await;
    dialling.until_whole().await;
    assert_eq!(dialling.said(&["ERROR"]), 0, "{}", dialling.gateway.log());
    dialling.stop(vec![second]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_and_a_wrong_authority_are_said_with_what_to_do() {
    let [authority, other] = [Authority::new(), Authority::new()];
    let (dialling, agent) = Dialling::start(&token("wrong"), &other, &authority).await;
    dialling.until_told(&["certificate is not trusted", "ca_file"]).await;
    dialling.until_said(1, &["ERROR", "no link to the agent", "not trusted", "ca_file", &agent.url()]).await;

    dialling.reload(&agent.url(), &token("wrong"), &authority);
    let refused = ["the agent refuses the gateway", "token is not the one", "SHA-256"];
    dialling.until_told(&refused).await;
    dialling.until_said(1, &["ERROR", "no link to the agent", refused[0], refused[2]]).await;
    wait::until("the agent says it, too", async || {
        let log = agent.program.log();
        let said = log.lines().any(|line| line.contains("another token") && line.contains("token_sha256"));
        if said { Ok(()) } else { Err(log) }
    })
    .await;
    dialling.until_tried(5).await;
    assert_eq!(dialling.said(&["no link to the agent", refused[0]]), 1, "{}", dialling.gateway.log());

    // A token is read whenever the agent is dialled.
    dialling.folder.write("agent.token", &token("one"));
    dialling.until_whole().await;
    dialling.stop(vec![agent]).await;
}
