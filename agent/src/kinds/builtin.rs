//! The kinds that are watched before anybody asks.

use kubeplex_proto::kind::GroupResource;

use crate::config::WatchMode;

/// By group. Secrets are not among them, nor are Leases, which change every few seconds and tell nobody anything.
const BUILTIN: [(&str, &[&str]); 13] = [
    (
        "",
        &[
            // Small and needed by others first; events last, since nothing waits for them.
            "nodes",
            "namespaces",
            "pods",
            "services",
            "configmaps",
            "persistentvolumeclaims",
            "persistentvolumes",
            "serviceaccounts",
            "resourcequotas",
            "limitranges",
            "events",
        ],
    ),
    ("apiextensions.k8s.io", &["customresourcedefinitions"]),
    ("apiregistration.k8s.io", &["apiservices"]),
    ("apps", &["deployments", "replicasets", "statefulsets", "daemonsets", "controllerrevisions"]),
    ("batch", &["jobs", "cronjobs"]),
    ("discovery.k8s.io", &["endpointslices"]),
    ("storage.k8s.io", &["storageclasses", "volumeattachments"]),
    ("networking.k8s.io", &["ingresses", "ingressclasses", "networkpolicies"]),
    ("autoscaling", &["horizontalpodautoscalers"]),
    ("policy", &["poddisruptionbudgets"]),
    ("rbac.authorization.k8s.io", &["roles", "clusterroles", "rolebindings", "clusterrolebindings"]),
    ("admissionregistration.k8s.io", &["mutatingwebhookconfigurations", "validatingwebhookconfigurations"]),
    ("scheduling.k8s.io", &["priorityclasses"]),
];

/// What a laptop needs of each of its contexts to show what they are. CRDs are not among them: their schemas are megabytes,
/// so a CRD's columns are read when somebody opens its kind, and of their changes only the news is heard.
const ON_DEMAND: [(&str, &[&str]); 1] = [("", &["nodes", "namespaces"])];

/// The kinds to watch from the start, in the order in which to start them.
pub(super) fn from_start(mode: WatchMode) -> Vec<GroupResource> {
    let flatten = |groups: &[(&str, &[&str])]| -> Vec<GroupResource> {
        let of_group = |(group, kinds): &(&str, &[&str])| -> Vec<GroupResource> {
            kinds.iter().map(|resource| GroupResource::new(*group, *resource)).collect()
        };
        groups.iter().flat_map(of_group).collect()
    };
    match mode {
        WatchMode::Builtin => flatten(&BUILTIN),
        WatchMode::OnDemand => flatten(&ON_DEMAND),
    }
}

pub(super) fn crds() -> GroupResource {
    GroupResource::new("apiextensions.k8s.io", "customresourcedefinitions")
}

pub(super) fn apiservices() -> GroupResource {
    GroupResource::new("apiregistration.k8s.io", "apiservices")
}

/// Events are the same objects in two groups; only core's are watched.
pub(super) fn canonical(id: &GroupResource) -> GroupResource {
    if id.group == "events.k8s.io" && id.resource == "events" {
        return GroupResource::new("", "events");
    }
    id.clone()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_kind_once_and_no_secrets() {
        let kinds = from_start(WatchMode::Builtin);
        let distinct: HashSet<_> = kinds.iter().collect();
        assert_eq!((distinct.len(), kinds.len()), (35, 35));
        assert!(!kinds.iter().any(|kind| matches!(kind.resource.as_str(), "secrets" | "leases")));
    }
}
