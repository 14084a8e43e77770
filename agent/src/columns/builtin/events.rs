//! Events, as core/v1 has them.

use serde_json::Value;

use super::field::{has, name, number, text, time};
use super::{Cell, Entry, age, narrow, wide, wide_age};

const EVENTS: &[Entry] = &[
    age("Last Seen", last_seen),
    narrow("Type", |event| text(event, "/type").into()),
    narrow("Reason", |event| text(event, "/reason").into()),
    narrow("Object", |event| object(event).into()),
    wide("Subobject", |event| text(event, "/involvedObject/fieldPath").into()),
    wide("Source", |event| source(event).into()),
    narrow("Message", |event| text(event, "/message").trim().into()),
    wide_age("First Seen", first_seen),
    wide("Count", |event| count(event).into()),
    wide("Name", name),
];

pub(super) fn entries(group: &str, resource: &str) -> Option<&'static [Entry]> {
    (group.is_empty() && resource == "events").then_some(EVENTS)
}

fn first_seen(event: &Value) -> Cell {
    match time(event, "/firstTimestamp") {
        Cell::Null => time(event, "/eventTime"),
        seen => seen,
    }
}

fn last_seen(event: &Value) -> Cell {
    if has(event, "/series") {
        return time(event, "/series/lastObservedTime");
    }
    match time(event, "/lastTimestamp") {
        Cell::Null => first_seen(event),
        seen => seen,
    }
}

/// An event that says no count happened once.
fn count(event: &Value) -> i64 {
    match number(event, "/count") {
        _ if has(event, "/series") => number(event, "/series/count"),
        0 => 1,
        count => count,
    }
}

/// `pod/web-0`.
fn object(event: &Value) -> String {
    let kind = text(event, "/involvedObject/kind").to_lowercase();
    match text(event, "/involvedObject/name") {
        "" => kind,
        name => format!("{kind}/{name}"),
    }
}

/// `kubelet, node-1`: by the newer fields where the older ones are empty.
fn source(event: &Value) -> String {
    let either =
        |older, newer| if text(event, older).is_empty() { text(event, newer) } else { text(event, older) };
    let component = either("/source/component", "/reportingComponent");
    match either("/source/host", "/reportingInstance") {
        "" => component.to_owned(),
        instance => format!("{component}, {instance}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_names, named};

    #[test]
    fn columns_are_the_servers() {
        check_names(
            "events",
            "Last Seen, Type, Reason, Object, [Subobject], [Source], Message, [First Seen], [Count], [Name]",
        );
    }

    #[test]
    fn counted_events() {
        let event = named(
            "e.1",
            json!({
                "type": "Warning", "reason": "BackOff", "message": " Back-off\n", "count": 5,
                "involvedObject": {"kind": "Pod", "name": "web-0", "fieldPath": "spec.containers{web}"},
                "source": {"component": "kubelet", "host": "n1"},
                "firstTimestamp": "1970-01-01T00:00:10Z", "lastTimestamp": "1970-01-01T00:01:00Z",
            }),
        );
        check(
            "events",
            &event,
            &json!({"lastSeen": 60_000, "type": "Warning", "reason": "BackOff", "object": "pod/web-0",
                    "subobject": "spec.containers{web}", "source": "kubelet, n1", "message": "Back-off",
                    "firstSeen": 10_000, "count": 5, "name": "e.1"}),
        );
    }

    #[test]
    fn single_events_and_series() {
        let single = named(
            "e",
            json!({"firstTimestamp": null, "lastTimestamp": null, "eventTime": "1970-01-01T00:00:20.5Z",
                   "reportingComponent": "scheduler", "involvedObject": {"kind": "Node"}}),
        );
        let shown = json!({"lastSeen": 20_500, "firstSeen": 20_500, "count": 1, "source": "scheduler", "object": "node"});
        check("events", &single, &shown);
        let series = named(
            "e",
            json!({"eventTime": "1970-01-01T00:00:20Z", "lastTimestamp": "1970-01-01T00:00:30Z",
                   "series": {"count": 9, "lastObservedTime": "1970-01-01T00:00:40Z"}}),
        );
        check("events", &series, &json!({"lastSeen": 40_000, "firstSeen": 20_000, "count": 9}));
        check("events", &named("e", json!({})), &json!({"lastSeen": null, "firstSeen": null}));
    }
}
