//! Claims without a volume.
//!
//! <https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding>. A claim of a class that binds with its first
//! consumer waits without fault; events are those of the volume controller and of outside provisioners
//! (`ProvisioningFailed`, `FailedBinding`, `ExternalProvisioning`).

use serde_json::Value;

use super::event;
use super::found::{created_ms, reference};
use super::kind::{self, CLAIMS, STORAGE_CLASSES};
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{annotation, at, is_deleted, text};
use crate::problems::thresholds::{CLAIM_MS, PROVISIONER_MS};
use crate::problems::{Evidence, Finding, ObjectRef};

const fn cause(name: &'static str, when: &'static str) -> Cause {
    Cause {
        name,
        severities: &[Severity::Critical],
        looks_at: "a claim, its events, and its storage class",
        when,
    }
}

pub(super) const CAUSES: &[Cause] = &[
    cause(
        "NoStorageClass",
        "for a minute: the claim names no storage class, there is no default one, and no volume fits",
    ),
    cause("MissingStorageClass", "for a minute: the claim's storage class is not there"),
    cause("ProvisioningFailed", "for a minute: the provisioner failed to make a volume"),
    cause("NoMatchingVolume", "for a minute: volumes of its class are made by hand, and none fits"),
    cause(
        "ProvisionerSilent",
        "for five minutes: an outside provisioner was asked for a volume, and nothing came",
    ),
    cause("VolumeLost", "the volume that the claim was bound to is gone"),
];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let claim = subject.object;
    if is_deleted(claim) {
        return;
    }
    match text(claim, "/status/phase") {
        "Lost" => verdict.add(lost(claim)),
        "Pending" => pending(claim, world, verdict),
        _ => {}
    }
}

fn lost(claim: &Value) -> Finding {
    let message = "the volume that it was bound to is gone";
    Finding::new("VolumeLost", Severity::Critical, message).shown_by([
        Evidence::field("status.phase", "Lost"),
        Evidence::field("spec.volumeName", text(claim, "/spec/volumeName")),
    ])
}

fn pending(claim: &Value, world: &dyn World, verdict: &mut Verdict) {
    let Some(since_ms) = created_ms(claim) else { return };
    if world.now_ms() - since_ms < CLAIM_MS {
        return verdict.look_again(since_ms + CLAIM_MS);
    }
    let name = reference(CLAIMS, claim);
    let of_class = match class_of(claim) {
        None | Some("") => no_class(&name, claim, world),
        Some(class) => of_class(claim, class, world),
    };
    // What the class tells is more certain than how the controller words that it can't go on.
    let found = of_class.or_else(|| failed(&name, world));
    let found = found.or_else(|| {
        if world.now_ms() - since_ms < PROVISIONER_MS {
            verdict.look_again(since_ms + PROVISIONER_MS);
            return None;
        }
        silent(&name, claim, world)
    });
    verdict.findings.extend(found.map(|finding| finding.since(Some(since_ms))));
}

/// `None` where the claim leaves the class to the cluster; an empty one wants no class.
fn class_of(claim: &Value) -> Option<&str> {
    let old = annotation(claim, "volume.beta.kubernetes.io/storage-class");
    old.or_else(|| at(claim, "/spec/storageClassName").and_then(Value::as_str))
}

fn failed(claim: &ObjectRef, world: &dyn World) -> Option<Finding> {
    let event = event::newest(world, claim, &["ProvisioningFailed"])?;
    let message = text(&event, "/message");
    let missing = event::quoted_after(message, "storageclass.storage.k8s.io ")
        .filter(|_| message.contains("not found"));
    let (cause, message) = match missing {
        Some(class) => ("MissingStorageClass", format!("its storage class {class} does not exist")),
        None => ("ProvisioningFailed", "its volume can't be made: the provisioner fails".to_owned()),
    };
    let finding = Finding::new(cause, Severity::Critical, message);
    Some(finding.shown_by([Evidence::event(&event)]).last_seen(event::last_seen_ms(&event)))
}

