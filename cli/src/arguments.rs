//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use kubeplex_agent::limits::PLUGIN_TIMEOUT;
use kubeplex_program::logging::LogOptions;

use crate::client::Endpoint;
use crate::completion;
use crate::exit::OF_CALLS;
use crate::manifest::options::Agent;
use crate::reading;
use crate::token::Token;

/// What is wrong with a cluster is shown with the cluster; every attempt to reach it would only hide that.
const QUIET: &str = "warn,kubeplex_agent=error,kube_client=off,rustls_platform_verifier=off";

/// One endpoint for all your Kubernetes clusters.
#[derive(Debug, Parser)]
#[command(name = "kubeplex", bin_name = "kubeplex", version, about, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    /// Log more: -v what happens, -vv every request
    #[arg(short, long, action = clap::ArgAction::Count, global = true, help_heading = "Logs")]
    verbose: u8,
    #[command(flatten)]
    pub log: LogOptions,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Simulated clusters with real agents and a real gateway, in this process: nothing to install
    Demo(Demo),
    /// The clusters of your kubeconfig behind one endpoint on this machine
    Local(Local),
    /// MCP over standard input and output, for clients that start a process: joins a running `local`, or is one
    Stdio(Stdio),
    /// Call one tool of a running gateway
    Call(Call),
    /// Look at everything between your kubeconfig and an answer, and say what to do next
    Doctor(Doctor),
    /// What a running gateway knows of its clusters
    Clusters(Clusters),
    #[command(flatten)]
    Reading(Box<reading::Command>),
    /// What makes a shell complete commands, flags, and the names of what is in the clusters
    #[command(after_help = COMPLETIONS)]
    Completions(Completions),
    /// An agent for a cluster of its own
    Agent(Agent),
    /// Tokens of callers
    Token(Token),
}

/// Where the gateway of this process listens.
#[derive(Debug, Clone, Args)]
pub struct Listen {
    /// Where MCP clients and agents connect (loopback only; port 0 picks a free one)
    #[arg(long, value_name = "IP:PORT", value_parser = address, default_value_t = kubeplex_gateway::config::DEFAULT_LISTEN)]
    pub listen: SocketAddr,
    /// Where health and metrics are served (loopback only; port 0 picks a free one)
    #[arg(long, value_name = "IP:PORT", value_parser = address, default_value_t = kubeplex_gateway::config::DEFAULT_ADMIN)]
    pub admin: SocketAddr,
    /// Print JSON only: a line with the addresses and clusters when ready, then one a cluster that changes
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Demo {
    #[command(subcommand)]
    pub act: Option<DemoAct>,
    #[command(flatten)]
    pub options: DemoOptions,
}

/// What another terminal can do to a running demo.
#[derive(Debug, Subcommand)]
pub enum DemoAct {
    /// Cut clusters of a running demo off: nothing passes between their agents and the gateway any more, and neither is told
    Cut {
        #[command(flatten)]
        outage: Outage,
        /// Stop the API server behind the agent instead: the link stays, the rows become old
        #[arg(long)]
        api: bool,
    },
    /// Undo what was cut
    Heal {
        #[command(flatten)]
        outage: Outage,
    },
}

/// Which clusters of which demo.
#[derive(Debug, Args)]
pub struct Outage {
    /// Names or globs, as in prod-eu,staging-*
    #[arg(value_name = "NAMES", value_delimiter = ',', required = true, add = completion::clusters())]
    pub clusters: Vec<String>,
    #[command(flatten)]
    pub at: Address,
}

#[derive(Debug, Args)]
pub struct DemoOptions {
    /// How many clusters
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub clusters: u16,
    /// How many pods a cluster
    #[arg(long, value_name = "N", default_value_t = 150, value_parser = clap::value_parser!(u32).range(20..=50_000))]
    pub pods: u32,
    /// How often something happens in each cluster; its day goes on by these steps
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub pace: u64,
    /// Nothing happens: the clusters stay as they are when they come up
    #[arg(long, conflicts_with = "pace")]
    pub still: bool,
    #[command(flatten)]
    pub listen: Listen,
}

/// Whose clusters.
#[derive(Debug, Clone, Args)]
pub struct Contexts {
    /// The kubeconfig; otherwise the files of KUBECONFIG, then ~/.kube/config
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Only these contexts, as a comma list; otherwise all. Of several that lead to one cluster the first is connected with
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub context: Vec<String>,
    /// How long a credential plugin may take before it is ended, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = PLUGIN_TIMEOUT.as_secs(), value_parser = clap::value_parser!(u64).range(1..=600))]
    pub plugin_timeout: u64,
}

#[derive(Debug, Args)]
pub struct Local {
    #[command(flatten)]
    pub contexts: Contexts,
    #[command(flatten)]
    pub listen: Listen,
}

#[derive(Debug, Args)]
pub struct Stdio {
    #[command(flatten)]
    pub contexts: Contexts,
}

#[derive(Debug, Args)]
#[command(after_help = DOCTOR_STATUS)]
pub struct Doctor {
    #[command(flatten)]
    pub contexts: Contexts,
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
}

/// Where a gateway is.
#[derive(Debug, Clone, Args)]
pub struct Address {
    /// The gateway's address
    #[arg(
        long,
        env = "KUBEPLEX_ENDPOINT",
        value_name = "URL",
        hide_env_values = true,
        default_value = "http://127.0.0.1:7575/mcp"
    )]
    pub endpoint: Endpoint,
}

