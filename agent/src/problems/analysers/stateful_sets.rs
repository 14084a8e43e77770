//! Stateful sets that wait for one of their pods: unless they are told otherwise, they make and renew them one after the other.
//!
//! <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#deployment-and-scaling-guarantees>

use std::sync::Arc;

use serde_json::Value;

use super::found::{created_ms, time_ms};
use super::pod;
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{is_deleted, number, text};
use crate::problems::thresholds::UNREADY_MS;
use crate::problems::{Evidence, Finding};

pub(super) const CAUSES: &[Cause] = &[Cause {
    name: "StatefulSetBlocked",
    severities: &[Severity::Critical, Severity::Warning],
    looks_at: "a stateful set's status, and which of its pods are not ready",
    when: "for two minutes a pod of it is not ready; critical where none is; the ones after it wait for it; a symptom where that pod has a problem of its own",
}];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let set = subject.object;
    let (wanted, ready) = (number(set, "/spec/replicas"), number(set, "/status/readyReplicas"));
    if is_deleted(set) || ready >= wanted {
        return;
    }
    let pods = pod::selected_by(set, world);
    let Some(first) = first_unready(&pods) else { return };
    let since_ms =
        pod::condition_since_ms(first, "Ready").or_else(|| time_ms(first, "/metadata/creationTimestamp"));
    let Some(since_ms) = since_ms.or_else(|| created_ms(set)) else { return };
    if world.now_ms() - since_ms < UNREADY_MS {
        return verdict.look_again(since_ms + UNREADY_MS);
    }
    let waits =
        text(set, "/spec/podManagementPolicy") != "Parallel" && number(set, "/status/replicas") < wanted;
    let name = text(first, "/metadata/name");
    let message = match waits {
        true => format!("its pod {name} is not ready, and the ones after it wait for it"),
        false => format!("its pod {name} is not ready"),
    };
    let severity = if ready == 0 { Severity::Critical } else { Severity::Warning };
    let shown = format!("{wanted} wanted, {} there, {ready} ready", number(set, "/status/replicas"));
    let finding =
        Finding::new("StatefulSetBlocked", severity, message).shown_by([Evidence::field("replicas", shown)]);
    verdict.add(finding.since(Some(since_ms)).because_of(Some(pod::name_of(first))));
}

/// By its number: `web-2` is before `web-10`.
fn first_unready(pods: &[Arc<Value>]) -> Option<&Value> {
    let number = |pod: &Value| {
        text(pod, "/metadata/name").rsplit('-').next().and_then(|number| number.parse::<u64>().ok())
    };
    let unready = pods.iter().filter(|pod| !pod::is_over(pod) && !pod::is_ready(pod));
    unready.min_by_key(|pod| number(pod)).map(|pod| &**pod)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn set(replicas: i64, ready: i64) -> Value {
        json!({
            "metadata": {"name": "db", "namespace": "shop"}, "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "db"}}},
            "status": {"replicas": replicas, "readyReplicas": ready},
        })
    }

    fn pod(name: &str, ready: &str, minutes: i64) -> Value {
        json!({
            "metadata": {"name": name, "namespace": "shop", "labels": {"app": "db"}},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": ago(minutes)}]},
        })
    }

    #[track_caller]
    fn check(world: &Fixture, set: &Value, expected: &[&str]) {
        assert_eq!(world.judge(judge, "statefulsets.apps", set).0, expected);
    }

    #[test]
    fn one_pod_holds_up_the_others() {
        let world = Fixture::new()
            .with("pods", pod("db-10", "False", 9))
            .with("pods", pod("db-2", "False", 9))
            .with("pods", pod("db-0", "True", 9));
        check(
            &world,
            &set(2, 1),
            &[
                "Warning StatefulSetBlocked: its pod db-2 is not ready, and the ones after it wait for it <- pods/db-2",
            ],
        );
        check(&world, &set(3, 0), &["Critical StatefulSetBlocked: its pod db-2 is not ready <- pods/db-2"]);
        check(&world, &set(3, 3), &[]);
        check(&Fixture::new().with("pods", pod("db-0", "False", 1)), &set(1, 0), &[]);
    }
}
