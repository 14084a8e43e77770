//! Where pods of a story go, and what becomes of them there: the scheduler's and the kubelets' part.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::notes::Note;
use super::story::Trouble;
use super::{Motion, PODS};
use crate::admission::key_of;
use crate::clock::seconds;
use crate::generate::node::Node;
use crate::generate::pod::{self, Exit, Life, Place};
use crate::json::{flag, flag_condition, int, items, text};
use crate::scenario::Ailment;

pub(super) const NODES: (&str, &str) = ("", "nodes");

/// How long a container runs that ends again and again.
const RUN: SignedDuration = SignedDuration::from_secs(20);

/// What else is told of a pod again and again, about so often.
const COMPLAINT: SignedDuration = SignedDuration::from_secs(75);

impl Motion {
    /// A place for a pod of this template.
    ///
    /// # Errors
    /// The scheduler's message, where there is none.
    pub(super) fn schedule(&mut self, template: &Value) -> Result<Place, String> {
        let node = match self.story {
            Some(_) => self.fitting_node(template)?,
            None => self.any(NODES).ok_or("no nodes available to schedule pods")?,
        };
        let (name, ip) = (text(&node, "/metadata/name"), text(&node, "/status/addresses/0/address"));
        Ok(Node::existing(name, ip).place(&mut self.random))
    }

    fn fitting_node(&mut self, template: &Value) -> Result<Value, String> {
        let wanted = memory_mib(text(template, "/spec/containers/0/resources/requests/memory"));
        let nodes = self.list(NODES, "");
        let (open, closed): (Vec<_>, Vec<_>) = nodes.into_iter().partition(is_open);
        let all = open.len() + closed.len();
        let mut reasons: Vec<String> = closed.iter().map(why_closed).collect();
        let fits = |node: &&Value| memory_mib(text(node, "/status/allocatable/memory")) >= wanted;
        let fitting: Vec<Value> = open.iter().filter(fits).cloned().collect();
        if let Some(node) = self.random.pick(&fitting) {
            return Ok(node.clone());
        }
        reasons.sort();
        reasons.dedup();
        if !open.is_empty() {
            reasons.push(format!("{} Insufficient memory", open.len()));
        }
        Err(format!(
            "0/{all} nodes are available: {}. preemption: 0/{all} nodes are available: {all} Preemption is not helpful for scheduling.",
            reasons.join(", ")
        ))
    }

    /// Whether the kubelet of a pod's node is there to end it.
    pub(super) fn is_heard(&self, pod: &Value) -> bool {
        let node = text(pod, "/spec/nodeName");
        self.story.as_ref().is_none_or(|story| !story.silent.contains_key(node))
    }

    /// Starts a pod of a version that something is wrong with. False where nothing is.
    pub(super) fn starts_ailing(&mut self, pod: &mut Value) -> bool {
        let image = text(pod, "/spec/containers/0/image");
        let found = self.story.as_ref().and_then(|story| {
            story
                .plot
                .ailments
                .iter()
                .find(|ailing| image.contains(ailing.image))
                .map(|ailing| ailing.ailment)
        });
        let Some(ailment) = found else { return false };
        let now = self.now();
        let life = match ailment {
            Ailment::OutOfMemory | Ailment::Crash { .. } => {
                Life::CrashLoop { since: now.clone(), restarts: 1, exit: exit(ailment, &now) }
            }
            Ailment::NoSecret(secret) => {
                Life::ConfigError { message: format!("secret \"{secret}\" not found") }
            }
            Ailment::NoImage => Life::ImagePullBackOff,
            Ailment::Unready => Life::Unready { since: now.clone() },
        };
        pod::live(pod, &life, &now, &mut self.random);
        self.put(PODS, pod.clone());
        if !matches!(ailment, Ailment::NoImage | Ailment::NoSecret(_)) {
            self.tell_start(pod);
        }
        let note = complaint(ailment, pod);
        self.tell(PODS, pod, &note);
        self.ails(PODS, pod, Trouble { ailment: Some(ailment), note });
        true
    }

    /// From now on this is told of the object again and again.
    pub(super) fn ails(&mut self, kind: (&'static str, &'static str), object: &Value, trouble: Trouble) {
        if let Some(story) = &mut self.story {
            story.ailing.insert((kind, key_of(object)), trouble);
        }
    }

    /// The past is over: what goes wrong again and again has done so many times, the last time a moment ago.
    pub(super) fn catch_up(&mut self) {
        let now = self.shared.clock().now();
        for (kind, object, trouble) in self.those_that_ail() {
            let created = text(&object, "/metadata/creationTimestamp").to_owned();
            let Ok(since) = created.parse::<Timestamp>() else { continue };
            if let Some(ailment @ (Ailment::OutOfMemory | Ailment::Crash { .. })) = trouble.ailment {
                let (restarts, last) = restarts_between(since, now);
                self.at = Some(last);
                self.crash(object.clone(), ailment, restarts);
                self.tell_times(kind, &object, &trouble.note, restarts, &created);
            } else {
                let times = now.duration_since(since).as_secs() / COMPLAINT.as_secs();
                let ago = i64::try_from(self.random.below(COMPLAINT.as_secs().unsigned_abs())).unwrap_or(0);
                self.at = Some(now - SignedDuration::from_secs(ago));
                self.tell_times(kind, &object, &trouble.note, times.max(1), &created);
            }
        }
        self.at = None;
        if let Some(story) = &mut self.story {
            story.told.make_contiguous().sort();
        }
    }

