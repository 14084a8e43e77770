//! The columns of every built-in kind beside those of the server.
//!
//! Source: `AddHandlers` of `k8s.io/kubernetes/pkg/printers/internalversion/printers.go` in Kubernetes 1.37, and the table
//! convertors of kube-aggregator, apiextensions-apiserver and the default one.

use serde_json::json;

use super::*;
use crate::catalog::{Catalog, Verbs};

/// By kind, the columns: `#` behind those with the format `name`, a type behind those that are no strings, brackets around
/// the wide ones.
const COLUMNS: &[(&str, &str)] = &[
    ("pods", "Name#, Ready, Status, Restarts, Age, [IP], [Node], [Nominated Node], [Readiness Gates]"),
    ("podtemplates", "Name#, Containers, Images, Pod Labels"),
    ("componentstatuses", "Name#, Status, Message, Error"),
    ("configmaps", "Name#, Data, Age"),
    ("endpoints", "Name#, Endpoints, Age"),
    (
        "events",
        "Last Seen, Type, Reason, Object, [Subobject], [Source], Message, [First Seen], [Count], [Name#]",
    ),
    ("limitranges", "Name#, Created At:date"),
    ("namespaces", "Name#, Status, Age"),
    (
        "nodes",
        "Name#, Status, Roles, Age, Version, [Internal-IP], [External-IP], [OS-Image], [Kernel-Version], [Container-Runtime]",
    ),
    (
        "persistentvolumeclaims",
        "Name#, Status, Volume, Capacity, Access Modes, StorageClass, VolumeAttributesClass, Age, [VolumeMode]",
    ),
    (
        "persistentvolumes",
        "Name#, Capacity, Access Modes, Reclaim Policy, Status, Claim, StorageClass, VolumeAttributesClass, Reason, Age, [VolumeMode]",
    ),
    (
        "replicationcontrollers",
        "Name#, Desired:integer, Current:integer, Ready:integer, Age, [Containers], [Images], [Selector]",
    ),
    ("resourcequotas", "Name#, Request, Limit, Age"),
    ("secrets", "Name#, Type, Data, Age"),
    ("serviceaccounts", "Name#, Age"),
    ("services", "Name#, Type, Cluster-IP, External-IP, Port(s), Age, [Selector]"),
    ("apiservices.apiregistration.k8s.io", "Name#, Service, Available, Age"),
    ("controllerrevisions.apps", "Name#, Controller, Revision, Age"),
    (
        "daemonsets.apps",
        "Name#, Desired:integer, Current:integer, Ready:integer, Up-to-date:integer, Available:integer, Node Selector, Age, \
         [Containers], [Images], [Selector]",
    ),
    ("deployments.apps", "Name#, Ready, Up-to-date, Available, Age, [Containers], [Images], [Selector]"),
    (
        "replicasets.apps",
        "Name#, Desired:integer, Current:integer, Ready:integer, Age, [Containers], [Images], [Selector]",
    ),
    ("statefulsets.apps", "Name#, Ready, Age, [Containers], [Images]"),
    ("horizontalpodautoscalers.autoscaling", "Name#, Reference, Targets, MinPods, MaxPods, Replicas, Age"),
    (
        "cronjobs.batch",
        "Name#, Schedule, Timezone, Suspend:boolean, Active:integer, Last Schedule, Age, [Containers], [Images], [Selector]",
    ),
    ("jobs.batch", "Name#, Status, Completions, Duration, Age, [Containers], [Images], [Selector]"),
    (
        "certificatesigningrequests.certificates.k8s.io",
        "Name#, Age, SignerName, Requestor, RequestedDuration, Condition",
    ),
    ("ingressclasses.networking.k8s.io", "Name#, Controller, Parameters, Age"),
    ("ingresses.networking.k8s.io", "Name#, Class, Hosts, Address, Ports, Age"),
    ("ipaddresses.networking.k8s.io", "Name#, ParentRef"),
    ("networkpolicies.networking.k8s.io", "Name#, Pod-Selector, Age"),
    ("servicecidrs.networking.k8s.io", "Name#, CIDRs, Age"),
    (
        "poddisruptionbudgets.policy",
        "Name#, Min Available, Max Unavailable, Allowed Disruptions:integer, Age",
    ),
    (
        "clusterrolebindings.rbac.authorization.k8s.io",
        "Name#, Role, Age, [Users], [Groups], [ServiceAccounts]",
    ),
    ("rolebindings.rbac.authorization.k8s.io", "Name#, Role, Age, [Users], [Groups], [ServiceAccounts]"),
    ("clusterroles.rbac.authorization.k8s.io", "Name#, Created At:date"),
    ("roles.rbac.authorization.k8s.io", "Name#, Created At:date"),
    (
        "csidrivers.storage.k8s.io",
        "Name#, AttachRequired:boolean, PodInfoOnMount:boolean, StorageCapacity:boolean, TokenRequests, \
         RequiresRepublish:boolean, Modes, Age",
    ),
    ("csinodes.storage.k8s.io", "Name#, Drivers:integer, Age"),
    ("csistoragecapacities.storage.k8s.io", "Name#, Created At:date"),
    (
        "storageclasses.storage.k8s.io",
        "Name#, Provisioner, ReclaimPolicy, VolumeBindingMode, AllowVolumeExpansion, Age",
    ),
    ("volumeattachments.storage.k8s.io", "Name#, Attacher#, PV, Node, Attached:boolean, Age"),
    ("volumeattributesclasses.storage.k8s.io", "Name#, DriverName, Age"),
    ("mutatingwebhookconfigurations.admissionregistration.k8s.io", "Name#, Webhooks:integer, Age"),
    ("validatingwebhookconfigurations.admissionregistration.k8s.io", "Name#, Webhooks:integer, Age"),
    (
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        "Name#, Validations:integer, ParamKind, Age",
    ),
    ("validatingadmissionpolicybindings.admissionregistration.k8s.io", "Name#, PolicyName, ParamRef, Age"),
    (
        "customresourcedefinitions.apiextensions.k8s.io",
        "Name#, Scope, Versions, Created At:date, [Group], [Kind], [ShortNames], [Established:boolean]",
    ),
    (
        "priorityclasses.scheduling.k8s.io",
        "Name#, Value:integer, Global-Default:boolean, Age, PreemptionPolicy",
    ),
    ("leases.coordination.k8s.io", "Name#, Holder, Age"),
    ("runtimeclasses.node.k8s.io", "Name#, Handler, Age"),
    ("endpointslices.discovery.k8s.io", "Name#, AddressType, Ports, Endpoints, Age"),
    (
        "flowschemas.flowcontrol.apiserver.k8s.io",
        "Name#, PriorityLevel, MatchingPrecedence, DistinguisherMethod, Age, MissingPL",
    ),
    (
        "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
        "Name#, Type, NominalConcurrencyShares, Queues, HandSize, QueueLengthLimit, Age",
    ),
];

