//! Namespaces, what is configured in them, and what limits them.

use serde_json::Value;

use super::field::{at, count, or, quantity, text};
use super::{AGE, DEFAULT, Entry, GENERIC, NAME, narrow};

const NAMESPACES: &[Entry] =
    &[NAME, narrow("Status", |namespace| text(namespace, "/status/phase").into()), AGE];

const CONFIG_MAPS: &[Entry] =
    &[NAME, narrow("Data", |map| (count(map, "/data") + count(map, "/binaryData")).into()), AGE];

const SECRETS: &[Entry] = &[
    NAME,
    narrow("Type", |secret| text(secret, "/type").into()),
    narrow("Data", |secret| keys(secret).into()),
    AGE,
];

const RESOURCE_QUOTAS: &[Entry] = &[
    NAME,
    narrow("Request", |quota| usage(quota, false).into()),
    narrow("Limit", |quota| usage(quota, true).into()),
    AGE,
];

pub(super) fn entries(group: &str, resource: &str) -> Option<&'static [Entry]> {
    Some(match (group, resource) {
        ("", "namespaces") => NAMESPACES,
        ("", "configmaps") => CONFIG_MAPS,
        ("", "secrets") => SECRETS,
        ("", "serviceaccounts") => GENERIC,
        ("", "resourcequotas") => RESOURCE_QUOTAS,
        ("", "limitranges") => DEFAULT,
        _ => return None,
    })
}

/// Secrets are watched without their data: then the server's own count stands in `dataCount`.
fn keys(secret: &Value) -> i64 {
    let counted = at(secret, "/dataCount").and_then(Value::as_i64);
    counted.unwrap_or_else(|| count(secret, "/data"))
}

/// `cpu: 1/4, memory: 0/8Gi`: of the resources that are limits, or of the others.
fn usage(quota: &Value, limits: bool) -> String {
    let Some(Value::Object(hard)) = at(quota, "/status/hard") else { return String::new() };
    let mut resources: Vec<_> =
        hard.iter().filter(|(name, _)| name.starts_with("limits.") == limits).collect();
    resources.sort_by_key(|(name, _)| *name);
    let used = at(quota, "/status/used").unwrap_or(&Value::Null);
    let one = |(name, hard): (&String, &Value)| {
        let used = used.get(name).map_or("0", |used| quantity(used, ""));
        format!("{name}: {used}/{}", or(hard.as_str().unwrap_or_default(), "0"))
    };
    resources.into_iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_names, named};

    #[test]
    fn columns_are_the_servers() {
        check_names("namespaces", "Name, Status, Age");
        check_names("configmaps", "Name, Data, Age");
        check_names("secrets", "Name, Type, Data, Age");
        check_names("serviceaccounts", "Name, Age");
        check_names("resourcequotas", "Name, Request, Limit, Age");
        check_names("limitranges", "Name, Created At");
    }

    #[test]
    fn data_is_counted() {
        let map = named("m", json!({"data": {"a": "1", "b": "2"}, "binaryData": {"c": "AA=="}}));
        check("configmaps", &map, &json!({"data": 3}));
        check("configmaps", &named("m", json!({})), &json!({"data": 0}));
        check(
            "secrets",
            &named("s", json!({"type": "Opaque", "data": {"a": "eA=="}})),
            &json!({"type": "Opaque", "data": 1}),
        );
        check(
            "secrets",
            &named("s", json!({"type": "kubernetes.io/tls", "dataCount": 2})),
            &json!({"type": "kubernetes.io/tls", "data": 2}),
        );
    }

    #[test]
    fn quotas_show_use_by_kind_of_resource() {
        let quota = named(
            "q",
            json!({"status": {
                "hard": {"requests.cpu": "4", "pods": "10", "limits.memory": "8Gi", "limits.cpu": "8"},
                "used": {"requests.cpu": "1500m", "limits.cpu": "2"},
            }}),
        );
        check(
            "resourcequotas",
            &quota,
            &json!({"request": "pods: 0/10, requests.cpu: 1500m/4", "limit": "limits.cpu: 2/8, limits.memory: 0/8Gi"}),
        );
        check("resourcequotas", &named("q", json!({})), &json!({"request": "", "limit": ""}));
    }

    #[test]
    fn the_default_columns_spell_the_time_of_creation() {
        check(
            "limitranges",
            &named("l", json!({})),
            &json!({"name": "l", "createdAt": "1970-01-01T00:01:40Z"}),
        );
    }
}
