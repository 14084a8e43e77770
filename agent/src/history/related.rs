//! What an object is related to: what owns it and what it owns, what it mounts, its nodes, the services that find it, what
//! scales it, the budgets of its disruptions.

use std::collections::HashMap;

use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::pattern::Pattern;
use serde_json::Value;

use super::stores::Stores;
use crate::kinds::Kinds;
use crate::problems::analysers::label_selector;
use crate::workload;

/// An object by kind, namespace and name.
pub(crate) type Key = (GroupResource, Option<String>, String);

/// Objects that are asked for whose relations are looked for; of more only the first.
const ASKED_OBJECTS: usize = 20;

/// Pods whose nodes are looked for.
const PODS: usize = 200;

/// Services, autoscalers and ingresses of a namespace that are looked at.
const NEIGHBOURS: usize = 500;

/// Kinds that a name alone may mean.
const NAMED_KINDS: [(&str, &str); 7] = [
    ("apps", "deployments"),
    ("apps", "statefulsets"),
    ("apps", "daemonsets"),
    ("batch", "cronjobs"),
    ("batch", "jobs"),
    ("", "services"),
    ("", "pods"),
];

/// Everything that asked objects are related to, and how; those themselves with nothing.
#[derive(Default)]
pub(super) struct Relations(HashMap<Key, &'static str>);

impl Relations {
    pub(super) fn of(&self, key: &Key) -> Option<&'static str> {
        self.0.get(key).copied()
    }

    fn add(&mut self, kind: (&str, &str), namespace: Option<&str>, name: &str, relation: &'static str) {
        let key = (GroupResource::new(kind.0, kind.1), namespace.map(str::to_owned), name.to_owned());
        self.0.entry(key).or_insert(relation);
    }
}

/// Of the objects that are there now. What they owned is found by its owners, whether it is still there or not.
pub(super) fn relations(
    stores: Stores<'_>,
    kind: Option<&GroupResource>,
    is_asked: &dyn Fn(&GroupResource, Option<&str>, &str) -> bool,
    namespaces: &[Pattern],
) -> Relations {
    let mut relations = Relations::default();
    let kinds: Vec<GroupResource> = match kind {
        Some(kind) => vec![kind.clone()],
        None => NAMED_KINDS.iter().map(|(group, resource)| GroupResource::new(*group, *resource)).collect(),
    };
    let only = match namespaces {
        [one] => one.literal(),
        _ => None,
    };
    for kind in &kinds {
        let asked =
            stores.objects(kind, only, ASKED_OBJECTS, &|row| is_asked(kind, row.namespace(), row.name()));
        for object in &asked {
            let (namespace, name) = place(object);
            relations.0.insert((kind.clone(), namespace.map(str::to_owned), name.to_owned()), "");
        }
        asked.iter().for_each(|object| of_object(stores, object, &mut relations));
    }
    relations
}

fn of_object(stores: Stores<'_>, object: &Value, relations: &mut Relations) {
    let (namespace, name) = place(object);
    owners(stores, object, namespace, relations);
    if object["kind"] == "Service" {
        let selector = &object["spec"]["selector"];
        for (group, resource) in &NAMED_KINDS[..4] {
            let kind = GroupResource::new(*group, *resource);
            for found in stores.objects(&kind, namespace, NEIGHBOURS, &|_| true) {
                let Some(template) = workload::template(&found) else { continue };
                if workload::selects(selector, &template["metadata"]["labels"]) {
                    relations.add((group, resource), namespace, place(&found).1, "selected");
                    of_pods(stores, template, namespace, relations);
                }
            }
        }
        ingresses(stores, namespace, name, relations);
    }
    if let Some(template) = workload::template(object) {
        of_pods(stores, template, namespace, relations);
        services(stores, template, namespace, relations);
        budgets(stores, template, namespace, relations);
    }
    autoscalers(stores, object, namespace, relations);
}

/// Relations of what is there for an object's sake: whose troubles are the object's, too.
const FOR_ITS_SAKE: [&str; 5] = ["mounted", "service", "ingress", "autoscaler", "budget"];

