//! The example file is the manual: every key is in it, and what it calls a default is one.

use std::time::Duration;

use kubeplex_test_support::example::{keys, uncommented};
use serde_json::Value;

use super::raw::RawConfig;
use super::*;

const EXAMPLE: &str = include_str!("../../../config.example.toml");

fn read<T: serde::de::DeserializeOwned>(text: &str) -> T {
    toml::from_str(text).unwrap()
}

#[test]
fn as_it_is_it_is_the_default_with_one_cluster() {
    let config = GatewayConfig::from_toml(EXAMPLE).unwrap();
    check_defaults(&config);
    let [cluster] = config.clusters() else { panic!("one cluster expected: {:?}", config.clusters()) };
    assert_eq!((cluster.id.as_str(), cluster.labels["region"].as_str()), ("prod-eu", "eu"));
    assert!(cluster.token.is_some());
    assert!(config.callers().is_empty());
}

#[test]
fn every_key_is_there_and_no_other() {
    let text = uncommented(EXAMPLE);
    let (written, read): (Value, RawConfig) = (read(&text), read(&text));
    let read = serde_json::to_value(&read).unwrap();
    assert_eq!(keys(&written), keys(&read));
    assert_eq!(keys(&written["gateway"]), keys(&read["gateway"]));
}

#[test]
fn what_it_calls_a_default_is_one() {
    let mut raw: RawConfig = read(&uncommented(EXAMPLE));
    // It has no default, and the example's file is nobody's.
    assert_eq!(raw.gateway.cursor_key_file.take().as_deref(), Some("/etc/kubeplex/cursor.key"));
    assert_eq!(raw.gateway.tls.cert_file.take().as_deref(), Some("/etc/kubeplex/tls.crt"));
    assert_eq!(raw.gateway.tls.key_file.take().as_deref(), Some("/etc/kubeplex/tls.key"));
    let check_every = raw.gateway.tls.check_every_ms.map(Duration::from_millis);
    assert_eq!(check_every, Some(CertificateFiles::new("", "").check_every()));
    for cluster in &mut raw.clusters {
        assert!(cluster.url.take().is_some() && cluster.token_file.take().is_some());
        assert!(cluster.ca_file.take().is_some());
    }
    let config = check::validate(raw).unwrap();
    check_defaults(&config);
    let [anna] = config.callers() else { panic!("one caller expected: {:?}", config.callers()) };
    assert_eq!((anna.identity.user.as_str(), anna.identity.groups.len()), ("anna@example.com", 1));
}

fn check_defaults(config: &GatewayConfig) {
    assert_eq!((config.listen(), config.admin()), (DEFAULT_LISTEN, DEFAULT_ADMIN));
    assert_eq!((config.protection(), config.admin_audience()), (&Protection::None, Audience::ThisMachine));
    assert_eq!(config.limits(), &Limits::default());
    assert_eq!((config.timings(), config.arrivals()), (&Timings::default(), ARRIVALS));
    assert_eq!(config.health(), &HealthThresholds::default());
    assert!(config.dialled().is_empty());
    assert!(config.allowed_hosts().is_empty() && config.allowed_origins().is_empty());
    assert_eq!(config.fixtures(), Fixtures::Hidden);
}
