//! Ingresses, network policies, and the address spaces of services.

use serde_json::Value;

use super::field::{NONE, annotation, at, joined, list, or, selector_or_none, text, text_or};
use super::services::load_balancer_addresses;
use super::{AGE, Entry, NAME, narrow};

const INGRESSES: &[Entry] = &[
    NAME,
    narrow("Class", |ingress| text_or(ingress, "/spec/ingressClassName", NONE).into()),
    narrow("Hosts", |ingress| hosts(ingress).into()),
    narrow("Address", |ingress| {
        load_balancer_addresses(ingress).into_iter().collect::<Vec<_>>().join(",").into()
    }),
    narrow("Ports", |ingress| if list(ingress, "/spec/tls").is_empty() { "80" } else { "80, 443" }.into()),
    AGE,
];

const INGRESS_CLASSES: &[Entry] = &[
    narrow("Name", |class| class_name(class).into()),
    narrow("Controller", |class| text(class, "/spec/controller").into()),
    narrow("Parameters", |class| parameters(class).into()),
    AGE,
];

const NETWORK_POLICIES: &[Entry] =
    &[NAME, narrow("Pod-Selector", |policy| selector_or_none(policy, "/spec/podSelector")), AGE];

const SERVICE_CIDRS: &[Entry] = &[NAME, narrow("CIDRs", |cidr| joined(cidr, "/spec/cidrs").into()), AGE];

const IP_ADDRESSES: &[Entry] = &[NAME, narrow("ParentRef", |address| parent(address).into())];

const DEFAULT_CLASS: &str = "ingressclass.kubernetes.io/is-default-class";

/// How many hosts are spelt out.
const SHOWN: usize = 3;

pub(super) fn entries(group: &str, resource: &str) -> Option<&'static [Entry]> {
    Some(match (group, resource) {
        ("networking.k8s.io", "ingresses") => INGRESSES,
        ("networking.k8s.io", "ingressclasses") => INGRESS_CLASSES,
        ("networking.k8s.io", "networkpolicies") => NETWORK_POLICIES,
        ("networking.k8s.io", "servicecidrs") => SERVICE_CIDRS,
        ("networking.k8s.io", "ipaddresses") => IP_ADDRESSES,
        _ => return None,
    })
}

/// The hosts of the rules; rules without one count only among those that are not spelt out.
fn hosts(ingress: &Value) -> String {
    let rules = list(ingress, "/spec/rules");
    let named = rules.iter().map(|rule| text(rule, "/host")).enumerate().filter(|(_, host)| !host.is_empty());
    let shown: Vec<_> = named.take(SHOWN).collect();
    let hosts = shown.iter().map(|(_, host)| *host).collect::<Vec<_>>().join(",");
    // The server notices that there is more only when it meets another rule.
    let met_another = shown.len() == SHOWN && shown.last().is_some_and(|(at, _)| at + 1 < rules.len());
    if met_another {
        format!("{hosts} + {} more...", rules.len() - SHOWN)
    } else {
        or(&hosts, "*").to_owned()
    }
}

fn class_name(class: &Value) -> String {
    let name = text(class, "/metadata/name");
    if annotation(class, DEFAULT_CLASS) == Some("true") {
        format!("{name} (default)")
    } else {
        name.to_owned()
    }
}

/// `IngressParameters.example.com/external`.
fn parameters(class: &Value) -> String {
    let Some(parameters) = at(class, "/spec/parameters").filter(|parameters| !parameters.is_null()) else {
        return NONE.to_owned();
    };
    let group = parameters["apiGroup"].as_str().map(|group| format!(".{group}")).unwrap_or_default();
    format!("{}{group}/{}", text(parameters, "/kind"), text(parameters, "/name"))
}

