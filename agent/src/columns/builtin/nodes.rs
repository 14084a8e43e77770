//! Nodes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::field::{NONE, UNKNOWN, at, flag, list, or, text, text_or};
use super::{AGE, Cell, Entry, NAME, narrow, wide};

const NODES: &[Entry] = &[
    NAME,
    narrow("Status", |node| status(node).into()),
    narrow("Roles", |node| roles(node).into()),
    AGE,
    narrow("Version", |node| text(node, "/status/nodeInfo/kubeletVersion").into()),
    wide("Internal-IP", |node| address(node, "InternalIP")),
    wide("External-IP", |node| address(node, "ExternalIP")),
    wide("OS-Image", |node| text_or(node, "/status/nodeInfo/osImage", UNKNOWN).into()),
    wide("Kernel-Version", |node| kernel(node).into()),
    wide("Container-Runtime", |node| {
        text_or(node, "/status/nodeInfo/containerRuntimeVersion", UNKNOWN).into()
    }),
];

const ROLE_PREFIX: &str = "node-role.kubernetes.io/";
const ROLE_LABEL: &str = "kubernetes.io/role";

pub(super) fn entries(group: &str, resource: &str) -> Option<&'static [Entry]> {
    (group.is_empty() && resource == "nodes").then_some(NODES)
}

fn status(node: &Value) -> String {
    // Of conditions with one type the last counts.
    let ready = list(node, "/status/conditions").iter().rfind(|condition| condition["type"] == "Ready");
    let mut status = match ready {
        Some(condition) if condition["status"] == "True" => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if flag(node, "/spec/unschedulable", false) {
        status.push_str(",SchedulingDisabled");
    }
    status
}

fn roles(node: &Value) -> String {
    let Some(Value::Object(labels)) = at(node, "/metadata/labels") else { return NONE.to_owned() };
    let roles: BTreeSet<_> = labels.iter().filter_map(|(key, value)| role(key, value)).collect();
    or(&roles.into_iter().collect::<Vec<_>>().join(","), NONE).to_owned()
}

fn role<'a>(key: &'a str, value: &'a Value) -> Option<&'a str> {
    let role = if key == ROLE_LABEL { value.as_str() } else { key.strip_prefix(ROLE_PREFIX) };
    role.filter(|role| !role.is_empty())
}

fn address(node: &Value, address_type: &str) -> Cell {
    let found = list(node, "/status/addresses").iter().find(|address| address["type"] == address_type);
    found.map_or(NONE, |address| text(address, "/address")).into()
}

fn kernel(node: &Value) -> String {
    let kernel = text_or(node, "/status/nodeInfo/kernelVersion", UNKNOWN);
    match text(node, "/status/nodeInfo/architecture") {
        "" => kernel.to_owned(),
        architecture => format!("{kernel} ({architecture})"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_names, named};

    #[test]
    fn columns_are_the_servers() {
        check_names(
            "nodes",
            "Name, Status, Roles, Age, Version, [Internal-IP], [External-IP], [OS-Image], [Kernel-Version], \
             [Container-Runtime]",
        );
    }

    #[test]
    fn readiness_and_cordons() {
        let node = |status: &str, cordoned: bool| {
            let conditions =
                json!([{"type": "MemoryPressure", "status": "True"}, {"type": "Ready", "status": status}]);
            named("n", json!({"spec": {"unschedulable": cordoned}, "status": {"conditions": conditions}}))
        };
        check("nodes", &node("True", false), &json!({"status": "Ready"}));
        check("nodes", &node("True", true), &json!({"status": "Ready,SchedulingDisabled"}));
        check("nodes", &node("False", false), &json!({"status": "NotReady"}));
        check("nodes", &node("Unknown", true), &json!({"status": "NotReady,SchedulingDisabled"}));
        check("nodes", &named("n", json!({})), &json!({"status": "Unknown", "roles": "<none>"}));
    }

    #[test]
    fn roles_come_from_two_labels() {
        let labels = json!({
            "node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/control-plane": "x",
            "node-role.kubernetes.io/": "", "kubernetes.io/role": "edge", "other": "y",
        });
        check(
            "nodes",
            &named("n", json!({"metadata": {"labels": labels}})),
            &json!({"roles": "control-plane,edge,worker"}),
        );
    }

    #[test]
    fn wide_columns() {
        let node = named(
            "n",
            json!({"status": {
                "addresses": [{"type": "Hostname", "address": "n"}, {"type": "InternalIP", "address": "10.0.0.1"},
                              {"type": "InternalIP", "address": "fd00::1"}],
                "nodeInfo": {"kubeletVersion": "v1.37.2", "osImage": "Debian", "kernelVersion": "6.1",
                             "architecture": "arm64", "containerRuntimeVersion": "containerd://2.0"},
            }}),
        );
        check(
            "nodes",
            &node,
            &json!({"version": "v1.37.2", "internalIp": "10.0.0.1", "externalIp": "<none>", "osImage": "Debian",
                    "kernelVersion": "6.1 (arm64)", "containerRuntime": "containerd://2.0"}),
        );
        check(
            "nodes",
            &named("n", json!({})),
            &json!({"kernelVersion": "<unknown>", "osImage": "<unknown>"}),
        );
    }
}
