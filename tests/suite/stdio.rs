//! MCP over standard input and output, as clients drive it that start a process.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Stdio;

use kubeplex_tests::program::{self, Folder, Program};
use kubeplex_tests::wait;
use rustix::process::Signal;
use serde_json::{Value, json};
use simcluster::{Fault, FaultAction, SimCluster, SimConfig, Verb};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::task::JoinSet;

mod under_way;

const ANY: &str = "127.0.0.1:0";

/// A home with a kubeconfig of one simulated cluster.
struct Home {
    folder: Folder,
    kubeconfig: String,
    sim: SimCluster,
    _server: JoinSet<()>,
}

/// A `kubeplex stdio`, and the client that started it.
struct Client {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Home {
    async fn new() -> Self {
        let folder = Folder::new();
        let sim = SimCluster::new(SimConfig { pods: 20, nodes: 2, ..SimConfig::named("sim", 1) });
        let listener = TcpListener::bind(ANY).await.expect("a port");
        let server = format!("http://{}", listener.local_addr().expect("its address"));
        let (mut serving, served) = (JoinSet::new(), sim.clone());
        serving
            .spawn(async move { served.serve(listener, std::future::pending()).await.expect("it serves") });
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "users": [{"name": "me", "user": {}}],
            "clusters": [{"name": "sim", "cluster": {"server": server}}],
            "contexts": [{"name": "sim", "context": {"cluster": "sim", "user": "me"}}],
        });
        let kubeconfig = folder.write("kubeconfig", &kubeconfig.to_string());
        Self { folder, kubeconfig, sim, _server: serving }
    }

    /// Where programs of this home find each other.
    fn state(&self) -> String {
        self.folder.path("state").to_str().expect("a path in UTF-8").to_owned()
    }

    fn files(&self) -> Vec<std::path::PathBuf> {
        let files = std::fs::read_dir(self.folder.path("state").join("kubeplex"));
        files.into_iter().flatten().map(|file| file.expect("a file").path()).collect()
    }

    /// Says that the gateway of this home is at `address`, with its health.
    async fn announce(&self, address: SocketAddr) {
        let mut local = self.local();
        local.line().await;
        local.kill().await;
        let [file] = self.files().try_into().expect("one file");
        let mut said: Value = serde_json::from_slice(&std::fs::read(&file).expect("the file")).expect("JSON");
        said["instance"] = json!("made by hand");
        for at in ["listen", "admin"] {
            said[at] = json!(address);
        }
        std::fs::write(&file, said.to_string()).expect("the file");
    }

    fn local(&self) -> Program {
        let arguments =
            ["local", "--kubeconfig", &self.kubeconfig, "--listen", ANY, "--admin", ANY, "--json"];
        let state = self.state();
        std::fs::create_dir_all(&state).expect("a folder");
        Program::start("kubeplex", &arguments, &[("XDG_RUNTIME_DIR", &state)], &self.folder)
    }

    fn client(&self, name: &str) -> Client {
        std::fs::create_dir_all(self.state()).expect("a folder");
        let mut child = program::command("kubeplex", &["stdio", "--kubeconfig", &self.kubeconfig, "-v"])
            .env("XDG_RUNTIME_DIR", self.state())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(self.folder.path(name)).expect("a log"))
            .spawn()
            .expect("it starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("its output")).lines();
        Client { child, input, output }
    }

    /// What a client's `kubeplex stdio` has logged.
    fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path(name)).expect("the log")
    }
}

impl Client {
    async fn send(&mut self, message: &Value) {
        let line = format!("{message}\n");
        self.input.as_mut().expect("its input").write_all(line.as_bytes()).await.expect("it reads");
    }

