//! What stands around an object: below it, beside it, and what it uses.

use std::collections::BTreeSet;

use kubeplex_proto::kind::{GroupResource, Scope};
use kubeplex_proto::sheet::Relative;
use serde_json::Value;

use super::{Composing, Described, relatives};
use crate::workload;

/// Something below the object.
pub(super) struct Child {
    pub(super) relative: Relative,
    pub(super) uid: String,
    /// The object itself, of pods.
    pub(super) pod: Option<Value>,
}

impl Composing<'_> {
    /// What it owns and what that owns; of a service, the pods that it selects as well.
    pub(super) async fn children(&self, described: &Described) -> Vec<Child> {
        let selector =
            (described.object["kind"] == "Service").then(|| described.object["spec"]["selector"].clone());
        let mut uids = BTreeSet::from([described.uid.clone()]);
        let mut children: Vec<Child> = Vec::new();
        for kind in relatives::below(&self.info.id) {
            let is_pods = kind.resource == "pods";
            let (known, selector) = (uids.clone(), selector.clone().filter(|_| is_pods));
            let found = self.read(&kind, described.namespace.as_deref(), Vec::new(), move |found, object| {
                let is_child = match &selector {
                    Some(selector) => workload::selects(selector, &object["metadata"]["labels"]),
                    None => relatives::is_owned(object, &known),
                };
                if is_child {
                    found.push(child(object, is_pods));
                }
            });
            let found = found.await.unwrap_or_default();
            uids.extend(found.iter().map(|child| child.uid.clone()));
            // A set of the past, which is kept to go back to, has nothing and wants nothing.
            children.extend(found.into_iter().filter(|child| child.relative.state != "0/0 ready"));
        }
        children
    }

    pub(super) async fn uses(&self, described: &Described) -> Vec<Relative> {
        let Some(template) = workload::template(&described.object) else { return Vec::new() };
        let mut all = Vec::new();
        for (resource, names) in relatives::uses(template) {
            let kind = GroupResource::new("", resource);
            let scope = if resource == "nodes" { Scope::Cluster } else { Scope::Namespaced };
            let namespace = described.namespace.as_deref().filter(|_| scope == Scope::Namespaced);
            let seen = self.context.visibility.for_kind(&kind);
            let names: Vec<String> = names.into_iter().filter(|name| seen.shows(namespace, name)).collect();
            // Of Secrets nobody looks whether they are there.
            let there = match resource {
                "configmaps" | "persistentvolumeclaims" => self.names(&kind, namespace).await,
                _ => None,
            };
            all.extend(names.into_iter().map(|name| {
                let is_missing = there.as_ref().is_some_and(|there| !there.contains(&name));
                let state = if is_missing { "missing" } else { "" };
                Relative { kind: resource.trim_end_matches('s').to_owned(), name, state: state.to_owned() }
            }));
        }
        all
    }

    async fn names(&self, kind: &GroupResource, namespace: Option<&str>) -> Option<BTreeSet<String>> {
        self.read(kind, namespace, BTreeSet::new(), |names, object| {
            names.insert(relatives::text(object, "/metadata/name").to_owned());
        })
        .await
    }

    /// What leads to it: services with how many endpoints are ready, ingresses; and autoscalers with where they stand.
    pub(super) async fn selected_by(&self, described: &Described) -> Vec<Relative> {
        if described.object["kind"] == "Service" {
            return self.ingresses(described).await;
        }
        let mut all = Vec::new();
        for service in self.services(described).await {
            let state = self.endpoints(described, &service).await.unwrap_or_default();
            all.push(Relative { kind: "service".to_owned(), name: service, state });
        }
        all.extend(self.autoscalers(described).await);
        all
    }

    async fn services(&self, described: &Described) -> BTreeSet<String> {
        let Some(labels) = relatives::pod_labels(&described.object).cloned() else { return BTreeSet::new() };
        let kind = GroupResource::new("", "services");
        let found =
            self.read(&kind, described.namespace.as_deref(), BTreeSet::new(), move |names, service| {
                if workload::selects(&service["spec"]["selector"], &labels) {
                    names.insert(relatives::text(service, "/metadata/name").to_owned());
                }
            });
        found.await.unwrap_or_default()
    }

    /// `2/3 endpoints ready`, over all slices of a service.
    async fn endpoints(&self, described: &Described, service: &str) -> Option<String> {
        let slices = GroupResource::new("discovery.k8s.io", "endpointslices");
        let of = service.to_owned();
        let counted = self.read(&slices, described.namespace.as_deref(), (0, 0), move |counts, slice| {
            if relatives::text(slice, "/metadata/labels/kubernetes.io~1service-name") == of {
                let (ready, all) = relatives::endpoints(slice);
                *counts = (counts.0 + ready, counts.1 + all);
            }
        });
        counted.await.map(|(ready, all)| format!("{ready}/{all} endpoints ready"))
    }

    async fn ingresses(&self, described: &Described) -> Vec<Relative> {
        let kind = GroupResource::new("networking.k8s.io", "ingresses");
        let name = described.name.clone();
        let found = self.read(&kind, described.namespace.as_deref(), Vec::new(), move |found, ingress| {
            if workload::leads_to(ingress, &name) {
                found.push(child(ingress, false).relative);
            }
        });
        found.await.unwrap_or_default()
    }

    async fn autoscalers(&self, described: &Described) -> Vec<Relative> {
        if workload::template(&described.object).is_none() {
            return Vec::new();
        }
        let kind = GroupResource::new("autoscaling", "horizontalpodautoscalers");
        let (of, name) = (relatives::text(&described.object, "/kind").to_owned(), described.name.clone());
        let found = self.read(&kind, described.namespace.as_deref(), Vec::new(), move |found, scaler| {
            if workload::scales(scaler, &of, &name) {
                found.push(autoscaler(scaler));
            }
        });
        found.await.unwrap_or_default()
    }
}

fn child(object: &Value, is_pod: bool) -> Child {
    let relative = Relative {
        kind: relatives::singular(object),
        name: relatives::text(object, "/metadata/name").to_owned(),
        state: relatives::state(object),
    };
    let uid = relatives::text(object, "/metadata/uid").to_owned();
    Child { relative, uid, pod: is_pod.then(|| object.clone()) }
}

/// `2 to 10, 4 now, 6 wanted`.
fn autoscaler(scaler: &Value) -> Relative {
    let number = |pointer: &str| scaler.pointer(pointer).and_then(Value::as_u64);
    let least = number("/spec/minReplicas").unwrap_or(1);
    let most = number("/spec/maxReplicas").unwrap_or_default();
    let now = number("/status/currentReplicas").unwrap_or_default();
    let wanted = number("/status/desiredReplicas").unwrap_or_default();
    Relative {
        kind: "hpa".to_owned(),
        name: relatives::text(scaler, "/metadata/name").to_owned(),
        state: format!("{least} to {most}, {now} now, {wanted} wanted"),
    }
}
