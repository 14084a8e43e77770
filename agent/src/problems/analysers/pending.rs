//! Pods that no node takes, by the scheduler's own reasons.
//!
//! The scheduler writes `0/5 nodes are available: 2 Insufficient cpu, 3 node(s) had untolerated taint(s). preemption: …` into the
//! condition `PodScheduled` (`FitError.Error` in `pkg/scheduler/framework/types.go`): how many nodes were left out for which
//! reason, or a single reason before any node was looked at.

use serde_json::Value;

use super::found::{created_ms, reference, time_ms};
use super::kind::{self, CLAIMS, NODES};
use super::pod;
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{condition, is_true, list, text};
use crate::problems::thresholds::{GATED_MS, UNSCHEDULED_MS};
use crate::problems::{Evidence, Finding, ObjectRef};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        name: "Unschedulable",
        severities: &[Severity::Critical],
        looks_at: "what the scheduler says of a pod, its claims, and nodes",
        when: "no node took the pod for a minute; the message has each reason for which nodes were left out, the evidence how many",
    },
    Cause {
        name: "MissingClaim",
        severities: &[Severity::Critical],
        looks_at: "what the scheduler says of a pod",
        when: "the pod mounts a PersistentVolumeClaim that is not there",
    },
    Cause {
        name: "NotLookedAtByScheduler",
        severities: &[Severity::Critical],
        looks_at: "a pod's conditions",
        when: "no scheduler said anything of the pod for a minute: the one that it names does not run",
    },
    Cause {
        name: "SchedulingGated",
        severities: &[Severity::Warning],
        looks_at: "a pod's scheduling gates",
        when: "nobody removed the pod's scheduling gates for ten minutes",
    },
];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let pod = subject.object;
    if text(pod, "/status/phase") != "Pending" || !text(pod, "/spec/nodeName").is_empty() || pod::is_over(pod)
    {
        return;
    }
    let scheduled = condition(pod, "PodScheduled");
    let since_ms = scheduled.and_then(|scheduled| time_ms(scheduled, "/lastTransitionTime"));
    let Some(since_ms) = since_ms.or_else(|| created_ms(pod)) else { return };
    let reason = scheduled.map_or("", |scheduled| text(scheduled, "/reason"));
    let due_ms = since_ms + if reason == "SchedulingGated" { GATED_MS } else { UNSCHEDULED_MS };
    if world.now_ms() < due_ms {
        verdict.look_again(due_ms);
        return;
    }
    let finding = match scheduled {
        Some(scheduled) if reason == "SchedulingGated" => gated(pod, scheduled),
        Some(scheduled) => unschedulable(pod, scheduled, world),
        None => not_looked_at(pod),
    };
    verdict.add(finding.since(Some(since_ms)));
}

fn gated(pod: &Value, scheduled: &Value) -> Finding {
    let gates: Vec<_> = list(pod, "/spec/schedulingGates").iter().map(|gate| text(gate, "/name")).collect();
    let message = format!("nobody removed the scheduling gate {}", gates.join(", "));
    Finding::new("SchedulingGated", Severity::Warning, message).shown_by([Evidence::condition(scheduled)])
}

fn not_looked_at(pod: &Value) -> Finding {
    let scheduler = text(pod, "/spec/schedulerName");
    let scheduler = if scheduler.is_empty() { "default-scheduler" } else { scheduler };
    Finding::new(
        "NotLookedAtByScheduler",
        Severity::Critical,
        format!("the scheduler {scheduler} does not look at it"),
    )
    .shown_by([Evidence::field("spec.schedulerName", scheduler)])
}

fn unschedulable(pod: &Value, scheduled: &Value, world: &dyn World) -> Finding {
    let told = text(scheduled, "/message");
    if let Some(claim) = missing_claim(told) {
        return Finding::new("MissingClaim", Severity::Critical, format!("claim {claim} does not exist"))
            .shown_by([Evidence::condition(scheduled)]);
    }
    let reasons = Reasons::of(told);
    let mut shown = Evidence::condition(scheduled);
    shown.text = format!("PodScheduled=False (Unschedulable): {}", reasons.told);
    let taints = reasons.names_taints().then(|| taints(world)).flatten();
    Finding::new("Unschedulable", Severity::Critical, reasons.message())
        .shown_by([shown])
        .shown_by(taints)
        .because_of(unbound_claim(pod, told, world).or_else(|| lost_node(&reasons, world)))
}

