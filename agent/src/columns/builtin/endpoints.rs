//! Endpoints and endpoint slices.

use serde_json::Value;

use super::field::{NONE, UNSET, abridged, list, or, text};
use super::{AGE, Entry, NAME, narrow};

const ENDPOINTS: &[Entry] = &[NAME, narrow("Endpoints", |endpoints| addresses(endpoints).into()), AGE];

const ENDPOINT_SLICES: &[Entry] = &[
    NAME,
    narrow("AddressType", |slice| text(slice, "/addressType").into()),
    narrow("Ports", |slice| slice_ports(slice).into()),
    narrow("Endpoints", |slice| slice_addresses(slice).into()),
    AGE,
];

/// How many addresses or ports are spelt out.
const SHOWN: usize = 3;

pub(super) fn entries(group: &str, resource: &str) -> Option<&'static [Entry]> {
    Some(match (group, resource) {
        ("", "endpoints") => ENDPOINTS,
        ("discovery.k8s.io", "endpointslices") => ENDPOINT_SLICES,
        _ => return None,
    })
}

/// Every address with every port of its subset; without ports the addresses alone.
fn addresses(endpoints: &Value) -> String {
    let subsets = list(endpoints, "/subsets");
    if subsets.is_empty() {
        return NONE.to_owned();
    }
    let of_subset = |subset| {
        let ips: Vec<_> = list(subset, "/addresses").iter().map(|address| text(address, "/ip")).collect();
        let ports = list(subset, "/ports");
        if ports.is_empty() {
            return ips.into_iter().map(str::to_owned).collect();
        }
        let with_port = |port: &Value| ips.iter().map(|ip| host_port(ip, &port["port"])).collect::<Vec<_>>();
        ports.iter().flat_map(with_port).collect::<Vec<_>>()
    };
    abridged(&subsets.iter().flat_map(of_subset).collect::<Vec<_>>(), SHOWN)
}

fn host_port(ip: &str, port: &Value) -> String {
    if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}

fn slice_ports(slice: &Value) -> String {
    let one = |port: &Value| match (&port["port"], port["name"].as_str()) {
        (Value::Number(number), _) => number.to_string(),
        (_, Some(name)) => name.to_owned(),
        _ => "*".to_owned(),
    };
    let ports: Vec<_> = list(slice, "/ports").iter().map(one).collect();
    or(&abridged(&ports, SHOWN), UNSET).to_owned()
}

fn slice_addresses(slice: &Value) -> String {
    let of_endpoint =
        |endpoint| list(endpoint, "/addresses").iter().filter_map(Value::as_str).map(str::to_owned);
    let addresses: Vec<_> = list(slice, "/endpoints").iter().flat_map(of_endpoint).collect();
    or(&abridged(&addresses, SHOWN), UNSET).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_names, named};

    #[test]
    fn columns_are_the_servers() {
        check_names("endpoints", "Name, Endpoints, Age");
        check_names("endpointslices.discovery.k8s.io", "Name, AddressType, Ports, Endpoints, Age");
    }

    #[test]
    fn endpoints_are_addresses_by_ports() {
        let ips = |ips: &[&str]| ips.iter().map(|ip| json!({"ip": ip})).collect::<Vec<_>>();
        let (http, https) = (json!({"port": 80}), json!({"port": 443}));
        for (subsets, expected) in [
            (json!([]), "<none>"),
            (
                json!([{"addresses": ips(&["10.0.0.1", "fd00::1"]), "ports": [http]}]),
                "10.0.0.1:80,[fd00::1]:80",
            ),
            (json!([{"addresses": ips(&["10.0.0.1"])}]), "10.0.0.1"),
            (
                json!([{"addresses": ips(&["10.0.0.1", "10.0.0.2"]), "ports": [http, https]}]),
                "10.0.0.1:80,10.0.0.2:80,10.0.0.1:443 + 1 more...",
            ),
            (json!([{"notReadyAddresses": ips(&["10.0.0.1"]), "ports": [http]}]), ""),
        ] {
            check("endpoints", &named("e", json!({"subsets": subsets})), &json!({"endpoints": expected}));
        }
    }

    #[test]
    fn slices_list_ports_and_addresses_apart() {
        let slice = named(
            "s",
            json!({
                "addressType": "IPv4",
                "ports": [{"port": 80, "name": "http"}, {"name": "any"}, {}],
                "endpoints": [{"addresses": ["10.0.0.1"]}, {"addresses": ["10.0.0.2", "10.0.0.3"]}, {"addresses": ["10.0.0.4"]}],
            }),
        );
        check(
            "endpointslices.discovery.k8s.io",
            &slice,
            &json!({"addresstype": "IPv4", "ports": "80,any,*", "endpoints": "10.0.0.1,10.0.0.2,10.0.0.3 + 1 more..."}),
        );
        let empty = named("s", json!({"ports": null, "endpoints": null}));
        check(
            "endpointslices.discovery.k8s.io",
            &empty,
            &json!({"ports": "<unset>", "endpoints": "<unset>"}),
        );
    }
}