fn no_class(name: &ObjectRef, claim: &Value, world: &dyn World) -> Option<Finding> {
    let event = event::newest(world, name, &["FailedBinding"]);
    if class_of(claim).is_none() && has_default_class(world) {
        return None;
    }
    let message = match class_of(claim) {
        None => "it names no storage class, and the cluster has no default one",
        Some(_) => "it wants a volume without a storage class, and none fits",
    };
    let finding = Finding::new("NoStorageClass", Severity::Critical, message);
    let named =
        Evidence::field("spec.storageClassName", format!("\"{}\"", class_of(claim).unwrap_or_default()));
    Some(finding.shown_by(event.as_deref().map(Evidence::event)).shown_by([named]))
}

fn has_default_class(world: &dyn World) -> bool {
    let classes = world.list(&kind::of(STORAGE_CLASSES), None);
    let is_default =
        |class: &Value| annotation(class, "storageclass.kubernetes.io/is-default-class") == Some("true");
    !world.knows(&kind::of(STORAGE_CLASSES)) || classes.iter().any(|class| is_default(class))
}

fn of_class(claim: &Value, name: &str, world: &dyn World) -> Option<Finding> {
    let named = Evidence::field("spec.storageClassName", name);
    let Some(class) = kind::get(world, STORAGE_CLASSES, None, name) else {
        let is_missing = kind::is_missing(world, STORAGE_CLASSES, None, name);
        let message = format!("its storage class {name} does not exist");
        return is_missing
            .then(|| Finding::new("MissingStorageClass", Severity::Critical, message).shown_by([named]));
    };
    let provisioner = text(&class, "/provisioner");
    if waits_for_consumer(&class) && selected_node(claim).is_none()
        || provisioner != "kubernetes.io/no-provisioner"
    {
        return None;
    }
    let message = format!("volumes of its storage class {name} are made by hand, and none fits");
    Some(
        Finding::new("NoMatchingVolume", Severity::Critical, message)
            .shown_by([named, Evidence::field("provisioner", provisioner)]),
    )
}

fn waits_for_consumer(class: &Value) -> bool {
    text(class, "/volumeBindingMode") == "WaitForFirstConsumer"
}

/// The node that the scheduler chose for the first consumer.
fn selected_node(claim: &Value) -> Option<&str> {
    annotation(claim, "volume.kubernetes.io/selected-node")
}

