//! Jobs and cron jobs.

use serde_json::Value;

use super::field::{
    NONE, UNSET, at, containers, count, images, is_deleted, is_true, number, selector_or_none, text, text_or,
    time,
};
use super::{AGE, Cell, Entry, NAME, age, narrow, wide};
use crate::columns::human_duration;

const JOBS: &[Entry] = &[
    NAME,
    narrow("Status", |job| status(job).into()),
    narrow("Completions", |job| completions(job).into()),
    age("Duration", duration),
    AGE,
    wide("Containers", |job| containers(job, "/spec/template/spec")),
    wide("Images", |job| images(job, "/spec/template/spec")),
    wide("Selector", |job| selector_or_none(job, "/spec/selector")),
];

const CRON_JOBS: &[Entry] = &[
    NAME,
    narrow("Schedule", |cron| text(cron, "/spec/schedule").into()),
    narrow("Timezone", |cron| text_or(cron, "/spec/timeZone", NONE).into()),
    narrow("Suspend", |cron| suspended(cron).into()),
    narrow("Active", |cron| count(cron, "/status/active").into()),
    age("Last Schedule", |cron| time(cron, "/status/lastScheduleTime")),
    AGE,
    wide("Containers", |cron| containers(cron, "/spec/jobTemplate/spec/template/spec")),
    wide("Images", |cron| images(cron, "/spec/jobTemplate/spec/template/spec")),
    wide("Selector", |cron| selector_or_none(cron, "/spec/jobTemplate/spec/selector")),
];

pub(super) fn entries(group: &str, resource: &str) -> Option<&'static [Entry]> {
    Some(match (group, resource) {
        ("batch", "jobs") => JOBS,
        ("batch", "cronjobs") => CRON_JOBS,
        _ => return None,
    })
}

fn status(job: &Value) -> &'static str {
    match () {
        () if is_true(job, "Complete") => "Complete",
        () if is_true(job, "Failed") => "Failed",
        () if is_deleted(job) => "Terminating",
        () if is_true(job, "Suspended") => "Suspended",
        () if is_true(job, "FailureTarget") => "FailureTarget",
        () if is_true(job, "SuccessCriteriaMet") => "SuccessCriteriaMet",
        () => "Running",
    }
}

fn completions(job: &Value) -> String {
    let succeeded = number(job, "/status/succeeded");
    let parallelism = number(job, "/spec/parallelism");
    match at(job, "/spec/completions").and_then(Value::as_i64) {
        Some(completions) => format!("{succeeded}/{completions}"),
        None if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        None => format!("{succeeded}/1"),
    }
}

/// While the job runs, the instant it started at, whose age its duration is; once it has completed, a text that stays.
fn duration(job: &Value) -> Cell {
    match (time(job, "/status/startTime"), time(job, "/status/completionTime")) {
        (Cell::Time(started), Cell::Time(completed)) => human_duration(completed - started).into(),
        (started, _) => started,
    }
}

fn suspended(cron: &Value) -> &'static str {
    match at(cron, "/spec/suspend").and_then(Value::as_bool) {
        Some(true) => "True",
        Some(false) => "False",
        None => UNSET,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_names, merge, named};
    use super::*;

    #[test]
    fn columns_are_the_servers() {
        let wide = "Age, [Containers], [Images], [Selector]";
        check_names("jobs.batch", &format!("Name, Status, Completions, Duration, {wide}"));
        check_names(
            "cronjobs.batch",
            &format!("Name, Schedule, Timezone, Suspend, Active, Last Schedule, {wide}"),
        );
    }

    #[test]
    fn the_status_of_a_job_is_its_most_final_condition() {
        let job = |types: &[&str], fields: Value| {
            let conditions: Vec<_> =
                types.iter().map(|name| json!({"type": name, "status": "True"})).collect();
            let mut job = named("j", json!({"status": {"conditions": conditions}}));
            merge(&mut job, fields);
            job
        };
        let deleted = || json!({"metadata": {"deletionTimestamp": "1970-01-01T00:02:00Z"}});
        for (job, expected) in [
            (job(&[], json!({})), "Running"),
            (job(&["SuccessCriteriaMet", "Complete"], json!({})), "Complete"),
            (job(&["FailureTarget", "Failed"], deleted()), "Failed"),
            (job(&["Suspended"], deleted()), "Terminating"),
            (job(&["Suspended"], json!({})), "Suspended"),
            (job(&["FailureTarget"], json!({})), "FailureTarget"),
            (job(&["SuccessCriteriaMet"], json!({})), "SuccessCriteriaMet"),
        ] {
            check("jobs.batch", &job, &json!({"status": expected}));
        }
        let unmet = named("j", json!({"status": {"conditions": [{"type": "Complete", "status": "False"}]}}));
        check("jobs.batch", &unmet, &json!({"status": "Running"}));
    }

    #[test]
    fn completions_of_parallel_and_plain_jobs() {
        for (spec, expected) in [
            (json!({"completions": 3, "parallelism": 2}), "1/3"),
            (json!({"parallelism": 4}), "1/1 of 4"),
            (json!({"parallelism": 1}), "1/1"),
            (json!({}), "1/1"),
        ] {
            check(
                "jobs.batch",
                &named("j", json!({"spec": spec, "status": {"succeeded": 1}})),
                &json!({"completions": expected}),
            );
        }
    }

    #[test]
    fn a_duration_grows_until_the_job_has_completed() {
        let job = |status: Value| named("j", json!({"status": status}));
        let (start, end) = ("1970-01-01T00:01:40Z", "1970-01-01T00:07:10Z");
        check("jobs.batch", &job(json!({})), &json!({"duration": null}));
        check("jobs.batch", &job(json!({"startTime": start})), &json!({"duration": 100_000}));
        check(
            "jobs.batch",
            &job(json!({"startTime": start, "completionTime": end})),
            &json!({"duration": "5m30s"}),
        );
    }

    #[test]
    fn cron_jobs() {
        let cron = named(
            "c",
            json!({
                "spec": {"schedule": "*/5 * * * *", "suspend": false, "timeZone": "Europe/Berlin"},
                "status": {"active": [{}, {}], "lastScheduleTime": "1970-01-01T00:05:00Z"},
            }),
        );
        check(
            "cronjobs.batch",
            &cron,
            &json!({"schedule": "*/5 * * * *", "timezone": "Europe/Berlin", "suspend": "False", "active": 2,
                    "lastSchedule": 300_000}),
        );
        let bare = json!({"timezone": "<none>", "suspend": "<unset>", "active": 0, "lastSchedule": null, "selector": "<none>"});
        check("cronjobs.batch", &named("c", json!({})), &bare);
    }
}
