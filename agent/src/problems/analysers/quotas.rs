//! Resource quotas that are used up, or nearly.
//!
//! <https://kubernetes.io/docs/concepts/policy/resource-quotas/>. That something was refused for it, the workload says.

use kubeplex_proto::quantity::parse_quantity;
use serde_json::Value;

use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{at, is_deleted};
use crate::problems::thresholds::NEARLY_FULL_PERCENT;
use crate::problems::{Evidence, Finding};

const fn cause(name: &'static str, when: &'static str) -> Cause {
    Cause { name, severities: &[Severity::Info], looks_at: "what of a quota is used", when }
}

pub(super) const CAUSES: &[Cause] = &[
    cause("QuotaFull", "a quota of anything that it allows at all is used up"),
    cause("QuotaNearlyFull", "nine tenths of a quota are used"),
];

pub(super) fn judge(subject: &Subject<'_>, _: &dyn World, verdict: &mut Verdict) {
    let quota = subject.object;
    if is_deleted(quota) {
        return;
    }
    let hard = at(quota, "/status/hard").and_then(Value::as_object);
    let uses = hard.into_iter().flatten().filter_map(|(resource, hard)| Use::of(quota, resource, hard));
    let mut uses: Vec<_> = uses.filter(|used| used.percent >= NEARLY_FULL_PERCENT).collect();
    uses.sort_unstable_by_key(|used| used.resource);
    let is_full = |used: &&Use<'_>| used.percent >= 100;
    verdict.findings.extend(finding("QuotaFull", "used up", uses.iter().filter(is_full)));
    verdict.findings.extend(finding(
        "QuotaNearlyFull",
        "nearly used up",
        uses.iter().filter(|used| !is_full(used)),
    ));
}

struct Use<'a> {
    resource: &'a str,
    used: &'a str,
    hard: &'a str,
    percent: i128,
}

impl<'a> Use<'a> {
    fn of(quota: &'a Value, resource: &'a str, hard: &'a Value) -> Option<Self> {
        let (used, hard) = (at(quota, "/status/used")?.get(resource)?.as_str()?, hard.as_str()?);
        // A quota of nothing forbids the thing.
        let most = parse_quantity(hard).filter(|most| *most > 0)?;
        Some(Self { resource, used, hard, percent: parse_quantity(used)?.saturating_mul(100) / most })
    }
}

fn finding<'a>(cause: &'static str, words: &str, uses: impl Iterator<Item = &'a Use<'a>>) -> Option<Finding> {
    let uses: Vec<_> = uses.collect();
    let names: Vec<_> = uses.iter().map(|used| used.resource).collect();
    let shown: Vec<_> =
        uses.iter().map(|used| format!("{} {} of {}", used.resource, used.used, used.hard)).collect();
    let message = format!("the quota of {} is {words}", names.join(", "));
    let finding = Finding::new(cause, Severity::Info, message);
    (!uses.is_empty()).then(|| finding.shown_by([Evidence::field("status.used", shown.join(", "))]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::Fixture;

    #[track_caller]
    fn check(used: Value, expected: &[&str]) {
        let hard = json!({"pods": "10", "requests.memory": "1Gi", "services.nodeports": "0"});
        let quota =
            json!({"metadata": {"name": "q", "namespace": "shop"}, "status": {"hard": hard, "used": used}});
        assert_eq!(Fixture::new().judge(judge, "resourcequotas", &quota).0, expected);
    }

    #[test]
    fn full_and_nearly_full() {
        check(
            json!({"pods": "10", "requests.memory": "100Mi"}),
            &["Info QuotaFull: the quota of pods is used up"],
        );
        check(
            json!({"pods": "9", "requests.memory": "1000Mi"}),
            &["Info QuotaNearlyFull: the quota of pods, requests.memory is nearly used up"],
        );
        check(json!({"pods": "8", "services.nodeports": "0"}), &[]);
    }
}
