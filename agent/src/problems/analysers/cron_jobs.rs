//! Cron jobs that do not run: never, not any more, or not yet again since their runs pile up.
//!
//! <https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/>; reasons of events are those of
//! `pkg/controller/cronjob/cronjob_controllerv2.go`. Schedules are in the time zone of the controller manager unless they name
//! one; here they are read in UTC, so a run of a certain hour is said to be missed only when it is so in any zone.

use serde_json::Value;

use super::event;
use super::found::{created_ms, reference, time_ms};
use super::kind::CRON_JOBS;
use super::schedule::Schedule;
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{flag, is_deleted, list, text};
use crate::problems::thresholds::{DAY_MS, HOUR_MS, MISSED_MS, PILED_UP, SUSPENDED_MS};
use crate::problems::{Evidence, Finding};

const fn cause(name: &'static str, severities: &'static [Severity], when: &'static str) -> Cause {
    Cause {
        name,
        severities,
        looks_at: "a cron job's schedule, when it ran, its active jobs, and its events",
        when,
    }
}

pub(super) const CAUSES: &[Cause] = &[
    cause(
        "CronScheduleInvalid",
        &[Severity::Critical],
        "the controller can't read its schedule or its time zone",
    ),
    cause(
        "CronNeverRan",
        &[Severity::Warning],
        "it never ran, and its first run is ten minutes late or more (a day where its hour depends on a time zone)",
    ),
    cause(
        "CronMissed",
        &[Severity::Warning],
        "it ran before, and its next run is ten minutes late or more (a day where its hour depends on a time zone)",
    ),
    cause(
        "CronBlocked",
        &[Severity::Warning],
        "a run is late because the one before still runs, and it may not run beside it",
    ),
    cause("CronPileUp", &[Severity::Warning], "three runs or more of it are active at once"),
    cause("CronSuspended", &[Severity::Info], "it is suspended, and did not run for a week"),
];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let cron_job = subject.object;
    if is_deleted(cron_job) {
        return;
    }
    if flag(cron_job, "/spec/suspend", false) {
        return suspended(cron_job, world, verdict);
    }
    let active = list(cron_job, "/status/active").len();
    if active >= PILED_UP {
        let finding = Finding::new(
            "CronPileUp",
            Severity::Warning,
            "its runs pile up: each begins before the one before has ended",
        );
        return verdict.add(finding.shown_by([
            Evidence::field("status.active", active),
            Evidence::field("spec.schedule", text(cron_job, "/spec/schedule")),
        ]));
    }
    let told = event::newest(
        world,
        &reference(CRON_JOBS, cron_job),
        &["UnparseableSchedule", "InvalidSchedule", "UnknownTimeZone"],
    );
    if let Some(event) = told {
        let message = format!("its schedule can't be read: {}", schedule_and_zone(cron_job));
        return verdict.add(
            Finding::new("CronScheduleInvalid", Severity::Critical, message)
                .shown_by([Evidence::event(&event)]),
        );
    }
    late(cron_job, world, verdict);
}

fn suspended(cron_job: &Value, world: &dyn World, verdict: &mut Verdict) {
    let Some(since_ms) = last_ran_ms(cron_job).or_else(|| created_ms(cron_job)) else { return };
    if world.now_ms() - since_ms < SUSPENDED_MS {
        return verdict.look_again(since_ms + SUSPENDED_MS);
    }
    let finding =
        Finding::new("CronSuspended", Severity::Info, "it is suspended, and did not run for a week or more");
    verdict.add(
        finding.shown_by([Evidence::field("spec.suspend", true), last_ran(cron_job)]).since(Some(since_ms)),
    );
}

