//! What extends the API: aggregated API servers and custom resource definitions.
//!
//! Rules: `k8s.io/kube-aggregator/pkg/registry/apiservice/etcd` and
//! `k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition/tableconvertor`.

use serde_json::Value;

use super::field::{condition, has, is_true, joined, list, text};
use super::{AGE, CREATED_AT, Entry, NAME, narrow, wide};

const API_SERVICES: &[Entry] = &[
    NAME,
    narrow("Service", |api| service(api).into()),
    narrow("Available", |api| available(api).into()),
    AGE,
];

const DEFINITIONS: &[Entry] = &[
    NAME,
    narrow("Scope", |definition| text(definition, "/spec/scope").into()),
    narrow("Versions", |definition| versions(definition).into()),
    CREATED_AT,
    wide("Group", |definition| text(definition, "/spec/group").into()),
    wide("Kind", |definition| text(definition, "/spec/names/kind").into()),
    wide("ShortNames", |definition| joined(definition, "/spec/names/shortNames").into()),
    wide("Established", |definition| is_true(definition, "Established").into()),
];

pub(super) fn entries(group: &str, resource: &str) -> Option<&'static [Entry]> {
    Some(match (group, resource) {
        ("apiregistration.k8s.io", "apiservices") => API_SERVICES,
        ("apiextensions.k8s.io", "customresourcedefinitions") => DEFINITIONS,
        _ => return None,
    })
}

fn service(api: &Value) -> String {
    if !has(api, "/spec/service") {
        return "Local".to_owned();
    }
    format!("{}/{}", text(api, "/spec/service/namespace"), text(api, "/spec/service/name"))
}

/// `True`, or `False (MissingEndpoints)`.
fn available(api: &Value) -> String {
    let Some(condition) = condition(api, "Available") else { return "Unknown".to_owned() };
    match (text(condition, "/status"), text(condition, "/reason")) {
        (status @ "True", _) | (status, "") => status.to_owned(),
        (status, reason) => format!("{status} ({reason})"),
    }
}

/// The versions that are served, in alphabetical order.
fn versions(definition: &Value) -> String {
    let served = list(definition, "/spec/versions").iter().filter(|version| version["served"] == true);
    let label = |version: &Value| {
        let stored = if version["storage"] == true { "(storage)" } else { "" };
        format!("{}{stored}", text(version, "/name"))
    };
    let mut labels: Vec<_> = served.map(label).collect();
    labels.sort_unstable();
    labels.join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_names, named};
    use super::*;

    #[test]
    fn columns_are_the_servers() {
        check_names("apiservices.apiregistration.k8s.io", "Name, Service, Available, Age");
        check_names(
            "customresourcedefinitions.apiextensions.k8s.io",
            "Name, Scope, Versions, Created At, [Group], [Kind], [ShortNames], [Established]",
        );
    }

    #[test]
    fn api_services() {
        let api = |conditions: Value| {
            let service = json!({"namespace": "kube-system", "name": "metrics"});
            named("a", json!({"spec": {"service": service}, "status": {"conditions": conditions}}))
        };
        let kind = "apiservices.apiregistration.k8s.io";
        let (up, down) = (
            json!([{"type": "Available", "status": "True", "reason": "Passed"}]),
            json!([{"type": "Available", "status": "False", "reason": "MissingEndpoints"}]),
        );
        check(kind, &api(up), &json!({"service": "kube-system/metrics", "available": "True"}));
        check(kind, &api(down), &json!({"available": "False (MissingEndpoints)"}));
        check(kind, &api(json!([{"type": "Available", "status": "False"}])), &json!({"available": "False"}));
        check(kind, &named("a", json!({})), &json!({"service": "Local", "available": "Unknown"}));
    }

    #[test]
    fn definitions() {
        let version = |name: &str, served: bool, storage: bool| json!({"name": name, "served": served, "storage": storage});
        let definition = named(
            "crontabs.example.com",
            json!({
                "spec": {
                    "scope": "Namespaced", "group": "example.com",
                    "names": {"kind": "CronTab", "shortNames": ["ct", "cts"]},
                    "versions": [version("v2", true, true), version("v1", true, false), version("v0", false, false)],
                },
                "status": {"conditions": [{"type": "Established", "status": "True"}]},
            }),
        );
        check(
            "customresourcedefinitions.apiextensions.k8s.io",
            &definition,
            &json!({"scope": "Namespaced", "versions": "v1,v2(storage)", "createdAt": "1970-01-01T00:01:40Z",
                    "group": "example.com", "kind": "CronTab", "shortnames": "ct,cts", "established": true}),
        );
    }
}
