//! Rollouts, deletions, churn, and the same over and over, as single rows.

use serde_json::{Value, json};

use super::*;

const MINUTE: i64 = 60_000;

fn record(at_ms: i64, kind_name: &str, name: &str, deed: Deed) -> Record {
    let (_, group, resource) = *crate::workload::KINDS
        .iter()
        .find(|(kind, ..)| *kind == kind_name)
        .unwrap_or(&("", "", "configmaps"));
    Record {
        at_ms,
        after_ms: None,
        group: group.to_owned(),
        resource: resource.to_owned(),
        kind_name: kind_name.to_owned(),
        namespace: Some("shop".to_owned()),
        name: name.to_owned(),
        uid: name.to_owned(),
        deed,
        fields: Vec::new(),
        more_fields: 0,
        by: Some("kube-controller-manager".to_owned()),
        owner: None,
        inferred: false,
    }
}

fn owned(by: (&str, &str), record: Record) -> Record {
    Record { owner: Some(Owner { kind_name: by.0.to_owned(), name: by.1.to_owned() }), ..record }
}

fn field(path: &str, class: Class, old: Value, new: Value) -> FieldChange {
    FieldChange { path: path.to_owned(), class, old, new }
}

fn image(at_ms: i64, name: &str) -> Record {
    let path = "spec.template.spec.containers[app].image";
    let fields = vec![field(path, Class::Image, json!("a:1"), json!("a:2"))];
    Record { fields, by: Some("argocd".to_owned()), ..record(at_ms, "Deployment", name, Deed::Changed) }
}

/// A ReplicaSet of the deployment, and pods of it.
fn churn(from_ms: i64, deployment: &str, hash: &str, deed: Deed, pods: usize) -> Vec<Record> {
    let set = format!("{deployment}-{hash}");
    let pod = |at: usize| {
        let name = format!("{set}-{at}");
        owned(("ReplicaSet", &set), record(from_ms + 1_000 * at as i64, "Pod", &name, deed))
    };
    (0..pods).map(pod).collect()
}

fn told(mut records: Vec<Record>) -> Vec<String> {
    records.sort_by_key(|record| record.at_ms);
    let lookup = Lookup {
        owner: &|(kind_name, _, name)| {
            let deployment = name.rsplit_once('-').filter(|_| kind_name == "ReplicaSet")?.0;
            Some(Owner { kind_name: "Deployment".to_owned(), name: deployment.to_owned() })
        },
        kind: &|kind_name| {
            let (_, group, resource) = crate::workload::KINDS.iter().find(|(kind, ..)| *kind == kind_name)?;
            Some(GroupResource::new(*group, *resource))
        },
        is_visible: &|_, _, name| !name.starts_with("hidden"),
    };
    let row = |row: Row| {
        let folded: Vec<_> = row
            .folded
            .iter()
            .map(|folded| format!(" {}+{}-{}", folded.kind.resource, folded.created, folded.deleted))
            .collect();
        let Record { at_ms, kind_name, name, deed, .. } = &row.record;
        let times = if row.times > 1 { format!(" x{}", row.times) } else { String::new() };
        format!("{}m {kind_name}/{name} {deed:?}{times}{}", at_ms / MINUTE, folded.concat())
    };
    fold(records, &lookup).into_iter().map(row).collect()
}

