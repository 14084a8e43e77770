//! The example file is the manual: every key is in it, and what it calls a default is one.

use kubeplex_test_support::example::{keys, uncommented};
use serde_json::Value;

use super::*;

const EXAMPLE: &str = include_str!("../../../deploy/agent.example.toml");

fn read<T: serde::de::DeserializeOwned>(text: &str) -> T {
    toml::from_str(text).unwrap()
}

/// What the files hold that an agent of the example would read.
fn with_token(mut raw: RawConfig) -> RawConfig {
    assert!(raw.gateway.token_file.take().is_some());
    raw.gateway.token = Some("secret".to_owned());
    raw
}

#[test]
fn as_it_is_it_is_the_default() {
    let config = AgentConfig::try_from(with_token(read(EXAMPLE))).unwrap();
    check_defaults(&config);
    assert_eq!(config.cluster().as_str(), "prod-eu");
    assert_eq!(config.access(), &ClusterAccess::InCluster);
    assert_eq!(config.admin(), None);
}

#[test]
fn every_key_is_there_and_no_other() {
    let text = uncommented(EXAMPLE);
    let (written, read): (Value, RawConfig) = (read(&text), read(&text));
    assert_eq!(keys(&written), keys(&serde_json::to_value(&read).unwrap()));
}

#[test]
fn what_it_calls_a_default_is_one() {
    let mut raw: RawConfig = with_token(read(&uncommented(EXAMPLE)));
    assert!(raw.gateway.ca_file.take().is_some(), "it has no default, and the example's file is nobody's");
    assert!(raw.gateway.proxy_url.is_some());
    assert!(raw.serve.cert_file.take().is_some() && raw.serve.key_file.take().is_some(), "nor are these");
    let config = AgentConfig::try_from(raw).unwrap();
    check_defaults(&config);
    assert_eq!(config.history().disk, Some(HistoryDisk::in_directory("/var/lib/kubeplex/history")));
    let context = Some("prod-eu".to_owned());
    let file = Some(PathBuf::from("/etc/kubeplex/kubeconfig"));
    assert_eq!(config.access(), &ClusterAccess::Kubeconfig { file, context });
    assert!(config.admin().is_some());
    assert!(config.serve().is_some_and(|serve| serve.address.ip().is_loopback()));
}

/// Whatever the type of a key, the environment can say it.
#[test]
fn every_key_can_be_set_in_the_environment() {
    let text = uncommented(EXAMPLE);
    let file: RawConfig = read(&text);
    let mut environment = Vec::new();
    for (section, below) in &read::<toml::Table>(&text) {
        match below.as_table() {
            None => environment.push((format!("KUBEPLEX_AGENT__{section}").to_uppercase(), said(below))),
            Some(keys) => environment.extend(keys.iter().map(|(key, value)| {
                (format!("KUBEPLEX_AGENT__{section}__{key}").to_uppercase(), said(value))
            })),
        }
    }
    let set = RawConfig::load(None, environment).unwrap();
    assert_eq!(serde_json::to_value(set).unwrap(), serde_json::to_value(file).unwrap());
}

/// As a shell would say it.
fn said(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(said).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn check_defaults(config: &AgentConfig) {
    assert_eq!((config.limits(), config.link()), (&Limits::default(), Timings::default()));
    assert_eq!((config.watch(), config.live_reads()), (WatchMode::default(), LiveReads::default()));
    assert_eq!(config.deny(), &Deny::default());
    assert_eq!(config.history().bytes, HistoryConfig::default().bytes);
    assert_eq!(
        (config.namespaces(), config.secrets()),
        (&WatchedNamespaces::default(), SecretsWatch::default())
    );
    assert_eq!(config.gateway().map(|gateway| gateway.url.as_str()), Some("ws://127.0.0.1:7575"));
}