fn silent(name: &ObjectRef, claim: &Value, world: &dyn World) -> Option<Finding> {
    let class = kind::get(world, STORAGE_CLASSES, None, class_of(claim)?);
    if class.is_some_and(|class| waits_for_consumer(&class)) && selected_node(claim).is_none() {
        return None;
    }
    let keys = ["volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner"];
    let provisioner = keys.iter().find_map(|key| annotation(claim, key))?;
    let event = event::newest(world, name, &["ExternalProvisioning"]);
    let message = format!("the provisioner {provisioner} was asked for its volume, and made none");
    let asked = Evidence::field("annotation storage-provisioner", provisioner);
    let finding = Finding::new("ProvisionerSilent", Severity::Critical, message);
    Some(finding.shown_by(event.as_deref().map(Evidence::event)).shown_by([asked]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn claim(class: Value, minutes: i64) -> Value {
        json!({
            "metadata": {"name": "data", "namespace": "shop", "creationTimestamp": ago(minutes), "annotations": {}},
            "spec": {"storageClassName": class}, "status": {"phase": "Pending"},
        })
    }

    fn class(provisioner: &str, mode: &str) -> Value {
        json!({"metadata": {"name": "fast"}, "provisioner": provisioner, "volumeBindingMode": mode})
    }

    fn with_class(provisioner: &str, mode: &str) -> Fixture {
        Fixture::new().with("storageclasses.storage.k8s.io", class(provisioner, mode))
    }

    #[track_caller]
    fn check(world: &Fixture, claim: &Value, expected: &[&str]) {
        assert_eq!(world.judge(judge, "persistentvolumeclaims", claim).0, expected);
    }

    #[test]
    fn without_a_class() {
        let line = "Critical NoStorageClass: it names no storage class, and the cluster has no default one";
        check(&Fixture::new(), &claim(json!(null), 3), &[line]);
        check(&Fixture::new(), &claim(json!(null), 0), &[]);
        check(&Fixture::new().without_knowing("storageclasses.storage.k8s.io"), &claim(json!(null), 3), &[]);
        check(
            &Fixture::new(),
            &claim(json!(""), 3),
            &["Critical NoStorageClass: it wants a volume without a storage class, and none fits"],
        );
        let mut default = class("csi.example.com", "Immediate");
        default["metadata"]["annotations"] = json!({"storageclass.kubernetes.io/is-default-class": "true"});
        check(&Fixture::new().with("storageclasses.storage.k8s.io", default), &claim(json!(null), 3), &[]);
    }

    #[test]
    fn with_a_class_that_is_not_there_or_makes_nothing() {
        let fast = claim(json!("fast"), 3);
        check(
            &Fixture::new(),
            &fast,
            &["Critical MissingStorageClass: its storage class fast does not exist"],
        );
        let by_hand =
            "Critical NoMatchingVolume: volumes of its storage class fast are made by hand, and none fits";
        check(&with_class("kubernetes.io/no-provisioner", "Immediate"), &fast, &[by_hand]);
        check(&with_class("kubernetes.io/no-provisioner", "WaitForFirstConsumer"), &fast, &[]);
        let mut chosen = fast;
        chosen["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] = "n1".into();
        check(&with_class("kubernetes.io/no-provisioner", "WaitForFirstConsumer"), &chosen, &[by_hand]);
    }

    #[test]
    fn the_provisioner_fails_or_is_silent() {
        let world = with_class("csi.example.com", "Immediate");
        let mut asked = claim(json!("fast"), 9);
        asked["metadata"]["annotations"]["volume.kubernetes.io/storage-provisioner"] =
            "csi.example.com".into();
        check(
            &world,
            &asked,
            &[
                "Critical ProvisionerSilent: the provisioner csi.example.com was asked for its volume, and made none",
            ],
        );
        asked["metadata"]["creationTimestamp"] = ago(3).into();
        check(&world, &asked, &[]);
        let world = world.warning(
            "data",
            "ProvisioningFailed",
            "failed to provision volume with StorageClass \"fast\": quota",
        );
        check(
            &world,
            &asked,
            &["Critical ProvisioningFailed: its volume can't be made: the provisioner fails"],
        );
        check(&with_class("csi.example.com", "WaitForFirstConsumer"), &claim(json!("fast"), 90), &[]);
        let gone = "storageclass.storage.k8s.io \"fast\" not found";
        let unknown = Fixture::new().without_knowing("storageclasses.storage.k8s.io").warning(
            "data",
            "ProvisioningFailed",
            gone,
        );
        check(
            &unknown,
            &claim(json!("fast"), 3),
            &["Critical MissingStorageClass: its storage class fast does not exist"],
        );
        let by_hand = with_class("kubernetes.io/no-provisioner", "Immediate").warning(
            "data",
            "ProvisioningFailed",
            "no volume plugin matched name: kubernetes.io/no-provisioner",
        );
        check(
            &by_hand,
            &claim(json!("fast"), 3),
            &["Critical NoMatchingVolume: volumes of its storage class fast are made by hand, and none fits"],
        );
    }

    #[test]
    fn bound_or_lost() {
        let mut bound = claim(json!("fast"), 90);
        bound["status"]["phase"] = "Bound".into();
        check(&Fixture::new(), &bound, &[]);
        bound["status"]["phase"] = "Lost".into();
        check(&Fixture::new(), &bound, &["Critical VolumeLost: the volume that it was bound to is gone"]);
    }
}
