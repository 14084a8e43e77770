//! Workloads whose pods the API server refuses to make.
//!
//! ReplicaSets keep the condition `ReplicaFailure` (reason `FailedCreate`), and Deployments copy it; the controllers of
//! StatefulSets, DaemonSets and Jobs only write events `FailedCreate`. What the message says comes from admission: quotas
//! (`exceeded quota: …`), webhooks (`admission webhook "…" denied the request`), policies, limit ranges, pod security, service
//! accounts. <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#failed-deployment>

use serde_json::Value;

use super::event::{self, quoted_after};
use super::found::{reference, time_ms};
use super::kind::{self, DEPLOYMENTS};
use super::pod;
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{condition, is_deleted, number, text};
use crate::problems::{Evidence, Finding, ObjectRef};

const fn cause(name: &'static str, when: &'static str) -> Cause {
    Cause {
        name,
        severities: &[Severity::Critical],
        looks_at: "a workload's condition ReplicaFailure, or its events FailedCreate",
        when,
    }
}

pub(super) const CAUSES: &[Cause] = &[
    cause("QuotaExceeded", "its pods can't be made because a resource quota is used up"),
    cause("AdmissionDenied", "its pods can't be made because a webhook or a policy denies them"),
    cause("WebhookFailing", "its pods can't be made because a webhook that must be asked does not answer"),
    cause(
        "PodSecurityDenied",
        "its pods can't be made because they violate the pod security standard of their namespace",
    ),
    cause(
        "LimitRangeExceeded",
        "its pods can't be made because a container asks for more or less than a limit range allows",
    ),
    cause("MissingServiceAccount", "its pods can't be made because their service account is not there"),
    cause("MissingPriorityClass", "its pods can't be made because their priority class is not there"),
    cause("PodsRejected", "its pods can't be made for another reason"),
];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let workload = subject.object;
    if is_deleted(workload) {
        return;
    }
    if let Some(failure) = failure(workload) {
        let found = found(text(failure, "/message")).shown_by([Evidence::condition(failure)]);
        let found = found.since(time_ms(failure, "/lastTransitionTime"));
        return verdict.add(found.because_of(deployment(workload, world)));
    }
    if !lacks_pods(subject) {
        return;
    }
    let name = reference((&subject.kind.group, &subject.kind.resource), workload);
    if let Some(event) = event::newest(world, &name, &["FailedCreate"]) {
        event::expires_ms(&event).into_iter().for_each(|at_ms| verdict.look_again(at_ms));
        let found = found(text(&event, "/message")).shown_by([Evidence::event(&event)]);
        verdict.add(found.since(event::first_seen_ms(&event)).last_seen(event::last_seen_ms(&event)));
    }
}

/// The condition `ReplicaFailure`, where it holds.
pub(super) fn failure(workload: &Value) -> Option<&Value> {
    condition(workload, "ReplicaFailure").filter(|failure| failure["status"] == "True")
}

/// Whether there are fewer pods than there should be, for the kinds that have no condition.
fn lacks_pods(subject: &Subject<'_>) -> bool {
    let workload = subject.object;
    match subject.kind.resource.as_str() {
        "statefulsets" => number(workload, "/status/replicas") < number(workload, "/spec/replicas"),
        "daemonsets" => {
            number(workload, "/status/currentNumberScheduled")
                < number(workload, "/status/desiredNumberScheduled")
        }
        "jobs" => {
            number(workload, "/status/active") == 0
                && condition(workload, "Complete").is_none()
                && condition(workload, "Failed").is_none()
        }
        _ => false,
    }
}

/// A deployment says the same of its newest ReplicaSet, and is what people know.
fn deployment(replica_set: &Value, world: &dyn World) -> Option<ObjectRef> {
    let owner = pod::controller(replica_set, "Deployment")?;
    let deployment = kind::get(world, DEPLOYMENTS, pod::namespace(replica_set), owner)?;
    failure(&deployment).is_some().then(|| reference(DEPLOYMENTS, &deployment))
}

fn found(message: &str) -> Finding {
    let (cause, words) = why(message);
    Finding::new(cause, Severity::Critical, format!("its pods can't be made: {words}"))
}