#[test]
fn a_rollout_is_one_row_and_so_is_the_next() {
    let mut records = vec![image(0, "checkout"), image(20 * MINUTE, "checkout")];
    let set = |at_ms, name: &str| {
        owned(("Deployment", "checkout"), record(at_ms, "ReplicaSet", name, Deed::Created))
    };
    // The news of the replica set is quicker than that of its deployment.
    records.push(set(-900, "checkout-a"));
    records.extend(churn(2_000, "checkout", "a", Deed::Created, 12));
    records.extend(churn(9_000, "checkout", "0", Deed::Deleted, 12));
    records.push(set(20 * MINUTE - 700, "checkout-b"));
    records.extend(churn(21 * MINUTE, "checkout", "b", Deed::Created, 3));
    // Scaled before the news of the new replica set was there: that set is not for more pods.
    let replicas = vec![field("spec.replicas", Class::Scale, json!(2), json!(3))];
    let scaled =
        Record { fields: replicas, ..record(40 * MINUTE + 100, "Deployment", "checkout", Deed::Changed) };
    records.extend([image(40 * MINUTE, "checkout"), scaled, set(40 * MINUTE + 300, "checkout-c")]);
    assert_eq!(
        told(records),
        [
            "0m Deployment/checkout Changed replicasets+1-0 pods+12-12",
            "20m Deployment/checkout Changed replicasets+1-0 pods+3-0",
            "40m Deployment/checkout Changed replicasets+1-0",
            "40m Deployment/checkout Changed",
        ]
    );
}

#[test]
fn what_nobody_asked_for_is_one_row_of_what_owns_it() {
    let mut records = churn(0, "cart", "a", Deed::Deleted, 3);
    records.extend(churn(MINUTE, "cart", "a", Deed::Created, 3));
    records.extend(churn(40 * MINUTE, "cart", "a", Deed::Deleted, 1));
    records.push(record(5 * MINUTE, "Pod", "alone", Deed::Created));
    assert_eq!(
        told(records),
        [
            "5m Pod/alone Created",
            "1m Deployment/cart Followed pods+3-3",
            "40m Deployment/cart Followed pods+0-1",
        ]
    );
}

#[test]
fn pods_that_are_asked_to_go_and_go_are_churn_and_those_that_stay_are_told() {
    let mut records = churn(0, "cart", "a", Deed::DeletionAsked, 2);
    records.extend(churn(MINUTE, "cart", "a", Deed::Deleted, 1));
    assert_eq!(told(records), ["0m Pod/cart-a-1 DeletionAsked", "1m Deployment/cart Followed pods+0-1"]);
}

#[test]
fn what_owns_it_and_is_hidden_is_not_told() {
    assert_eq!(told(churn(0, "hidden", "a", Deed::Created, 1)), ["0m Pod/hidden-a-0 Created"]);
}

#[test]
fn what_somebody_does_to_a_pod_by_hand_stands_alone() {
    let fields = vec![field("metadata.labels.debug", Class::Label, Value::Null, json!("true"))];
    let by_hand = Record {
        fields,
        by: Some("kubectl-label".to_owned()),
        ..owned(("ReplicaSet", "cart-a"), record(5_000, "Pod", "cart-a-0", Deed::Changed))
    };
    assert_eq!(
        told(vec![image(0, "cart"), by_hand]),
        ["0m Deployment/cart Changed", "0m Pod/cart-a-0 Changed"]
    );
}

#[test]
fn a_deletion_that_was_asked_for_and_done_is_one() {
    let mut records = vec![
        record(0, "Deployment", "cart", Deed::DeletionAsked),
        record(MINUTE, "Deployment", "cart", Deed::Deleted),
    ];
    records.extend(churn(500, "cart", "a", Deed::Deleted, 2));
    records.push(record(0, "Deployment", "held", Deed::DeletionAsked));
    assert_eq!(
        told(records),
        ["1m Deployment/cart Deleted pods+0-2", "0m Deployment/held DeletionAsked"]
            .map(str::to_owned)
            .into_iter()
            .rev()
            .collect::<Vec<_>>()
    );
}

#[test]
fn the_same_over_and_over_is_one_row() {
    let write = |at: i64| Record {
        fields: vec![field("data.status", Class::Data, json!(at), json!(at + 1))],
        ..record(at * MINUTE, "ConfigMap", "autoscaler-status", Deed::Changed)
    };
    assert_eq!(told((0..3).map(write).collect()).len(), 3);
    assert_eq!(told((0..9).map(write).collect()), ["8m ConfigMap/autoscaler-status Changed x9"]);
}
