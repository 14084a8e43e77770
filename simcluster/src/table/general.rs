//! Tables of nodes, namespaces, events, configuration and rights.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::age::since;
use super::cell::{Column, View, age, name, or_none};
use crate::json::{flag, flag_condition, int, items, text};

pub(super) const NODES: View = View {
    columns: &[
        Column::name(),
        Column::text("Status").described("The status of the node"),
        Column::text("Roles").described("The roles of the node"),
        Column::age(),
        Column::text("Version"),
        Column::text("Internal-IP").wide(),
        Column::text("External-IP").wide(),
        Column::text("OS-Image").wide(),
        Column::text("Kernel-Version").wide(),
        Column::text("Container-Runtime").wide(),
    ],
    cells: node_cells,
};

fn node_cells(node: &Value, now: Timestamp) -> Vec<Value> {
    let info = |field: &str| match text(node, &format!("/status/nodeInfo/{field}")) {
        "" => "<unknown>".to_owned(),
        given => given.to_owned(),
    };
    let address = |kind: &str| {
        let addresses = items(node, "/status/addresses").iter();
        or_none(
            addresses
                .into_iter()
                .find(|address| text(address, "/type") == kind)
                .map_or("", |address| text(address, "/address")),
        )
    };
    let kernel = match text(node, "/status/nodeInfo/architecture") {
        "" => info("kernelVersion"),
        architecture => format!("{} ({architecture})", info("kernelVersion")),
    };
    vec![
        name(node),
        node_status(node).into(),
        or_none(&roles(node)),
        age(node, now),
        text(node, "/status/nodeInfo/kubeletVersion").into(),
        address("InternalIP"),
        address("ExternalIP"),
        info("osImage").into(),
        kernel.into(),
        info("containerRuntimeVersion").into(),
    ]
}

fn node_status(node: &Value) -> String {
    let is_known =
        items(node, "/status/conditions").iter().any(|condition| text(condition, "/type") == "Ready");
    let health = match (is_known, flag_condition(node, "Ready")) {
        (false, _) => "Unknown",
        (true, true) => "Ready",
        (true, false) => "NotReady",
    };
    if flag(node, "/spec/unschedulable") { format!("{health},SchedulingDisabled") } else { health.into() }
}

fn roles(node: &Value) -> String {
    let labels = node.pointer("/metadata/labels").and_then(Value::as_object).into_iter().flatten();
    let role = |(key, value): (&String, &Value)| match key.strip_prefix("node-role.kubernetes.io/") {
        Some(role) => Some(role.to_owned()),
        None if key == "kubernetes.io/role" => value.as_str().map(str::to_owned),
        None => None,
    };
    let roles: BTreeSet<String> = labels.filter_map(role).filter(|role| !role.is_empty()).collect();
    roles.into_iter().collect::<Vec<_>>().join(",")
}

pub(super) const NAMESPACES: View = View {
    columns: &[
        Column::name(),
        Column::text("Status").described("The status of the namespace"),
        Column::age(),
    ],
    cells: |object, now| vec![name(object), text(object, "/status/phase").into(), age(object, now)],
};

pub(super) const EVENTS: View = View {
    columns: &[
        Column::text("Last Seen"),
        Column::text("Type"),
        Column::text("Reason"),
        Column::text("Object"),
        Column::text("Subobject").wide(),
        Column::text("Source").wide(),
        Column::text("Message"),
        Column::text("First Seen").wide(),
        Column::text("Count").wide(),
        Column::name().wide(),
    ],
    cells: event_cells,
};