fn late(cron_job: &Value, world: &dyn World, verdict: &mut Verdict) {
    let Some(schedule) = Schedule::parse(text(cron_job, "/spec/schedule")) else { return };
    let ran_ms = last_ran_ms(cron_job);
    let Some(due_ms) =
        ran_ms.or_else(|| created_ms(cron_job)).and_then(|from_ms| schedule.next_after_ms(from_ms))
    else {
        return;
    };
    let zones_ms = if schedule.is_of_certain_hours() { DAY_MS } else { HOUR_MS };
    let late_ms = due_ms + MISSED_MS + zones_ms;
    if world.now_ms() < late_ms {
        return verdict.look_again(late_ms);
    }
    let is_blocked =
        text(cron_job, "/spec/concurrencyPolicy") == "Forbid" && !list(cron_job, "/status/active").is_empty();
    let (cause, message) = match ran_ms {
        _ if is_blocked => ("CronBlocked", "its next run waits for the one before, which still runs"),
        None => ("CronNeverRan", "it never ran, though it should have"),
        Some(_) => ("CronMissed", "it did not run when it should have"),
    };
    let missed = event::newest(
        world,
        &reference(CRON_JOBS, cron_job),
        &["MissSchedule", "FailedCreate", "TooManyMissedTimes"],
    );
    let finding = Finding::new(cause, Severity::Warning, message)
        .shown_by(missed.as_deref().map(Evidence::event))
        .shown_by([Evidence::field("spec.schedule", schedule_and_zone(cron_job)), last_ran(cron_job)]);
    verdict.add(finding.since(Some(due_ms)));
}

fn last_ran_ms(cron_job: &Value) -> Option<i64> {
    time_ms(cron_job, "/status/lastScheduleTime")
}

fn last_ran(cron_job: &Value) -> Evidence {
    let ran = text(cron_job, "/status/lastScheduleTime");
    Evidence::field("status.lastScheduleTime", if ran.is_empty() { "never" } else { ran })
}

fn schedule_and_zone(cron_job: &Value) -> String {
    format!("{} {}", text(cron_job, "/spec/schedule"), text(cron_job, "/spec/timeZone")).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn cron_job(schedule: &str, created: i64, ran: Option<i64>, active: usize) -> Value {
        json!({
            "metadata": {"name": "nightly", "namespace": "shop", "creationTimestamp": ago(created)},
            "spec": {"schedule": schedule, "concurrencyPolicy": "Forbid"},
            "status": {"lastScheduleTime": ran.map(ago), "active": vec![json!({}); active]},
        })
    }

    #[track_caller]
    fn check(cron_job: &Value, expected: &[&str]) -> Verdict {
        let (lines, verdict) = Fixture::new().judge(judge, "cronjobs.batch", cron_job);
        assert_eq!(lines, expected);
        verdict
    }

    #[test]
    fn runs_that_are_late() {
        let never = "Warning CronNeverRan: it never ran, though it should have";
        let missed = "Warning CronMissed: it did not run when it should have";
        check(&cron_job("*/5 * * * *", 120, None, 0), &[never]);
        check(&cron_job("*/5 * * * *", 600, Some(120), 0), &[missed]);
        check(&cron_job("0 3 * * *", 72 * 60, Some(50 * 60), 0), &[missed]);
        check(
            &cron_job("*/5 * * * *", 600, Some(120), 1),
            &["Warning CronBlocked: its next run waits for the one before, which still runs"],
        );
        check(&cron_job("*/5 * * * *", 600, Some(4), 0), &[]);
        let verdict = check(&cron_job("*/5 * * * *", 10, None, 0), &[]);
        assert!(verdict.look_again_ms.is_some());
        check(&cron_job("0 3 * * *", 20 * 60, None, 0), &[]);
        check(&cron_job("0 0 30 2 *", 72 * 60, None, 0), &[]);
    }

    #[test]
    fn suspended_for_long_and_piled_up() {
        let mut suspended = cron_job("*/5 * * * *", 30 * 24 * 60, Some(8 * 24 * 60), 0);
        suspended["spec"]["suspend"] = true.into();
        check(&suspended, &["Info CronSuspended: it is suspended, and did not run for a week or more"]);
        suspended["status"]["lastScheduleTime"] = ago(60).into();
        check(&suspended, &[]);
        check(
            &cron_job("*/5 * * * *", 600, Some(1), 4),
            &["Warning CronPileUp: its runs pile up: each begins before the one before has ended"],
        );
    }

    #[test]
    fn schedules_that_nobody_can_read() {
        let world = Fixture::new().warning("nightly", "UnknownTimeZone", "invalid timeZone: \"Mars/Base\"");
        let mut of_mars = cron_job("0 3 * * *", 60, None, 0);
        of_mars["spec"]["timeZone"] = "Mars/Base".into();
        let expected = "Critical CronScheduleInvalid: its schedule can't be read: 0 3 * * * Mars/Base";
        assert_eq!(world.judge(judge, "cronjobs.batch", &of_mars).0, [expected]);
    }
}
