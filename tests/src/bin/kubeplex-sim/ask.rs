//! One call, from its beginning to its answer.

use std::collections::BTreeSet;
use std::time::Duration;

use kubeplex_gateway::error::CallError;
use kubeplex_gateway::fleet::LinkState;
use kubeplex_gateway::limits::{DEFAULT_TIMEOUT_S, HANDLER_GRACE};
use kubeplex_gateway::pipeline::Question;
use kubeplex_gateway::trace::{LegTrace, Trace};
use kubeplex_proto::ids::CallId;
use serde_json::Value;
use tokio::time::{Instant, timeout};

use crate::site::Site;
use crate::trail::hash_of;

/// A call that is over.
pub(crate) struct Asked {
    pub(crate) began: Instant,
    pub(crate) took: Duration,
    /// What it may take at most.
    pub(crate) patience: Duration,
    /// `None` inside for a call that had to be given up.
    pub(crate) result: Result<Value, Option<CallError>>,
    pub(crate) legs: Vec<LegTrace>,
    /// Clusters that the gateway knew to have no link, before and after.
    pub(crate) lost: BTreeSet<String>,
}

impl Asked {
    /// Calls a tool.
    pub(crate) async fn ask(site: &Site, call: CallId, token: &str, tool: &str, arguments: Value) -> Self {
        let seconds = arguments["timeoutSeconds"].as_u64().unwrap_or(DEFAULT_TIMEOUT_S);
        let patience = Duration::from_secs(seconds) + HANDLER_GRACE;
        let caller = site.caller(token).expect("the token of a caller");
        let tool = site.pipeline.tool(&caller, tool).expect("a tool of everybody");
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let (began, lost_before) = (Instant::now(), lost(site));
        let trace = Trace::begin(call);
        let question = Question { caller, tool, arguments: &arguments };
        let result = timeout(patience + Duration::from_secs(60), site.pipeline.call(question, &trace)).await;
        let result = match result {
            Ok(Ok(reply)) => Ok(reply.into_rendered().structured),
            Ok(Err(error)) => Err(Some(error)),
            Err(_) => Err(None),
        };
        let lost = lost_before.intersection(&lost(site)).cloned().collect();
        Self { began, took: began.elapsed(), patience, result, legs: trace.report().legs, lost }
    }

    /// When its answer was there.
    pub(crate) fn ended(&self) -> Instant {
        self.began + self.took
    }

    /// In a line, and by what tells one answer from another.
    pub(crate) fn told(&self) -> String {
        let legs: Vec<_> = self.legs.iter().map(|leg| format!("{} {:?}", leg.cluster, leg.status)).collect();
        let what = match &self.result {
            Ok(answer) => {
                let rows =
                    answer["shown"].as_u64().or_else(|| Some(answer["objects"].as_array()?.len() as u64));
                let rows = rows.unwrap_or_default();
                let age_ms = answer["clusters"]["ageMs"].as_u64();
                let partial = if answer.get("partial").is_some() { ", partial" } else { "" };
                let hash = hash_of(answer.to_string().bytes());
                format!("{rows} rows, {age_ms:?} ms old{partial} ({hash:016x})")
            }
            Err(Some(error)) => format!("{}: {error}", error.code),
            Err(None) => "no answer".to_owned(),
        };
        format!("after {} ms: {what} [{}]", self.took.as_millis(), legs.join(", "))
    }
}

fn lost(site: &Site) -> BTreeSet<String> {
    let fleet = site.registry.snapshot();
    let gone = fleet.clusters().iter().filter(|view| matches!(view.link, LinkState::Lost | LinkState::Never));
    gone.map(|view| view.id.to_string()).collect()
}
