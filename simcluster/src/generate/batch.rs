//! Batch work: a nightly job that succeeds, one that fails for good; and a claim that no volume can fill.

use serde_json::{Value, json};

use super::companion;
use super::pod::{self, Exit, Life, Owner, Place};
use super::random::Random;
use crate::config::Troubles;

/// The batch objects; `start` and `end` are written times.
pub(super) fn objects(
    start: &str,
    end: &str,
    place: &Place,
    troubles: Troubles,
    random: &mut Random,
) -> Vec<Value> {
    let times = (start, end);
    let mut objects = cron_job("search", "reindex", Outcome::Complete, times, place, random);
    if troubles == Troubles::Known {
        let failed = Outcome::Failed { code: 3, says: "" };
        objects.extend(cron_job("payments", "nightly-settlement", failed, times, place, random));
        objects.extend(companion::claim("search", "scratch", None, start));
    }
    objects
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Complete,
    /// With this code and these last words.
    Failed {
        code: i64,
        says: &'static str,
    },
}

/// A CronJob, and its last Job with the pod of it.
pub(crate) fn cron_job(
    namespace: &str,
    name: &str,
    outcome: Outcome,
    (start, end): (&str, &str),
    place: &Place,
    random: &mut Random,
) -> Vec<Value> {
    let template = json!({
        "metadata": {"labels": {"app.kubernetes.io/name": name}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "run", "image": format!("registry.example.com/{namespace}/{name}:1.4.0"), "command": ["/bin/app", "run"],
            "resources": {"requests": {"cpu": "500m", "memory": "512Mi"}}, "volumeMounts": []}], "volumes": [], "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler"},
    });
    let job_spec = json!({"backoffLimit": 0, "completions": 1, "parallelism": 1, "completionMode": "NonIndexed", "suspend": false, "template": template});
    let cron = json!({
        "apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": {"name": name, "namespace": namespace, "uid": random.uid(), "creationTimestamp": start},
        "spec": {"schedule": "15 2 * * *", "timeZone": "Europe/Berlin", "concurrencyPolicy": "Forbid", "suspend": false, "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1, "jobTemplate": {"spec": job_spec}},
        "status": {"lastScheduleTime": start, "lastSuccessfulTime": end},
    });
    let job = job(&cron, &job_spec, outcome, start, end, random);
    let life = match outcome {
        Outcome::Complete => Life::Completed { since: start.into(), at: end.into() },
        Outcome::Failed { code, says } => Life::Failed {
            since: start.into(),
            at: end.into(),
            exit: Exit { code, reason: "Error", at: end.into(), message: says },
        },
    };
    let owner = Owner::of("batch/v1", "Job", &job);
    let pod_name = format!("{}-{}", owner.name, random.suffix(5));
    let mut pod = pod::pod(namespace, &pod_name, &template, &owner, place, start, random);
    pod::live(&mut pod, &life, end, random);
    vec![cron, job, pod]
}

fn job(cron: &Value, spec: &Value, outcome: Outcome, start: &str, end: &str, random: &mut Random) -> Value {
    let owner = Owner::of("batch/v1", "CronJob", cron);
    let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "reason": reason, "message": message, "lastProbeTime": end, "lastTransitionTime": end});
    let status = match outcome {
        Outcome::Complete => {
            json!({"startTime": start, "completionTime": end, "succeeded": 1, "ready": 0, "terminating": 0, "uncountedTerminatedPods": {},
            "conditions": [condition("SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods"), condition("Complete", "CompletionsReached", "Reached expected number of succeeded pods")]})
        }
        Outcome::Failed { .. } => {
            json!({"startTime": start, "failed": 1, "ready": 0, "terminating": 0, "uncountedTerminatedPods": {},
            "conditions": [condition("FailureTarget", "BackoffLimitExceeded", "Job has reached the specified backoff limit"), condition("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")]})
        }
    };
    let uid = random.uid();
    let mut spec = spec.clone();
    spec["selector"] = json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}});
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": format!("{}-{}", owner.name, 29_390_000 + random.below(9_999)), "namespace": cron["metadata"]["namespace"], "uid": uid, "creationTimestamp": start,
            "generation": 1, "ownerReferences": [owner.reference()], "labels": {"batch.kubernetes.io/controller-uid": uid}},
        "spec": spec, "status": status,
    })
}
