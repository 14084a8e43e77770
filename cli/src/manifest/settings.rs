//! The two files of configuration: the agent's own, and the section that the gateway needs.

use kubeplex_gateway::config::TokenHash;

use super::document::in_quotes;
use super::names::Label;
use super::options::{Manifest, Rights, Secrets};

/// Where the agent's files are in its pod.
pub(super) const FOLDER: &str = "/etc/kubeplex";

/// Where it remembers changes.
pub(super) const HISTORY: &str = "/var/lib/kubeplex/history";

/// Where probes ask.
pub(super) const ADMIN_PORT: u16 = 7577;

/// The agent's.
pub(super) fn agent(options: &Manifest) -> String {
    let mut text = format!(
        "cluster = {}\n\n[gateway]\nurl = {}\ntoken_file = \"{FOLDER}/token\"\n",
        in_quotes(options.cluster.as_str()),
        in_quotes(&options.gateway),
    );
    if options.ca_file.is_some() {
        text += &format!("ca_file = \"{FOLDER}/gateway-ca.pem\"\n");
    }
    text += &rights(&options.rights);
    text += &format!("\n# Outlasts a container, not the pod.\n[history]\ndirectory = \"{HISTORY}\"\n");
    text + &format!(
        "\n# The kubelet's probes come from outside the pod; where pods have IPv6 alone this is \"[::]:{ADMIN_PORT}\".\n\
         [admin]\nlisten = \"0.0.0.0:{ADMIN_PORT}\"\non_network = true\n"
    )
}

/// What goes with what the roles allow: the agent asks for nothing that they do not.
fn rights(rights: &Rights) -> String {
    let live_reads = if rights.impersonate_users.is_empty() { "refused" } else { "impersonate" };
    let mut text = format!("\n[kubernetes]\nlive_reads = \"{live_reads}\"\n");
    if !rights.watch_namespaces.is_empty() {
        let names: Vec<_> = rights.watch_namespaces.iter().map(|name| in_quotes(name.as_str())).collect();
        text += &format!("\n[watch]\nnamespaces = [{}]\n", names.join(", "));
    }
    match rights.secrets {
        Some(Secrets::Metadata) => text + "\n[secrets]\nwatch = \"metadata\"\n",
        None => text,
    }
}

/// The gateway's.
pub(super) fn gateway(options: &Manifest, token: TokenHash) -> String {
    let mut text = format!("[[cluster]]\nname = {}\n", in_quotes(options.cluster.as_str()));
    if !options.labels.is_empty() {
        let labels: Vec<_> = options.labels.iter().map(label).collect();
        text += &format!("labels = {{ {} }}\n", labels.join(", "));
    }
    text + &format!("token_sha256 = \"{token}\"\n")
}

fn label(Label { key, value }: &Label) -> String {
    let bare = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let key = if bare { key.clone() } else { in_quotes(key) };
    format!("{key} = {}", in_quotes(value))
}
