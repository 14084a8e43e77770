//! ConfigMaps, Secrets and keys of them that a pod needs and that are not there.
//!
//! What a container reads from its environment stops it with `CreateContainerConfigError`
//! (`pkg/kubelet/kuberuntime/kuberuntime_container.go`), what it mounts with events `FailedMount`
//! (`pkg/volume/configmap`, `pkg/volume/secret`). A pod that was just bound says neither for a while, so what it refers to is
//! looked up, too, where all ConfigMaps are known.
//! <https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/#restrictions>

use std::collections::BTreeMap;

use serde_json::Value;

use super::ending;
use super::event::{self, quoted_after};
use super::kind::{self, CONFIG_MAPS, SECRETS};
use super::pod;
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{at, list, text};
use crate::problems::{Evidence, Finding};

const fn cause(name: &'static str, when: &'static str) -> Cause {
    Cause {
        name,
        severities: &[Severity::Critical],
        looks_at: "why a pod's containers wait, its events, and what it refers to",
        when,
    }
}

pub(super) const CAUSES: &[Cause] = &[
    cause("MissingConfigMap", "a pod that can't start needs a ConfigMap that is not there"),
    cause("MissingSecret", "a pod that can't start needs a Secret that is not there"),
    cause("MissingKey", "a pod that can't start needs a key that its ConfigMap or Secret does not have"),
    cause("ContainerConfig", "the kubelet can't make a container's configuration for another reason"),
];

/// What is missing, in words, with the cause.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Missing {
    cause: &'static str,
    message: String,
}

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let pod = subject.object;
    if pod::is_over(pod) || pod::is_ready(pod) {
        return;
    }
    for (missing, evidence) in all_missing(pod, world) {
        verdict.add(Finding::new(missing.cause, Severity::Critical, missing.message).shown_by([evidence]));
    }
}

/// Whether this is why the pod has no containers.
pub(super) fn is_missing_any(pod: &Value, world: &dyn World) -> bool {
    !all_missing(pod, world).is_empty()
}

/// Each thing once, with the best that shows it.
fn all_missing(pod: &Value, world: &dyn World) -> BTreeMap<Missing, Evidence> {
    let mut all = BTreeMap::new();
    for container in pod::containers(pod) {
        if container.waits_for() == "CreateContainerConfigError" {
            let missing = told(container.waiting_message()).unwrap_or_else(|| Missing {
                cause: "ContainerConfig",
                message: format!("container {} can't be configured", container.name),
            });
            all.extend(Some(missing).zip(ending::waiting(&container)));
        }
    }
    if !waits_for_creation(pod) {
        return all;
    }
    for event in event::recent(world, &pod::name_of(pod)) {
        if text(&event, "/reason") == "FailedMount"
            && let Some(missing) = told(text(&event, "/message"))
        {
            all.entry(missing).or_insert_with(|| Evidence::event(&event));
        }
    }
    for (missing, path) in looked_up(pod, world) {
        all.entry(missing).or_insert_with(|| Evidence::field(&path, "refers to it"));
    }
    all
}

/// Whether the pod has a node, and nothing of it runs yet.
pub(super) fn waits_for_creation(pod: &Value) -> bool {
    let created = |pod| {
        pod::containers(pod).all(|container| {
            matches!(
                container.waits_for(),
                "ContainerCreating" | "PodInitializing" | "CreateContainerConfigError"
            )
        })
    };
    text(pod, "/status/phase") == "Pending" && !text(pod, "/spec/nodeName").is_empty() && created(pod)
}

/// By the words of the kubelet.
fn told(message: &str) -> Option<Missing> {
    if let Some(key) =
        word_after(message, "couldn't find key ").or_else(|| word_after(message, "config key: "))
    {
        let of = if message.contains("Secret") { "Secret" } else { "ConfigMap" };
        let holder =
            message.rsplit(&format!("{of} ")).next().filter(|_| message.contains(&format!(" in {of} ")));
        let holder = holder
            .and_then(|holder| holder.split_once('/'))
            .map_or(String::new(), |(_, name)| format!(" {name}"));
        return Some(Missing { cause: "MissingKey", message: format!("{of}{holder} has no key {key}") });
    }
    if let Some(key) = word_after(message, "non-existent secret key: ") {
        return Some(Missing { cause: "MissingKey", message: format!("Secret has no key {key}") });
    }
    if !message.contains("not found") {
        return None;
    }
    let missing =
        |cause, what: &str, name: &str| Missing { cause, message: format!("{what} {name} does not exist") };
    quoted_after(message, "configmap ")
        .map(|name| missing("MissingConfigMap", "ConfigMap", name))
        .or_else(|| quoted_after(message, "secret ").map(|name| missing("MissingSecret", "Secret", name)))
}

