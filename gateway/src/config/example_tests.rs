//! The example file is the manual: every key is in it, and what it calls a default is one.

use std::collections::BTreeSet;

use serde_json::Value;

use super::raw::RawConfig;
use super::*;

const EXAMPLE: &str = include_str!("../../../config.example.toml");

fn read<'de, T: serde::Deserialize<'de>>(text: &str) -> T {
    let file = config::File::from_str(text, config::FileFormat::Toml);
    config::Config::builder().add_source(file).build().unwrap().try_deserialize().unwrap()
}

/// With every key: a comment that is a key and its value becomes one.
fn uncommented() -> String {
    let line = |line: &str| match line.strip_prefix("# ") {
        Some(key) if is_setting(key) => format!("{key}\n"),
        _ => format!("{line}\n"),
    };
    EXAMPLE.lines().map(line).collect()
}

fn is_setting(text: &str) -> bool {
    text.split_once(" = ").is_some_and(|(key, _)| {
        !key.is_empty()
            && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    })
}

/// `section.key` of everything that a value holds. An object below a key is one value, as labels are.
fn keys(value: &Value) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for (name, below) in value.as_object().into_iter().flatten() {
        let sections = match below {
            Value::Array(items) if items.iter().any(Value::is_object) => items.iter().collect(),
            below => vec![below],
        };
        for section in sections {
            match section.as_object() {
                None => drop(keys.insert(name.clone())),
                Some(section) => keys.extend(section.keys().map(|key| format!("{name}.{key}"))),
            }
        }
    }
    keys
}

#[test]
fn as_it_is_it_is_the_default_with_one_cluster() {
    let config = GatewayConfig::from_toml(EXAMPLE).unwrap();
    check_defaults(&config);
    let [cluster] = config.clusters() else { panic!("one cluster expected: {:?}", config.clusters()) };
    assert_eq!((cluster.id.as_str(), cluster.labels["region"].as_str()), ("prod-eu", "eu"));
    assert!(cluster.token.is_some());
}

#[test]
fn every_key_is_there_and_no_other() {
    let text = uncommented();
    let (written, read): (Value, RawConfig) = (read(&text), read(&text));
    assert_eq!(keys(&written), keys(&serde_json::to_value(&read).unwrap()));
}

#[test]
fn what_it_calls_a_default_is_one() {
    let mut raw: RawConfig = read(&uncommented());
    // It has no default, and the example's file is nobody's.
    assert_eq!(raw.gateway.cursor_key_file.take().as_deref(), Some("/etc/kubeplex/cursor.key"));
    check_defaults(&check::validate(raw).unwrap());
}

fn check_defaults(config: &GatewayConfig) {
    assert_eq!((config.listen(), config.admin()), (DEFAULT_LISTEN, DEFAULT_ADMIN));
    assert_eq!(config.limits(), &Limits::default());
    assert_eq!(config.timings(), &Timings::default());
    assert!(config.allowed_hosts().is_empty() && config.allowed_origins().is_empty());
    assert_eq!(config.fixtures(), Fixtures::Hidden);
}
