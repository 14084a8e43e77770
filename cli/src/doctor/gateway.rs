//! A gateway that runs, or the room for one.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use kubeplex_gateway::config::{DEFAULT_ADMIN, DEFAULT_LISTEN};
use reqwest::RequestBuilder;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use super::finding::{About, Finding};
use crate::client::Client;
use crate::hints;
use crate::running::{Found, Place, Token};

/// A gateway on this machine answers at once, or is not well.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks for the gateway of the kubeconfig, else for one at the usual address, else whether one could listen there. Also says
/// where clients would reach it.
pub(super) async fn check(place: Option<Place>) -> (Vec<Finding>, String) {
    let mut about = About::new("gateway");
    let found = match place {
        Some(place) => place.find().await,
        None => Found::Nothing,
    };
    let (listen, token) = match found {
        Found::Alive(running) => {
            about.good(
                "running",
                format!("of this kubeconfig, process {}, since {}", running.pid, running.started),
            );
            (running.listen, running.token)
        }
        Found::Stale(running) => {
            let said = format!("one of this kubeconfig ran until lately (process {})", running.pid);
            about.note("running", format!("{said}; its traces are in nobody's way"));
            (DEFAULT_LISTEN, None)
        }
        Found::Nothing => (DEFAULT_LISTEN, None),
    };
    let endpoint = hints::endpoint(listen);
    if is_free(listen).await {
        about.note("running", "none; `kubeplex local` starts one, and `kubeplex stdio` one of its own");
        ports(&mut about).await;
        return (about.findings, endpoint);
    }
    let answers = initialize(&mut about, &endpoint, token.as_ref()).await;
    if token.is_some() {
        about.note("running", "it belongs to a `kubeplex stdio`, whose clients alone can use it");
        return (about.findings, hints::endpoint(DEFAULT_LISTEN));
    }
    if answers {
        clusters(&mut about, &endpoint).await;
    }
    (about.findings, endpoint)
}

async fn is_free(address: SocketAddr) -> bool {
    TcpListener::bind(address).await.is_ok()
}

async fn ports(about: &mut About) {
    for (address, option) in [(DEFAULT_LISTEN, "--listen"), (DEFAULT_ADMIN, "--admin")] {
        match is_free(address).await {
            true => about.good("ports", format!("{address} is free")),
            false => {
                let next = format!("kubeplex local {option} 127.0.0.1:0   # takes another one");
                about.wrong("ports", format!("{address} is taken by another program"), next);
            }
        }
    }
}

/// Whether what listens there speaks the protocol.
async fn initialize(about: &mut About, endpoint: &str, token: Option<&Token>) -> bool {
    let began = Instant::now();
    match opened(endpoint, token).await {
        Ok(server) => {
            about.good("endpoint", format!("{endpoint} answers initialize as {server}"));
            about.took(began.elapsed());
            true
        }
        Err(problem) => {
            let next =
                "which program listens there? ss -ltnp; then end it, or name another port with --listen";
            about.wrong("endpoint", format!("{endpoint} is taken, and does not speak MCP: {problem}"), next);
            false
        }
    }
}

/// Opens a session, closes it, and hands out who answered.
async fn opened(endpoint: &str, token: Option<&Token>) -> Result<String, String> {
    let said = |error: reqwest::Error| error.without_url().to_string();
    let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().map_err(said)?;
    let params = json!({
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "kubeplex-doctor", "version": env!("CARGO_PKG_VERSION")},
    });
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    let knock = |request: RequestBuilder| match token {
        Some(token) => request.bearer_auth(token.expose()),
        None => request,
    };
    let response = http.post(endpoint).header("Accept", "application/json, text/event-stream").json(&request);
    let response = knock(response);
    let response = response.send().await.map_err(said)?;
    let (status, session) = (response.status(), response.headers().get("mcp-session-id").cloned());
    let body = response.text().await.map_err(said)?;
    if let Some(session) = session {
        // A session that is not closed ends when it is old.
        let _ = knock(http.delete(endpoint)).header("mcp-session-id", session).send().await;
    }
    let texts =
        std::iter::once(body.as_str()).chain(body.lines().filter_map(|line| line.strip_prefix("data:")));
    let answers = texts.filter_map(|text| serde_json::from_str::<Value>(text.trim()).ok());
    let name = |answer: Value| {
        let server = &answer["result"]["serverInfo"];
        Some(format!("{} {}", server["name"].as_str()?, server["version"].as_str()?))
    };
    answers.filter_map(name).next_back().ok_or_else(|| format!("HTTP {status}"))
}

/// What the gateway says of its clusters.
async fn clusters(about: &mut About, endpoint: &str) {
    let arguments = Map::from_iter([
        ("fields".to_owned(), json!("name,link,problem")),
        ("limit".to_owned(), json!(1_000)),
    ]);
    let asked = match Client::new(endpoint) {
        Ok(client) => tokio::time::timeout(PATIENCE, client.call("clusters_list", arguments, false)).await,
        Err(error) => return about.wrong("clusters", error.to_string(), "kubeplex clusters"),
    };
    let exchange = match asked {
        Ok(Ok(exchange)) => exchange,
        Ok(Err(error)) => return about.wrong("clusters", error.to_string(), "kubeplex clusters"),
        Err(_) => return about.wrong("clusters", "the gateway hangs", "end it and start it again"),
    };
    let Ok(answer) = exchange.structured() else {
        return about.wrong("clusters", "the gateway refuses to list them", "kubeplex clusters");
    };
    let rows = answer["groups"].as_array().into_iter().flatten().filter_map(|group| group["rows"].as_array());
    let (mut linked, mut troubled) = (0, Vec::new());
    for row in rows.flatten() {
        let text = |at: usize| row[at].as_str().unwrap_or_default();
        match (text(1), text(2)) {
            ("connected", "") => linked += 1,
            (link, "") => troubled.push(format!("{} (link {link})", text(0))),
            (_, problem) => troubled.push(format!("{} ({problem})", text(0))),
        }
    }
    match troubled.is_empty() {
        true => about.good("clusters", format!("{linked} of {linked} are linked and well")),
        false => {
            let all = linked + troubled.len();
            let said = format!("{linked} of {all} are linked and well; not so: {}", troubled.join(", "));
            about.warning("clusters", said, "what is wrong with a context is said above; kubeplex clusters");
        }
    }
}