/// What a scheduler's message says.
struct Reasons<'a> {
    /// Without what it says of preemption.
    told: &'a str,
    /// How many nodes, and why; in order of the words.
    nodes: Vec<(&'a str, &'a str)>,
}

impl<'a> Reasons<'a> {
    fn of(message: &'a str) -> Self {
        let end = [" preemption:", " no new claims to deallocate"]
            .iter()
            .filter_map(|tail| message.find(tail))
            .min();
        let told = message[..end.unwrap_or(message.len())].trim_end_matches(['.', ',', ' ']);
        let reasons = told.split_once(" nodes are available: ").map_or(told, |(_, reasons)| reasons);
        let mut nodes: Vec<_> = reasons.split(", ").map(counted).collect();
        nodes.sort_by_key(|(_, reason)| *reason);
        Self { told, nodes }
    }

    fn message(&self) -> String {
        let reasons: Vec<_> = self.nodes.iter().map(|(_, reason)| *reason).collect();
        format!("no node takes it: {}", reasons.join("; "))
    }

    fn names_taints(&self) -> bool {
        self.nodes.iter().any(|(_, reason)| reason.contains("untolerated taint(s)"))
    }

    fn is_all_taints(&self) -> bool {
        self.nodes.iter().all(|(_, reason)| reason.contains("taint") || reason.contains("unschedulable"))
    }
}

/// `2 node(s) had untolerated taint(s)`: how many, and why.
fn counted(reason: &str) -> (&str, &str) {
    let reason = reason.trim();
    match reason.split_once(' ') {
        Some((count, rest)) if count.bytes().all(|byte| byte.is_ascii_digit()) => {
            (count, rest.strip_prefix("node(s) ").unwrap_or(rest))
        }
        _ => ("", reason),
    }
}

fn missing_claim(told: &str) -> Option<&str> {
    let claim = super::event::quoted_after(told, "persistentvolumeclaim ")?;
    told.contains("not found").then_some(claim)
}

/// The first claim of the pod without a volume, where the scheduler waits for it.
fn unbound_claim(pod: &Value, told: &str, world: &dyn World) -> Option<ObjectRef> {
    let waits = ["unbound immediate", "persistent volumes to bind", "persistentvolumeclaim"];
    if !waits.iter().any(|words| told.contains(words)) {
        return None;
    }
    let claims = pod::claims(pod).filter_map(|name| kind::get(world, CLAIMS, pod::namespace(pod), &name));
    let unbound = claims.into_iter().find(|claim| text(claim, "/status/phase") != "Bound")?;
    Some(reference(CLAIMS, &unbound))
}

/// Where no node is ready, that is why none takes the pod.
fn lost_node(reasons: &Reasons<'_>, world: &dyn World) -> Option<ObjectRef> {
    if !reasons.is_all_taints() {
        return None;
    }
    let nodes = world.list(&kind::of(NODES), None);
    let all_lost = nodes.iter().all(|node| !is_true(node, "Ready"));
    all_lost.then(|| nodes.iter().map(|node| reference(NODES, node)).min()).flatten()
}

/// The scheduler does not name the taints any more, since there may be many.
fn taints(world: &dyn World) -> Option<Evidence> {
    let nodes = world.list(&kind::of(NODES), None);
    let taints = nodes.iter().flat_map(|node| list(node, "/spec/taints"));
    let keeps_away = taints.filter(|taint| taint["effect"] != "PreferNoSchedule");
    let mut names: Vec<_> = keeps_away.map(taint).collect();
    names.sort_unstable();
    names.dedup();
    (!names.is_empty()).then(|| Evidence::field("taints of nodes", names.join(", ")))
}