/// What is there for the sake of the objects that are asked for.
pub(crate) fn neighbours(
    kinds: &Kinds,
    kind: Option<&GroupResource>,
    is_asked: &dyn Fn(&GroupResource, Option<&str>, &str) -> bool,
    namespaces: &[Pattern],
) -> impl Iterator<Item = Key> {
    let Relations(related) = relations(Stores(kinds), kind, is_asked, namespaces);
    related.into_iter().filter(|(_, relation)| FOR_ITS_SAKE.contains(relation)).map(|(key, _)| key)
}

fn owners(stores: Stores<'_>, object: &Value, namespace: Option<&str>, relations: &mut Relations) {
    let mut owners: Vec<(String, String)> = of_owners(object);
    for _ in 0..workload::KINDS.len() {
        let Some((kind_name, name)) = owners.pop() else { return };
        let Some(kind) = stores.kind_called(&kind_name) else { continue };
        relations.add((&kind.group, &kind.resource), namespace, &name, "owner");
        owners.extend(stores.object(&kind, namespace, &name).iter().flat_map(of_owners));
    }
}

fn of_owners(object: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let owners = workload::items(&object["metadata"]["ownerReferences"]).iter();
    owners.map(|owner| (text(&owner["kind"]), text(&owner["name"]))).collect()
}

/// What the pods of a template take, and where they are.
fn of_pods(stores: Stores<'_>, template: &Value, namespace: Option<&str>, relations: &mut Relations) {
    for (resource, name) in workload::references(template) {
        relations.add(("", resource), namespace, &name, "mounted");
    }
    let labels = template["metadata"]["labels"].as_object();
    let Some(labels) = labels.filter(|labels| !labels.is_empty()) else { return };
    let carries =
        |row: crate::cache::RowRef<'_>| labels.iter().all(|(key, value)| row.label(key) == value.as_str());
    for pod in stores.objects(&GroupResource::new("", "pods"), namespace, PODS, &carries) {
        if let Some(node) = pod["spec"]["nodeName"].as_str() {
            relations.add(("", "nodes"), None, node, "node");
        }
    }
}

fn services(stores: Stores<'_>, template: &Value, namespace: Option<&str>, relations: &mut Relations) {
    let kind = GroupResource::new("", "services");
    for service in stores.objects(&kind, namespace, NEIGHBOURS, &|_| true) {
        if workload::selects(&service["spec"]["selector"], &template["metadata"]["labels"]) {
            let name = place(&service).1;
            relations.add(("", "services"), namespace, name, "service");
            ingresses(stores, namespace, name, relations);
        }
    }
}

fn ingresses(stores: Stores<'_>, namespace: Option<&str>, service: &str, relations: &mut Relations) {
    let kind = GroupResource::new("networking.k8s.io", "ingresses");
    for ingress in stores.objects(&kind, namespace, NEIGHBOURS, &|_| true) {
        if workload::leads_to(&ingress, service) {
            relations.add(("networking.k8s.io", "ingresses"), namespace, place(&ingress).1, "ingress");
        }
    }
}

fn autoscalers(stores: Stores<'_>, object: &Value, namespace: Option<&str>, relations: &mut Relations) {
    let kind = GroupResource::new("autoscaling", "horizontalpodautoscalers");
    let of = object["kind"].as_str().unwrap_or_default();
    for scaler in stores.objects(&kind, namespace, NEIGHBOURS, &|_| true) {
        if workload::scales(&scaler, of, place(object).1) {
            relations.add((&kind.group, &kind.resource), namespace, place(&scaler).1, "autoscaler");
        }
    }
}

fn budgets(stores: Stores<'_>, template: &Value, namespace: Option<&str>, relations: &mut Relations) {
    let kind = GroupResource::new("policy", "poddisruptionbudgets");
    let labels = &template["metadata"]["labels"];
    for budget in stores.objects(&kind, namespace, NEIGHBOURS, &|_| true) {
        if label_selector(&budget["spec"]["selector"]).matches(|key| labels[key].as_str()) {
            relations.add((&kind.group, &kind.resource), namespace, place(&budget).1, "budget");
        }
    }
}

fn place(object: &Value) -> (Option<&str>, &str) {
    let metadata = &object["metadata"];
    (metadata["namespace"].as_str(), metadata["name"].as_str().unwrap_or_default())
}
