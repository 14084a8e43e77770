//! Events of a story, as components tell them: what repeats is one event that counts, and what is an hour old is gone.

use jiff::SignedDuration;
use serde_json::Value;

use super::{DEPLOYMENTS, Motion, PODS, REPLICA_SETS};
use crate::admission::typed;
use crate::clock::seconds;
use crate::generate::event::{Notice, Severity, event};
use crate::generate::pod::Life;
use crate::generate::template::fnv;
use crate::json::{int, set, text};
use crate::names::ObjectKey;

use super::story::Trouble;

pub(super) const EVENTS: (&str, &str) = ("", "events");

/// How long a server keeps events.
const KEPT: SignedDuration = SignedDuration::from_hours(1);

/// What an event says.
#[derive(Clone, Debug)]
pub(super) struct Note {
    pub(super) severity: Severity,
    pub(super) reason: &'static str,
    pub(super) message: String,
    pub(super) component: &'static str,
}

impl Note {
    pub(super) fn normal(component: &'static str, reason: &'static str, message: String) -> Self {
        Self { severity: Severity::Normal, reason, message, component }
    }

    pub(super) fn warning(component: &'static str, reason: &'static str, message: String) -> Self {
        Self { severity: Severity::Warning, reason, message, component }
    }
}

impl Motion {
    /// Tells it of the object now, or once more.
    pub(super) fn tell(&mut self, kind: (&str, &str), object: &Value, note: &Note) {
        let now = self.now();
        self.tell_times(kind, object, note, 1, &now);
    }

    /// Tells it of the object now, for so many times more; where it is new, since `first`.
    pub(super) fn tell_times(
        &mut self,
        kind: (&str, &str),
        object: &Value,
        note: &Note,
        times: i64,
        first: &str,
    ) {
        let Some(resource) = self.resource(kind).filter(|_| self.story.is_some()) else { return };
        let namespace = match text(object, "/metadata/namespace") {
            "" => "default",
            namespace => namespace,
        };
        let name = text(object, "/metadata/name");
        let same = fnv(&format!("{}{}{}", text(object, "/metadata/uid"), note.reason, note.message));
        let key = ObjectKey::new(namespace, &format!("{name}.{same:016x}"));
        let now = self.now();
        let told = match self.get(EVENTS, namespace, key.name()) {
            Some(mut event) => {
                let count = int(&event, "/count") + times;
                set(&mut event, "/count", count);
                set(&mut event, "/lastTimestamp", now);
                event
            }
            None => {
                let Note { severity, reason, message, component } = note;
                let (severity, count) = (*severity, u64::try_from(times).unwrap_or(1));
                let notice = Notice { severity, reason, message, component, count, first, last: &now };
                let mut event = event(&typed(&resource, object.clone()), &notice, &mut self.random);
                set(&mut event, "/metadata/name", key.name());
                event
            }
        };
        self.put(EVENTS, told);
        let time = self.time();
        if let Some(story) = &mut self.story {
            story.told.push_back((time, key));
        }
    }

    pub(super) fn forget_old_events(&mut self) {
        let kept_since = self.time() - KEPT;
        let Some(story) = &mut self.story else { return };
        let mut old = Vec::new();
        while story.told.front().is_some_and(|(at, _)| *at < kept_since) {
            old.extend(story.told.pop_front());
        }
        let limit = seconds(kept_since);
        for (_, key) in old {
            let event = self.get(EVENTS, key.namespace(), key.name());
            // Told again since, it stands further back in the queue.
            if let Some(event) = event.filter(|event| text(event, "/lastTimestamp") < limit.as_str()) {
                self.delete(EVENTS, &event);
            }
        }
    }

    pub(super) fn tell_scaling(&mut self, deployment: &Value, set: &Value, before: i64, after: i64) {
        let way = if after > before { "up" } else { "down" };
        let name = text(set, "/metadata/name");
        let message = format!("Scaled {way} replica set {name} from {before} to {after}");
        self.tell(
            DEPLOYMENTS,
            deployment,
            &Note::normal("deployment-controller", "ScalingReplicaSet", message),
        );
    }

    /// A ReplicaSet has made a pod, and the scheduler has looked for a place.
    pub(super) fn tell_creation(&mut self, set: &Value, pod: &Value, life: &Life) {
        let name = text(pod, "/metadata/name");
        let made = Note::normal("replicaset-controller", "SuccessfulCreate", format!("Created pod: {name}"));
        self.tell(REPLICA_SETS, set, &made);
        let node = text(pod, "/spec/nodeName");
        let place = format!("Successfully assigned {}/{name} to {node}", text(pod, "/metadata/namespace"));
        if let Life::Unschedulable { message } = life {
            let note = Note::warning("default-scheduler", "FailedScheduling", message.clone());
            self.tell(PODS, pod, &note);
            self.ails(PODS, pod, Trouble { ailment: None, note });
        } else {
            self.tell(PODS, pod, &Note::normal("default-scheduler", "Scheduled", place));
        }
    }

    /// A kubelet has started a pod's main container.
    pub(super) fn tell_start(&mut self, pod: &Value) {
        let (container, image) =
            (text(pod, "/spec/containers/0/name"), text(pod, "/spec/containers/0/image"));
        for (reason, message) in [
            ("Pulled", format!("Container image \"{image}\" already present on machine")),
            ("Created", format!("Container created: {container}")),
            ("Started", format!("Container started: {container}")),
        ] {
            self.tell(PODS, pod, &Note::normal("kubelet", reason, message));
        }
    }

    /// A ReplicaSet wants a pod no more.
    pub(super) fn tell_end(&mut self, set: &Value, pod: &Value) {
        let name = text(pod, "/metadata/name");
        let gone = Note::normal("replicaset-controller", "SuccessfulDelete", format!("Deleted pod: {name}"));
        self.tell(REPLICA_SETS, set, &gone);
        let message = format!("Stopping container {}", text(pod, "/spec/containers/0/name"));
        self.tell(PODS, pod, &Note::normal("kubelet", "Killing", message));
    }
}
