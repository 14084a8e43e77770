//! Leases.

use super::field::text;
use super::{AGE, Entry, NAME, narrow};

const LEASES: &[Entry] = &[NAME, narrow("Holder", |lease| text(lease, "/spec/holderIdentity").into()), AGE];

const LEASE_CANDIDATES: &[Entry] = &[
    NAME,
    narrow("LeaseName", |candidate| text(candidate, "/spec/leaseName").into()),
    narrow("BinaryVersion", |candidate| text(candidate, "/spec/binaryVersion").into()),
    narrow("EmulationVersion", |candidate| text(candidate, "/spec/emulationVersion").into()),
    AGE,
];

pub(super) fn entries(group: &str, resource: &str) -> Option<&'static [Entry]> {
    Some(match (group, resource) {
        ("coordination.k8s.io", "leases") => LEASES,
        ("coordination.k8s.io", "leasecandidates") => LEASE_CANDIDATES,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_names, named};

    #[test]
    fn leases_name_their_holder() {
        check_names("leases.coordination.k8s.io", "Name, Holder, Age");
        check_names(
            "leasecandidates.coordination.k8s.io",
            "Name, LeaseName, BinaryVersion, EmulationVersion, Age",
        );
        let lease = named("l", json!({"spec": {"holderIdentity": "n1"}}));
        check("leases.coordination.k8s.io", &lease, &json!({"holder": "n1"}));
        check("leases.coordination.k8s.io", &named("l", json!({})), &json!({"holder": ""}));
    }
}
