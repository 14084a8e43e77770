//! How findings and their evidence are put together.

use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::quantity::parse_time_ms;
use serde_json::Value;

use super::pod;
use crate::columns::field::text;
use crate::limits::EVIDENCE_CHARACTERS;
use crate::problems::finding::{Next, Source};
use crate::problems::{Evidence, Finding, ObjectRef, Severity};

impl Finding {
    pub(super) fn new(cause: &'static str, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            cause,
            severity,
            message: message.into(),
            evidence: Vec::new(),
            since_ms: None,
            last_seen_ms: None,
            because_of: None,
            next: None,
        }
    }

    pub(super) fn shown_by(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    pub(super) fn since(mut self, at_ms: Option<i64>) -> Self {
        self.since_ms = at_ms;
        self
    }

    pub(super) fn last_seen(mut self, at_ms: Option<i64>) -> Self {
        self.last_seen_ms = at_ms;
        self
    }

    pub(super) fn because_of(mut self, other: Option<ObjectRef>) -> Self {
        self.because_of = other;
        self
    }

    /// What the container wrote before it ended tells more.
    pub(super) fn look_at_previous_log(mut self, container: &pod::Container<'_>) -> Self {
        let arguments = vec![("container", container.name.into()), ("previous", true.into())];
        self.next = Some(Next { tool: "pods_log", arguments });
        self
    }

    /// What the container writes tells more.
    pub(super) fn look_at_log(mut self, container: &pod::Container<'_>) -> Self {
        self.next = Some(Next { tool: "pods_log", arguments: vec![("container", container.name.into())] });
        self
    }
}

impl Evidence {
    /// `Ready=False (ContainersNotReady): containers with unready status: [app]`
    pub(super) fn condition(condition: &Value) -> Self {
        let reason = parenthesised(text(condition, "/reason"));
        let head = format!("{}={}{reason}", text(condition, "/type"), text(condition, "/status"));
        Self {
            source: Source::Condition,
            text: headed(head, text(condition, "/message")),
            at_ms: time_ms(condition, "/lastTransitionTime"),
        }
    }

    /// `FailedMount: configmap "web" not found`
    pub(super) fn event(event: &Value) -> Self {
        let head = text(event, "/reason").to_owned();
        Self {
            source: Source::Event,
            text: headed(head, text(event, "/message").trim()),
            at_ms: super::event::last_seen_ms(event),
        }
    }

    /// What a container's status says: the head is ours, the message its own.
    pub(super) fn container(head: String, message: &str, at_ms: Option<i64>) -> Self {
        Self { source: Source::Container, text: headed(head, message), at_ms }
    }

    /// `spec.replicas: 3`
    pub(super) fn field(path: &str, value: impl std::fmt::Display) -> Self {
        Self { source: Source::Field, text: headed(path.to_owned(), &value.to_string()), at_ms: None }
    }
}

fn parenthesised(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(" ({reason})") }
}

/// As much of a message as anybody needs: some carry whole objects.
fn headed(head: String, message: &str) -> String {
    match message.char_indices().nth(EVIDENCE_CHARACTERS) {
        _ if message.is_empty() => head,
        None => format!("{head}: {message}"),
        Some((end, _)) => format!("{head}: {}…", &message[..end]),
    }
}

/// The instant at a pointer.
pub(super) fn time_ms(object: &Value, pointer: &str) -> Option<i64> {
    parse_time_ms(text(object, pointer))
}

pub(super) fn created_ms(object: &Value) -> Option<i64> {
    time_ms(object, "/metadata/creationTimestamp")
}

/// The object by name.
pub(super) fn reference(kind: (&str, &str), object: &Value) -> ObjectRef {
    let namespace = text(object, "/metadata/namespace");
    ObjectRef {
        kind: GroupResource::new(kind.0, kind.1),
        namespace: (!namespace.is_empty()).then(|| namespace.to_owned()),
        name: text(object, "/metadata/name").to_owned(),
    }
}
