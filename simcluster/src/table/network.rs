//! Tables of services, endpoints, ingresses and network policies.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cell::{Column, View, age, joined, labels, name, or_none, selector};
use crate::json::{int, items, text};

pub(super) const SERVICES: View = View {
    columns: &[
        Column::name(),
        Column::text("Type"),
        Column::text("Cluster-IP"),
        Column::text("External-IP"),
        Column::text("Port(s)"),
        Column::age(),
        Column::text("Selector").wide(),
    ],
    cells: |object, now| {
        vec![
            name(object),
            text(object, "/spec/type").into(),
            or_none(text(object, "/spec/clusterIPs/0")),
            external_ip(object).into(),
            or_none(&ports(object)),
            age(object, now),
            labels(object, "/spec/selector"),
        ]
    },
};

fn external_ip(service: &Value) -> String {
    let given: Vec<&str> = items(service, "/spec/externalIPs").iter().filter_map(Value::as_str).collect();
    match text(service, "/spec/type") {
        "ClusterIP" | "NodePort" if given.is_empty() => "<none>".into(),
        "ClusterIP" | "NodePort" => given.join(","),
        "LoadBalancer" => {
            let balancer = balancer(service);
            let all: Vec<&str> = balancer.iter().map(String::as_str).chain(given).collect();
            if all.is_empty() { "<pending>".into() } else { all.join(",") }
        }
        "ExternalName" => text(service, "/spec/externalName").into(),
        _ => "<unknown>".into(),
    }
}

/// Addresses of the load balancer, each once, sorted.
fn balancer(object: &Value) -> BTreeSet<String> {
    let address = |ingress: &Value| match text(ingress, "/ip") {
        "" => text(ingress, "/hostname").to_owned(),
        ip => ip.to_owned(),
    };
    items(object, "/status/loadBalancer/ingress")
        .iter()
        .map(address)
        .filter(|address| !address.is_empty())
        .collect()
}

fn ports(service: &Value) -> String {
    let port = |port: &Value| {
        let (number, protocol) = (int(port, "/port"), text(port, "/protocol"));
        match int(port, "/nodePort") {
            0 => format!("{number}/{protocol}"),
            node_port => format!("{number}:{node_port}/{protocol}"),
        }
    };
    items(service, "/spec/ports").iter().map(port).collect::<Vec<_>>().join(",")
}

pub(super) const ENDPOINT_SLICES: View = View {
    columns: &[
        Column::name(),
        Column::text("AddressType"),
        Column::text("Ports"),
        Column::text("Endpoints"),
        Column::age(),
    ],
    cells: |object, now| {
        let port = |port: &Value| match (port.pointer("/port"), text(port, "/name")) {
            (Some(number), _) => number.to_string(),
            (None, "") => "*".into(),
            (None, name) => name.to_owned(),
        };
        let ports: Vec<String> = items(object, "/ports").iter().map(port).collect();
        let addresses = items(object, "/endpoints").iter().flat_map(|endpoint| items(endpoint, "/addresses"));
        let addresses: Vec<String> = addresses.filter_map(Value::as_str).map(str::to_owned).collect();
        vec![
            name(object),
            text(object, "/addressType").into(),
            three_of(&ports, "<unset>").into(),
            three_of(&addresses, "<unset>").into(),
            age(object, now),
        ]
    },
};

/// The first three, and how many more there are.
fn three_of(all: &[String], none: &str) -> String {
    let shown = all.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(",");
    match all.len() {
        0 => none.into(),
        1..=3 => shown,
        count => format!("{shown} + {} more...", count - 3),
    }
}

pub(super) const ENDPOINTS: View = View {
    columns: &[Column::name(), Column::text("Endpoints"), Column::age()],
    cells: |object, now| {
        let mut all = Vec::new();
        for subset in items(object, "/subsets") {
            let ports = items(subset, "/ports");
            let addresses = items(subset, "/addresses").iter().map(|address| text(address, "/ip"));
            match ports {
                [] => all.extend(addresses.map(str::to_owned)),
                ports => all.extend(ports.iter().flat_map(|port| {
                    addresses.clone().map(move |ip| format!("{ip}:{}", int(port, "/port")))
                })),
            }
        }
        vec![name(object), three_of(&all, "<none>").into(), age(object, now)]
    },
};

pub(super) const INGRESSES: View = View {
    columns: &[
        Column::name(),
        Column::text("Class"),
        Column::text("Hosts"),
        Column::text("Address"),
        Column::text("Ports"),
        Column::age(),
    ],
    cells: |object, now| {
        let rules = items(object, "/spec/rules");
        let hosts = hosts(rules);
        let address = balancer(object).into_iter().collect::<Vec<_>>().join(",");
        let ports = if items(object, "/spec/tls").is_empty() { "80" } else { "80, 443" };
        vec![
            name(object),
            or_none(text(object, "/spec/ingressClassName")),
            hosts.into(),
            address.into(),
            ports.into(),
            age(object, now),
        ]
    },
};

/// Three hosts at most. Rules without a host count only once there are three, and then like any other.
fn hosts(rules: &[Value]) -> String {
    let mut named =
        rules.iter().map(|rule| text(rule, "/host")).enumerate().filter(|(_, host)| !host.is_empty());
    let first: Vec<(usize, &str)> = named.by_ref().take(3).collect();
    let shown = first.iter().map(|(_, host)| *host).collect::<Vec<_>>().join(",");
    match first.as_slice() {
        [] => "*".to_owned(),
        [_, _, (third, _)] if third + 1 < rules.len() => format!("{shown} + {} more...", rules.len() - 3),
        _ => shown,
    }
}

pub(super) const SERVICE_CIDRS: View = View {
    columns: &[Column::name(), Column::text("CIDRs"), Column::age()],
    cells: |object, now| vec![name(object), joined(object, "/spec/cidrs").into(), age(object, now)],
};

pub(super) const IP_ADDRESSES: View = View {
    columns: &[Column::name(), Column::text("ParentRef")],
    cells: |object, now| {
        let parent = object.pointer("/spec/parentRef").map_or("<none>".to_owned(), |parent| {
            let (resource, group) = (text(parent, "/resource"), text(parent, "/group"));
            let kind = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
            let namespace = text(parent, "/namespace");
            let within = if namespace.is_empty() { String::new() } else { format!("/{namespace}") };
            format!("{}{within}/{}", kind.to_ascii_lowercase(), text(parent, "/name"))
        });
        // The server's rows have an age that its columns do not name.
        vec![name(object), parent.into(), age(object, now)]
    },
};

pub(super) const INGRESS_CLASSES: View = View {
    columns: &[Column::name(), Column::text("Controller"), Column::text("Parameters"), Column::age()],
    cells: |object, now| {
        let default =
            text(object, "/metadata/annotations/ingressclass.kubernetes.io~1is-default-class") == "true";
        let name = format!("{}{}", text(object, "/metadata/name"), if default { " (default)" } else { "" });
        let parameters = object.pointer("/spec/parameters").map_or("<none>".to_owned(), |parameters| {
            let kind = match text(parameters, "/apiGroup") {
                "" => text(parameters, "/kind").to_owned(),
                group => format!("{}.{group}", text(parameters, "/kind")),
            };
            format!("{kind}/{}", text(parameters, "/name"))
        });
        vec![name.into(), text(object, "/spec/controller").into(), parameters.into(), age(object, now)]
    },
};

pub(super) const NETWORK_POLICIES: View = View {
    columns: &[Column::name(), Column::text("Pod-Selector"), Column::age()],
    cells: |object, now| vec![name(object), selector(object, "/spec/podSelector"), age(object, now)],
};
