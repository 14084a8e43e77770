//! Daemon sets that do not run on every node that they should.
//!
//! <https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/>. When that began the status does not say; the pod that is
//! not ready has been so for a while before it counts.

use serde_json::Value;

use super::found::time_ms;
use super::pod;
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{is_deleted, number};
use crate::problems::thresholds::UNREADY_MS;
use crate::problems::{Evidence, Finding};

pub(super) const CAUSES: &[Cause] = &[Cause {
    name: "DaemonSetIncomplete",
    severities: &[Severity::Warning],
    looks_at: "a daemon set's status, and which of its pods are not ready",
    when: "for two minutes pods are missing or not ready on some of the nodes that should have one; a symptom where such a pod has a problem of its own",
}];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let set = subject.object;
    let count = |field: &str| number(set, &format!("/status/{field}"));
    let (desired, ready) = (count("desiredNumberScheduled"), count("numberReady"));
    if is_deleted(set) || ready >= desired {
        return;
    }
    let pods = pod::selected_by(set, world);
    let unready: Vec<_> = pods.iter().filter(|pod| !pod::is_over(pod) && !pod::is_ready(pod)).collect();
    let since = unready.iter().filter_map(|pod| since_ms(pod)).min();
    // Where no pod is there to be unready, the set itself tells how long it has been there.
    let Some(since_ms) = since.or_else(|| time_ms(set, "/metadata/creationTimestamp")) else { return };
    if world.now_ms() - since_ms < UNREADY_MS {
        return verdict.look_again(since_ms + UNREADY_MS);
    }
    let message = if count("currentNumberScheduled") < desired {
        "pods of it are missing on nodes that should have one"
    } else {
        "it is not ready on all nodes that should have it"
    };
    let shown = format!("{desired} wanted, {} there, {ready} ready", count("currentNumberScheduled"));
    let finding = Finding::new("DaemonSetIncomplete", Severity::Warning, message)
        .shown_by([Evidence::field("status", shown)])
        .since(since.is_some().then_some(since_ms));
    verdict.add(finding.because_of(pod::first_troubled(&pods)));
}

fn since_ms(pod: &Value) -> Option<i64> {
    pod::condition_since_ms(pod, "Ready").or_else(|| time_ms(pod, "/metadata/creationTimestamp"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn set(desired: i64, current: i64, ready: i64) -> Value {
        json!({
            "metadata": {"name": "agent", "namespace": "shop", "creationTimestamp": ago(90)},
            "spec": {"selector": {"matchLabels": {"app": "agent"}}},
            "status": {"desiredNumberScheduled": desired, "currentNumberScheduled": current, "numberReady": ready},
        })
    }

    fn with_unready(minutes: i64) -> Fixture {
        let pod = json!({
            "metadata": {"name": "agent-1", "namespace": "shop", "labels": {"app": "agent"}},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": ago(minutes)}]},
        });
        Fixture::new().with("pods", pod)
    }

    #[track_caller]
    fn check(world: &Fixture, set: &Value, expected: &[&str]) {
        assert_eq!(world.judge(judge, "daemonsets.apps", set).0, expected);
    }

    #[test]
    fn nodes_without_a_ready_pod() {
        check(
            &with_unready(5),
            &set(3, 3, 2),
            &[
                "Warning DaemonSetIncomplete: it is not ready on all nodes that should have it <- pods/agent-1",
            ],
        );
        check(&with_unready(1), &set(3, 3, 2), &[]);
        check(
            &Fixture::new(),
            &set(3, 1, 1),
            &["Warning DaemonSetIncomplete: pods of it are missing on nodes that should have one"],
        );
        check(&with_unready(5), &set(3, 3, 3), &[]);
    }
}
