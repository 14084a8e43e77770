//! One context: from its entry in the kubeconfig to what its user may read.

use std::time::{Duration, Instant};

use http::{Request, Response, StatusCode, header};
use jiff::Timestamp;
use kube::client::Body;
use kube::config::Kubeconfig;
use kubeplex_agent::access::Context;
use kubeplex_agent::access::credentials::CredentialTimings;
use kubeplex_agent::api::ApiError;
use kubeplex_link::reason;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::certificate;
use super::finding::{About, Finding};
use super::reach::{self, Target};
use crate::local::contexts::LocalCluster;

/// An API server that takes longer is no use to anybody who waits for an answer.
const ANSWER: Duration = Duration::from_secs(10);

/// Beyond that, tokens and certificates may seem expired that are not, and ages are wrong.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);

/// What is asked for, over all namespaces; without the first of them there is little to see.
const RIGHTS: [&str; 5] = ["pods", "namespaces", "nodes", "events", "secrets"];

/// What looking at a context takes.
pub(super) struct ContextCheck<'c> {
    pub(super) kubeconfig: &'c Kubeconfig,
    pub(super) timings: CredentialTimings,
    pub(super) tracker: &'c TaskTracker,
    pub(super) stop: &'c CancellationToken,
}

impl ContextCheck<'_> {
    /// Goes on for as long as what comes next has a chance.
    pub(super) async fn run(self, cluster: &LocalCluster) -> Vec<Finding> {
        let name = cluster.context();
        let mut about = About::new(format!("context {name}"));
        if cluster.id.as_str() != name || cluster.contexts.len() > 1 {
            let others = cluster.contexts[1..].join(", ");
            let others = if others.is_empty() { others } else { format!("; also {others}") };
            about.note("cluster", format!("it is called {}{others}", cluster.id));
        }
        if let Some(context) = self.context(&mut about, name).await
            && reach::check(&mut about, &Target::of(&context), &context).await
        {
            certificate::of_client(&mut about, context.config());
            self.ask(&mut about, context, name).await;
        }
        about.findings
    }

    async fn context(&self, about: &mut About, name: &str) -> Option<Context> {
        match Context::of(self.kubeconfig, Some(name), self.timings).await {
            Ok(context) => {
                let server = context.server();
                let proxy =
                    server.proxy.map(|proxy| format!(" by the proxy {}", reach::without_login(&proxy)));
                about.good("server", format!("{}{}", server.url, proxy.unwrap_or_default()));
                if context.is_unchecked() {
                    let next = "take insecure-skip-tls-verify out and name the certificate-authority";
                    about.warning("server", "nobody checks its certificate, so anybody can pose as it", next);
                }
                Some(context)
            }
            Err(error) => {
                about.wrong(
                    "server",
                    error.to_string(),
                    format!("kubectl config view --context {name} --minify"),
                );
                None
            }
        }
    }

    async fn ask(&self, about: &mut About, context: Context, name: &str) {
        let (client, credentials) = match context.client(self.tracker, self.stop) {
            Ok(opened) => opened,
            Err(error) => return about.wrong("credentials", error.to_string(), "fetch the kubeconfig anew"),
        };
        if let Some(credentials) = credentials {
            let began = Instant::now();
            match credentials.check().await {
                Ok(()) => about.good("credentials", "they were obtained without a terminal"),
                Err(error) => {
                    let next = format!("kubectl --context {name} get namespaces   # in a terminal");
                    about.wrong("credentials", error.to_string(), next);
                }
            }
            about.took(began.elapsed());
            if about.findings.last().is_some_and(|finding| finding.next.is_some()) {
                return;
            }
        }
        if self.version(about, &client, name).await {
            rights(about, &client, name).await;
        }
    }

    /// Whether the server knows who is asking.
    async fn version(&self, about: &mut About, client: &kube::Client, name: &str) -> bool {
        let began = Instant::now();
        let asked = send(client, Request::get("/version").body(Body::empty())).await;
        let (head, body) = match asked {
            Ok(answer) => answer,
            Err(problem) => {
                about.wrong("version", problem, format!("kubectl --context {name} version"));
                return false;
            }
        };
        let took = began.elapsed();
        match (head.status(), body["gitVersion"].as_str()) {
            (StatusCode::OK, Some(version)) => about.good("version", version),
            (StatusCode::UNAUTHORIZED, _) => {
                let said = "the API server does not accept these credentials";
                about.wrong("version", said, "log in anew, or fetch the kubeconfig anew");
                return false;
            }
            (status, _) => {
                let said = format!("what answers is no API server, or refuses: HTTP {status}");
                about.wrong("version", said, format!("kubectl --context {name} version"));
                return false;
            }
        }
        about.took(took);
        clock(about, &head, took);
        true
    }
}

