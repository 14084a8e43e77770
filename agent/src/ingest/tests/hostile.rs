//! Objects that no API server would send, before everything that reads them.

use proptest::prelude::*;

use super::*;
use crate::cache::KindStore;

/// Every kind that has columns of its own.
const KINDS: [(&str, &str); 17] = [
    (
        "",
        "pods nodes namespaces services configmaps secrets serviceaccounts resourcequotas limitranges events endpoints \
          persistentvolumeclaims persistentvolumes replicationcontrollers podtemplates componentstatuses",
    ),
    ("apps", "deployments replicasets statefulsets daemonsets controllerrevisions"),
    ("batch", "jobs cronjobs"),
    ("autoscaling", "horizontalpodautoscalers"),
    (
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations validatingwebhookconfigurations \
        validatingadmissionpolicies mutatingadmissionpolicies validatingadmissionpolicybindings",
    ),
    ("certificates.k8s.io", "certificatesigningrequests clustertrustbundles"),
    ("coordination.k8s.io", "leases leasecandidates"),
    ("discovery.k8s.io", "endpointslices"),
    ("apiregistration.k8s.io", "apiservices"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("flowcontrol.apiserver.k8s.io", "flowschemas prioritylevelconfigurations"),
    ("networking.k8s.io", "ingresses ingressclasses networkpolicies servicecidrs ipaddresses"),
    ("policy", "poddisruptionbudgets"),
    ("scheduling.k8s.io", "priorityclasses"),
    ("rbac.authorization.k8s.io", "roles clusterroles rolebindings clusterrolebindings"),
    ("resource.k8s.io", "resourceclaims resourceslices devicetaintrules deviceclasses"),
    ("storage.k8s.io", "storageclasses volumeattachments volumeattributesclasses csinodes csidrivers"),
];

/// The words that the columns, the redaction and the rows look for, so that arbitrary values stand where they are read.
const WORDS: [&str; 40] = [
    "metadata",
    "name",
    "namespace",
    "uid",
    "labels",
    "annotations",
    "managedFields",
    "ownerReferences",
    "creationTimestamp",
    "deletionTimestamp",
    "spec",
    "status",
    "containers",
    "initContainers",
    "containerStatuses",
    "initContainerStatuses",
    "conditions",
    "state",
    "terminated",
    "waiting",
    "ports",
    "rules",
    "subjects",
    "roleRef",
    "data",
    "binaryData",
    "env",
    "args",
    "command",
    "value",
    "key",
    "password",
    "type",
    "replicas",
    "template",
    "selector",
    "time",
    "kind",
    "apiVersion",
    "webhooks",
];

fn anything() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        prop::sample::select(WORDS.to_vec()).prop_map(str::to_owned),
        "\\PC{0,12}",
        "-?[0-9]{1,25}(m|Ki|e9)?",
        Just("2026-11-23T18:24:39Z".to_owned()),
        Just("9999999-99-99T99:99:99Z".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        let key =
            prop_oneof![4 => prop::sample::select(WORDS.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,6}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stands where a kind's columns look: an object is taken in or refused, and what is taken in can be stored
    /// and read.
    #[test]
    fn no_object_is_a_reason_to_panic(spec in anything(), status in anything(), metadata in anything(), whole in anything()) {
        let mut named = json!({"metadata": {"name": "x", "labels": metadata, "annotations": spec, "managedFields": metadata},
            "spec": spec, "status": status, "rules": metadata, "subsets": status, "endpoints": spec,
            "webhooks": status, "data": metadata, "binaryData": spec, "provisioner": whole,
            "involvedObject": status, "ports": spec, "subjects": status, "roleRef": spec});
        for (group, resource) in KINDS.iter().flat_map(|(group, kinds)| kinds.split(' ').map(move |kind| (group, kind))) {
            let shape = shape(group, resource, "Kind");
            let mut store = KindStore::new(shape.clone());
            let prepared = prepare_value(&shape, named.clone()).unwrap();
            shape.columns.all(&named);
            store.apply(prepared);
            let mut json = Vec::new();
            prop_assert!(store.rows().all(|row| row.object(&mut json) && row.name() == "x"));
            prop_assert_eq!(store.len(), 1);
        }
        let _ = prepare_value(&shape("", "pods", "Pod"), whole.clone());
        named["metadata"] = whole;
        let _ = prepare_value(&shape("", "pods", "Pod"), named);
    }
}