    /// The next message: everything on standard output is one.
    async fn receive(&mut self) -> Value {
        let line = tokio::time::timeout(wait::PATIENCE, self.output.next_line()).await;
        let line = line.expect("a line in time").expect("its output").expect("a line before the end");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    /// The answer to a request, after whatever comes before it.
    async fn ask(&mut self, id: u64, method: &str, params: Value) -> Value {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await;
        loop {
            let message = self.receive().await;
            if message["id"] == id {
                return message;
            }
        }
    }

    /// Introduces itself as clients of the older era do.
    async fn initialize(&mut self) {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"}});
        let answer = self.ask(1, "initialize", params).await;
        assert_eq!(answer["result"]["protocolVersion"], "2025-11-25", "{answer}");
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    }

    /// How many pods there are, asked in the older era.
    async fn pods(&mut self, id: u64) -> Value {
        let answer = self.ask(id, "tools/call", json!({"name": "pods_list", "arguments": {}})).await;
        answer["result"]["structuredContent"]["total"].clone()
    }

    /// The same in the newer era, which has no sessions.
    async fn pods_without_session(&mut self, id: u64) -> Value {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let params = json!({"name": "pods_list", "arguments": {}, "_meta": meta});
        let answer = self.ask(id, "tools/call", params).await;
        answer["result"]["structuredContent"]["total"].clone()
    }

    /// Closes its input, and waits until it has ended.
    async fn end(mut self) {
        drop(self.input.take());
        let ended = tokio::time::timeout(wait::PATIENCE, self.child.wait()).await;
        assert!(ended.expect("it ends").expect("its status").success());
        let rest = self.output.next_line().await.expect("its output");
        assert_eq!(rest, None, "nothing is said that nobody asked for");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_eras_are_spoken_by_a_gateway_of_its_own() {
    let home = Home::new().await;
    let mut client = home.client("first");
    client.initialize().await;
    let pods = client.pods(2).await;
    assert!(pods.as_u64().is_some_and(|pods| pods > 20), "{pods}: {}", home.log("first"));
    assert_eq!(client.pods_without_session(3).await, pods);
    let tools = client.ask(4, "tools/list", json!({})).await;
    assert!(tools["result"]["tools"].as_array().is_some_and(|tools| tools.len() > 3), "{tools}");
    // Mistakes are answered, each as what it is.
    client.input.as_mut().expect("its input").write_all(b"no json\n\n[]\n").await.expect("it reads");
    assert_eq!(client.receive().await["error"]["code"], -32_700);
    assert_eq!(client.receive().await["error"]["code"], -32_600);
    let unknown = client.ask(5, "tools/call", json!({"name": "pods"})).await;
    assert_eq!(unknown["error"]["code"], -32_602, "{unknown}");
    assert_eq!(home.files().len(), 1, "others can join it");
    client.end().await;
    assert!(home.files().is_empty(), "it leaves nothing behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_before_the_input_ends_is_answered() {
    let home = Home::new().await;
    let mut client = home.client("first");
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"}});
    client.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})).await;
    drop(client.input.take());
    assert_eq!(client.receive().await["id"], 1);
    client.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_gateway_is_joined_and_its_end_is_survived() {
    let home = Home::new().await;
    let mut local = home.local();
    let ready: Value = serde_json::from_str(&local.line().await).expect("JSON");
    let endpoint = ready["endpoint"].as_str().expect("an endpoint").to_owned();
    let [file] = home.files().try_into().expect("one file");
    let said: Value = serde_json::from_slice(&std::fs::read(&file).expect("the file")).expect("JSON");
    assert!(endpoint.contains(said["listen"].as_str().expect("an address")), "{said}");

    let mut client = home.client("first");
    client.initialize().await;
    let pods = client.pods(2).await;
    assert!(
        home.log("first").contains(&format!("joining a gateway that runs already endpoint=\"{endpoint}\"")),
        "{}",
        home.log("first")
    );
    // Killed, it can't take its file away.
    local.signal(Signal::KILL);
    local.ended().await;
    assert!(file.exists());
    assert_eq!(client.pods(3).await, pods, "{}", home.log("first"));
    assert_eq!(client.pods_without_session(4).await, pods);
    assert!(home.log("first").contains("no gateway runs: starting one"), "{}", home.log("first"));

    // Another client joins the one that was started in its place.
    let mut second = home.client("second");
    second.initialize().await;
    assert_eq!(second.pods(2).await, pods);
    assert!(home.log("second").contains("joining a gateway that runs already"), "{}", home.log("second"));
    second.end().await;
    client.end().await;
    assert!(home.files().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_taken_back_ends_at_the_api_server_and_is_not_answered() {
    let home = Home::new().await;
    let mut client = home.client("first");
    client.initialize().await;
    let pods = client.pods(2).await;
    let faults = home.sim.faults();
    // Only live reads get no answer: watches and their lists are in place.
    let hangs = faults.add(Fault::new(FaultAction::Hang).verb(Verb::List).resource("pods"));
    let live = json!({"name": "pods_list", "arguments": {"freshness": "live", "timeoutSeconds": 60}});
    client.send(&json!({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": live})).await;
    wait::until("the API server to be asked", async || match faults.applied(hangs) {
        0 => Err("it was not asked yet"),
        _ => Ok(()),
    })
    .await;
    let enough = json!({"requestId": 3, "reason": "enough"});
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": enough})).await;
    wait::until("the request to be given up", async || {
        let stats = home.sim.stats();
        if stats.in_flight == stats.open_watches { Ok(()) } else { Err(stats) }
    })
    .await;
    faults.remove(hangs);
    // Whoever takes a request back does not want its answer: the next message is that to the next request.
    client.send(&json!({"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": live})).await;
    let answer = client.receive().await;
    assert_eq!(answer["id"], 4, "{answer}: {}", home.log("first"));
    assert_eq!(answer["result"]["structuredContent"]["total"], pods, "{answer}");
    client.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_requests_at_once_than_there_are_places_are_all_answered() {
    let home = Home::new().await;
    let mut client = home.client("first");
    client.initialize().await;
    let asked: BTreeSet<u64> = (2..10_002).collect();
    let lines: String = asked
        .iter()
        .map(|id| format!("{}\n", json!({"jsonrpc": "2.0", "id": id, "method": "ping"})))
        .collect();
    let mut input = client.input.take().expect("its input");
    let write = async {
        input.write_all(lines.as_bytes()).await.expect("it reads");
        input
    };
    let read = async {
        let mut answered = BTreeSet::new();
        while answered.len() < asked.len() {
            answered.insert(client.receive().await["id"].as_u64().expect("an id"));
        }
        answered
    };
    let (input, answered) = tokio::join!(write, read);
    assert_eq!(answered, asked);
    client.input = Some(input);
    client.end().await;
}
