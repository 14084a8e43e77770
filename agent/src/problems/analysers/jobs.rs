//! Jobs that gave up.
//!
//! The condition `Failed` says why (`BackoffLimitExceeded`, `DeadlineExceeded`, `PodFailurePolicy`, `MaxFailedIndexesExceeded`,
//! `FailedIndexes`): <https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-termination-and-cleanup>

use serde_json::Value;

use super::ending;
use super::found::{created_ms, time_ms};
use super::kind::{self, JOBS};
use super::pod;
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{condition, is_deleted, is_true, text};
use crate::problems::{Evidence, Finding};

pub(super) const CAUSES: &[Cause] = &[Cause {
    name: "JobFailed",
    severities: &[Severity::Critical, Severity::Warning],
    looks_at: "a job's conditions, how its pods ended, and later jobs of its cron job",
    when: "the job gave up: too many failures, or its deadline; a warning for a run of a cron job, and not said any more once a later run has succeeded",
}];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let job = subject.object;
    let failed = condition(job, "Failed").filter(|failed| failed["status"] == "True");
    let Some(failed) = failed.filter(|_| !is_deleted(job)) else { return };
    let cron_job = pod::controller(job, "CronJob");
    if cron_job.is_some_and(|cron_job| is_made_good(job, cron_job, world)) {
        return;
    }
    let severity = if cron_job.is_some() { Severity::Warning } else { Severity::Critical };
    let pods = pod::selected_by(job, world);
    let ended = pods.iter().flat_map(|pod| pod::containers(pod));
    let last = ended.filter(|container| container.last_end().is_some_and(|end| ending::code(end) != 0));
    let last = last.max_by_key(|container| container.finished_ms());
    let mut message = why(text(failed, "/reason")).to_owned();
    if let Some(end) = last.and_then(|container| container.last_end()) {
        message = format!("{message}; its container {}", ending::words(end));
    }
    let finding = Finding::new("JobFailed", severity, message)
        .shown_by([Evidence::condition(failed)])
        .shown_by(last.as_ref().and_then(ending::evidence))
        .since(time_ms(failed, "/lastTransitionTime"));
    verdict.add(match &last {
        Some(container) => finding.look_at_log(container),
        None => finding,
    });
}

fn why(reason: &str) -> &'static str {
    match reason {
        "BackoffLimitExceeded" => "the job gave up after as many failures as it may have",
        "DeadlineExceeded" => "the job ran for longer than its deadline",
        "PodFailurePolicy" => "the job gave up by its rules for failures of pods",
        "MaxFailedIndexesExceeded" | "FailedIndexes" => "too many indexes of the job failed",
        _ => "the job failed",
    }
}

/// Whether a later run of the same cron job ended well.
fn is_made_good(job: &Value, cron_job: &str, world: &dyn World) -> bool {
    let jobs = world.list(&kind::of(JOBS), pod::namespace(job));
    let runs = jobs.iter().filter(|other| pod::controller(other, "CronJob") == Some(cron_job));
    runs.into_iter().any(|other| is_true(other, "Complete") && created_ms(other) > created_ms(job))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn job(name: &str, condition: &str, reason: &str, minutes: i64) -> Value {
        json!({
            "metadata": {"name": name, "namespace": "shop", "creationTimestamp": ago(minutes)},
            "spec": {"selector": {"matchLabels": {"job": name}}},
            "status": {"conditions": [{"type": condition, "status": "True", "reason": reason, "message": "m", "lastTransitionTime": ago(minutes)}]},
        })
    }

    fn of_cron_job(mut job: Value) -> Value {
        job["metadata"]["ownerReferences"] =
            json!([{"kind": "CronJob", "name": "nightly", "controller": true}]);
        job
    }

    #[track_caller]
    fn check(world: &Fixture, job: &Value, expected: &[&str]) {
        assert_eq!(world.judge(judge, "jobs.batch", job).0, expected);
    }

    #[test]
    fn why_it_gave_up_and_how_its_pods_ended() {
        let pod = json!({
            "metadata": {"name": "load-x", "namespace": "shop", "labels": {"job": "load"}},
            "status": {"phase": "Failed", "containerStatuses": [{"name": "app", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}]},
        });
        let line = "Critical JobFailed: the job gave up after as many failures as it may have";
        let failed = job("load", "Failed", "BackoffLimitExceeded", 5);
        check(
            &Fixture::new().with("pods", pod),
            &failed,
            &[&format!("{line}; its container exits with code 3")],
        );
        check(&Fixture::new(), &failed, &[line]);
        let late = job("load", "Failed", "DeadlineExceeded", 5);
        check(&Fixture::new(), &late, &["Critical JobFailed: the job ran for longer than its deadline"]);
        check(&Fixture::new(), &job("load", "Complete", "CompletionsReached", 5), &[]);
    }

    #[test]
    fn a_later_run_makes_it_good() {
        let failed = of_cron_job(job("nightly-1", "Failed", "DeadlineExceeded", 60));
        let line = "Warning JobFailed: the job ran for longer than its deadline";
        let later = of_cron_job(job("nightly-2", "Complete", "CompletionsReached", 5));
        let earlier = of_cron_job(job("nightly-0", "Complete", "CompletionsReached", 90));
        check(&Fixture::new().with("jobs.batch", earlier), &failed, &[line]);
        check(&Fixture::new().with("jobs.batch", later), &failed, &[]);
        let foreign = job("other", "Complete", "CompletionsReached", 5);
        check(&Fixture::new().with("jobs.batch", foreign), &failed, &[line]);
    }
}