fn event_cells(event: &Value, now: Timestamp) -> Vec<Value> {
    let first = match text(event, "/firstTimestamp") {
        "" => since(text(event, "/eventTime"), now),
        first => since(first, now),
    };
    let mut last = match text(event, "/lastTimestamp") {
        "" => first.clone(),
        last => since(last, now),
    };
    let mut count = int(event, "/count").max(1);
    if let Some(series) = event.get("series").filter(|series| series.is_object()) {
        last = since(text(series, "/lastObservedTime"), now);
        count = int(series, "/count");
    }
    let kind = text(event, "/involvedObject/kind").to_ascii_lowercase();
    let target = match text(event, "/involvedObject/name") {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    let first_of = |one: &str, other: &str| {
        if text(event, one).is_empty() { text(event, other).to_owned() } else { text(event, one).to_owned() }
    };
    let (component, host) = (
        first_of("/source/component", "/reportingComponent"),
        first_of("/source/host", "/reportingInstance"),
    );
    let source = if host.is_empty() { component } else { format!("{component}, {host}") };
    vec![
        last.into(),
        text(event, "/type").into(),
        text(event, "/reason").into(),
        target.into(),
        text(event, "/involvedObject/fieldPath").into(),
        source.into(),
        text(event, "/message").trim().into(),
        first.into(),
        count.into(),
        name(event),
    ]
}

fn entries(object: &Value, pointer: &str) -> usize {
    object.pointer(pointer).and_then(Value::as_object).map_or(0, serde_json::Map::len)
}

pub(super) const SECRETS: View = View {
    columns: &[Column::name(), Column::text("Type"), Column::text("Data"), Column::age()],
    cells: |object, now| {
        vec![name(object), text(object, "/type").into(), entries(object, "/data").into(), age(object, now)]
    },
};

pub(super) const CONFIG_MAPS: View = View {
    columns: &[Column::name(), Column::text("Data"), Column::age()],
    cells: |object, now| {
        let count = entries(object, "/data") + entries(object, "/binaryData");
        vec![name(object), count.into(), age(object, now)]
    },
};

/// Kinds that have nothing to show but their age.
pub(super) const ONLY_AGE: View = View {
    columns: &[Column::name(), Column::age()],
    cells: |object, now| vec![name(object), age(object, now)],
};

pub(super) const ROLE_BINDINGS: View = View {
    columns: &[
        Column::name(),
        Column::text("Role"),
        Column::age(),
        Column::text("Users").wide(),
        Column::text("Groups").wide(),
        Column::text("ServiceAccounts").wide(),
    ],
    cells: |object, now| {
        let role = format!("{}/{}", text(object, "/roleRef/kind"), text(object, "/roleRef/name"));
        let subjects = |kind: &str| {
            let of_kind = items(object, "/subjects").iter().filter(|subject| text(subject, "/kind") == kind);
            let named = of_kind.map(|subject| match text(subject, "/namespace") {
                "" => text(subject, "/name").to_owned(),
                namespace => format!("{namespace}/{}", text(subject, "/name")),
            });
            Value::from(named.collect::<Vec<_>>().join(", "))
        };
        vec![
            name(object),
            role.into(),
            age(object, now),
            subjects("User"),
            subjects("Group"),
            subjects("ServiceAccount"),
        ]
    },
};

pub(super) const LEASES: View = View {
    columns: &[Column::name(), Column::text("Holder"), Column::age()],
    cells: |object, now| vec![name(object), text(object, "/spec/holderIdentity").into(), age(object, now)],
};

pub(super) const QUOTAS: View = View {
    columns: &[Column::name(), Column::text("Request"), Column::text("Limit"), Column::age()],
    cells: |object, now| {
        let hard = object.pointer("/status/hard").and_then(Value::as_object).into_iter().flatten();
        let mut lines: Vec<(bool, String)> = hard
            .map(|(resource, limit)| {
                let used = object
                    .pointer("/status/used")
                    .and_then(|used| used.get(resource))
                    .and_then(Value::as_str)
                    .unwrap_or("0");
                (
                    resource.starts_with("limits."),
                    format!("{resource}: {used}/{}", limit.as_str().unwrap_or("")),
                )
            })
            .collect();
        lines.sort();
        let of = |limits: bool| {
            Value::from(
                lines
                    .iter()
                    .filter(|(is, _)| *is == limits)
                    .map(|(_, line)| &**line)
                    .collect::<Vec<_>>()
                    .join(", "),
            )
        };
        vec![name(object), of(false), of(true), age(object, now)]
    },
};

pub(super) const PRIORITY_CLASSES: View = View {
    columns: &[
        Column::name(),
        Column::integer("Value"),
        Column::boolean("Global-Default"),
        Column::age(),
        Column::text("PreemptionPolicy"),
    ],
    cells: |object, now| {
        vec![
            name(object),
            int(object, "/value").into(),
            flag(object, "/globalDefault").into(),
            age(object, now),
            text(object, "/preemptionPolicy").into(),
        ]
    },
};

pub(super) const WEBHOOKS: View = View {
    columns: &[Column::name(), Column::integer("Webhooks"), Column::age()],
    cells: |object, now| vec![name(object), items(object, "/webhooks").len().into(), age(object, now)],
};

pub(super) const API_SERVICES: View = View {
    columns: &[Column::name(), Column::text("Service"), Column::text("Available"), Column::age()],
    cells: |object, now| {
        let service = object.pointer("/spec/service").map_or("Local".to_owned(), |service| {
            format!("{}/{}", text(service, "/namespace"), text(service, "/name"))
        });
        let condition = items(object, "/status/conditions")
            .iter()
            .find(|condition| text(condition, "/type") == "Available");
        let available = condition.map_or("Unknown".to_owned(), |condition| {
            match (text(condition, "/status"), text(condition, "/reason")) {
                ("True", _) => "True".into(),
                (status, reason) => format!("{status} ({reason})"),
            }
        });
        vec![name(object), service.into(), available.into(), age(object, now)]
    },
};
