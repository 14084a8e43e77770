//! Who belongs to whom: pure readings of objects.

use std::collections::{BTreeMap, BTreeSet};

use kubeplex_proto::kind::{GroupResource, KindTable};
use kubeplex_proto::sheet::{Relative, Relatives};
use serde_json::Value;

use crate::limits::SHEET_RELATIVES;
use crate::workload;

/// The kinds that may stand below one, in the order in which they are found.
pub(super) fn below(kind: &GroupResource) -> Vec<GroupResource> {
    let apps = |resource: &str| GroupResource::new("apps", resource);
    let (pods, jobs) = (GroupResource::new("", "pods"), GroupResource::new("batch", "jobs"));
    match (kind.group.as_str(), kind.resource.as_str()) {
        ("apps", "deployments") => vec![apps("replicasets"), pods],
        ("apps", _) | ("batch", "jobs") | ("", "replicationcontrollers") => vec![pods],
        ("", "services") => vec![GroupResource::new("discovery.k8s.io", "endpointslices"), pods],
        ("batch", "cronjobs") => vec![jobs, pods],
        // Kinds of others may own anything.
        (group, _) if group.contains('.') && !group.ends_with(".k8s.io") => vec![
            apps("deployments"),
            apps("statefulsets"),
            apps("daemonsets"),
            apps("replicasets"),
            jobs,
            GroupResource::new("", "services"),
            pods,
        ],
        _ => Vec::new(),
    }
}

/// `pod` of `pods`, as commands and names take it.
pub(super) fn singular(object: &Value) -> String {
    object["kind"].as_str().unwrap_or_default().to_lowercase()
}

pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Kind and name of each owner, where the cluster serves the kind.
pub(super) fn owners(object: &Value, kinds: &KindTable) -> Vec<(GroupResource, Relative)> {
    let references = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let owner = |reference: &Value| {
        let (kind, version) = (reference["kind"].as_str()?, reference["apiVersion"].as_str()?);
        let group = version.rsplit_once('/').map_or("", |(group, _)| group);
        let info = kinds.kinds.iter().find(|info| info.kind == kind && info.id.group == group)?;
        let name = reference["name"].as_str()?.to_owned();
        Some((info.id.clone(), Relative { kind: kind.to_lowercase(), name, state: String::new() }))
    };
    references.into_iter().flatten().filter_map(owner).collect()
}

pub(super) fn is_owned(object: &Value, by: &BTreeSet<String>) -> bool {
    let references = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    references.into_iter().flatten().any(|owner| owner["uid"].as_str().is_some_and(|uid| by.contains(uid)))
}

/// The labels of the pods that an object is or makes.
pub(super) fn pod_labels(object: &Value) -> Option<&Value> {
    let of_template = object.pointer("/spec/template/metadata/labels");
    of_template.or_else(|| (object["kind"] == "Pod").then(|| object.pointer("/metadata/labels"))?)
}

/// What pods of a template mount and read, and where they run, by resource: `configmaps`, `secrets`, …
pub(super) fn uses(template: &Value) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut used: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for (resource, name) in workload::references(template) {
        used.entry(resource).or_default().insert(name);
    }
    let node = text(template, "/spec/nodeName");
    if !node.is_empty() {
        used.entry("nodes").or_default().insert(node.to_owned());
    }
    used
}

/// How an object is, in a word or two.
pub(super) fn state(object: &Value) -> String {
    let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    match object["kind"].as_str().unwrap_or_default() {
        "Pod" => pod_state(object),
        "ReplicaSet" | "Deployment" | "StatefulSet" => {
            format!("{}/{} ready", number("/status/readyReplicas"), number("/spec/replicas"))
        }
        "DaemonSet" => {
            format!("{}/{} ready", number("/status/numberReady"), number("/status/desiredNumberScheduled"))
        }
        "EndpointSlice" => {
            let (ready, all) = endpoints(object);
            format!("{ready}/{all} endpoints ready")
        }
        "Job" => format!(
            "{} active, {} succeeded, {} failed",
            number("/status/active"),
            number("/status/succeeded"),
            number("/status/failed")
        ),
        _ => String::new(),
    }
}

/// How many endpoints of a slice are ready, and how many there are.
pub(super) fn endpoints(slice: &Value) -> (u64, u64) {
    let all = workload::items(&slice["endpoints"]);
    (all.iter().filter(|endpoint| workload::is_ready(endpoint)).count() as u64, all.len() as u64)
}

fn pod_state(pod: &Value) -> String {
    let statuses = pod.pointer("/status/containerStatuses").and_then(Value::as_array);
    let statuses = || statuses.into_iter().flatten();
    let ready = statuses().filter(|status| status["ready"] == true).count();
    let waiting = statuses().find_map(|status| status.pointer("/state/waiting/reason"));
    let ended = statuses().find_map(|status| status.pointer("/state/terminated/reason"));
    let reason = waiting.or(ended).and_then(Value::as_str);
    let word = reason.unwrap_or_else(|| text(pod, "/status/phase"));
    let total = pod.pointer("/spec/containers").and_then(Value::as_array).map_or(0, Vec::len);
    let restarts: u64 = statuses().filter_map(|status| status["restartCount"].as_u64()).sum();
    let restarts = if restarts > 0 { format!(", {restarts} restarts") } else { String::new() };
    format!("{word} {ready}/{total}{restarts}")
}

/// As far as its [`state`] tells.
pub(super) fn is_well(relative: &Relative) -> bool {
    let state = relative.state.as_str();
    let mut words = state.split([' ', ',']);
    match words.clone().next().unwrap_or_default() {
        "missing" => false,
        // What has come to its end is ready no more.
        "Completed" | "Succeeded" => true,
        _ if state.ends_with(" failed") => state.ends_with(" 0 failed"),
        _ => words.find_map(|word| word.split_once('/')).is_none_or(|(ready, all)| ready == all),
    }
}

/// The first of them: those that are not well before the others.
pub(super) fn some(mut all: Vec<Relative>) -> Relatives {
    all.sort_by_key(is_well);
    let more = all.len().saturating_sub(SHEET_RELATIVES) as u64;
    all.truncate(SHEET_RELATIVES);
    Relatives { shown: all, more }
}

#[cfg(test)]
mod tests;
