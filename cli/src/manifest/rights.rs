//! What the agent may do in its cluster: roles, and who has them.

use std::fmt::Write as _;

use super::document::{Place, flow, joined, metadata, quoted};
use super::names::{ApiGroup, Namespace, Principal, UserName};
use super::options::{Rights, Secrets};

/// ClusterRoles with this label are what the agent may read of custom resources.
const AGGREGATE_LABEL: &str = "kubeplex.dev/aggregate-to-agent";

/// Built-in kinds that live in namespaces. RBAC has no "all but", so whoever leaves Secrets out has to name the others.
const NAMESPACED: [(&str, &[&str]); 12] = [
    (
        "",
        &[
            "configmaps",
            "endpoints",
            "events",
            "limitranges",
            "persistentvolumeclaims",
            "pods",
            "podtemplates",
            "replicationcontrollers",
            "resourcequotas",
            "serviceaccounts",
            "services",
        ],
    ),
    ("apps", &["controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"]),
    ("autoscaling", &["horizontalpodautoscalers"]),
    ("batch", &["cronjobs", "jobs"]),
    ("certificates.k8s.io", &["podcertificaterequests"]),
    ("coordination.k8s.io", &["leases"]),
    ("discovery.k8s.io", &["endpointslices"]),
    ("networking.k8s.io", &["ingresses", "networkpolicies"]),
    ("policy", &["poddisruptionbudgets"]),
    ("rbac.authorization.k8s.io", &["rolebindings", "roles"]),
    ("resource.k8s.io", &["resourceclaims", "resourceclaimtemplates"]),
    ("storage.k8s.io", &["csistoragecapacities"]),
];

/// Built-in kinds of the cluster as a whole.
const CLUSTER_SCOPED: [(&str, &[&str]); 12] = [
    ("", &["namespaces", "nodes", "persistentvolumes"]),
    (
        "admissionregistration.k8s.io",
        &[
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
            "mutatingwebhookconfigurations",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "validatingwebhookconfigurations",
        ],
    ),
    ("apiregistration.k8s.io", &["apiservices"]),
    ("certificates.k8s.io", &["certificatesigningrequests", "clustertrustbundles"]),
    ("flowcontrol.apiserver.k8s.io", &["flowschemas", "prioritylevelconfigurations"]),
    ("networking.k8s.io", &["ingressclasses", "ipaddresses", "servicecidrs"]),
    ("node.k8s.io", &["runtimeclasses"]),
    ("rbac.authorization.k8s.io", &["clusterrolebindings", "clusterroles"]),
    ("resource.k8s.io", &["deviceclasses", "devicetaintrules", "resourceslices"]),
    ("scheduling.k8s.io", &["priorityclasses"]),
    (
        "storage.k8s.io",
        &["csidrivers", "csinodes", "storageclasses", "volumeattachments", "volumeattributesclasses"],
    ),
    ("storagemigration.k8s.io", &["storageversionmigrations"]),
];

/// A cache is filled by lists and kept by watches.
const READ: [&str; 2] = ["list", "watch"];

/// A custom resource that is asked for before all CRDs are cached has the columns of its own.
const READ_DEFINITIONS: [&str; 3] = ["get", "list", "watch"];

/// One document each.
pub(super) fn documents(rights: &Rights, place: &Place) -> Vec<String> {
    let mut documents = Vec::new();
    if rights.watch_namespaces.is_empty() {
        documents.extend([built_in(rights, place), cluster_binding(place, None)]);
        documents.extend([custom(place), cluster_binding(place, Some("custom"))]);
        if !rights.crd_groups.is_empty() {
            documents.push(crd_groups(&rights.crd_groups, place));
        }
    } else {
        for namespace in &rights.watch_namespaces {
            documents.extend([role(rights, namespace, place), role_binding(namespace, place)]);
        }
    }
    if !rights.impersonate_users.is_empty() {
        documents.extend([impersonation(rights, place), cluster_binding(place, Some("impersonation"))]);
    }
    documents
}

/// Of all namespaces, and of the cluster itself.
fn built_in(rights: &Rights, place: &Place) -> String {
    let mut text = "# What the agent reads: the built-in kinds, named one by one, because RBAC has no \"all but Secrets\".\n".to_owned();
    text += &head("ClusterRole", &place.of_cluster(None), None);
    text += "rules:\n";
    text += "  - nonResourceURLs: [/api, /api/*, /apis, /apis/*, /version]\n    verbs: [get]\n";
    for (group, kinds) in NAMESPACED.iter().chain(&CLUSTER_SCOPED) {
        text += &rule(group, kinds, &READ);
    }
    text += &rule("apiextensions.k8s.io", &["customresourcedefinitions"], &READ_DEFINITIONS);
    text + &secrets(rights)
}

