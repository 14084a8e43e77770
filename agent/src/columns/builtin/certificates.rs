//! Certificate signing requests and trust bundles.

use serde_json::Value;

use super::field::{NONE, at, condition, text, text_or};
use super::{AGE, Entry, NAME, narrow};
use crate::columns::human_duration;

const SIGNER: Entry = narrow("SignerName", |object| text_or(object, "/spec/signerName", NONE).into());

const SIGNING_REQUESTS: &[Entry] = &[
    NAME,
    AGE,
    SIGNER,
    narrow("Requestor", |request| text(request, "/spec/username").into()),
    narrow("RequestedDuration", |request| duration(request).into()),
    narrow("Condition", |request| state(request).into()),
];

const TRUST_BUNDLES: &[Entry] = &[NAME, SIGNER];

pub(super) fn entries(group: &str, resource: &str) -> Option<&'static [Entry]> {
    Some(match (group, resource) {
        ("certificates.k8s.io", "certificatesigningrequests") => SIGNING_REQUESTS,
        ("certificates.k8s.io", "clustertrustbundles") => TRUST_BUNDLES,
        _ => return None,
    })
}

fn duration(request: &Value) -> String {
    let seconds = at(request, "/spec/expirationSeconds").and_then(Value::as_i64);
    seconds.map_or_else(|| NONE.to_owned(), |seconds| human_duration(seconds.saturating_mul(1_000)))
}

/// `Approved,Issued`; the mere presence of a condition counts.
fn state(request: &Value) -> String {
    let is = |name| condition(request, name).is_some();
    let mut state = match () {
        () if is("Denied") => "Denied",
        () if is("Approved") => "Approved",
        () => "Pending",
    }
    .to_owned();
    if is("Failed") {
        state.push_str(",Failed");
    }
    if !text(request, "/status/certificate").is_empty() {
        state.push_str(",Issued");
    }
    state
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_names, named};

    const KIND: &str = "certificatesigningrequests.certificates.k8s.io";

    #[test]
    fn columns_are_the_servers() {
        check_names(KIND, "Name, Age, SignerName, Requestor, RequestedDuration, Condition");
        check_names("clustertrustbundles.certificates.k8s.io", "Name, SignerName");
    }

    #[test]
    fn requests_go_from_pending_to_issued() {
        for (conditions, certificate, expected) in [
            (json!([]), "", "Pending"),
            (json!([{"type": "Approved"}]), "", "Approved"),
            (json!([{"type": "Approved"}]), "LS0t", "Approved,Issued"),
            (json!([{"type": "Approved"}, {"type": "Denied"}]), "", "Denied"),
            (json!([{"type": "Approved"}, {"type": "Failed"}]), "", "Approved,Failed"),
        ] {
            let status = json!({"conditions": conditions, "certificate": certificate});
            check(KIND, &named("r", json!({"status": status})), &json!({"condition": expected}));
        }
        let spec = json!({"signerName": "s", "username": "ann", "expirationSeconds": 3600});
        let shown = json!({"signername": "s", "requestor": "ann", "requestedduration": "60m"});
        check(KIND, &named("r", json!({"spec": spec})), &shown);
        check(KIND, &named("r", json!({})), &json!({"signername": "<none>", "requestedduration": "<none>"}));
    }
}