/// Which gateway to ask.
#[derive(Debug, Clone, Args)]
pub struct Target {
    #[command(flatten)]
    pub at: Address,
    /// A file with the token that the gateway wants to see; otherwise KUBEPLEX_TOKEN
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// A PEM file with the authority that signed the gateway's certificate; otherwise those of this machine
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}

/// What scripts rely on.
const DOCTOR_STATUS: &str = "\
Exit status:
  0  all is well; there may be warnings
  1  nothing could be looked at
  2  the command line is wrong
  3  something is wrong";

/// How it is used.
const EXAMPLES: &str = "\
Examples:
  kubeplex call clusters_list
  kubeplex call pods_list '{\"sortBy\":\"-restarts\",\"limit\":10}'
  kubeplex call resources_get '{\"name\":\"deployment/cart\",\"namespace\":\"shop\"}' --json";

#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{OF_CALLS}"))]
pub struct Call {
    /// A tool: clusters_list, pods_list, resources_list, resources_get, …
    #[arg(add = completion::tool())]
    pub tool: String,
    /// Its arguments as a JSON object, or - to read them from standard input
    #[arg(default_value = "{}")]
    pub arguments: String,
    /// Show both JSON-RPC messages, the time of each stage, and what each cluster did
    #[arg(long)]
    pub trace: bool,
    /// Print the structured result as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub target: Target,
}

/// What each shell reads when it starts.
const COMPLETIONS: &str = "\
Clusters, kinds, namespaces and names are those of the gateway that the line names, asked for within a second.

Examples:
  echo 'source <(kubeplex completions bash)' >>~/.bashrc
  echo 'source <(kubeplex completions zsh)' >>~/.zshrc
  echo 'kubeplex completions fish | source' >>~/.config/fish/config.fish";

#[derive(Debug, Args)]
pub struct Completions {
    pub shell: Shell,
}

#[derive(Debug, Args)]
#[command(after_help = OF_CALLS)]
pub struct Clusters {
    /// Print the structured result as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub target: Target,
}

impl DemoOptions {
    /// How often something happens; nothing where all stands still.
    pub fn pace(&self) -> Option<Duration> {
        (!self.still).then(|| Duration::from_secs(self.pace))
    }
}

impl Contexts {
    pub fn plugin_timeout(&self) -> Duration {
        Duration::from_secs(self.plugin_timeout)
    }
}

impl Default for Contexts {
    fn default() -> Self {
        Self { kubeconfig: None, context: Vec::new(), plugin_timeout: PLUGIN_TIMEOUT.as_secs() }
    }
}

impl Arguments {
    /// What is logged unless `--log` or `KUBEPLEX_LOG` says something else.
    pub fn default_log(&self) -> &'static str {
        match self.verbose {
            0 => QUIET,
            1 => "info,hyper=warn,h2=warn",
            _ => "debug,hyper=info,h2=info",
        }
    }
}

/// Of this machine: whoever reaches these gateways is served without a token.
fn address(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr =
        text.parse().map_err(|_| "write an IP address and a port, as in 127.0.0.1:7575".to_owned())?;
    if !address.ip().is_loopback() {
        let port = address.port();
        return Err(format!(
            "it can be reached from a network, and this gateway serves its own machine alone: write 127.0.0.1:{port} or \
             [::1]:{port}, or run kubeplex-gateway, which can have a certificate and callers with tokens"
        ));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
