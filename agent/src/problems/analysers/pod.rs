//! What several analysers ask of pods.
//!
//! Fields: <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/>

use std::sync::Arc;

use serde_json::Value;

use super::found::{reference, time_ms};
use super::kind::{self, NODES, PODS};
use crate::columns::field::{at, condition, is_deleted, is_true, list, number, text};
use crate::problems::{ObjectRef, World};

/// A container with its status.
#[derive(Clone, Copy)]
pub(super) struct Container<'a> {
    pub(super) name: &'a str,
    pub(super) status: &'a Value,
    /// An init container that is to end; a sidecar is none.
    pub(super) is_init: bool,
}

impl<'a> Container<'a> {
    fn of(status: &'a Value, is_init: bool) -> Self {
        Self { name: text(status, "/name"), status, is_init }
    }

    /// Why it waits; empty where it does not.
    pub(super) fn waits_for(&self) -> &'a str {
        text(self.status, "/state/waiting/reason")
    }

    pub(super) fn waiting_message(&self) -> &'a str {
        text(self.status, "/state/waiting/message")
    }

    /// How it ended the last time.
    pub(super) fn last_end(&self) -> Option<&'a Value> {
        let ends = ["/state/terminated", "/lastState/terminated"];
        ends.iter().find_map(|pointer| at(self.status, pointer).filter(|end| end.is_object()))
    }

    pub(super) fn finished_ms(&self) -> Option<i64> {
        time_ms(self.last_end()?, "/finishedAt")
    }

    pub(super) fn is_running(&self) -> bool {
        at(self.status, "/state/running").is_some_and(Value::is_object)
    }

    pub(super) fn is_ready(&self) -> bool {
        self.status["ready"] == true
    }

    pub(super) fn restarts(&self) -> i64 {
        number(self.status, "/restartCount")
    }

    /// As the pod declares it.
    pub(super) fn declared(&self, pod: &'a Value) -> Option<&'a Value> {
        declared(pod).find(|container| container["name"] == self.name)
    }
}

/// Containers and init containers as the pod declares them.
pub(super) fn declared(pod: &Value) -> impl Iterator<Item = &Value> {
    list(pod, "/spec/initContainers").iter().chain(list(pod, "/spec/containers"))
}

/// All containers whose status is told, init containers first.
pub(super) fn containers(pod: &Value) -> impl Iterator<Item = Container<'_>> {
    let init = list(pod, "/status/initContainerStatuses").iter();
    let init = init.map(|status| Container::of(status, !is_sidecar(pod, status)));
    let main = list(pod, "/status/containerStatuses").iter().map(|status| Container::of(status, false));
    init.chain(main)
}

fn is_sidecar(pod: &Value, status: &Value) -> bool {
    let declared = list(pod, "/spec/initContainers").iter();
    declared.filter(|container| container["name"] == status["name"]).any(|c| c["restartPolicy"] == "Always")
}

/// Ended, or being deleted: nothing of it is to get better.
pub(super) fn is_over(pod: &Value) -> bool {
    is_deleted(pod) || matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
}

pub(super) fn is_ready(pod: &Value) -> bool {
    is_true(pod, "Ready")
}

/// Since when it is as a condition says.
pub(super) fn condition_since_ms(object: &Value, condition_type: &str) -> Option<i64> {
    time_ms(condition(object, condition_type)?, "/lastTransitionTime")
}

pub(super) fn name_of(pod: &Value) -> ObjectRef {
    reference(PODS, pod)
}

pub(super) fn namespace(object: &Value) -> Option<&str> {
    at(object, "/metadata/namespace").and_then(Value::as_str)
}

/// The pod's node, where that is not ready: what the pod's status says is old then.
pub(super) fn lost_node(pod: &Value, world: &dyn World) -> Option<ObjectRef> {
    let node = kind::get(world, NODES, None, text(pod, "/spec/nodeName"))?;
    (!is_true(&node, "Ready")).then(|| reference(NODES, &node))
}

/// Names of the claims that the pod mounts, also of those that it brings along.
pub(super) fn claims(pod: &Value) -> impl Iterator<Item = String> {
    list(pod, "/spec/volumes").iter().filter_map(|volume| {
        if volume.get("ephemeral").is_some() {
            return Some(format!("{}-{}", text(pod, "/metadata/name"), text(volume, "/name")));
        }
        let claim = text(volume, "/persistentVolumeClaim/claimName");
        (!claim.is_empty()).then(|| claim.to_owned())
    })
}

/// The object's controller, where that is of this kind (`Job`).
pub(super) fn controller<'a>(object: &'a Value, kind: &str) -> Option<&'a str> {
    let owners = list(object, "/metadata/ownerReferences").iter();
    let mut owners = owners.filter(|owner| owner["controller"] == true && owner["kind"] == kind);
    owners.next().map(|owner| text(owner, "/name"))
}

/// The pods that a workload's selector selects.
pub(super) fn selected_by(workload: &Value, world: &dyn World) -> Vec<Arc<Value>> {
    let selector = kind::selector(at(workload, "/spec/selector").unwrap_or(&Value::Null));
    if selector.is_empty() {
        return Vec::new();
    }
    world.select(&kind::of(PODS), namespace(workload).unwrap_or_default(), &selector)
}

/// The first, by name, of those that should be ready and are not.
pub(super) fn first_troubled(pods: &[Arc<Value>]) -> Option<ObjectRef> {
    let troubled = pods.iter().filter(|pod| !is_over(pod) && !is_ready(pod));
    troubled.map(|pod| name_of(pod)).min()
}