fn word_after<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let rest = &text[text.find(before)? + before.len()..];
    rest.split([' ', ',', ';']).next()
}

/// What the pod refers to, and must have, and that is certainly not there.
fn looked_up(pod: &Value, world: &dyn World) -> Vec<(Missing, String)> {
    let mut missing = Vec::new();
    for reference in references(pod) {
        missing.extend(reference.missing(pod::namespace(pod), world).map(|found| (found, reference.path)));
    }
    missing
}

/// A thing that a pod can't do without.
struct Reference<'a> {
    /// Where the pod says so.
    path: String,
    is_secret: bool,
    name: &'a str,
    /// Empty where the whole is meant.
    keys: Vec<&'a str>,
}

impl Reference<'_> {
    fn missing(&self, namespace: Option<&str>, world: &dyn World) -> Option<Missing> {
        let (kind, what, cause) = match self.is_secret {
            true => (SECRETS, "Secret", "MissingSecret"),
            false => (CONFIG_MAPS, "ConfigMap", "MissingConfigMap"),
        };
        if kind::is_missing(world, kind, namespace, self.name) {
            return Some(Missing { cause, message: format!("{what} {} does not exist", self.name) });
        }
        // Of a Secret only the number of keys is known.
        let map = kind::get(world, kind, namespace, self.name).filter(|_| !self.is_secret)?;
        let has = |key: &str| {
            ["/data", "/binaryData"]
                .iter()
                .any(|field| at(&map, field).is_some_and(|data| data.get(key).is_some()))
        };
        let key = self.keys.iter().find(|key| !has(key))?;
        Some(Missing { cause: "MissingKey", message: format!("{what} {} has no key {key}", self.name) })
    }
}

fn references(pod: &Value) -> Vec<Reference<'_>> {
    let volumes = list(pod, "/spec/volumes").iter().flat_map(of_volume);
    let containers = pod::declared(pod).flat_map(of_environment);
    volumes.chain(containers).filter(|reference| !reference.name.is_empty()).collect()
}

fn of_volume(volume: &Value) -> Vec<Reference<'_>> {
    let name = text(volume, "/name");
    let sources = list(volume, "/projected/sources").iter().chain([volume]);
    let parts = sources.flat_map(|source| [(source.get("configMap"), false), (source.get("secret"), true)]);
    parts.filter_map(|(part, is_secret)| of_source(part?, is_secret, name)).collect()
}

fn of_source<'a>(part: &'a Value, is_secret: bool, volume: &str) -> Option<Reference<'a>> {
    let name =
        ["/secretName", "/name"].map(|field| text(part, field)).into_iter().find(|name| !name.is_empty())?;
    let keys = list(part, "/items").iter().map(|item| text(item, "/key")).collect();
    let path = format!("spec.volumes {volume}");
    (part["optional"] != true).then_some(Reference { path, is_secret, name, keys })
}

fn of_environment(container: &Value) -> Vec<Reference<'_>> {
    let name = text(container, "/name");
    let whole = list(container, "/envFrom").iter().flat_map(|from| {
        [(from.get("configMapRef"), false, "envFrom"), (from.get("secretRef"), true, "envFrom")]
    });
    let single =
        list(container, "/env").iter().filter_map(|variable| variable.get("valueFrom")).flat_map(|from| {
            [(from.get("configMapKeyRef"), false, "env"), (from.get("secretKeyRef"), true, "env")]
        });
    let parts = whole.chain(single);
    parts.filter_map(|(part, is_secret, field)| of_variable(part?, is_secret, field, name)).collect()
}

fn of_variable<'a>(part: &'a Value, is_secret: bool, field: &str, container: &str) -> Option<Reference<'a>> {
    let keys = Some(text(part, "/key")).filter(|key| !key.is_empty()).into_iter().collect();
    let path = format!("{field} of container {container}");
    (part["optional"] != true).then_some(Reference { path, is_secret, name: text(part, "/name"), keys })
}

#[cfg(test)]
mod tests;
