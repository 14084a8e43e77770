//! What was told of an object and of what is below it.

use std::collections::{BTreeMap, BTreeSet};

use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::quantity::parse_time_ms;
use kubeplex_proto::sheet::SheetEvent;
use serde_json::Value;

use super::look::Child;
use super::{Composing, Described, relatives};
use crate::limits::SHEET_EVENTS;

/// Kind of the object, type and reason of what was told: what is alike in these is one.
type Folded = BTreeMap<(String, String, String), SheetEvent>;

impl Composing<'_> {
    /// Warnings first, each the newest first.
    pub(super) async fn events(&self, described: &Described, children: &[Child]) -> Vec<SheetEvent> {
        let mut uids: BTreeSet<String> = children.iter().map(|child| child.uid.clone()).collect();
        uids.insert(described.uid.clone());
        // Events about objects that are in no namespace are in any.
        let namespace = described.namespace.as_deref();
        let name = described.name.clone();
        let events = GroupResource::new("", "events");
        let folded = self.read(&events, namespace, Folded::new(), move |folded, event| {
            let uid = relatives::text(event, "/involvedObject/uid");
            // Those about nodes have the node's name for its uid.
            if uids.contains(uid) || uid == name {
                add(folded, event);
            }
        });
        newest(folded.await.unwrap_or_default())
    }
}

fn add(folded: &mut Folded, event: &Value) {
    let text = |pointer: &str| relatives::text(event, pointer).to_owned();
    let kind = text("/involvedObject/kind").to_lowercase();
    let number = |pointer: &str| event.pointer(pointer).and_then(Value::as_u64).filter(|count| *count > 0);
    let count = number("/series/count").or_else(|| number("/count")).unwrap_or(1);
    let times = ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/firstTimestamp"];
    let last_ms =
        times.iter().find_map(|time| parse_time_ms(relatives::text(event, time))).unwrap_or_default();
    let told = folded.entry((kind.clone(), text("/type"), text("/reason"))).or_default();
    told.count += count;
    if told.object.is_empty() || last_ms > told.last_ms {
        told.object = format!("{kind}/{}", text("/involvedObject/name"));
        (told.event_type, told.reason, told.message) = (text("/type"), text("/reason"), text("/message"));
        told.last_ms = last_ms;
    }
}

fn newest(folded: Folded) -> Vec<SheetEvent> {
    let mut events: Vec<SheetEvent> = folded.into_values().collect();
    events.sort_by_key(|event| (event.event_type == "Normal", std::cmp::Reverse(event.last_ms)));
    events.truncate(SHEET_EVENTS);
    events
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_alike_is_one_and_warnings_come_first() {
        let event = |name: &str, told: &str, reason: &str, at: &str, count: u64| {
            json!({"involvedObject": {"kind": "Pod", "name": name}, "type": told, "reason": reason,
                "message": format!("{reason} of {name}"), "lastTimestamp": at, "count": count})
        };
        let mut folded = Folded::new();
        for event in [
            event("a", "Warning", "BackOff", "2026-01-01T00:00:01Z", 3),
            event("b", "Warning", "BackOff", "2026-01-01T00:00:09Z", 4),
            event("a", "Normal", "Pulled", "2026-01-01T00:01:00Z", 1),
            json!({"involvedObject": {"kind": "Pod", "name": "c"}, "type": "Warning", "reason": "Failed",
                "eventTime": "2026-01-01T00:00:05.000000Z"}),
        ] {
            add(&mut folded, &event);
        }
        let told: Vec<String> = newest(folded)
            .into_iter()
            .map(|event| format!("{} {} {} x{}", event.event_type, event.reason, event.object, event.count))
            .collect();
        assert_eq!(told, ["Warning BackOff pod/b x7", "Warning Failed pod/c x1", "Normal Pulled pod/a x1"]);
    }
}