/// The server's clock beside this machine's, as far as a date to the second says.
fn clock(about: &mut About, head: &Response<()>, took: Duration) {
    let date = head.headers().get(header::DATE).and_then(|date| date.to_str().ok());
    let Some(date) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) else { return };
    let difference = Timestamp::now().duration_since(date.timestamp()).unsigned_abs();
    let uncertain = took + Duration::from_secs(1);
    if difference <= CLOCK_TOLERANCE + uncertain {
        return about.good("clock", "it agrees with this machine's");
    }
    let said = format!("it differs from this machine's by {} s", difference.as_secs());
    about.warning("clock", said, "timedatectl status   # is this machine's clock synchronised?");
}

/// What the user may list and watch everywhere.
async fn rights(about: &mut About, client: &kube::Client, name: &str) {
    let mut denied = Vec::new();
    for resource in RIGHTS {
        for verb in ["list", "watch"] {
            match may(client, verb, resource).await {
                Ok(true) => {}
                Ok(false) => denied.push(format!("{verb} {resource}")),
                Err(problem) => {
                    let next =
                        format!("kubectl --context {name} auth can-i {verb} {resource} --all-namespaces");
                    return about.warning("rights", format!("they can't be told: {problem}"), next);
                }
            }
        }
    }
    let secrets_only = denied.iter().all(|right| right.ends_with("secrets"));
    let all = RIGHTS.join(", ");
    match denied.is_empty() {
        true => about.good("rights", format!("list and watch {all} in all namespaces")),
        false if secrets_only => {
            about.good("rights", format!("all that is read, but not: {}", denied.join(", ")));
        }
        false => about.warning(
            "rights",
            format!("not in all namespaces: {}", denied.join(", ")),
            format!(
                "kubectl --context {name} auth can-i --list   # what is forbidden is said in every answer"
            ),
        ),
    }
}

async fn may(client: &kube::Client, verb: &str, resource: &str) -> Result<bool, String> {
    let attributes = json!({"verb": verb, "resource": resource, "group": ""});
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    });
    let request = Request::post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(review.to_string().into_bytes()));
    let (head, body) = send(client, request).await?;
    body["status"]["allowed"].as_bool().ok_or_else(|| format!("HTTP {}", head.status()))
}

/// The reply's head, and its body where that is JSON.
async fn send(
    client: &kube::Client,
    request: Result<Request<Body>, http::Error>,
) -> Result<(Response<()>, Value), String> {
    let request = request.map_err(|error| error.to_string())?;
    let answered = async {
        let response = client.send(request).await.map_err(|error| reason(&ApiError::unreachable(error)))?;
        let (head, body) = response.into_parts();
        let body = body.collect_bytes().await.map_err(|error| error.to_string())?;
        Ok((Response::from_parts(head, ()), serde_json::from_slice(&body).unwrap_or_default()))
    };
    let seconds = ANSWER.as_secs();
    tokio::time::timeout(ANSWER, answered)
        .await
        .unwrap_or_else(|_| Err(format!("the API server did not answer within {seconds} s")))
}