/// By the words of admission.
fn why(message: &str) -> (&'static str, String) {
    let quoted = |before| quoted_after(message, before);
    if let Some(rest) = message.split_once("exceeded quota: ").map(|(_, rest)| rest) {
        let quota = rest.split(',').next().unwrap_or_default();
        let what = rest
            .split("requested: ")
            .nth(1)
            .and_then(|rest| rest.split(['=', ' ']).next())
            .unwrap_or_default();
        return ("QuotaExceeded", format!("the quota {quota} has no {what} left"));
    }
    if let Some(webhook) = quoted("admission webhook ") {
        return ("AdmissionDenied", format!("the webhook {webhook} denies them"));
    }
    if let Some(webhook) = quoted("failed calling webhook ") {
        return ("WebhookFailing", format!("the webhook {webhook} does not answer"));
    }
    if let Some(policy) = quoted("ValidatingAdmissionPolicy ") {
        return ("AdmissionDenied", format!("the policy {policy} denies them"));
    }
    if let Some(standard) = quoted("violates PodSecurity ") {
        return ("PodSecurityDenied", format!("they violate the pod security standard {standard}"));
    }
    if message.contains("service account") || message.contains("serviceaccount") {
        let name = quoted("serviceaccount ").or_else(|| quoted("serviceaccounts "));
        return (
            "MissingServiceAccount",
            format!("the service account {} does not exist", name.unwrap_or("that they name")),
        );
    }
    if message.contains("PriorityClass") {
        return ("MissingPriorityClass", "their priority class does not exist".to_owned());
    }
    let of_limit_range = [" usage per ", "limit to request ratio per "];
    if of_limit_range.iter().any(|words| message.contains(words)) {
        return ("LimitRangeExceeded", "a limit range does not allow what they ask for".to_owned());
    }
    ("PodsRejected", "the API server refuses them".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn failing(message: &str) -> Value {
        json!({
            "metadata": {"name": "web", "namespace": "shop"},
            "status": {"conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
                                        "message": message, "lastTransitionTime": ago(5)}]},
        })
    }

    #[track_caller]
    fn check(world: &Fixture, kind: &str, object: &Value, expected: &[&str]) {
        assert_eq!(world.judge(judge, kind, object).0, expected);
    }

    #[test]
    fn admission_says_why() {
        for (message, expected) in [
            (
                "pods \"web-1\" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=5, limited: pods=5",
                "QuotaExceeded: its pods can't be made: the quota compute has no pods left",
            ),
            (
                "pods \"web-1\" is forbidden: exceeded quota: compute, requested: requests.cpu=2, used: requests.cpu=3, limited: requests.cpu=4",
                "QuotaExceeded: its pods can't be made: the quota compute has no requests.cpu left",
            ),
            (
                "admission webhook \"policy.example.com\" denied the request: no",
                "AdmissionDenied: its pods can't be made: the webhook policy.example.com denies them",
            ),
            (
                "Internal error occurred: failed calling webhook \"inject.example.com\": failed to call webhook: Post: no endpoints available",
                "WebhookFailing: its pods can't be made: the webhook inject.example.com does not answer",
            ),
            (
                "pods \"web-1\" is forbidden: ValidatingAdmissionPolicy 'no-root' with binding 'b' denied request: x",
                "AdmissionDenied: its pods can't be made: the policy no-root denies them",
            ),
            (
                "pods \"web-1\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false",
                "PodSecurityDenied: its pods can't be made: they violate the pod security standard restricted:latest",
            ),
            (
                "pods \"web-\" is forbidden: error looking up service account shop/ci: serviceaccount \"ci\" not found",
                "MissingServiceAccount: its pods can't be made: the service account ci does not exist",
            ),
            (
                "pods \"web-1\" is forbidden: no PriorityClass with name high was found",
                "MissingPriorityClass: its pods can't be made: their priority class does not exist",
            ),
            (
                "pods \"web-1\" is forbidden: maximum cpu usage per Container is 2, but limit is 4",
                "LimitRangeExceeded: its pods can't be made: a limit range does not allow what they ask for",
            ),
            (
                "Pod \"web-1\" is invalid: spec.containers[0].image: Required value",
                "PodsRejected: its pods can't be made: the API server refuses them",
            ),
        ] {
            check(&Fixture::new(), "replicasets.apps", &failing(message), &[&format!("Critical {expected}")]);
        }
    }

    #[test]
    fn the_deployment_is_the_one_to_tell() {
        let mut replica_set = failing("exceeded quota: q, requested: pods=1");
        let line = "Critical QuotaExceeded: its pods can't be made: the quota q has no pods left";
        replica_set["metadata"]["ownerReferences"] =
            json!([{"kind": "Deployment", "name": "web", "controller": true}]);
        let world = Fixture::new().with("deployments.apps", failing("exceeded quota: q, requested: pods=1"));
        check(&world, "replicasets.apps", &replica_set, &[&format!("{line} <- deployments.apps/web")]);
        check(&world, "deployments.apps", &failing("exceeded quota: q, requested: pods=1"), &[line]);
    }

    #[test]
    fn others_tell_by_events() {
        let world = Fixture::new().warning("web", "FailedCreate", "create Pod web-0 in StatefulSet web failed error: pods \"web-0\" is forbidden: exceeded quota: q, requested: pods=1");
        let set = |replicas: i64| json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": {"replicas": 2}, "status": {"replicas": replicas}});
        check(
            &world,
            "statefulsets.apps",
            &set(0),
            &["Critical QuotaExceeded: its pods can't be made: the quota q has no pods left"],
        );
        check(&world, "statefulsets.apps", &set(2), &[]);
        check(&Fixture::new(), "statefulsets.apps", &set(0), &[]);
        let well = json!({"metadata": {"name": "web"}, "status": {"conditions": [{"type": "ReplicaFailure", "status": "False"}]}});
        check(&world, "deployments.apps", &well, &[]);
    }
}
