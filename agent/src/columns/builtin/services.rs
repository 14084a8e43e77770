//! Services.

use std::collections::BTreeSet;

use serde_json::Value;

use super::field::{NONE, UNKNOWN, labels, list, number, or, text, text_or};
use super::{AGE, Entry, NAME, narrow, wide};

const SERVICES: &[Entry] = &[
    NAME,
    narrow("Type", |service| text(service, "/spec/type").into()),
    narrow("Cluster-IP", |service| cluster_ip(service).into()),
    narrow("External-IP", |service| external_ip(service).into()),
    narrow("Port(s)", |service| ports(service).into()),
    AGE,
    wide("Selector", |service| labels(service, "/spec/selector").into()),
];

pub(super) fn entries(group: &str, resource: &str) -> Option<&'static [Entry]> {
    (group.is_empty() && resource == "services").then_some(SERVICES)
}

fn cluster_ip(service: &Value) -> &str {
    match text(service, "/spec/clusterIPs/0") {
        "" => text_or(service, "/spec/clusterIP", NONE),
        ip => ip,
    }
}

fn external_ip(service: &Value) -> String {
    let external = list(service, "/spec/externalIPs").iter().filter_map(Value::as_str);
    let balanced = load_balancer_addresses(service);
    match text(service, "/spec/type") {
        "ClusterIP" | "NodePort" => or(&external.collect::<Vec<_>>().join(","), NONE).to_owned(),
        "LoadBalancer" => {
            let all: Vec<_> = balanced.into_iter().chain(external).collect();
            or(&all.join(","), "<pending>").to_owned()
        }
        "ExternalName" => text(service, "/spec/externalName").to_owned(),
        _ => UNKNOWN.to_owned(),
    }
}

/// Addresses that a load balancer gave a service or an ingress, else its host names, in order and each once.
pub(super) fn load_balancer_addresses(object: &Value) -> BTreeSet<&str> {
    let address = |ingress| match text(ingress, "/ip") {
        "" => text(ingress, "/hostname"),
        ip => ip,
    };
    list(object, "/status/loadBalancer/ingress")
        .iter()
        .map(address)
        .filter(|address| !address.is_empty())
        .collect()
}

fn ports(service: &Value) -> String {
    let one = |port: &Value| {
        let (number, node_port) = (number(port, "/port"), number(port, "/nodePort"));
        let node_port = if node_port > 0 { format!(":{node_port}") } else { String::new() };
        format!("{number}{node_port}/{}", text_or(port, "/protocol", "TCP"))
    };
    or(&list(service, "/spec/ports").iter().map(one).collect::<Vec<_>>().join(","), NONE).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_names, named};

    #[test]
    fn columns_are_the_servers() {
        check_names("services", "Name, Type, Cluster-IP, External-IP, Port(s), Age, [Selector]");
    }

    #[test]
    fn external_addresses_depend_on_the_type() {
        let balanced =
            json!([{"hostname": "b.example"}, {"ip": "192.0.2.9"}, {"ip": "192.0.2.9", "hostname": "x"}, {}]);
        for (spec, ingress, expected) in [
            (json!({"type": "ClusterIP"}), json!([]), "<none>"),
            (
                json!({"type": "NodePort", "externalIPs": ["192.0.2.1", "192.0.2.2"]}),
                json!([]),
                "192.0.2.1,192.0.2.2",
            ),
            (json!({"type": "LoadBalancer"}), json!([]), "<pending>"),
            (json!({"type": "LoadBalancer"}), balanced.clone(), "192.0.2.9,b.example"),
            (
                json!({"type": "LoadBalancer", "externalIPs": ["192.0.2.1"]}),
                balanced,
                "192.0.2.9,b.example,192.0.2.1",
            ),
            (json!({"type": "ExternalName", "externalName": "db.example"}), json!([]), "db.example"),
            (json!({}), json!([]), "<unknown>"),
        ] {
            let service = named("s", json!({"spec": spec, "status": {"loadBalancer": {"ingress": ingress}}}));
            check("services", &service, &json!({"externalIp": expected}));
        }
    }

    #[test]
    fn addresses_ports_and_selector() {
        let service = named(
            "s",
            json!({"spec": {
                "type": "NodePort", "clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1", "fd00::1"],
                "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}],
                "selector": {"tier": "web", "app": "s"},
            }}),
        );
        check(
            "services",
            &service,
            &json!({"type": "NodePort", "clusterIp": "10.0.0.1", "ports": "80:30080/TCP,53/UDP", "selector": "app=s,tier=web"}),
        );
        check(
            "services",
            &named("s", json!({})),
            &json!({"clusterIp": "<none>", "ports": "<none>", "selector": "<none>"}),
        );
    }
}