/// What other roles allow; the controller manager gathers it.
fn custom(place: &Place) -> String {
    let mut text = format!(
        "# Custom resources: whatever ClusterRoles with the label below allow, none to begin with. Most operators ship a role for\n\
         # viewing what they define; to let the agent read that too:\n\
         #   kubectl label clusterrole NAME {AGGREGATE_LABEL}=true\n"
    );
    text += &head("ClusterRole", &place.of_cluster(Some("custom")), None);
    text + "aggregationRule:\n  clusterRoleSelectors:\n    - matchLabels:\n        "
        + AGGREGATE_LABEL
        + ": \"true\"\n"
}

fn crd_groups(groups: &[ApiGroup], place: &Place) -> String {
    let name = place.of_cluster(Some("crd-groups"));
    let mut text = "# Gathered by the role above.\n".to_owned();
    text += "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n";
    text += &metadata(&name, None, &format!("    {AGGREGATE_LABEL}: \"true\"\n"));
    text += "rules:\n";
    text + &custom_rule(groups)
}

fn role(rights: &Rights, namespace: &Namespace, place: &Place) -> String {
    let mut text =
        "# What the agent reads in this namespace, and nothing of the cluster as a whole.\n".to_owned();
    text += &head("Role", &place.of_cluster(None), Some(namespace));
    text += "rules:\n";
    for (group, kinds) in &NAMESPACED {
        text += &rule(group, kinds, &READ);
    }
    text += &secrets(rights);
    if rights.crd_groups.is_empty() { text } else { text + &custom_rule(&rights.crd_groups) }
}

/// Custom resources have no other kinds beside them in their groups, so all of a group can be said.
fn custom_rule(groups: &[ApiGroup]) -> String {
    let groups = joined(groups.iter().map(ApiGroup::as_str));
    format!("  - apiGroups: [{groups}]\n    resources: [\"*\"]\n    verbs: [{}]\n", READ.join(", "))
}

fn secrets(rights: &Rights) -> String {
    match rights.secrets {
        None => String::new(),
        Some(Secrets::Metadata) => {
            let comment = "  # The agent asks for names, labels, types and numbers of keys; the right to list them is the right to their data.\n";
            comment.to_owned() + &rule("", &["secrets"], &READ)
        }
    }
}

/// An API server lets nobody act in another's name without both a right to the user and to every group.
fn impersonation(rights: &Rights, place: &Place) -> String {
    let mut text = "# Live reads: the agent asks whether a caller may read something, and then reads it in the caller's name. Its own\n\
                    # rights do not count then, and nobody but these can be named.\n"
        .to_owned();
    text += &head("ClusterRole", &place.of_cluster(Some("impersonation")), None);
    text += "rules:\n";
    text += &rule("authorization.k8s.io", &["subjectaccessreviews"], &["create"]);
    text += &impersonate("users", named(&rights.impersonate_users).as_deref());
    if !rights.impersonate_groups.is_empty() {
        text += &impersonate("groups", Some(&rights.impersonate_groups));
    }
    text
}

/// `None` where any user may be named.
fn named(users: &[UserName]) -> Option<Vec<Principal>> {
    let name = |user: &UserName| match user {
        UserName::Any => None,
        UserName::Named(name) => Some(name.clone()),
    };
    users.iter().map(name).collect()
}

fn impersonate(what: &str, names: Option<&[Principal]>) -> String {
    let mut text = rule("", &[what], &["impersonate"]);
    if let Some(names) = names {
        let names = joined(names.iter().map(Principal::as_str));
        // Writing to a string can't fail.
        let _ = writeln!(text, "    resourceNames: [{names}]");
    }
    text
}

fn rule(group: &str, kinds: &[&str], verbs: &[&str]) -> String {
    let group = if group.is_empty() { "\"\"" } else { group };
    format!("  - apiGroups: [{group}]\n    resources:{}\n    verbs: [{}]\n", flow(kinds), verbs.join(", "))
}

fn head(kind: &str, name: &str, namespace: Option<&Namespace>) -> String {
    format!("apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\n{}", metadata(name, namespace, ""))
}

fn cluster_binding(place: &Place, part: Option<&str>) -> String {
    let name = place.of_cluster(part);
    head("ClusterRoleBinding", &name, None) + &reference("ClusterRole", &name) + &subject(place)
}

fn role_binding(namespace: &Namespace, place: &Place) -> String {
    let name = place.of_cluster(None);
    head("RoleBinding", &name, Some(namespace)) + &reference("Role", &name) + &subject(place)
}

fn reference(kind: &str, name: &str) -> String {
    format!("roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: {kind}\n  name: {}\n", quoted(name))
}

fn subject(place: &Place) -> String {
    let namespace = quoted(place.namespace().as_str());
    format!(
        "subjects:\n  - kind: ServiceAccount\n    name: {}\n    namespace: {namespace}\n",
        super::document::NAME
    )
}
