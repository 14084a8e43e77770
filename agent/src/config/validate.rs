//! From what a file says to what the agent works from. All values that are wrong are said at once.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use kubeplex_link::credential::{Credential, Token};
use kubeplex_link::url::GatewayUrl;
use kubeplex_program::admin::Audience;
use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::pattern::Pattern;

use super::history;
use super::links;
use super::raw::{RawAdmin, RawConfig, RawGateway, RawKubernetes, RawLimits, RawSecrets};
use super::{
    AdminListener, AgentConfig, ClusterAccess, Deny, GatewayTarget, LiveReads, SecretData, SecretsWatch,
    WatchMode, WatchedNamespaces,
};
use crate::limits::{Limits, WATCHED_NAMESPACES};
use crate::watch::WatchTimings;
use crate::workers::WorkOn;

/// Every value that is wrong in a configuration.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .reasons.join("\n"))]
pub struct InvalidConfig {
    pub reasons: Vec<String>,
}

impl TryFrom<RawConfig> for AgentConfig {
    type Error = InvalidConfig;

    /// Reads the token's file, nothing else.
    fn try_from(raw: RawConfig) -> Result<Self, InvalidConfig> {
        let mut reasons = Vec::new();
        let cluster = keep(cluster(&raw.cluster), &mut reasons);
        let serve = links::serve(&raw.serve, &mut reasons);
        // An agent that is dialled need not dial.
        let dials = raw.serve.listen.is_none() || !raw.gateway.url.is_empty();
        let gateway = if dials { gateway(raw.gateway, &mut reasons) } else { None };
        let link = links::timings(&raw.link, &mut reasons);
        let watch = keep(watch_mode(raw.watch.mode.as_deref()), &mut reasons);
        let namespaces = keep(watched_namespaces(raw.watch.namespaces), &mut reasons);
        let secrets = keep(secrets(&raw.secrets), &mut reasons);
        let live_reads = keep(live_reads(raw.kubernetes.live_reads.as_deref()), &mut reasons);
        let admin = keep(admin(&raw.admin), &mut reasons);
        let limits = limits(&raw.limits, &mut reasons);
        let history = history::history(&raw.history, &mut reasons);
        let (
            Some(cluster),
            Some(watch),
            Some(namespaces),
            Some(secrets),
            Some(live_reads),
            Some(admin),
            true,
        ) = (cluster, watch, namespaces, secrets, live_reads, admin, reasons.is_empty())
        else {
            return Err(InvalidConfig { reasons });
        };
        let patterns = |texts: Vec<String>| texts.into_iter().map(Pattern::new).collect();
        Ok(Self {
            cluster,
            access: access(raw.kubernetes),
            server: None,
            gateway,
            serve,
            link,
            watch,
            namespaces,
            secrets,
            live_reads,
            deny: Deny::new(patterns(raw.deny.kinds), patterns(raw.deny.namespaces)),
            admin,
            limits,
            history,
            timings: WatchTimings::default(),
            work_on: WorkOn::default(),
        })
    }
}

pub(super) fn keep<T>(result: Result<T, String>, reasons: &mut Vec<String>) -> Option<T> {
    result.map_err(|reason| reasons.push(reason)).ok()
}

fn access(raw: RawKubernetes) -> ClusterAccess {
    match (raw.kubeconfig, raw.context) {
        (None, None) => ClusterAccess::InCluster,
        (file, context) => ClusterAccess::Kubeconfig { file, context },
    }
}

fn gateway(raw: RawGateway, reasons: &mut Vec<String>) -> Option<GatewayTarget> {
    if raw.url.is_empty() {
        reasons.push(
            "gateway.url: the address of the gateway is missing, as in wss://gateway.example.com".to_owned(),
        );
    }
    let url = if raw.url.is_empty() { None } else { keep(gateway_url(&raw.url), reasons) };
    let proxies = links::proxies(&raw, reasons);
    let credential = keep(credential(raw.token, raw.token_file.as_deref()), reasons);
    if let Some(file) = raw.ca_file.as_deref().filter(|file| !file.is_file()) {
        reasons.push(format!("gateway.ca_file: {} is no file", file.display()));
    }
    Some(GatewayTarget { url: url?, credential: credential?, ca_file: raw.ca_file, proxies })
}

