//! Disruption budgets that allow no disruption: drains of nodes wait for them.
//!
//! <https://kubernetes.io/docs/tasks/run-application/configure-pdb/>. Where fewer pods are healthy than must be, those are the cause;
//! where all are, the budget itself allows nothing.

use serde_json::Value;

use super::found::time_ms;
use super::pod;
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{at, condition, is_deleted, number, text};
use crate::problems::thresholds::BLOCKED_MS;
use crate::problems::{Evidence, Finding};

const fn cause(name: &'static str, severity: &'static [Severity], when: &'static str) -> Cause {
    Cause { name, severities: severity, looks_at: "a disruption budget's status", when }
}

pub(super) const CAUSES: &[Cause] = &[
    cause(
        "BudgetBlocksDrains",
        &[Severity::Warning],
        "all its pods are healthy, and still none may be disrupted: minAvailable is as many as there are, or maxUnavailable is 0",
    ),
    cause(
        "BudgetUsedUp",
        &[Severity::Warning],
        "for two minutes no disruption is allowed, because pods of it are not healthy; a symptom where a pod has a problem of its own",
    ),
    cause(
        "BudgetInvalid",
        &[Severity::Warning],
        "the controller can't work the budget out: its pods have no controller that can be scaled, or several budgets",
    ),
];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let budget = subject.object;
    if is_deleted(budget) {
        return;
    }
    let allowed = condition(budget, "DisruptionAllowed").filter(|allowed| allowed["status"] == "False");
    if let Some(failed) = allowed.filter(|allowed| allowed["reason"] == "SyncFailed") {
        let finding = Finding::new("BudgetInvalid", Severity::Warning, "its controller can't work it out");
        return verdict.add(
            finding.shown_by([Evidence::condition(failed)]).since(time_ms(failed, "/lastTransitionTime")),
        );
    }
    let expected = number(budget, "/status/expectedPods");
    if expected == 0 || number(budget, "/status/disruptionsAllowed") > 0 {
        return;
    }
    let (healthy, desired) =
        (number(budget, "/status/currentHealthy"), number(budget, "/status/desiredHealthy"));
    let shown = Evidence::field("status", format!("{healthy} healthy of {expected}, {desired} must be"));
    let since_ms = allowed.and_then(|allowed| time_ms(allowed, "/lastTransitionTime"));
    if desired >= expected {
        let message = format!("it never allows a disruption: {}", rule(budget));
        let finding = Finding::new("BudgetBlocksDrains", Severity::Warning, message);
        return verdict.add(finding.shown_by([shown]).since(since_ms));
    }
    if let Some(since_ms) = since_ms.filter(|since_ms| world.now_ms() - since_ms < BLOCKED_MS) {
        return verdict.look_again(since_ms + BLOCKED_MS);
    }
    let finding = Finding::new(
        "BudgetUsedUp",
        Severity::Warning,
        "it allows no disruption: pods of it are not healthy",
    );
    let troubled = pod::first_troubled(&pod::selected_by(budget, world));
    verdict.add(finding.shown_by([shown]).since(since_ms).because_of(troubled));
}

/// `minAvailable 3`
fn rule(budget: &Value) -> String {
    let rules = ["minAvailable", "maxUnavailable"].into_iter();
    let rule = rules.filter_map(|rule| at(budget, "/spec")?.get(rule).map(|value| (rule, value))).next();
    match rule {
        Some((rule, value)) if value.is_string() => {
            format!("{rule} {}", text(budget, &format!("/spec/{rule}")))
        }
        Some((rule, value)) => format!("{rule} {value}"),
        None => "as many pods as there are must be healthy".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn budget(rule: Value, expected: i64, healthy: i64, desired: i64, minutes: i64) -> Value {
        let mut spec = rule;
        spec["selector"] = json!({"matchLabels": {"app": "web"}});
        let reason = if healthy > desired { "SufficientPods" } else { "InsufficientPods" };
        json!({
            "metadata": {"name": "web", "namespace": "shop"}, "spec": spec,
            "status": {"expectedPods": expected, "currentHealthy": healthy, "desiredHealthy": desired,
                       "disruptionsAllowed": (healthy - desired).max(0), "conditions": [
                {"type": "DisruptionAllowed", "status": if healthy > desired { "True" } else { "False" }, "reason": reason, "lastTransitionTime": ago(minutes)}]},
        })
    }

    #[track_caller]
    fn check(world: &Fixture, budget: &Value, expected: &[&str]) {
        assert_eq!(world.judge(judge, "poddisruptionbudgets.policy", budget).0, expected);
    }

    #[test]
    fn budgets_that_never_allow_anything() {
        let world = Fixture::new();
        check(
            &world,
            &budget(json!({"minAvailable": 3}), 3, 3, 3, 0),
            &["Warning BudgetBlocksDrains: it never allows a disruption: minAvailable 3"],
        );
        check(
            &world,
            &budget(json!({"minAvailable": "100%"}), 3, 3, 3, 0),
            &["Warning BudgetBlocksDrains: it never allows a disruption: minAvailable 100%"],
        );
        check(
            &world,
            &budget(json!({"maxUnavailable": 0}), 2, 2, 2, 0),
            &["Warning BudgetBlocksDrains: it never allows a disruption: maxUnavailable 0"],
        );
        check(&world, &budget(json!({"minAvailable": 2}), 3, 3, 2, 0), &[]);
        check(&world, &budget(json!({"minAvailable": 2}), 0, 0, 2, 0), &[]);
    }

    #[test]
    fn pods_that_are_not_healthy_are_the_cause() {
        let pod = json!({"metadata": {"name": "web-1", "namespace": "shop", "labels": {"app": "web"}}, "status": {"phase": "Running"}});
        let line = "Warning BudgetUsedUp: it allows no disruption: pods of it are not healthy";
        let used = |minutes| budget(json!({"minAvailable": 2}), 3, 2, 2, minutes);
        check(&Fixture::new().with("pods", pod), &used(5), &[&format!("{line} <- pods/web-1")]);
        check(&Fixture::new(), &used(5), &[line]);
        check(&Fixture::new(), &used(1), &[]);
    }

    #[test]
    fn budgets_that_nobody_can_work_out() {
        let mut failed = budget(json!({"minAvailable": 2}), 0, 0, 2, 5);
        failed["status"]["conditions"][0]["reason"] = "SyncFailed".into();
        check(&Fixture::new(), &failed, &["Warning BudgetInvalid: its controller can't work it out"]);
    }
}
