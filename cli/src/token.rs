//! `kubeplex token create`: a token for a caller, and the section by which a gateway knows it.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use kubeplex_gateway::config::{CallerSection, TokenHash};
use kubeplex_program::output;
use serde_json::json;

use crate::linked::random_token;

/// How it is used.
const EXAMPLES: &str = "\
The token goes to standard output and is kept nowhere; the gateway's [[caller]] section, which has
only its hash, goes to standard error. What is not named is not visible. Examples:
  kubeplex token create --user anna@example.com --cluster 'prod-*' --namespace shop --kind '*' \\
    >anna.token 2>>gateway.toml
  kubeplex token create --user ci --cluster '*' --namespace '*' --kind pods,deployments.apps
  kubeplex token create --user ops --group sre --cluster '*' --namespace shop --kind '*' \\
    --cluster-scoped nodes";

#[derive(Debug, Args)]
pub struct Token {
    #[command(subcommand)]
    pub command: TokenCommand,
}

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token, and print it with the section that makes a gateway know it
    Create(Create),
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Create {
    /// Who will call with it, as the API servers of clusters know them
    #[arg(long, value_name = "NAME")]
    pub user: String,
    /// A group they are in
    #[arg(long = "group", value_name = "NAME", value_delimiter = ',')]
    pub groups: Vec<String>,
    /// The clusters that they see: names, patterns, or * for all
    #[arg(long = "cluster", value_name = "PATTERNS", value_delimiter = ',', required = true)]
    pub clusters: Vec<String>,
    /// The namespaces that they see: names, patterns, or * for all and what is in none
    #[arg(
        long = "namespace",
        value_name = "PATTERNS",
        value_delimiter = ',',
        required_unless_present = "cluster_scoped"
    )]
    pub namespaces: Vec<String>,
    /// The kinds that they see there, as in pods, deployments.apps, *.apps, *
    #[arg(
        long = "kind",
        value_name = "PATTERNS",
        value_delimiter = ',',
        required_unless_present = "cluster_scoped"
    )]
    pub kinds: Vec<String>,
    /// Kinds in no namespace that they see whatever their namespaces, as in nodes, persistentvolumes
    #[arg(long, value_name = "PATTERNS", value_delimiter = ',')]
    pub cluster_scoped: Vec<String>,
    /// Print one JSON object instead: token, caller (the gateway's section) and tokenSha256
    #[arg(long)]
    pub json: bool,
}

/// # Errors
/// When a name can't be claimed, or a pattern can match nothing.
pub fn run(token: Token) -> anyhow::Result<ExitCode> {
    let TokenCommand::Create(options) = token.command;
    let token = random_token();
    let section = section(&options, TokenHash::of(&token));
    section.check()?;
    if options.json {
        let caller = section.to_toml();
        let printed = json!({"token": token, "caller": caller, "tokenSha256": section.token_sha256});
        output::line(&printed.to_string())?;
    } else {
        output::line(&token)?;
        output::note(&format!("# For the configuration of the gateway:\n{}", section.to_toml()));
    }
    Ok(ExitCode::SUCCESS)
}

fn section(options: &Create, hash: TokenHash) -> CallerSection {
    CallerSection {
        user: options.user.clone(),
        groups: options.groups.clone(),
        token_sha256: hash.to_string(),
        clusters: options.clusters.clone(),
        namespaces: options.namespaces.clone(),
        kinds: options.kinds.clone(),
        cluster_scoped: options.cluster_scoped.clone(),
    }
}
