//! Objects that are to be deleted and stay.
//!
//! An object with a finalizer stays until whoever set it takes it away: <https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/>.
//! A namespace says in conditions what of it remains (`pkg/controller/namespace/deletion/status_condition_utils.go`); a pod without
//! finalizers waits for its kubelet to say that it has ended.

use serde_json::Value;

use super::found::time_ms;
use super::kind::{self, PODS};
use super::pod;
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{is_true, list, number, text};
use crate::problems::thresholds::{DELETION_MS, SECOND_MS};
use crate::problems::{Evidence, Finding};

const fn cause(name: &'static str, when: &'static str) -> Cause {
    Cause {
        name,
        severities: &[Severity::Warning],
        looks_at: "how long ago an object was to be deleted, and what holds it",
        when,
    }
}

pub(super) const CAUSES: &[Cause] = &[
    cause("DeletionHeld", "for five minutes a finalizer keeps the object from being deleted"),
    cause(
        "NamespaceTerminating",
        "for five minutes a namespace is being deleted; its conditions say what remains",
    ),
    cause(
        "PodTerminating",
        "five minutes after its grace a pod without finalizers is still there; a symptom where its node is lost",
    ),
];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let object = subject.object;
    let Some(deleted_ms) = time_ms(object, "/metadata/deletionTimestamp") else { return };
    // Of a pod, the time already has the grace in it.
    if world.now_ms() - deleted_ms < DELETION_MS {
        return verdict.look_again(deleted_ms + DELETION_MS);
    }
    let asked_ms = deleted_ms - number(object, "/metadata/deletionGracePeriodSeconds") * SECOND_MS;
    let finalizers: Vec<_> = list(object, "/metadata/finalizers").iter().filter_map(Value::as_str).collect();
    let finding = if subject.kind.resource == "namespaces" {
        namespace(object)
    } else if !finalizers.is_empty() {
        held(object, &finalizers, subject, world)
    } else if subject.kind.resource == "pods" {
        let finding = Finding::new(
            "PodTerminating",
            Severity::Warning,
            "it is to end, and its node does not say that it has",
        );
        finding.because_of(pod::lost_node(object, world))
    } else {
        return;
    };
    let shown = Evidence::field("metadata.deletionTimestamp", text(object, "/metadata/deletionTimestamp"));
    verdict.add(finding.shown_by([shown]).since(Some(asked_ms)));
}

fn held(object: &Value, finalizers: &[&str], subject: &Subject<'_>, world: &dyn World) -> Finding {
    let names = finalizers.join(", ");
    let user = (subject.kind.resource == "persistentvolumeclaims").then(|| user_of(object, world)).flatten();
    let in_use = if user.is_some() { ": a pod uses it" } else { "" };
    let message = format!("it is to be deleted, and the finalizer {names} holds it{in_use}");
    Finding::new("DeletionHeld", Severity::Warning, message)
        .shown_by([Evidence::field("metadata.finalizers", names)])
        .shown_by(user.map(|pod| Evidence::field("used by pod", pod)))
}

/// A pod that mounts the claim: while there is one, it is not deleted.
fn user_of(claim: &Value, world: &dyn World) -> Option<String> {
    let pods = world.list(&kind::of(PODS), pod::namespace(claim));
    let name = text(claim, "/metadata/name");
    let user = pods.iter().find(|pod| pod::claims(pod).any(|claim| claim == name))?;
    Some(text(user, "/metadata/name").to_owned())
}

fn namespace(namespace: &Value) -> Finding {
    let told = [
        ("NamespaceFinalizersRemaining", "finalizers hold what is in it"),
        ("NamespaceDeletionDiscoveryFailure", "an API of the cluster does not say what there is"),
        ("NamespaceDeletionContentFailure", "something in it can't be deleted"),
        ("NamespaceDeletionGroupVersionParsingFailure", "an API of the cluster can't be read"),
        ("NamespaceContentRemaining", "something is in it still"),
    ];
    let holds: Vec<_> = told.iter().filter(|(name, _)| is_true(namespace, name)).collect();
    let why = holds.first().map_or("nothing says why", |(_, why)| why);
    let conditions = list(namespace, "/status/conditions")
        .iter()
        .filter(|condition| holds.iter().any(|(name, _)| condition["type"] == *name));
    Finding::new(
        "NamespaceTerminating",
        Severity::Warning,
        format!("it is being deleted, and does not go: {why}"),
    )
    .shown_by(conditions.map(Evidence::condition))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn deleted(minutes: i64, finalizers: &[&str]) -> Value {
        json!({"metadata": {"name": "data", "namespace": "shop", "deletionTimestamp": ago(minutes), "finalizers": finalizers}})
    }

    #[track_caller]
    fn check(world: &Fixture, kind: &str, object: &Value, expected: &[&str]) {
        assert_eq!(world.judge(judge, kind, object).0, expected);
    }

    #[test]
    fn finalizers_hold_objects() {
        let line = "Warning DeletionHeld: it is to be deleted, and the finalizer example.com/x holds it";
        check(&Fixture::new(), "configmaps", &deleted(9, &["example.com/x"]), &[line]);
        check(&Fixture::new(), "configmaps", &deleted(1, &["example.com/x"]), &[]);
        check(&Fixture::new(), "configmaps", &json!({"metadata": {"name": "a", "finalizers": ["x"]}}), &[]);
        let pod = json!({"metadata": {"name": "db-0", "namespace": "shop"}, "spec": {"volumes": [{"persistentVolumeClaim": {"claimName": "data"}}]}});
        let line = "Warning DeletionHeld: it is to be deleted, and the finalizer kubernetes.io/pvc-protection holds it: a pod uses it";
        check(
            &Fixture::new().with("pods", pod),
            "persistentvolumeclaims",
            &deleted(9, &["kubernetes.io/pvc-protection"]),
            &[line],
        );
    }

    #[test]
    fn namespaces_say_what_remains() {
        let mut namespace = deleted(9, &[]);
        namespace["status"] = json!({"conditions": [
            {"type": "NamespaceContentRemaining", "status": "True", "message": "Some resources are remaining: configmaps. has 1 resource instances"},
            {"type": "NamespaceFinalizersRemaining", "status": "True", "message": "example.com/x in 1 resource instances"}]});
        check(
            &Fixture::new(),
            "namespaces",
            &namespace,
            &[
                "Warning NamespaceTerminating: it is being deleted, and does not go: finalizers hold what is in it",
            ],
        );
    }

    #[test]
    fn pods_wait_for_their_kubelet() {
        let mut pod = deleted(9, &[]);
        pod["spec"] = json!({"nodeName": "n1"});
        let line = "Warning PodTerminating: it is to end, and its node does not say that it has";
        check(&Fixture::new(), "pods", &pod, &[line]);
        let node = json!({"metadata": {"name": "n1"}, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}});
        check(&Fixture::new().with("nodes", node), "pods", &pod, &[&format!("{line} <- nodes/n1")]);
    }
}