/// The link's own rules; what it takes is passed on as it was written.
fn gateway_url(text: &str) -> Result<String, String> {
    match text.parse::<GatewayUrl>() {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("gateway.url: {error}")),
    }
}

fn cluster(name: &str) -> Result<ClusterId, String> {
    if name.is_empty() {
        return Err(
            "cluster: the name that the gateway's configuration has for this cluster is missing".to_owned()
        );
    }
    ClusterId::new(name).map_err(|error| format!("cluster: {error}"))
}

fn credential(inline: Option<String>, file: Option<&Path>) -> Result<Credential, String> {
    let told = |key: &str, error: &(dyn std::error::Error + 'static)| {
        format!("gateway.{key}: {}", kubeplex_link::reason(error))
    };
    match (inline, file) {
        (Some(_), Some(_)) => {
            Err("gateway.token and gateway.token_file: only one of them can be set".to_owned())
        }
        (None, None) => {
            Err("gateway.token_file: a token is missing, in a file or as gateway.token".to_owned())
        }
        (Some(text), None) => Token::new(&text).map(Credential::from).map_err(|error| told("token", &error)),
        (None, Some(file)) => Credential::in_file(file).map_err(|error| told("token_file", &error)),
    }
}

fn watch_mode(text: Option<&str>) -> Result<WatchMode, String> {
    match text {
        None | Some("builtin") => Ok(WatchMode::Builtin),
        Some("on-demand") => Ok(WatchMode::OnDemand),
        Some(other) => Err(format!("watch.mode: {other:?} is neither \"builtin\" nor \"on-demand\"")),
    }
}

fn live_reads(text: Option<&str>) -> Result<LiveReads, String> {
    match text {
        None | Some("impersonate") => Ok(LiveReads::Impersonate),
        Some("refused") => Ok(LiveReads::Refused),
        Some("own") => Ok(LiveReads::Own),
        Some(other) => Err(format!(
            "kubernetes.live_reads: {other:?} is none of \"impersonate\", \"refused\" and \"own\""
        )),
    }
}

fn watched_namespaces(names: Vec<String>) -> Result<WatchedNamespaces, String> {
    if names.len() > WATCHED_NAMESPACES {
        return Err(format!(
            "watch.namespaces: {} names are more than {WATCHED_NAMESPACES}, each of which costs a watch a kind; a ClusterRole \
             lets the agent watch the whole cluster",
            names.len()
        ));
    }
    WatchedNamespaces::new(names).map_err(|name| {
        format!(
            "watch.namespaces: {name:?} is no name of a namespace; each is named exactly, as in [\"shop\"]"
        )
    })
}

fn secrets(raw: &RawSecrets) -> Result<SecretsWatch, String> {
    let data = SecretData {
        tls_dates: raw.tls_dates.unwrap_or_default(),
        helm_releases: raw.helm_releases.unwrap_or_default(),
    };
    match raw.watch.as_deref() {
        Some("metadata") => Ok(SecretsWatch::Metadata(data)),
        None | Some("never") if data == SecretData::default() => Ok(SecretsWatch::Never),
        None | Some("never") => {
            let key = if data.tls_dates { "tls_dates" } else { "helm_releases" };
            Err(format!("secrets.{key}: it needs watch = \"metadata\" beside it"))
        }
        Some(other) => Err(format!("secrets.watch: {other:?} is neither \"never\" nor \"metadata\"")),
    }
}

fn admin(raw: &RawAdmin) -> Result<Option<AdminListener>, String> {
    let Some(text) = raw.listen.as_deref() else { return Ok(None) };
    let audience = if raw.on_network { Audience::Network } else { Audience::ThisMachine };
    let address: SocketAddr = text
        .parse()
        .map_err(|_| format!("admin.listen: {text:?} is no address, as 127.0.0.1:7577 is one"))?;
    if audience == Audience::ThisMachine && !address.ip().is_loopback() {
        return Err(format!(
            "admin.listen: {address} is not a loopback address, and whoever reaches it would be answered: set \
             admin.on_network = true if probes and metrics come from a network"
        ));
    }
    Ok(Some(AdminListener { address, audience }))
}

