//! `kubeplex agent manifest`: what puts an agent into a cluster, and what the gateway has to know of it.
//!
//! [`rights`] are the roles, [`workload`] the pod and its parts, [`settings`] the two configurations. `deploy/agent.yaml` is
//! what comes of placeholders.

mod authority;
mod document;
mod names;
pub mod options;
mod rights;
mod settings;
#[cfg(test)]
mod tests;
mod workload;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use kubeplex_gateway::config::TokenHash;
use kubeplex_link::credential;
use kubeplex_program::output;
use serde_json::json;

use self::document::Place;
use self::options::{Agent, AgentCommand, Manifest};
use self::workload::Replacement;
use crate::linked::random_token;

/// What goes into the pod.
struct Material {
    token: String,
    /// The agent's configuration.
    settings: String,
    /// Certificates in PEM.
    authority: Option<String>,
}

/// # Errors
/// When a file can't be read, or holds something else.
pub fn run(agent: Agent) -> anyhow::Result<ExitCode> {
    let AgentCommand::Manifest(options) = agent.command;
    let material = Material {
        token: options.token_file.as_deref().map_or_else(|| Ok(random_token()), token)?,
        settings: settings::agent(&options),
        authority: options.ca_file.as_deref().map(authority::read).transpose()?,
    };
    let hash = TokenHash::of(&material.token);
    let (manifest, section) = (render(&options, &material), settings::gateway(&options, hash));
    if options.json {
        let printed = json!({"manifest": manifest, "cluster": section, "tokenSha256": hash.to_string()});
        output::line(&printed.to_string())?;
    } else {
        output::line(manifest.trim_end())?;
        output::note(&format!("# For the configuration of the gateway:\n{}", section.trim_end()));
    }
    Ok(ExitCode::SUCCESS)
}

fn render(options: &Manifest, material: &Material) -> String {
    let place = Place(options.namespace.clone());
    let replacement = if options.rolling { Replacement::NewStandsBy } else { Replacement::OldEndsFirst };
    let mut documents = vec![workload::namespace(&place), workload::service_account(&place)];
    documents.extend(rights::documents(&options.rights, &place));
    documents.extend([
        workload::token(&place, &material.token),
        workload::configuration(&place, material),
        workload::deployment(&place, &options.image, replacement, material),
    ]);
    let head = format!(
        "# The agent of Kubeplex for the cluster {}, for kubectl apply --server-side -f -. It holds the agent's token.\n",
        options.cluster
    );
    head + &documents.join("---\n")
}

/// One that is in use already.
fn token(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("--token-file: {} can't be read", file.display()))?;
    credential::Token::new(&text).with_context(|| format!("--token-file: {}", file.display()))?;
    Ok(text.trim().to_owned())
}