fn spelt(resource: &Resource) -> String {
    let spell = |column: &Value| {
        let text = |field: &str| column[field].as_str().unwrap().to_owned();
        let kind = if text("type") == "string" { String::new() } else { format!(":{}", text("type")) };
        let format = if text("format") == "name" { "#" } else { "" };
        let spelt = format!("{}{kind}{format}", text("name"));
        if column["priority"] == 1 { format!("[{spelt}]") } else { spelt }
    };
    columns(resource).as_array().unwrap().iter().map(spell).collect::<Vec<_>>().join(", ")
}

#[test]
fn every_builtin_kind_has_the_servers_columns() {
    let catalog = Catalog::builtin();
    let mut told = Vec::new();
    for resource in catalog.served().filter(|resource| resource.verbs != Verbs::CreateOnly) {
        let id = match resource.group.as_str() {
            "" => resource.plural.clone(),
            group => format!("{}.{group}", resource.plural),
        };
        let known = COLUMNS.iter().find(|(kind, _)| *kind == id).map(|(_, columns)| *columns);
        assert_eq!(known, Some(spelt(resource).as_str()), "{id}");
        told.push(id);
    }
    for (kind, _) in COLUMNS {
        assert!(told.iter().any(|id| id == kind), "{kind} is not served");
    }
}

/// The cells of an object of a kind.
fn shown(group: &str, plural: &str, object: &Value) -> Vec<Value> {
    let catalog = Catalog::builtin();
    let resource = catalog.served().find(|resource| resource.group == group && resource.plural == plural);
    cells(resource.unwrap(), object, "2026-11-23T10:00:00Z".parse().unwrap())
}

#[test]
fn every_row_has_a_cell_for_each_column() {
    for resource in Catalog::builtin().served().filter(|resource| resource.verbs != Verbs::CreateOnly) {
        let count = columns(resource).as_array().unwrap().len();
        let cells =
            cells(resource, &json!({"metadata": {"name": "x"}}), "2026-11-23T10:00:00Z".parse().unwrap());
        // The server's rows of addresses have an age too many.
        let odd = usize::from(resource.plural == "ipaddresses");
        assert_eq!(cells.len(), count + odd, "{}", resource.plural);
    }
}