fn limits(raw: &RawLimits, reasons: &mut Vec<String>) -> Limits {
    let default = Limits::default();
    let mut within = |name: &str, value: Option<u64>, default: u64, most: u64| {
        let value = value.unwrap_or(default);
        if !(1..=most).contains(&value) {
            reasons.push(format!("limits.{name}: {value} is not between 1 and {most}"));
        }
        value
    };
    let calls_in_flight =
        within("calls_in_flight", raw.calls_in_flight.map(|n| n as u64), default.calls_in_flight as u64, 100);
    let calls_per_second = within(
        "calls_per_second",
        raw.calls_per_second.map(u64::from),
        u64::from(default.calls_per_second),
        500,
    );
    let lists_at_once =
        within("lists_at_once", raw.lists_at_once.map(|n| n as u64), default.lists_at_once as u64, 32);
    let on_demand_kinds = within(
        "on_demand_kinds",
        raw.on_demand_kinds.map(|n| n as u64),
        default.on_demand_kinds as u64,
        1_000,
    );
    let idle_s =
        within("on_demand_idle_s", raw.on_demand_idle_s, default.on_demand_idle.as_secs(), 7 * 24 * 3_600);
    Limits {
        calls_in_flight: calls_in_flight as usize,
        calls_per_second: calls_per_second as u32,
        lists_at_once: lists_at_once as usize,
        on_demand_kinds: on_demand_kinds as usize,
        on_demand_idle: Duration::from_secs(idle_s),
    }
}

#[cfg(test)]
mod tests {
    use super::super::ConfigError;
    use super::*;

    const GOOD: [(&str, &str); 3] =
        [("CLUSTER", "prod-eu"), ("GATEWAY__URL", "wss://gateway.example.com"), ("GATEWAY__TOKEN", "abc")];

    fn load(settings: &[(&str, &str)]) -> Result<AgentConfig, InvalidConfig> {
        let mut all: Vec<(&str, &str)> = GOOD.to_vec();
        all.retain(|(key, _)| settings.iter().all(|(set, _)| set != key));
        all.extend_from_slice(settings);
        let environment =
            all.iter().map(|(key, value)| (format!("KUBEPLEX_AGENT__{key}"), (*value).to_owned())).collect();
        AgentConfig::try_from(RawConfig::load(None, environment).unwrap())
    }

    fn shown(token: &str) -> Credential {
        Token::new(token).unwrap().into()
    }

    #[test]
    fn what_is_needed_is_enough() {
        let config = load(&[]).unwrap();
        assert_eq!(config.cluster().as_str(), "prod-eu");
        assert_eq!(config.access(), &ClusterAccess::InCluster);
        assert_eq!((config.watch(), config.live_reads()), (WatchMode::Builtin, LiveReads::Impersonate));
        assert_eq!((config.secrets(), config.namespaces().names()), (SecretsWatch::Never, &[][..]));
        assert_eq!(config.gateway().unwrap().credential, shown("abc"));
        assert!(!format!("{config:?}").contains("abc"));
    }

    #[test]
    fn each_wrong_value_is_named() {
        for (key, value, reason) in [
            ("CLUSTER", "a b", "cluster: \"a b\""),
            ("GATEWAY__URL", "https://x", "must begin with wss://"),
            ("GATEWAY__URL", "ws://gateway.example.com", "only for loopback addresses"),
            ("GATEWAY__URL", "wss:///x", "is not a URL"),
            ("GATEWAY__TOKEN", " ", "the token is empty"),
            ("GATEWAY__TOKEN_FILE", "/x", "only one of them"),
            ("GATEWAY__CA_FILE", "/no/such/file", "is no file"),
            ("GATEWAY__PROXY_URL", "https://proxy", "gateway.proxy_url: a proxy is spoken to in plain HTTP"),
            ("LINK__MAX_AGE_S", "0", "link.max_age_s: 0 is not between 1 and 86400"),
            ("WATCH__MODE", "all", "neither \"builtin\" nor"),
            ("WATCH__NAMESPACES", "shop,team-*", "\"team-*\" is no name of a namespace"),
            ("SECRETS__WATCH", "data", "neither \"never\" nor"),
            ("SECRETS__TLS_DATES", "true", "secrets.tls_dates: it needs watch = \"metadata\""),
            ("SECRETS__HELM_RELEASES", "true", "secrets.helm_releases: it needs"),
            ("KUBERNETES__LIVE_READS", "yes", "none of \"impersonate\", \"refused\" and"),
            ("ADMIN__LISTEN", "0.0.0.0:80", "not a loopback address"),
            ("ADMIN__LISTEN", "here", "is no address"),
            ("LIMITS__CALLS_PER_SECOND", "0", "limits.calls_per_second: 0 is not between 1 and 500"),
        ] {
            let error = load(&[(key, value)]).unwrap_err();
            assert!(error.reasons.len() == 1 && error.reasons[0].contains(reason), "{key}={value}: {error}");
        }
    }

