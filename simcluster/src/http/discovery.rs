//! Paths that are no resources: version, health, and discovery in its old form (a document a group) and its aggregated one.

use std::hash::{DefaultHasher, Hash, Hasher};

use http::header;
use http::request::Parts;
use serde_json::{Value, json};

use super::accept::{Form, negotiate};
use super::reply::Reply;
use crate::catalog::{Catalog, Resource, Scope};
use crate::cluster::Shared;
use crate::config::MetricsApi;
use crate::metrics;
use crate::names::api_version;
use crate::policy::User;
use crate::status::ApiError;

/// Answers a path that names no resource.
///
/// # Errors
/// 403 for strangers, 404 for paths that do not exist.
pub(crate) fn answer(shared: &Shared, caller: &User, parts: &Parts) -> Result<Reply, ApiError> {
    let path = parts.uri.path().trim_end_matches('/');
    let is_health = matches!(path, "/healthz" | "/livez" | "/readyz");
    if !is_health && path != "/version" && !shared.policy().allows_path(caller, path) {
        return Err(ApiError::forbidden_path(&caller.name, "get", parts.uri.path()));
    }
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let catalog = shared.catalog();
    match &*segments {
        [probe @ ("healthz" | "livez" | "readyz")] => {
            let is_verbose =
                parts.uri.query().is_some_and(|query| query.split('&').any(|part| part == "verbose"));
            let text = if is_verbose { checks(probe) } else { "ok".to_owned() };
            Ok(Reply::bytes(200, "text/plain; charset=utf-8", text))
        }
        ["metrics"] => Ok(Reply::bytes(200, "text/plain; version=0.0.4", own_metrics(shared))),
        ["version"] => Ok(Reply::json(200, &version(&shared.config.kubernetes_version))),
        ["openapi", "v3", below @ ..] => super::openapi::answer(shared, below),
        ["api"] => roots(shared, &catalog, parts, Root::Core),
        ["apis"] => roots(shared, &catalog, parts, Root::Groups),
        ["api", version] => resource_list(&catalog, "", version),
        ["apis", group] => legacy_group(&catalog, group)
            .map(|group| Reply::json(200, &group))
            .ok_or_else(ApiError::no_such_path),
        ["apis", metrics::GROUP, _] if shared.metrics_api() == MetricsApi::Failing => {
            Ok(Reply::bytes(503, "text/plain; charset=utf-8", "service unavailable\n"))
        }
        ["apis", group, version] => resource_list(&catalog, group, version),
        _ => Err(ApiError::no_such_path()),
    }
}

/// A few of those that a server has: <https://kubernetes.io/docs/reference/instrumentation/metrics/>.
fn own_metrics(shared: &Shared) -> String {
    let name = "apiserver_requested_deprecated_apis";
    let mut text = format!(
        "# HELP {name} [STABLE] Gauge of deprecated APIs that have been requested.\n# TYPE {name} gauge\n"
    );
    for [group, version, resource, removed] in shared.deprecated.lock().iter() {
        text.push_str(&format!(
            "{name}{{group=\"{group}\",removed_release=\"{removed}\",resource=\"{resource}\",subresource=\"\",version=\"{version}\"}} 1\n"
        ));
    }
    text.push_str("process_start_time_seconds 1.795e+09\n");
    text
}

/// As <https://kubernetes.io/docs/reference/using-api/health-checks/> shows it.
fn checks(probe: &str) -> String {
    let checks = ["ping", "log", "etcd", "informer-sync", "poststarthook/start-apiextensions-controllers"];
    let passed: String = checks.iter().map(|check| format!("[+]{check} ok\n")).collect();
    format!("{passed}{probe} check passed\n")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Root {
    Core,
    Groups,
}

fn version(git_version: &str) -> Value {
    let mut numbers = git_version.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or("1"), numbers.next().unwrap_or("0"));
    json!({
        "major": major, "minor": minor, "emulationMajor": major, "emulationMinor": minor,
        "gitVersion": git_version, "gitCommit": "8cdd3f5b1a4a2a2f9c4c7b1f5f0ad2f3c6f7b6e1", "gitTreeState": "clean",
        "buildDate": "2026-09-15T18:03:44Z", "goVersion": "go1.25.1", "compiler": "gc", "platform": "linux/amd64",
    })
}

fn roots(shared: &Shared, catalog: &Catalog, parts: &Parts, root: Root) -> Result<Reply, ApiError> {
    let Form::Discovery(version) = negotiate(&parts.headers)? else {
        return Ok(Reply::json(200, &legacy_root(catalog, root)));
    };
    let groups: Vec<&str> = match root {
        Root::Core => vec![""],
        Root::Groups => catalog.groups(),
    };
    let failing = shared.metrics_api() == MetricsApi::Failing;
    let items: Vec<Value> = groups
        .into_iter()
        .map(|group| aggregated_group(catalog, group, failing && group == metrics::GROUP))
        .collect();
    let document = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": format!("apidiscovery.k8s.io/{version}"), "metadata": {}, "items": items,
    });
    let body = document.to_string();
    let etag = etag(&body);
    let content_type = format!("application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
    let is_known =
        parts.headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let reply = if is_known { Reply::empty(304) } else { Reply::bytes(200, &content_type, body) };
    Ok(reply.with(header::ETAG, &etag).with(header::VARY, "Accept"))
}

