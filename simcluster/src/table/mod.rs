//! The server's own tables: which columns a kind has and what stands in them, cell by cell as kube-apiserver prints it.

mod admin;
mod age;
mod cell;
mod custom;
mod general;
mod network;
mod pods;
mod storage;
mod workloads;

use jiff::Timestamp;
use serde_json::Value;

use crate::catalog::{Origin, Resource};
use cell::{Column, View, created, name};

/// What the server says of the column of creation times.
pub(crate) const CREATION_DESCRIPTION: &str = "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

/// The `columnDefinitions` of a resource.
pub(crate) fn columns(resource: &Resource) -> Value {
    match &resource.origin {
        Origin::Custom { columns, .. } => custom::definitions(columns),
        Origin::Builtin | Origin::Aggregated => {
            view(resource).columns.iter().map(Column::definition).collect()
        }
    }
}

/// The cells of one object's row.
pub(crate) fn cells(resource: &Resource, object: &Value, now: Timestamp) -> Vec<Value> {
    match &resource.origin {
        Origin::Custom { columns, .. } => custom::cells(columns, object, now),
        Origin::Builtin | Origin::Aggregated => (view(resource).cells)(object, now),
    }
}

fn view(resource: &Resource) -> View {
    match (&*resource.group, &*resource.plural) {
        ("", "pods") => pods::VIEW,
        ("", "podtemplates") => pods::TEMPLATES,
        ("", "componentstatuses") => admin::COMPONENT_STATUSES,
        ("", "nodes") => general::NODES,
        ("", "namespaces") => general::NAMESPACES,
        ("", "events") => general::EVENTS,
        ("", "secrets") => general::SECRETS,
        ("", "configmaps") => general::CONFIG_MAPS,
        ("", "serviceaccounts") => general::ONLY_AGE,
        ("", "resourcequotas") => general::QUOTAS,
        ("", "services") => network::SERVICES,
        ("", "endpoints") => network::ENDPOINTS,
        ("", "persistentvolumes") => storage::VOLUMES,
        ("", "persistentvolumeclaims") => storage::CLAIMS,
        ("", "replicationcontrollers") => workloads::REPLICATION_CONTROLLERS,
        ("apps", "deployments") => workloads::DEPLOYMENTS,
        ("apps", "replicasets") => workloads::REPLICA_SETS,
        ("apps", "statefulsets") => workloads::STATEFUL_SETS,
        ("apps", "daemonsets") => workloads::DAEMON_SETS,
        ("apps", "controllerrevisions") => workloads::CONTROLLER_REVISIONS,
        ("batch", "jobs") => workloads::JOBS,
        ("batch", "cronjobs") => workloads::CRON_JOBS,
        ("autoscaling", "horizontalpodautoscalers") => workloads::AUTOSCALERS,
        ("policy", "poddisruptionbudgets") => workloads::BUDGETS,
        ("discovery.k8s.io", "endpointslices") => network::ENDPOINT_SLICES,
        ("networking.k8s.io", "ingresses") => network::INGRESSES,
        ("networking.k8s.io", "ingressclasses") => network::INGRESS_CLASSES,
        ("networking.k8s.io", "networkpolicies") => network::NETWORK_POLICIES,
        ("networking.k8s.io", "servicecidrs") => network::SERVICE_CIDRS,
        ("networking.k8s.io", "ipaddresses") => network::IP_ADDRESSES,
        ("storage.k8s.io", "storageclasses") => storage::CLASSES,
        ("storage.k8s.io", "volumeattachments") => storage::ATTACHMENTS,
        ("storage.k8s.io", "volumeattributesclasses") => storage::ATTRIBUTES_CLASSES,
        ("storage.k8s.io", "csinodes") => storage::CSI_NODES,
        ("storage.k8s.io", "csidrivers") => storage::CSI_DRIVERS,
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => general::ROLE_BINDINGS,
        ("scheduling.k8s.io", "priorityclasses") => general::PRIORITY_CLASSES,
        ("coordination.k8s.io", "leases") => general::LEASES,
        (
            "admissionregistration.k8s.io",
            "mutatingwebhookconfigurations" | "validatingwebhookconfigurations",
        ) => general::WEBHOOKS,
        ("admissionregistration.k8s.io", "validatingadmissionpolicies") => admin::ADMISSION_POLICIES,
        ("admissionregistration.k8s.io", "validatingadmissionpolicybindings") => admin::ADMISSION_BINDINGS,
        ("apiregistration.k8s.io", "apiservices") => general::API_SERVICES,
        ("apiextensions.k8s.io", "customresourcedefinitions") => admin::DEFINITIONS,
        ("certificates.k8s.io", "certificatesigningrequests") => admin::SIGNING_REQUESTS,
        ("flowcontrol.apiserver.k8s.io", "flowschemas") => admin::FLOW_SCHEMAS,
        ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations") => admin::PRIORITY_LEVELS,
        ("node.k8s.io", "runtimeclasses") => admin::RUNTIME_CLASSES,
        _ => FALLBACK,
    }
}

/// For kinds without a printer of their own: the creation time as it is written, not as an age.
const FALLBACK: View = View {
    columns: &[Column::name(), Column::date("Created At").described(CREATION_DESCRIPTION)],
    cells: |object, _| vec![name(object), created(object)],
};

#[cfg(test)]
mod tests;