    #[test]
    fn all_reasons_are_told_at_once() {
        let error = AgentConfig::try_from(RawConfig::default()).unwrap_err();
        assert_eq!(error.reasons.len(), 3, "{error}");
    }

    /// An account number leads with zeroes, and a token may look like anything.
    #[test]
    fn texts_that_look_like_something_else_stay_texts() {
        for text in ["012345678901", "1e3", "true", "1.50", "0x10"] {
            let config = load(&[("CLUSTER", text), ("GATEWAY__TOKEN", text)]).unwrap();
            assert_eq!(config.cluster().as_str(), text);
            assert_eq!(config.gateway().unwrap().credential, shown(text));
        }
        let config = load(&[("KUBERNETES__CONTEXT", "0012"), ("LIMITS__CALLS_IN_FLIGHT", "12")]).unwrap();
        assert_eq!(
            config.access(),
            &ClusterAccess::Kubeconfig { file: None, context: Some("0012".to_owned()) }
        );
        assert_eq!(config.limits().calls_in_flight, 12);
    }

    #[test]
    fn a_mistake_is_told_with_its_place_and_remedy() {
        for (key, value, told) in [
            (
                "WATCH__MOOD",
                "builtin",
                "in the environment, watch.mood: there is no key \"mood\"; there are mode",
            ),
            (
                "LIMITS__LISTS_AT_ONCE",
                "1e3",
                "in the environment, limits.lists_at_once: string \"1e3\" stands",
            ),
        ] {
            let environment = vec![(format!("KUBEPLEX_AGENT__{key}"), value.to_owned())];
            let error = RawConfig::load(None, environment).unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
        let path = std::env::temp_dir().join(format!("kubeplex-agent-{}.toml", std::process::id()));
        std::fs::write(&path, "cluster = \"a\"\n[limits]\ncalls_in_flihgt = 3").unwrap();
        let error = RawConfig::load(Some(&path), Vec::new()).unwrap_err().to_string();
        std::fs::remove_file(&path).unwrap();
        assert!(error.starts_with("line 3, limits.calls_in_flihgt: there is no key"), "{error}");
        assert!(matches!(RawConfig::load(Some(&path), Vec::new()), Err(ConfigError::Unreadable(_))));
    }

    #[test]
    fn a_network_is_told_only_where_that_is_meant() {
        let config = load(&[("ADMIN__LISTEN", "0.0.0.0:7577"), ("ADMIN__ON_NETWORK", "true")]).unwrap();
        let address = "0.0.0.0:7577".parse().unwrap();
        assert_eq!(config.admin(), Some(AdminListener { address, audience: Audience::Network }));
        let config = load(&[("ADMIN__LISTEN", "127.0.0.1:7577")]).unwrap();
        assert_eq!(config.admin().map(|admin| admin.audience), Some(Audience::ThisMachine));
    }

    #[test]
    fn lists_and_loopback_are_read() {
        let config = load(&[("DENY__KINDS", "secrets,*.x.io"), ("GATEWAY__URL", "ws://[::1]:7575")]).unwrap();
        assert!(config.deny().kind(&"foos.x.io".parse().unwrap()));
        assert!(!config.deny().kind(&"pods".parse().unwrap()));
        let config = load(&[("WATCH__NAMESPACES", "shop, payments")]).unwrap();
        assert_eq!(config.namespaces().names(), ["payments", "shop"]);
        let config = load(&[("SECRETS__WATCH", "metadata"), ("SECRETS__TLS_DATES", "true")]).unwrap();
        let data = SecretData { tls_dates: true, helm_releases: false };
        assert_eq!(config.secrets(), SecretsWatch::Metadata(data));
    }
}
