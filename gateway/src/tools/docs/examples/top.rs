//! What `top` is asked, and what two clusters use; a third one does not measure it.

use serde_json::{Value, json};

use super::Line;
use crate::fleet::ClusterView;
use crate::request::ListQuery;

pub(super) fn examples() -> Vec<(&'static str, Value)> {
    vec![
        (
            "Which pods of the shop use most? One cluster measures nothing:",
            json!({"namespace": "shop", "cluster": "prod-eu,prod-us,dev", "limit": 2}),
        ),
        (
            "What do namespaces use of what they asked for?",
            json!({"cluster": "prod-eu,prod-us", "groupBy": "namespace,sum(cpu),sum(cpuRequest),sum(memory)"}),
        ),
    ]
}

pub(super) fn is_unmeasured(query: &ListQuery, cluster: &ClusterView) -> bool {
    query.usage && cluster.id.as_str() == "dev"
}

/// As agents tell quantities: exactly.
pub(super) fn lines() -> (&'static [&'static str], Vec<Line>) {
    let (checkout, cart, search) = ("checkout-6c8f9d7b54-wq8zt", "cart-7d9f8b6c5d-x2x9k", "search-0");
    let columns: &[_] =
        &["name", "cpu", "cpuRequest", "cpuLimit", "memory", "memoryRequest", "memoryLimit", "atLimit"];
    let lines = vec![
        (
            "prod-eu",
            "shop",
            checkout,
            json!([
                checkout,
                "24986113n",
                "25m",
                "25m",
                "93323264",
                "67108864",
                "134217728",
                "main cpu 25m of 25m"
            ]),
        ),
        (
            "prod-us",
            "shop",
            cart,
            json!([cart, "181204883n", "100m", "500m", "148897792", "134217728", "268435456", null]),
        ),
        ("prod-us", "shop", search, json!([search, null, "250m", null, null, "536870912", null, null])),
    ];
    (columns, lines)
}
