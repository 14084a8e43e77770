//! How the API server shares itself out among its clients.

use serde_json::Value;

use super::field::{NONE, condition, has, integer, text, text_or};
use super::{AGE, Cell, Entry, NAME, narrow};

const FLOW_SCHEMAS: &[Entry] = &[
    NAME,
    narrow("PriorityLevel", |schema| text(schema, "/spec/priorityLevelConfiguration/name").into()),
    narrow("MatchingPrecedence", |schema| integer(schema, "/spec/matchingPrecedence")),
    narrow("DistinguisherMethod", |schema| text_or(schema, "/spec/distinguisherMethod/type", NONE).into()),
    AGE,
    narrow("MissingPL", |schema| {
        condition(schema, "Dangling").map_or("?", |found| text(found, "/status")).into()
    }),
];

const PRIORITY_LEVELS: &[Entry] = &[
    NAME,
    narrow("Type", |level| text(level, "/spec/type").into()),
    narrow("NominalConcurrencyShares", |level| {
        within(level, "/spec/limited", "/spec/limited/nominalConcurrencyShares")
    }),
    narrow("Queues", |level| queuing(level, "queues")),
    narrow("HandSize", |level| queuing(level, "handSize")),
    narrow("QueueLengthLimit", |level| queuing(level, "queueLengthLimit")),
    AGE,
];

pub(super) fn entries(group: &str, resource: &str) -> Option<&'static [Entry]> {
    Some(match (group, resource) {
        ("flowcontrol.apiserver.k8s.io", "flowschemas") => FLOW_SCHEMAS,
        ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations") => PRIORITY_LEVELS,
        _ => return None,
    })
}

fn queuing(level: &Value, field: &str) -> Cell {
    const QUEUING: &str = "/spec/limited/limitResponse/queuing";
    within(level, QUEUING, &format!("{QUEUING}/{field}"))
}

/// A number inside something optional.
fn within(level: &Value, outer: &str, pointer: &str) -> Cell {
    if has(level, outer) { integer(level, pointer) } else { NONE.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_names, named};

    const SCHEMAS: &str = "flowschemas.flowcontrol.apiserver.k8s.io";
    const LEVELS: &str = "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io";

    #[test]
    fn columns_are_the_servers() {
        check_names(SCHEMAS, "Name, PriorityLevel, MatchingPrecedence, DistinguisherMethod, Age, MissingPL");
        check_names(LEVELS, "Name, Type, NominalConcurrencyShares, Queues, HandSize, QueueLengthLimit, Age");
    }

    #[test]
    fn schemas_and_levels() {
        let schema = named(
            "s",
            json!({
                "spec": {"priorityLevelConfiguration": {"name": "system"}, "matchingPrecedence": 500,
                         "distinguisherMethod": {"type": "ByUser"}},
                "status": {"conditions": [{"type": "Dangling", "status": "False"}]},
            }),
        );
        let shown = json!({"prioritylevel": "system", "matchingprecedence": 500, "distinguishermethod": "ByUser", "missingpl": "False"});
        check(SCHEMAS, &schema, &shown);
        check(SCHEMAS, &named("s", json!({})), &json!({"distinguishermethod": "<none>", "missingpl": "?"}));
        let queuing = json!({"queues": 64, "handSize": 6, "queueLengthLimit": 50});
        let limited = json!({"nominalConcurrencyShares": 30, "limitResponse": {"queuing": queuing}});
        let level = named("l", json!({"spec": {"type": "Limited", "limited": limited}}));
        let shown = json!({"type": "Limited", "nominalconcurrencyshares": 30, "queues": 64, "handsize": 6, "queuelengthlimit": 50});
        check(LEVELS, &level, &shown);
        let exempt = named("l", json!({"spec": {"type": "Exempt"}}));
        check(LEVELS, &exempt, &json!({"nominalconcurrencyshares": "<none>", "queues": "<none>"}));
    }
}
