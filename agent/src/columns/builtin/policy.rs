//! Disruption budgets, priorities and runtimes.

use serde_json::Value;

use super::field::{at, flag, integer, text};
use super::{AGE, Cell, Entry, NAME, narrow};

const DISRUPTION_BUDGETS: &[Entry] = &[
    NAME,
    narrow("Min Available", |budget| amount(budget, "/spec/minAvailable")),
    narrow("Max Unavailable", |budget| amount(budget, "/spec/maxUnavailable")),
    narrow("Allowed Disruptions", |budget| integer(budget, "/status/disruptionsAllowed")),
    AGE,
];

const PRIORITY_CLASSES: &[Entry] = &[
    NAME,
    narrow("Value", |class| integer(class, "/value")),
    narrow("Global-Default", |class| flag(class, "/globalDefault", false).into()),
    AGE,
    narrow("PreemptionPolicy", |class| text(class, "/preemptionPolicy").into()),
];

const RUNTIME_CLASSES: &[Entry] = &[NAME, narrow("Handler", |class| text(class, "/handler").into()), AGE];

pub(super) fn entries(group: &str, resource: &str) -> Option<&'static [Entry]> {
    Some(match (group, resource) {
        ("policy", "poddisruptionbudgets") => DISRUPTION_BUDGETS,
        ("scheduling.k8s.io", "priorityclasses") => PRIORITY_CLASSES,
        ("node.k8s.io", "runtimeclasses") => RUNTIME_CLASSES,
        _ => return None,
    })
}

/// A number or a percentage, as text.
fn amount(budget: &Value, pointer: &str) -> Cell {
    match at(budget, pointer) {
        Some(Value::Number(number)) => number.to_string().into(),
        Some(Value::String(percentage)) => percentage.as_str().into(),
        _ => "N/A".into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_names, named};

    #[test]
    fn columns_are_the_servers() {
        check_names(
            "poddisruptionbudgets.policy",
            "Name, Min Available, Max Unavailable, Allowed Disruptions, Age",
        );
        check_names(
            "priorityclasses.scheduling.k8s.io",
            "Name, Value, Global-Default, Age, PreemptionPolicy",
        );
        check_names("runtimeclasses.node.k8s.io", "Name, Handler, Age");
    }

    #[test]
    fn budgets_are_numbers_or_percentages() {
        let kind = "poddisruptionbudgets.policy";
        let least = named("b", json!({"spec": {"minAvailable": 2}, "status": {"disruptionsAllowed": 1}}));
        check(kind, &least, &json!({"minAvailable": "2", "maxUnavailable": "N/A", "allowedDisruptions": 1}));
        let most = named("b", json!({"spec": {"maxUnavailable": "25%"}}));
        check(kind, &most, &json!({"minAvailable": "N/A", "maxUnavailable": "25%", "allowedDisruptions": 0}));
    }

    #[test]
    fn classes() {
        let class = named("c", json!({"value": -5, "globalDefault": true, "preemptionPolicy": "Never"}));
        let shown = json!({"value": -5, "globalDefault": true, "preemptionpolicy": "Never"});
        check("priorityclasses.scheduling.k8s.io", &class, &shown);
        check(
            "priorityclasses.scheduling.k8s.io",
            &named("c", json!({})),
            &json!({"value": 0, "globalDefault": false}),
        );
        check(
            "runtimeclasses.node.k8s.io",
            &named("g", json!({"handler": "gvisor"})),
            &json!({"handler": "gvisor"}),
        );
    }
}
