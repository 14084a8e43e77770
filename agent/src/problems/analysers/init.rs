//! Init containers that fail: nothing of the pod starts before each of them has ended well.
//!
//! <https://kubernetes.io/docs/concepts/workloads/pods/init-containers/>

use super::ending;
use super::pod::{self, Container};
use super::{Cause, Severity, Subject, Verdict, World};
use crate::problems::Finding;
use crate::problems::thresholds::RESTARTS;

pub(super) const CAUSES: &[Cause] = &[Cause {
    name: "InitContainerFailing",
    severities: &[Severity::Critical],
    looks_at: "how a pod's init containers ended",
    when: "an init container is restarted again and again, so that the pod's own containers never start",
}];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let pod = subject.object;
    if pod::is_over(pod) {
        return;
    }
    let failing = pod::containers(pod).filter(|container| container.is_init && is_failing(container));
    for container in failing {
        // Their own analysers tell of these.
        if !ending::is_out_of_memory(&container) && !ending::is_foreign(&container) {
            verdict.add(finding(subject, &container, world));
        }
    }
}

fn is_failing(container: &Container<'_>) -> bool {
    let failed = container.last_end().is_some_and(|end| ending::code(end) != 0);
    container.waits_for() == "CrashLoopBackOff"
        || failed && container.restarts() >= RESTARTS && !container.is_ready()
}

fn finding(subject: &Subject<'_>, container: &Container<'_>, world: &dyn World) -> Finding {
    let words = container.last_end().map_or_else(|| "ends again and again".to_owned(), ending::words);
    let message = format!("init container {} {words}", container.name);
    let finding = Finding::new("InitContainerFailing", Severity::Critical, message)
        .shown_by(ending::evidence(container))
        .shown_by(ending::waiting(container))
        .since(pod::condition_since_ms(subject.object, "Initialized"))
        .last_seen(container.finished_ms())
        .because_of(pod::lost_node(subject.object, world));
    finding.look_at_previous_log(container)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn pod(init: Value) -> Value {
        json!({
            "metadata": {"name": "web-0", "namespace": "shop"},
            "spec": {"initContainers": [{"name": "load"}, {"name": "proxy", "restartPolicy": "Always"}]},
            "status": {"phase": "Pending", "initContainerStatuses": [init]},
        })
    }

    #[track_caller]
    fn check(init: Value, expected: &[&str]) {
        assert_eq!(Fixture::new().judge(judge, "pods", &pod(init)).0, expected);
    }

    #[test]
    fn those_that_fail_again_and_again() {
        let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let end = |code: i64, reason: &str| json!({"terminated": {"exitCode": code, "reason": reason, "finishedAt": ago(1)}});
        let expected = "Critical InitContainerFailing: init container load exits with code 3";
        check(
            json!({"name": "load", "restartCount": 5, "state": waiting, "lastState": end(3, "Error")}),
            &[expected],
        );
        check(
            json!({"name": "load", "restartCount": 3, "state": {"running": {}}, "lastState": end(3, "Error")}),
            &[expected],
        );
        check(
            json!({"name": "load", "restartCount": 1, "state": {"running": {}}, "lastState": end(3, "Error")}),
            &[],
        );
        check(json!({"name": "load", "restartCount": 0, "ready": true, "state": end(0, "Completed")}), &[]);
        check(
            json!({"name": "load", "restartCount": 5, "state": waiting, "lastState": end(137, "OOMKilled")}),
            &[],
        );
        check(
            json!({"name": "proxy", "restartCount": 5, "state": waiting, "lastState": end(3, "Error")}),
            &[],
        );
    }
}