#[test]
fn cells_read_as_the_server_prints_them() {
    let made = "2026-11-23T09:00:00Z";
    let named = |fields: Value| {
        let mut object = json!({"metadata": {"name": "x", "creationTimestamp": made}});
        object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        object
    };
    let table = [
        (
            "certificates.k8s.io",
            "certificatesigningrequests",
            json!({"spec": {"signerName": "s", "username": "ann", "expirationSeconds": 3600},
                   "status": {"conditions": [{"type": "Approved"}], "certificate": "LS0t"}}),
            json!(["x", "60m", "s", "ann", "60m", "Approved,Issued"]),
        ),
        (
            "certificates.k8s.io",
            "certificatesigningrequests",
            json!({}),
            json!(["x", "60m", "<none>", "", "<none>", "Pending"]),
        ),
        (
            "networking.k8s.io",
            "ipaddresses",
            json!({"spec": {"parentRef": {"resource": "services", "namespace": "shop", "name": "cart"}}}),
            json!(["x", "services/shop/cart", "60m"]),
        ),
        (
            "networking.k8s.io",
            "servicecidrs",
            json!({"spec": {"cidrs": ["10.0.0.0/8", "fd00::/8"]}}),
            json!(["x", "10.0.0.0/8,fd00::/8", "60m"]),
        ),
        (
            "networking.k8s.io",
            "ingresses",
            json!({"spec": {"rules": [{}, {"host": "a"}, {"host": "b"}, {"host": "c"}, {}]}}),
            json!(["x", "<none>", "a,b,c + 2 more...", "", "80", "60m"]),
        ),
        (
            "storage.k8s.io",
            "csidrivers",
            json!({"spec": {"tokenRequests": [{"audience": "a"}, {"audience": "b"}], "volumeLifecycleModes": ["Persistent"]}}),
            json!(["x", true, false, false, "a,b", false, "Persistent", "60m"]),
        ),
        (
            "storage.k8s.io",
            "csidrivers",
            json!({"spec": {"attachRequired": false}}),
            json!(["x", false, false, false, "<unset>", false, "<none>", "60m"]),
        ),
        ("storage.k8s.io", "csinodes", json!({"spec": {"drivers": [{}, {}]}}), json!(["x", 2, "60m"])),
        (
            "admissionregistration.k8s.io",
            "validatingadmissionpolicies",
            json!({"spec": {"validations": [{}], "paramKind": {"apiVersion": "rules/v1", "kind": "Limit"}}}),
            json!(["x", 1, "rules/v1/Limit", "60m"]),
        ),
        (
            "admissionregistration.k8s.io",
            "validatingadmissionpolicybindings",
            json!({"spec": {"policyName": "p", "paramRef": {"name": "n"}}}),
            json!(["x", "p", "*/n", "60m"]),
        ),
        (
            "flowcontrol.apiserver.k8s.io",
            "flowschemas",
            json!({"spec": {"priorityLevelConfiguration": {"name": "system"}, "matchingPrecedence": 500}}),
            json!(["x", "system", 500, "<none>", "60m", "?"]),
        ),
        (
            "flowcontrol.apiserver.k8s.io",
            "prioritylevelconfigurations",
            json!({"spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 30}}}),
            json!(["x", "Limited", 30, "<none>", "<none>", "<none>", "60m"]),
        ),
        ("node.k8s.io", "runtimeclasses", json!({"handler": "runc"}), json!(["x", "runc", "60m"])),
        (
            "",
            "podtemplates",
            json!({"template": {"metadata": {"labels": {"b": "2", "a": "1"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}}),
            json!(["x", "c", "i:1", "a=1,b=2"]),
        ),
        (
            "",
            "componentstatuses",
            json!({"conditions": [{"type": "Healthy", "status": "True", "message": "ok"}]}),
            json!(["x", "Healthy", "ok", ""]),
        ),
        (
            "apiextensions.k8s.io",
            "customresourcedefinitions",
            json!({"spec": {"scope": "Cluster", "group": "g", "names": {"kind": "K", "shortNames": ["k"]},
                            "versions": [{"name": "v2", "served": true, "storage": true}, {"name": "v1", "served": true}]}}),
            json!(["x", "Cluster", "v1,v2(storage)", made, "g", "K", "k", false]),
        ),
    ];
    for (group, plural, fields, expected) in table {
        assert_eq!(json!(shown(group, plural, &named(fields))), expected, "{plural}");
    }
}