/// As kubectl writes it: `dedicated=gpu:NoSchedule`.
fn taint(taint: &Value) -> String {
    let value = text(taint, "/value");
    let value = if value.is_empty() { String::new() } else { format!("={value}") };
    format!("{}{value}:{}", text(taint, "/key"), text(taint, "/effect"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn pod(reason: &str, message: &str, minutes: i64) -> Value {
        json!({
            "metadata": {"name": "web-0", "namespace": "shop", "creationTimestamp": ago(minutes)},
            "spec": {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}], "schedulingGates": [{"name": "g"}]},
            "status": {"phase": "Pending", "conditions": [
                {"type": "PodScheduled", "status": "False", "reason": reason, "message": message, "lastTransitionTime": ago(minutes)}]},
        })
    }

    #[track_caller]
    fn check(world: &Fixture, pod: &Value, expected: &[&str]) -> Verdict {
        let (lines, verdict) = world.judge(judge, "pods", pod);
        assert_eq!(lines, expected);
        verdict
    }

    #[test]
    fn reasons_are_named_without_their_counts() {
        for (told, expected) in [
            ("0/5 nodes are available: 5 Insufficient cpu.", "Insufficient cpu"),
            (
                "0/5 nodes are available: 2 Insufficient memory, 3 node(s) had untolerated taint {dedicated: gpu}. preemption: 0/5 nodes are available: 5 No preemption victims found for incoming pod.",
                "Insufficient memory; had untolerated taint {dedicated: gpu}",
            ),
            (
                "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
                "didn't match Pod's node affinity/selector",
            ),
            (
                "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
                "didn't have free ports for the requested pod ports",
            ),
            (
                "0/2 nodes are available: 2 node(s) had volume node affinity conflict.",
                "had volume node affinity conflict",
            ),
            (
                "0/2 nodes are available: 1 Too many pods, 1 node(s) were unschedulable.",
                "Too many pods; were unschedulable",
            ),
            ("no nodes available to schedule pods", "no nodes available to schedule pods"),
        ] {
            let expected = format!("Critical Unschedulable: no node takes it: {expected}");
            check(&Fixture::new(), &pod("Unschedulable", told, 3), &[&expected]);
        }
    }

    #[test]
    fn counts_and_taints_are_evidence() {
        let tainted = json!({"metadata": {"name": "n1"}, "spec": {"taints": [{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]},
                             "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        let world = Fixture::new().with("nodes", tainted);
        let told = "0/1 nodes are available: 1 node(s) had untolerated taint(s). preemption: x";
        let verdict = check(
            &world,
            &pod("Unschedulable", told, 3),
            &["Critical Unschedulable: no node takes it: had untolerated taint(s)"],
        );
        let texts: Vec<_> =
            verdict.findings[0].evidence.iter().map(|evidence| evidence.text.as_str()).collect();
        let first =
            "PodScheduled=False (Unschedulable): 0/1 nodes are available: 1 node(s) had untolerated taint(s)";
        assert_eq!(texts, [first, "taints of nodes: dedicated=gpu:NoSchedule"]);
    }

    #[test]
    fn what_it_waits_for_is_the_cause() {
        let claim =
            json!({"metadata": {"name": "data", "namespace": "shop"}, "status": {"phase": "Pending"}});
        let world = Fixture::new().with("persistentvolumeclaims", claim);
        let told = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found";
        let expected = "Critical Unschedulable: no node takes it: pod has unbound immediate PersistentVolumeClaims. not found <- persistentvolumeclaims/data";
        check(&world, &pod("Unschedulable", told, 3), &[expected]);
        let gone = "0/1 nodes are available: persistentvolumeclaim \"data\" not found.";
        check(
            &Fixture::new(),
            &pod("Unschedulable", gone, 3),
            &["Critical MissingClaim: claim data does not exist"],
        );
        let lost = json!({"metadata": {"name": "n1"}, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}});
        let told = "0/1 nodes are available: 1 node(s) had untolerated taint(s).";
        let expected = "Critical Unschedulable: no node takes it: had untolerated taint(s) <- nodes/n1";
        check(&Fixture::new().with("nodes", lost), &pod("Unschedulable", told, 3), &[expected]);
    }

    #[test]
    fn a_new_pod_is_no_fault_and_a_gate_has_time() {
        let world = Fixture::new();
        let verdict =
            check(&world, &pod("Unschedulable", "0/1 nodes are available: 1 Insufficient cpu.", 0), &[]);
        assert_eq!(verdict.look_again_ms, Some(world.now_ms() + UNSCHEDULED_MS));
        check(&world, &pod("SchedulingGated", "Scheduling is blocked", 5), &[]);
        check(
            &world,
            &pod("SchedulingGated", "Scheduling is blocked", 11),
            &["Warning SchedulingGated: nobody removed the scheduling gate g"],
        );
    }

    #[test]
    fn what_no_scheduler_saw_and_what_a_node_took() {
        let mut unseen = pod("", "", 3);
        unseen["status"]["conditions"] = json!([]);
        unseen["spec"]["schedulerName"] = "mine".into();
        check(
            &Fixture::new(),
            &unseen,
            &["Critical NotLookedAtByScheduler: the scheduler mine does not look at it"],
        );
        unseen["spec"]["nodeName"] = "n1".into();
        check(&Fixture::new(), &unseen, &[]);
    }
}
