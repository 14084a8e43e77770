//! The kinds that analysers judge or look at, and looking at them.

use std::sync::Arc;

use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::selector::{LabelRequirement, LabelSelector, LabelTest};
use serde_json::Value;

use crate::columns::field::{at, list, text};
use crate::problems::World;

/// Group (empty for core) and plural.
pub(super) type Kind = (&'static str, &'static str);

pub(super) const ATTACHMENTS: Kind = ("storage.k8s.io", "volumeattachments");
pub(super) const AUTOSCALERS: Kind = ("autoscaling", "horizontalpodautoscalers");
pub(super) const BUDGETS: Kind = ("policy", "poddisruptionbudgets");
pub(super) const CERTIFICATES: Kind = ("cert-manager.io", "certificates");
pub(super) const CLAIMS: Kind = ("", "persistentvolumeclaims");
pub(super) const CONFIG_MAPS: Kind = ("", "configmaps");
pub(super) const CRON_JOBS: Kind = ("batch", "cronjobs");
pub(super) const DAEMON_SETS: Kind = ("apps", "daemonsets");
pub(super) const DEPLOYMENTS: Kind = ("apps", "deployments");
pub(super) const ENDPOINT_SLICES: Kind = ("discovery.k8s.io", "endpointslices");
pub(super) const INGRESS_CLASSES: Kind = ("networking.k8s.io", "ingressclasses");
pub(super) const INGRESSES: Kind = ("networking.k8s.io", "ingresses");
pub(super) const JOBS: Kind = ("batch", "jobs");
pub(super) const NAMESPACES: Kind = ("", "namespaces");
pub(super) const NODES: Kind = ("", "nodes");
pub(super) const PODS: Kind = ("", "pods");
pub(super) const QUOTAS: Kind = ("", "resourcequotas");
pub(super) const REPLICA_SETS: Kind = ("apps", "replicasets");
pub(super) const SECRETS: Kind = ("", "secrets");
pub(super) const SERVICES: Kind = ("", "services");
pub(super) const STATEFUL_SETS: Kind = ("apps", "statefulsets");
pub(super) const STORAGE_CLASSES: Kind = ("storage.k8s.io", "storageclasses");

pub(super) fn of(kind: Kind) -> GroupResource {
    GroupResource::new(kind.0, kind.1)
}

pub(super) fn get(world: &dyn World, kind: Kind, namespace: Option<&str>, name: &str) -> Option<Arc<Value>> {
    world.get(&of(kind), namespace, name)
}

/// Whether it is certain that there is no such object.
pub(super) fn is_missing(world: &dyn World, kind: Kind, namespace: Option<&str>, name: &str) -> bool {
    !name.is_empty() && world.get(&of(kind), namespace, name).is_none() && world.knows(&of(kind))
}

/// A selector as `spec.selector` of workloads holds it: labels that must be equal, and expressions.
///
/// Rules: <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#resources-that-support-set-based-requirements>
pub(crate) fn selector(selector: &Value) -> LabelSelector {
    let mut requirements = equal_labels(at(selector, "/matchLabels"));
    requirements.extend(list(selector, "/matchExpressions").iter().filter_map(requirement));
    LabelSelector { requirements }
}

/// A selector as services have it: labels that must be equal.
pub(super) fn plain_selector(labels: &Value) -> LabelSelector {
    LabelSelector { requirements: equal_labels(Some(labels)) }
}

/// The one label.
pub(super) fn label(key: &str, value: &str) -> LabelSelector {
    LabelSelector { requirements: vec![equal(key, value)] }
}

fn equal_labels(labels: Option<&Value>) -> Vec<LabelRequirement> {
    let labels = labels.and_then(Value::as_object).into_iter().flatten();
    labels.map(|(key, value)| equal(key, value.as_str().unwrap_or_default())).collect()
}

fn equal(key: &str, value: &str) -> LabelRequirement {
    LabelRequirement { key: key.to_owned(), test: LabelTest::In(vec![value.to_owned()]) }
}

fn requirement(expression: &Value) -> Option<LabelRequirement> {
    let values = || list(expression, "/values").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let test = match text(expression, "/operator") {
        "In" => LabelTest::In(values()),
        "NotIn" => LabelTest::NotIn(values()),
        "Exists" => LabelTest::Exists,
        "DoesNotExist" => LabelTest::Missing,
        _ => return None,
    };
    Some(LabelRequirement { key: text(expression, "/key").to_owned(), test })
}
