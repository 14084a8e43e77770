//! What events say of an object.

use std::sync::Arc;

use serde_json::Value;

use super::found::time_ms;
use crate::columns::field::text;
use crate::problems::thresholds::EVENT_MS;
use crate::problems::{ObjectRef, World};

/// By whichever of its fields the event tells it.
pub(super) fn last_seen_ms(event: &Value) -> Option<i64> {
    let fields = ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/firstTimestamp"];
    fields.iter().find_map(|field| time_ms(event, field))
}

pub(super) fn first_seen_ms(event: &Value) -> Option<i64> {
    ["/firstTimestamp", "/eventTime"].iter().find_map(|field| time_ms(event, field))
}

/// Those of an object that tell of now, the newest first.
pub(super) fn recent(world: &dyn World, object: &ObjectRef) -> Vec<Arc<Value>> {
    let now_ms = world.now_ms();
    let is_recent = |event: &Arc<Value>| {
        last_seen_ms(event).is_some_and(|seen_ms| now_ms.saturating_sub(seen_ms) < EVENT_MS)
    };
    world.events_of(object).into_iter().filter(is_recent).collect()
}

/// The newest recent one with one of the reasons.
pub(super) fn newest(world: &dyn World, object: &ObjectRef, reasons: &[&str]) -> Option<Arc<Value>> {
    recent(world, object).into_iter().find(|event| reasons.contains(&text(event, "/reason")))
}

/// Whether an event is of this container: `spec.containers{web}`. One that names none is of any.
pub(super) fn is_of_container(event: &Value, container: &str) -> bool {
    let path = text(event, "/involvedObject/fieldPath");
    path.is_empty() || path.split(['{', '}']).nth(1) == Some(container)
}

/// When the event will tell of the past, where nobody sees it again.
pub(super) fn expires_ms(event: &Value) -> Option<i64> {
    Some(last_seen_ms(event)? + EVENT_MS)
}

/// The text between two quotes after `before`: `configmap "web" not found` has `web` after `configmap `.
pub(super) fn quoted_after<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let rest = &text[text.find(before)? + before.len()..];
    let mut parts = rest.split(['"', '\'', '`']);
    parts.next().filter(|between| between.is_empty())?;
    parts.next()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_found_in_words() {
        for (text, before, expected) in [
            (r#"configmap "web" not found"#, "configmap ", Some("web")),
            (r#"failed for volume "v" : secret "s" not found"#, "secret ", Some("s")),
            ("ValidatingAdmissionPolicy 'p' with binding 'b'", "ValidatingAdmissionPolicy ", Some("p")),
            ("configmap references non-existent config key: k", "configmap ", None),
            ("nothing", "configmap ", None),
        ] {
            assert_eq!(quoted_after(text, before), expected, "{text}");
        }
    }

    #[test]
    fn events_are_of_the_container_that_they_name() {
        let event = json!({"involvedObject": {"fieldPath": "spec.containers{web}"}});
        assert!(is_of_container(&event, "web"));
        assert!(!is_of_container(&event, "we"));
        assert!(is_of_container(&json!({}), "web"));
    }
}