fn etag(body: &str) -> String {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    format!("\"{:016X}{:016X}\"", hasher.finish(), body.len())
}

fn legacy_root(catalog: &Catalog, root: Root) -> Value {
    match root {
        Root::Core => json!({
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "10.0.0.1:443"}],
        }),
        Root::Groups => {
            let groups: Vec<Value> = catalog
                .groups()
                .into_iter()
                .filter_map(|group| legacy_group(catalog, group))
                .map(|mut group| {
                    if let Some(map) = group.as_object_mut() {
                        map.retain(|key, _| !matches!(key.as_str(), "kind" | "apiVersion"));
                    }
                    group
                })
                .collect();
            json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
        }
    }
}

fn legacy_group(catalog: &Catalog, group: &str) -> Option<Value> {
    let versions: Vec<Value> = catalog
        .versions(group)
        .into_iter()
        .map(|version| json!({"groupVersion": api_version(group, version), "version": version}))
        .collect();
    let preferred = versions.first()?.clone();
    Some(
        json!({"kind": "APIGroup", "apiVersion": "v1", "name": group, "versions": versions, "preferredVersion": preferred}),
    )
}

fn resource_list(catalog: &Catalog, group: &str, version: &str) -> Result<Reply, ApiError> {
    let resources = catalog.in_version(group, version);
    if resources.is_empty() {
        return Err(ApiError::no_such_path());
    }
    let entries: Vec<Value> = resources.into_iter().flat_map(|resource| legacy_entries(resource)).collect();
    let list = json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version(group, version), "resources": entries});
    Ok(Reply::json(200, &list))
}

fn legacy_entries(resource: &Resource) -> Vec<Value> {
    let mut main = json!({
        "name": resource.plural, "singularName": resource.singular, "namespaced": resource.is_namespaced(),
        "kind": resource.kind, "verbs": resource.verbs.names(),
    });
    if !resource.short_names.is_empty() {
        main["shortNames"] = json!(resource.short_names);
    }
    if !resource.categories.is_empty() {
        main["categories"] = json!(resource.categories);
    }
    let subresources = resource.subresources.iter().map(|name| {
        json!({
            "name": format!("{}/{name}", resource.plural), "singularName": "", "namespaced": resource.is_namespaced(),
            "kind": subresource_kind(resource, name), "verbs": subresource_verbs(name),
        })
    });
    std::iter::once(main).chain(subresources).collect()
}

fn aggregated_group(catalog: &Catalog, group: &str, is_stale: bool) -> Value {
    let versions = catalog.versions(group).into_iter().map(|version| {
        if is_stale {
            return json!({"version": version, "freshness": "Stale"});
        }
        let resources: Vec<Value> = catalog
            .in_version(group, version)
            .into_iter()
            .map(|resource| aggregated_entry(resource))
            .collect();
        json!({"version": version, "resources": resources, "freshness": "Current"})
    });
    let metadata = if group.is_empty() { json!({}) } else { json!({"name": group}) };
    json!({"metadata": metadata, "versions": versions.collect::<Vec<_>>()})
}

fn aggregated_entry(resource: &Resource) -> Value {
    let response_kind =
        |kind: &str| json!({"group": resource.group, "version": resource.version, "kind": kind});
    let scope = if resource.scope == Scope::Namespaced { "Namespaced" } else { "Cluster" };
    let mut entry = json!({
        "resource": resource.plural, "responseKind": response_kind(&resource.kind), "scope": scope,
        "singularResource": resource.singular, "verbs": resource.verbs.names(),
    });
    if !resource.short_names.is_empty() {
        entry["shortNames"] = json!(resource.short_names);
    }
    if !resource.categories.is_empty() {
        entry["categories"] = json!(resource.categories);
    }
    if !resource.subresources.is_empty() {
        let subresources = resource.subresources.iter().map(|name| {
            json!({"subresource": name, "responseKind": response_kind(subresource_kind(resource, name)), "verbs": subresource_verbs(name)})
        });
        entry["subresources"] = subresources.collect();
    }
    entry
}

fn subresource_kind<'a>(resource: &'a Resource, name: &str) -> &'a str {
    match name {
        "scale" => "Scale",
        "eviction" => "Eviction",
        "binding" => "Binding",
        "token" => "TokenRequest",
        "attach" => "PodAttachOptions",
        "exec" => "PodExecOptions",
        "portforward" => "PodPortForwardOptions",
        "proxy" if resource.plural == "pods" => "PodProxyOptions",
        "proxy" if resource.plural == "nodes" => "NodeProxyOptions",
        "proxy" => "ServiceProxyOptions",
        _ => &resource.kind,
    }
}

fn subresource_verbs(name: &str) -> &'static [&'static str] {
    match name {
        "log" => &["get"],
        "attach" | "exec" | "portforward" => &["create", "get"],
        "binding" | "eviction" | "token" => &["create"],
        "finalize" => &["update"],
        "proxy" => &["create", "delete", "get", "patch", "update"],
        _ => &["get", "patch", "update"],
    }
}
