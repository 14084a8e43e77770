//! `kubeplex doctor`: what a newcomer trips over, looked at in order, and for each thing the next step.
//!
//! It only looks: no file is written, no setting changed, no object of a cluster made. Every check has a time limit, and
//! contexts are looked at side by side, so that one that hangs delays nobody.

mod certificate;
mod clients;
mod context;
mod finding;
mod gateway;
mod reach;

use std::process::ExitCode;
use std::time::Duration;

use console::Term;
use futures::StreamExt as _;
use kubeplex_agent::access::credentials::CredentialTimings;
use kubeplex_program::{failure, output};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::arguments::Doctor;
use crate::local::contexts::{self, Read};
use crate::running::Place;
use context::ContextCheck;
use finding::{About, Finding, Verdict};

/// Exit status where something is wrong: 1 says that the doctor itself could not be run.
const SOMETHING_WRONG: u8 = 3;

/// How many contexts are looked at side by side: credential plugins are processes.
const AT_ONCE: usize = 16;

/// # Errors
/// When standard output can't be written.
pub async fn run(options: Doctor) -> anyhow::Result<ExitCode> {
    let (mut findings, read) = kubeconfig(&options);
    if let Some(read) = &read {
        findings.extend(contexts(&options, read).await);
    }
    let place = read.and_then(|read| Place::of(&read.files, &options.contexts.context));
    let (gateway, endpoint) = gateway::check(place).await;
    findings.extend(gateway);
    findings.extend(clients::check(&clients::Folders::of_environment(), &endpoint));
    report(&options, &findings)
}

fn kubeconfig(options: &Doctor) -> (Vec<Finding>, Option<Read>) {
    let mut about = About::new("kubeconfig");
    let read = contexts::read(options.contexts.kubeconfig.as_deref());
    let read = read.map_err(|error| {
        let next = "see that `kubectl config view` prints the file that you mean";
        about.wrong("files", failure::describe(&error).replace('\n', ""), next);
    });
    if let Ok(read) = &read {
        for file in &read.files {
            match file.exists() {
                true => about.good("files", file.display().to_string()),
                false => about.note("files", format!("{} is not there, and is left out", file.display())),
            }
        }
        match contexts::select(&read.kubeconfig, &options.contexts.context) {
            Ok(clusters) => {
                let contexts: usize = clusters.iter().map(|cluster| cluster.contexts.len()).sum();
                let (contexts, clusters) = (counted(contexts, "context"), counted(clusters.len(), "cluster"));
                about.good("contexts", format!("{contexts} of {clusters}"));
            }
            Err(error) => {
                about.wrong("contexts", error.to_string(), "leave --context out, or name one of these");
            }
        }
    }
    (about.findings, read.ok())
}

/// `1 context`, `2 contexts`.
fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// All contexts, side by side, in the order of the file.
async fn contexts(options: &Doctor, read: &Read) -> Vec<Finding> {
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let timeout = options.contexts.plugin_timeout();
    // Somebody waits for the outcome, not for news.
    let patience = timeout + Duration::from_secs(1);
    let timings = CredentialTimings { timeout, patience, ..CredentialTimings::default() };
    let clusters = contexts::select(&read.kubeconfig, &options.contexts.context).unwrap_or_default();
    let checks = clusters.iter().map(|cluster| {
        let check = ContextCheck { kubeconfig: &read.kubeconfig, timings, tracker: &tracker, stop: &stop };
        check.run(cluster)
    });
    let found: Vec<_> = futures::stream::iter(checks).buffered(AT_ONCE).collect().await;
    stop.cancel();
    tracker.close();
    tracker.wait().await;
    found.into_iter().flatten().collect()
}

fn report(options: &Doctor, findings: &[Finding]) -> anyhow::Result<ExitCode> {
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let (wrong, warnings) = (count(Verdict::Wrong), count(Verdict::Warning));
    if options.json {
        let all = json!({"wrong": wrong, "warnings": warnings, "findings": findings});
        output::line(&serde_json::to_string_pretty(&all)?)?;
    } else {
        let shown = match Term::stdout().is_term() && console::colors_enabled() {
            true => finding::for_people(findings),
            false => finding::for_pipes(findings),
        };
        let (checks, warnings) = (findings.len(), counted(warnings, "warning"));
        output::line(&format!("{shown}{checks} checks: {wrong} wrong, {warnings}"))?;
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::from(SOMETHING_WRONG) })
}
