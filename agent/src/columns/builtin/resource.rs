//! Dynamic resource allocation.

use serde_json::Value;

use super::field::{has, is_deleted, list, text, time};
use super::{AGE, Entry, GENERIC, NAME, age, narrow};

const CLAIMS: &[Entry] = &[NAME, narrow("State", |claim| state(claim).into()), AGE];

const SLICES: &[Entry] = &[
    NAME,
    narrow("Node", |slice| text(slice, "/spec/nodeName").into()),
    narrow("Driver", |slice| text(slice, "/spec/driver").into()),
    narrow("Pool", |slice| text(slice, "/spec/pool/name").into()),
    AGE,
];

const TAINT_RULES: &[Entry] = &[
    NAME,
    narrow("Key", |rule| text(rule, "/spec/taint/key").into()),
    narrow("Value", |rule| text(rule, "/spec/taint/value").into()),
    narrow("Effect", |rule| text(rule, "/spec/taint/effect").into()),
    age("TimeAdded", |rule| time(rule, "/spec/taint/timeAdded")),
    AGE,
];

pub(super) fn entries(group: &str, resource: &str) -> Option<&'static [Entry]> {
    Some(match (group, resource) {
        ("resource.k8s.io", "resourceclaims") => CLAIMS,
        ("resource.k8s.io", "resourceslices") => SLICES,
        ("resource.k8s.io", "devicetaintrules") => TAINT_RULES,
        ("resource.k8s.io", "deviceclasses" | "resourceclaimtemplates") => GENERIC,
        _ => return None,
    })
}

/// `allocated,reserved`, with `deleted` before it for a claim on its way out.
fn state(claim: &Value) -> String {
    let deleted = is_deleted(claim);
    let allocated = has(claim, "/status/allocation");
    let reserved = allocated && !list(claim, "/status/reservedFor").is_empty();
    let states = [
        (deleted, "deleted"),
        (!allocated && !deleted, "pending"),
        (allocated, "allocated"),
        (reserved, "reserved"),
    ];
    states.iter().filter(|(holds, _)| *holds).map(|(_, state)| *state).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_names, named};

    #[test]
    fn columns_are_the_servers() {
        check_names("resourceclaims.resource.k8s.io", "Name, State, Age");
        check_names("resourceslices.resource.k8s.io", "Name, Node, Driver, Pool, Age");
        check_names("deviceclasses.resource.k8s.io", "Name, Age");
        check_names("devicetaintrules.resource.k8s.io", "Name, Key, Value, Effect, TimeAdded, Age");
    }

    #[test]
    fn taints_say_since_when() {
        let taint = json!({"key": "k", "effect": "NoExecute", "timeAdded": "1970-01-01T00:00:05Z"});
        let shown = json!({"key": "k", "value": "", "effect": "NoExecute", "timeadded": 5_000});
        check("devicetaintrules.resource.k8s.io", &named("r", json!({"spec": {"taint": taint}})), &shown);
    }

    #[test]
    fn the_state_of_a_claim() {
        let deleted = json!({"deletionTimestamp": "1970-01-01T00:02:00Z"});
        for (metadata, status, expected) in [
            (json!({}), json!({}), "pending"),
            (json!({}), json!({"allocation": {}}), "allocated"),
            (json!({}), json!({"allocation": {}, "reservedFor": [{}]}), "allocated,reserved"),
            (deleted.clone(), json!({}), "deleted"),
            (deleted, json!({"allocation": {}}), "deleted,allocated"),
        ] {
            let claim = named("c", json!({"metadata": metadata, "status": status}));
            check("resourceclaims.resource.k8s.io", &claim, &json!({"state": expected}));
        }
    }
}