    /// Containers whose pause is over start and end once more; one of the other troubles is told again.
    pub(super) fn complain(&mut self) {
        let mut others = Vec::new();
        for (kind, object, trouble) in self.those_that_ail() {
            match trouble.ailment {
                Some(ailment @ (Ailment::OutOfMemory | Ailment::Crash { .. })) => {
                    let restarts = int(&object, "/status/containerStatuses/0/restartCount");
                    let ended = text(&object, "/status/containerStatuses/0/lastState/terminated/finishedAt");
                    let ended: Option<Timestamp> = ended.parse().ok();
                    if ended.is_some_and(|ended| ended + back_off(restarts) + RUN <= self.time()) {
                        self.crash(object.clone(), ailment, restarts + 1);
                        self.tell(kind, &object, &trouble.note);
                    }
                }
                _ => others.push((kind, object, trouble.note)),
            }
        }
        if let Some((kind, object, note)) = self.random.pick(&others).cloned() {
            self.tell(kind, &object, &note);
        }
    }

    fn crash(&mut self, mut pod: Value, ailment: Ailment, restarts: i64) {
        let now = self.now();
        let life = Life::CrashLoop { since: now.clone(), restarts, exit: exit(ailment, &now) };
        pod::live(&mut pod, &life, &now, &mut self.random);
        self.put(PODS, pod);
    }

    /// Those that are still there; the others are forgotten.
    fn those_that_ail(&mut self) -> Vec<((&'static str, &'static str), Value, Trouble)> {
        let Some(story) = &self.story else { return Vec::new() };
        let mut there = Vec::new();
        for ((kind, key), trouble) in story.ailing.clone() {
            match self.get(kind, key.namespace(), key.name()) {
                Some(object) if text(&object, "/metadata/deletionTimestamp").is_empty() => {
                    there.push((kind, object, trouble));
                }
                _ => {
                    if let Some(story) = &mut self.story {
                        story.ailing.remove(&(kind, key));
                    }
                }
            }
        }
        there
    }
}

fn exit(ailment: Ailment, at: &str) -> Exit {
    match ailment {
        Ailment::Crash { code, says } => Exit { code, reason: "Error", at: at.into(), message: says },
        _ => Exit { code: 137, reason: "OOMKilled", at: at.into(), message: "" },
    }
}

fn complaint(ailment: Ailment, pod: &Value) -> Note {
    let (name, namespace) = (text(pod, "/metadata/name"), text(pod, "/metadata/namespace"));
    let (container, image) = (text(pod, "/spec/containers/0/name"), text(pod, "/spec/containers/0/image"));
    let (reason, message) = match ailment {
        Ailment::OutOfMemory | Ailment::Crash { .. } => {
            let uid = text(pod, "/metadata/uid");
            let message =
                format!("Back-off restarting failed container {container} in pod {name}_{namespace}({uid})");
            ("BackOff", message)
        }
        Ailment::NoSecret(secret) => ("Failed", format!("Error: secret \"{secret}\" not found")),
        Ailment::NoImage => (
            "Failed",
            format!(
                "Failed to pull image \"{image}\": rpc error: code = NotFound desc = failed to pull and unpack image \"{image}\": {image}: not found"
            ),
        ),
        Ailment::Unready => {
            ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503".to_owned())
        }
    };
    Note::warning("kubelet", reason, message)
}

/// A kubelet's pause before a container is started again: it doubles up to five minutes.
fn back_off(restarts: i64) -> SignedDuration {
    SignedDuration::from_secs((10_i64 << restarts.clamp(0, 5)).min(300))
}

/// How often a container that always ends was started again, and when it ended last.
fn restarts_between(since: Timestamp, until: Timestamp) -> (i64, Timestamp) {
    let (mut restarts, mut ended) = (0, since + RUN);
    while ended + back_off(restarts) + RUN <= until {
        ended = ended + back_off(restarts) + RUN;
        restarts += 1;
    }
    (restarts, ended)
}

fn is_open(node: &Value) -> bool {
    flag_condition(node, "Ready")
        && items(node, "/spec/taints").is_empty()
        && !flag(node, "/spec/unschedulable")
}

fn why_closed(node: &Value) -> String {
    match items(node, "/spec/taints").first() {
        Some(taint) => format!("1 node(s) had untolerated taint {{{}: }}", text(taint, "/key")),
        None => "1 node(s) were unschedulable".to_owned(),
    }
}

/// Whole mebibytes of a quantity in binary units.
fn memory_mib(quantity: &str) -> u64 {
    let digits = quantity.trim_end_matches(|c: char| !c.is_ascii_digit());
    let number: u64 = digits.parse().unwrap_or(0);
    match &quantity[digits.len()..] {
        "Gi" => number * 1024,
        "Mi" => number,
        "Ki" => number / 1024,
        _ => number / (1024 * 1024),
    }
}

/// When it was, as the deeds of a story write it.
pub(super) fn in_hours(now: Timestamp, hours: i64) -> String {
    seconds(now + SignedDuration::from_hours(hours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_five_minutes() {
        let pauses = (0..8).map(|restarts| back_off(restarts).as_secs());
        assert_eq!(pauses.collect::<Vec<_>>(), [10, 20, 40, 80, 160, 300, 300, 300]);
        let since: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        let (restarts, ended) = restarts_between(since, since + SignedDuration::from_secs(100));
        assert_eq!((restarts, seconds(ended).as_str()), (2, "2026-11-23T10:01:30Z"));
    }

    #[test]
    fn memory_is_compared_in_one_unit() {
        let mib = ["48Gi", "192Mi", "31482288Ki", "1048576", ""].map(memory_mib);
        assert_eq!(mib, [49_152, 192, 30_744, 1, 0]);
    }
}
