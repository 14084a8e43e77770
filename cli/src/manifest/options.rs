//! The arguments of `kubeplex agent manifest`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};
use kubeplex_link::url::GatewayUrl;
use kubeplex_proto::ids::ClusterId;

use super::names::{ApiGroup, Label, Namespace, Principal, UserName};

/// How it is used.
const EXAMPLES: &str = "\
The manifest goes to standard output, the gateway's [[cluster]] section to standard error. Apply it
on the server's side: otherwise kubectl leaves a copy of the token in an annotation. Examples:
  kubeplex agent manifest --cluster prod-eu --gateway wss://gateway.example.com 2>>gateway.toml |
    kubectl --context prod-eu apply --server-side -f -
  kubeplex agent manifest --cluster prod-eu --gateway wss://gateway.example.com \\
    --label env=prod,region=eu --crd-group cert-manager.io,argoproj.io
  kubeplex agent manifest --cluster team-a --gateway wss://gateway.example.com \\
    --watch-namespace shop,payments";

#[derive(Debug, Args)]
pub struct Agent {
    #[command(subcommand)]
    pub command: AgentCommand,
}

#[derive(Debug, Subcommand)]
pub enum AgentCommand {
    /// Make a token, and print what puts an agent into a cluster: pipe it to `kubectl apply --server-side -f -`
    Manifest(Box<Manifest>),
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Manifest {
    /// The cluster's name, as callers will say it
    #[arg(long, value_name = "NAME", value_parser = |text: &str| ClusterId::new(text))]
    pub cluster: ClusterId,
    /// The gateway's address as the cluster reaches it, as in wss://gateway.example.com
    #[arg(long, value_name = "URL", value_parser = gateway)]
    pub gateway: String,
    /// The namespace of the agent, made where there is none
    #[arg(long, value_name = "NAME", default_value = "kubeplex")]
    pub namespace: Namespace,
    /// The agent's image
    #[arg(long, value_name = "IMAGE", default_value = IMAGE, value_parser = image)]
    pub image: String,
    /// Labels of the cluster for the gateway's section, as in env=prod,region=eu
    #[arg(long = "label", value_name = "KEY=VALUE", value_delimiter = ',')]
    pub labels: Vec<Label>,
    /// A PEM file with the authority that signed the gateway's certificate, where it is a private one
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// A file with the token to go on with, in place of a new one
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// When the Deployment changes, let the new agent sync and stand by before the old one ends: no gap, and for that time
    /// twice the memory. Otherwise the old one ends first
    #[arg(long)]
    pub rolling: bool,
    /// Print one JSON object instead: manifest, cluster (the gateway's section) and tokenSha256
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub rights: Rights,
}

/// What the agent may do in its cluster.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Rights in the cluster")]
pub struct Rights {
    /// Read these namespaces alone, by a Role in each: nothing of the cluster as a whole
    #[arg(long = "watch-namespace", value_name = "NAMES", value_delimiter = ',')]
    pub watch_namespaces: Vec<Namespace>,
    /// Read the custom resources of these API groups
    #[arg(long = "crd-group", value_name = "GROUPS", value_delimiter = ',')]
    pub crd_groups: Vec<ApiGroup>,
    /// Read Secrets: their metadata, type and number of keys. RBAC can't grant that without their data, which the agent
    /// does not ask for
    #[arg(long, value_name = "WHAT")]
    pub secrets: Option<Secrets>,
    /// For live reads: users that the agent may read as; '*' for any
    #[arg(long = "impersonate-user", value_name = "USERS", value_delimiter = ',')]
    pub impersonate_users: Vec<UserName>,
    /// For live reads: groups of callers that it may read with. An API server takes no group without a user
    #[arg(
        long = "impersonate-group",
        value_name = "GROUPS",
        value_delimiter = ',',
        requires = "impersonate_users"
    )]
    pub impersonate_groups: Vec<Principal>,
}

/// How much of Secrets is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Secrets {
    Metadata,
}

/// The image of this version, where the release workflow puts it.
pub(super) const IMAGE: &str = concat!("ghcr.io/kubeplex/kubeplex-agent:", env!("CARGO_PKG_VERSION"));

/// As the link takes it, and as it was written.
fn gateway(text: &str) -> Result<String, <GatewayUrl as FromStr>::Err> {
    text.parse::<GatewayUrl>().map(|_| text.to_owned())
}

fn image(text: &str) -> Result<String, String> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(
            "an image is a name with a tag or a digest, as in registry.example.com/agent:1".to_owned()
        );
    }
    Ok(text.to_owned())
}