/// `services/default/kubernetes`.
fn parent(address: &Value) -> String {
    let Some(parent) = at(address, "/spec/parentRef").filter(|parent| !parent.is_null()) else {
        return NONE.to_owned();
    };
    let resource = match text(parent, "/group") {
        "" => text(parent, "/resource").to_owned(),
        group => format!("{}.{group}", text(parent, "/resource")),
    };
    let namespace = match text(parent, "/namespace") {
        "" => String::new(),
        namespace => format!("/{namespace}"),
    };
    format!("{}{namespace}/{}", resource.to_lowercase(), text(parent, "/name"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_names, named};

    #[test]
    fn columns_are_the_servers() {
        check_names("ingresses.networking.k8s.io", "Name, Class, Hosts, Address, Ports, Age");
        check_names("ingressclasses.networking.k8s.io", "Name, Controller, Parameters, Age");
        check_names("networkpolicies.networking.k8s.io", "Name, Pod-Selector, Age");
        check_names("servicecidrs.networking.k8s.io", "Name, CIDRs, Age");
        check_names("ipaddresses.networking.k8s.io", "Name, ParentRef");
    }

    #[test]
    fn hosts_of_an_ingress() {
        for (hosts, expected) in [
            (vec![], "*"),
            (vec![""], "*"),
            (vec!["a"], "a"),
            (vec!["a", "", "b"], "a,b"),
            (vec!["a", "b", "c"], "a,b,c"),
            (vec!["a", "b", "c", "d", "e"], "a,b,c + 2 more..."),
            (vec!["a", "b", "c", ""], "a,b,c + 1 more..."),
        ] {
            let rules: Vec<_> = hosts.iter().map(|host| json!({"host": host})).collect();
            let ingress = named("i", json!({"spec": {"rules": rules}}));
            check("ingresses.networking.k8s.io", &ingress, &json!({"hosts": expected}));
        }
    }

    #[test]
    fn ingresses_and_their_classes() {
        let ingress = named(
            "i",
            json!({
                "spec": {"ingressClassName": "nginx", "tls": [{}]},
                "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}, {"hostname": "b.example"}]}},
            }),
        );
        let shown = json!({"class": "nginx", "address": "192.0.2.1,b.example", "ports": "80, 443"});
        check("ingresses.networking.k8s.io", &ingress, &shown);
        let bare = json!({"class": "<none>", "address": "", "ports": "80"});
        check("ingresses.networking.k8s.io", &named("i", json!({})), &bare);

        let class = named(
            "nginx",
            json!({
                "metadata": {"annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}},
                "spec": {"controller": "k8s.io/nginx", "parameters": {"apiGroup": "example.com", "kind": "P", "name": "x"}},
            }),
        );
        let shown =
            json!({"name": "nginx (default)", "controller": "k8s.io/nginx", "parameters": "P.example.com/x"});
        check("ingressclasses.networking.k8s.io", &class, &shown);
        check(
            "ingressclasses.networking.k8s.io",
            &named("c", json!({})),
            &json!({"name": "c", "parameters": "<none>"}),
        );
    }

    #[test]
    fn policies_and_addresses() {
        let policy = named("p", json!({"spec": {"podSelector": {"matchLabels": {"app": "x"}}}}));
        check("networkpolicies.networking.k8s.io", &policy, &json!({"podSelector": "app=x"}));
        let all = named("p", json!({"spec": {"podSelector": {}}}));
        check("networkpolicies.networking.k8s.io", &all, &json!({"podSelector": "<none>"}));
        let cidr = named("c", json!({"spec": {"cidrs": ["10.0.0.0/16", "fd00::/108"]}}));
        check("servicecidrs.networking.k8s.io", &cidr, &json!({"cidrs": "10.0.0.0/16,fd00::/108"}));
        let parent =
            json!({"group": "", "resource": "services", "namespace": "default", "name": "kubernetes"});
        let address = named("10.0.0.1", json!({"spec": {"parentRef": parent}}));
        check(
            "ipaddresses.networking.k8s.io",
            &address,
            &json!({"parentref": "services/default/kubernetes"}),
        );
    }
}
