//! Deployments that do not come forward, or are not available.
//!
//! `Progressing` is False with `ProgressDeadlineExceeded` where nothing came forward within `progressDeadlineSeconds`, `Available` is
//! False while fewer than the least pods are: <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status>

use serde_json::Value;

use super::found::time_ms;
use super::pod;
use super::rejected;
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{condition, flag, is_deleted, number};
use crate::problems::thresholds::UNREADY_MS;
use crate::problems::{Evidence, Finding};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        name: "RolloutStuck",
        severities: &[Severity::Critical, Severity::Warning],
        looks_at: "a deployment's conditions, and which of its pods are not ready",
        when: "nothing came forward within its progressDeadlineSeconds; a warning while enough pods are available; a symptom where a pod of it has a problem of its own",
    },
    Cause {
        name: "Unavailable",
        severities: &[Severity::Critical],
        looks_at: "a deployment's conditions, and which of its pods are not ready",
        when: "fewer pods than it must have are available for two minutes; a symptom where a pod of it has a problem of its own",
    },
];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let deployment = subject.object;
    // Why pods can't be made is told of where it is known, and is all that there is to tell.
    if is_deleted(deployment) || rejected::failure(deployment).is_some() {
        return;
    }
    let available = condition(deployment, "Available").filter(|available| available["status"] == "False");
    let stuck = condition(deployment, "Progressing").filter(|progressing| {
        progressing["reason"] == "ProgressDeadlineExceeded" && !flag(deployment, "/spec/paused", false)
    });
    if let Some(stuck) = stuck {
        let severity = if available.is_some() { Severity::Critical } else { Severity::Warning };
        return verdict.add(finding(
            "RolloutStuck",
            severity,
            "its rollout made no progress within its deadline",
            stuck,
            subject,
            world,
        ));
    }
    let Some(available) = available.filter(|_| number(deployment, "/spec/replicas") > 0) else { return };
    let Some(since_ms) = time_ms(available, "/lastTransitionTime") else { return };
    if world.now_ms() - since_ms < UNREADY_MS {
        return verdict.look_again(since_ms + UNREADY_MS);
    }
    let none = number(deployment, "/status/availableReplicas") == 0;
    let message =
        if none { "none of its pods is available" } else { "fewer of its pods are available than must be" };
    verdict.add(finding("Unavailable", Severity::Critical, message, available, subject, world));
}

fn finding(
    cause: &'static str,
    severity: Severity,
    message: &str,
    condition: &Value,
    subject: &Subject<'_>,
    world: &dyn World,
) -> Finding {
    let deployment = subject.object;
    let replicas = format!(
        "{} wanted, {} updated, {} available",
        number(deployment, "/spec/replicas"),
        number(deployment, "/status/updatedReplicas"),
        number(deployment, "/status/availableReplicas"),
    );
    Finding::new(cause, severity, message)
        .shown_by([Evidence::condition(condition), Evidence::field("replicas", replicas)])
        .since(time_ms(condition, "/lastTransitionTime"))
        .because_of(pod::first_troubled(&pod::selected_by(deployment, world)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn deployment(conditions: Value) -> Value {
        json!({
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}},
            "status": {"replicas": 3, "updatedReplicas": 1, "conditions": conditions},
        })
    }

    fn is(name: &str, status: &str, reason: &str, minutes: i64) -> Value {
        json!({"type": name, "status": status, "reason": reason, "lastTransitionTime": ago(minutes)})
    }

    fn with_pod(ready: &str) -> Fixture {
        let pod = json!({"metadata": {"name": "web-1", "namespace": "shop", "labels": {"app": "web"}},
                         "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]}});
        Fixture::new().with("pods", pod)
    }

    #[track_caller]
    fn check(world: &Fixture, object: &Value, expected: &[&str]) {
        assert_eq!(world.judge(judge, "deployments.apps", object).0, expected);
    }

    #[test]
    fn a_rollout_without_progress() {
        let late = is("Progressing", "False", "ProgressDeadlineExceeded", 5);
        let stuck = deployment(json!([is("Available", "True", "MinimumReplicasAvailable", 50), late]));
        let line = "RolloutStuck: its rollout made no progress within its deadline";
        check(&with_pod("True"), &stuck, &[&format!("Warning {line}")]);
        check(&with_pod("False"), &stuck, &[&format!("Warning {line} <- pods/web-1")]);
        let down = deployment(json!([is("Available", "False", "MinimumReplicasUnavailable", 50), late]));
        check(&with_pod("True"), &down, &[&format!("Critical {line}")]);
        let refused = deployment(json!([is("ReplicaFailure", "True", "FailedCreate", 50), late]));
        check(&with_pod("True"), &refused, &[]);
    }

    #[test]
    fn a_deployment_without_enough_pods() {
        let goes_on = is("Progressing", "True", "ReplicaSetUpdated", 1);
        let down = |minutes| {
            deployment(json!([is("Available", "False", "MinimumReplicasUnavailable", minutes), goes_on]))
        };
        check(
            &with_pod("False"),
            &down(5),
            &["Critical Unavailable: none of its pods is available <- pods/web-1"],
        );
        check(&with_pod("False"), &down(1), &[]);
        let mut some = down(5);
        some["status"]["availableReplicas"] = 1.into();
        check(
            &Fixture::new(),
            &some,
            &["Critical Unavailable: fewer of its pods are available than must be"],
        );
        some["spec"]["replicas"] = 0.into();
        check(&Fixture::new(), &some, &[]);
    }

    #[test]
    fn what_comes_forward_is_well() {
        let well = deployment(json!([
            is("Available", "True", "MinimumReplicasAvailable", 5),
            is("Progressing", "True", "NewReplicaSetAvailable", 5)
        ]));
        check(&with_pod("True"), &well, &[]);
    }
}
