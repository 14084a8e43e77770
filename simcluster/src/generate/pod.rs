//! Pods as a kubelet leaves them: from a template, an owner, a node and a state of life.

use serde_json::{Value, json};

use super::managed;
use super::random::Random;
use crate::json::{items, set, text};

/// Who made a pod.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) api_version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) uid: String,
}

impl Owner {
    /// The owner that `object` is.
    pub(crate) fn of(api_version: &'static str, kind: &'static str, object: &Value) -> Self {
        Self {
            api_version,
            kind,
            name: text(object, "/metadata/name").into(),
            uid: text(object, "/metadata/uid").into(),
        }
    }

    pub(crate) fn reference(&self) -> Value {
        json!({"apiVersion": self.api_version, "kind": self.kind, "name": self.name, "uid": self.uid,
            "controller": true, "blockOwnerDeletion": true})
    }
}

/// Where a pod runs.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) node: String,
    pub(crate) host_ip: String,
    pub(crate) pod_ip: String,
}

impl Place {
    /// Where a pod is that no node has taken.
    pub(crate) fn nowhere() -> Self {
        Self { node: String::new(), host_ip: String::new(), pod_ip: String::new() }
    }
}

/// Where a pod is in its life. Times are written times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// On no node, with the scheduler's reason.
    Unschedulable {
        message: String,
    },
    /// On a node, containers being made.
    Creating,
    /// The main container's image can't be pulled.
    ImagePullBackOff,
    /// The main container can't be made, with the kubelet's reason.
    ConfigError {
        message: String,
    },
    Running {
        since: String,
        restarts: i64,
        last_exit: Option<Exit>,
    },
    /// The main container runs, and does not become ready.
    Unready {
        since: String,
    },
    /// Waiting to be started again after so many restarts.
    CrashLoop {
        since: String,
        restarts: i64,
        exit: Exit,
    },
    Completed {
        since: String,
        at: String,
    },
    Failed {
        since: String,
        at: String,
        exit: Exit,
    },
    /// Ended by its kubelet for want of something.
    Evicted {
        at: String,
        message: String,
    },
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    pub(crate) code: i64,
    pub(crate) reason: &'static str,
    pub(crate) at: String,
    /// Its last words, where it had any.
    pub(crate) message: &'static str,
}

/// A pod of `template` for `owner`. `at` is its time of creation.
pub(crate) fn pod(
    namespace: &str,
    name: &str,
    template: &Value,
    owner: &Owner,
    place: &Place,
    at: &str,
    random: &mut Random,
) -> Value {
    let token = format!("kube-api-access-{}", random.suffix(5));
    let mut metadata = template["metadata"].clone();
    set(&mut metadata, "/name", name);
    set(&mut metadata, "/namespace", namespace);
    set(&mut metadata, "/uid", random.uid());
    set(&mut metadata, "/creationTimestamp", at);
    set(&mut metadata, "/ownerReferences", json!([owner.reference()]));
    if let Some(prefix) = name.len().checked_sub(5).filter(|_| owner.kind != "StatefulSet") {
        set(&mut metadata, "/generateName", &name[..prefix]);
    }
    let mut spec = template["spec"].clone();
    mount_token(&mut spec, &token);
    let parts = [("metadata", &metadata), ("spec", &template["spec"])];
    let entry = managed::entry("kube-controller-manager", "v1", at, "", &parts);
    set(&mut metadata, "/managedFields", json!([entry]));
    complete_spec(&mut spec, place);
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod"});
    pod["metadata"] = metadata;
    pod["spec"] = spec;
    if !place.node.is_empty() {
        set(&mut pod, "/status/hostIP", place.host_ip.as_str());
        set(&mut pod, "/status/hostIPs", json!([{"ip": place.host_ip}]));
        set(&mut pod, "/status/podIP", place.pod_ip.as_str());
        set(&mut pod, "/status/podIPs", json!([{"ip": place.pod_ip}]));
    }
    pod
}

fn mount_token(spec: &mut Value, token: &str) {
    let mount = json!({"name": token, "readOnly": true, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"});
    for list in ["containers", "initContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(mounts) = container.get_mut("volumeMounts").and_then(Value::as_array_mut) {
                mounts.push(mount.clone());
            }
        }
    }
    let volume = json!({"name": token, "projected": {"defaultMode": 420, "sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}}]}});
    if let Some(volumes) = spec.get_mut("volumes").and_then(Value::as_array_mut) {
        volumes.push(volume);
    }
}

fn complete_spec(spec: &mut Value, place: &Place) {
    let toleration = |key: &str| json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
    set(
        spec,
        "/tolerations",
        json!([toleration("node.kubernetes.io/not-ready"), toleration("node.kubernetes.io/unreachable")]),
    );
    set(spec, "/priority", 0);
    set(spec, "/enableServiceLinks", true);
    set(spec, "/preemptionPolicy", "PreemptLowerPriority");
    if !place.node.is_empty() {
        set(spec, "/nodeName", place.node.as_str());
    }
}

/// Brings the status of a pod to `life`, keeping addresses, and notes the kubelet as its manager.
pub(crate) fn live(pod: &mut Value, life: &Life, now: &str, random: &mut Random) {
    let created = text(pod, "/metadata/creationTimestamp").to_owned();
    let kept: Vec<(&str, Value)> = ["hostIP", "hostIPs", "podIP", "podIPs"]
        .into_iter()
        .filter_map(|field| Some((field, pod.pointer(&format!("/status/{field}"))?.clone())))
        .collect();
    let has_addresses = !matches!(life, Life::Unschedulable { .. });
    let mut status = json!({"phase": life.phase(), "conditions": conditions(life, &created, now), "qosClass": "Burstable"});
    if let Life::Evicted { message, .. } = life {
        status["reason"] = "Evicted".into();
        status["message"] = message.as_str().into();
    }
    for (field, value) in kept.into_iter().filter(|_| has_addresses) {
        status[field] = value;
    }
    if has_addresses {
        status["startTime"] = created.as_str().into();
    }
    if has_addresses && !matches!(life, Life::Evicted { .. }) {
        let main = items(pod, "/spec/containers").iter().enumerate();
        let statuses: Vec<Value> = main
            .map(|(index, container)| {
                container_status(container, &life.of_container(index), &created, random)
            })
            .collect();
        status["containerStatuses"] = statuses.into();
        let init: Vec<Value> = items(pod, "/spec/initContainers")
            .iter()
            .map(|container| init_status(container, life, &created, random))
            .collect();
        if !init.is_empty() {
            status["initContainerStatuses"] = init.into();
        }
    }
    let entry = managed::entry("kubelet", "v1", now, "status", &[("status", &status)]);
    set(pod, "/status", status);
    if let Some(fields) = pod.pointer_mut("/metadata/managedFields").and_then(Value::as_array_mut) {
        fields.truncate(1);
        fields.push(entry);
    }
}

impl Life {
    fn phase(&self) -> &'static str {
        match self {
            Self::Unschedulable { .. }
            | Self::Creating
            | Self::ImagePullBackOff
            | Self::ConfigError { .. } => "Pending",
            Self::Running { .. } | Self::Unready { .. } | Self::CrashLoop { .. } => "Running",
            Self::Completed { .. } => "Succeeded",
            Self::Failed { .. } | Self::Evicted { .. } => "Failed",
        }
    }

    /// Only the first container of a troubled pod is in trouble.
    fn of_container(&self, index: usize) -> Self {
        match self {
            Self::CrashLoop { since, .. } | Self::Unready { since } if index > 0 => {
                Self::Running { since: since.clone(), restarts: 0, last_exit: None }
            }
            other => other.clone(),
        }
    }
}

fn conditions(life: &Life, created: &str, now: &str) -> Value {
    let condition = |kind: &str, status: bool, at: &str, reason: &str, message: &str| {
        let mut condition = json!({"type": kind, "status": if status { "True" } else { "False" }, "lastProbeTime": null, "lastTransitionTime": at, "observedGeneration": 1});
        if !reason.is_empty() {
            condition["reason"] = reason.into();
            condition["message"] = message.into();
        }
        condition
    };
    let unready = "containers with unready status";
    match life {
        Life::Unschedulable { message } => {
            json!([condition("PodScheduled", false, created, "Unschedulable", message)])
        }
        Life::Evicted { at, message } => json!([
            condition("DisruptionTarget", true, at, "TerminationByKubelet", message),
            condition("PodReadyToStartContainers", false, at, "", ""),
            condition("Initialized", true, created, "", ""),
            condition("Ready", false, at, "PodFailed", ""),
            condition("ContainersReady", false, at, "PodFailed", ""),
            condition("PodScheduled", true, created, "", ""),
        ]),
        Life::Creating
        | Life::ImagePullBackOff
        | Life::ConfigError { .. }
        | Life::Unready { .. }
        | Life::CrashLoop { .. } => {
            let begun = !matches!(life, Life::Creating);
            json!([
                condition("PodReadyToStartContainers", begun, created, "", ""),
                condition("Initialized", true, created, "", ""),
                condition("Ready", false, now, "ContainersNotReady", unready),
                condition("ContainersReady", false, now, "ContainersNotReady", unready),
                condition("PodScheduled", true, created, "", ""),
            ])
        }
        Life::Running { since, .. } => json!([
            condition("PodReadyToStartContainers", true, created, "", ""),
            condition("Initialized", true, created, "", ""),
            condition("Ready", true, since, "", ""),
            condition("ContainersReady", true, since, "", ""),
            condition("PodScheduled", true, created, "", ""),
        ]),
        Life::Completed { at, .. } | Life::Failed { at, .. } => {
            let reason = if matches!(life, Life::Failed { .. }) { "PodFailed" } else { "PodCompleted" };
            json!([
                condition("PodReadyToStartContainers", false, at, "", ""),
                condition("Initialized", true, created, reason, ""),
                condition("Ready", false, at, reason, ""),
                condition("ContainersReady", false, at, reason, ""),
                condition("PodScheduled", true, created, "", ""),
            ])
        }
    }
}

fn container_status(container: &Value, life: &Life, created: &str, random: &mut Random) -> Value {
    let mut id = || format!("containerd://{}", random.hex(64));
    let running = |since: &str| json!({"running": {"startedAt": since}});
    let ended = |exit: &Exit, id: &str| {
        let mut ended = json!({"exitCode": exit.code, "reason": exit.reason, "startedAt": created, "finishedAt": exit.at, "containerID": id});
        if !exit.message.is_empty() {
            ended["message"] = exit.message.into();
        }
        json!({"terminated": ended})
    };
    let waiting = |reason: &str, message: &str| json!({"waiting": {"reason": reason, "message": message}});
    let name = text(container, "/name");
    let image = text(container, "/image");
    let (state, last, restarts, ready) = match life {
        Life::Running { since, restarts, last_exit } => {
            let last = last_exit.as_ref().map_or(json!({}), |exit| ended(exit, &id()));
            (running(since), last, *restarts, true)
        }
        Life::CrashLoop { restarts, exit, .. } => {
            let message = format!("back-off 5m0s restarting failed container={name}");
            (waiting("CrashLoopBackOff", &message), ended(exit, &id()), *restarts, false)
        }
        Life::ImagePullBackOff => {
            let message = format!(
                "Back-off pulling image \"{image}\": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image \"{image}\": not found"
            );
            (waiting("ImagePullBackOff", &message), json!({}), 0, false)
        }
        Life::ConfigError { message } => {
            (waiting("CreateContainerConfigError", message), json!({}), 0, false)
        }
        Life::Unready { since } => (running(since), json!({}), 0, false),
        Life::Creating | Life::Unschedulable { .. } | Life::Evicted { .. } => {
            (json!({"waiting": {"reason": "ContainerCreating"}}), json!({}), 0, false)
        }
        Life::Completed { at, .. } => {
            let exit = Exit { code: 0, reason: "Completed", at: at.clone(), message: "" };
            (ended(&exit, &id()), json!({}), 0, false)
        }
        Life::Failed { exit, .. } => (ended(exit, &id()), json!({}), 0, false),
    };
    let mut status = json!({
        "name": name, "state": state, "lastState": last, "ready": ready, "restartCount": restarts, "image": image,
        "imageID": "", "started": ready || matches!(life, Life::Unready { .. }), "resources": container["resources"], "allocatedResources": container["resources"]["requests"],
        "volumeMounts": mounts(container), "user": {"linux": {"uid": 10001, "gid": 0, "supplementalGroups": [0, 10001]}},
    });
    if matches!(
        life,
        Life::Running { .. }
            | Life::Unready { .. }
            | Life::CrashLoop { .. }
            | Life::Completed { .. }
            | Life::Failed { .. }
    ) {
        status["containerID"] = id().into();
        status["imageID"] = format!(
            "{}@sha256:{:016x}{:048x}",
            image.split(':').next().unwrap_or(image),
            super::template::fnv(image),
            super::template::fnv(name)
        )
        .into();
    }
    status
}

fn mounts(container: &Value) -> Vec<Value> {
    let mount = |mount: &Value| {
        let mut status = json!({"name": mount["name"], "mountPath": mount["mountPath"]});
        if mount["readOnly"] == true {
            status["readOnly"] = true.into();
            status["recursiveReadOnly"] = "Disabled".into();
        }
        status
    };
    items(container, "/volumeMounts").iter().map(mount).collect()
}

/// Init containers are done once the pod runs, but for those that keep running.
fn init_status(container: &Value, life: &Life, created: &str, random: &mut Random) -> Value {
    let stays = text(container, "/restartPolicy") == "Always";
    let life = match life {
        Life::Creating => Life::Creating,
        Life::Completed { .. } | Life::Failed { .. } => {
            Life::Completed { since: created.into(), at: created.into() }
        }
        _ if stays => Life::Running { since: created.into(), restarts: 0, last_exit: None },
        _ => Life::Completed { since: created.into(), at: created.into() },
    };
    let mut status = container_status(container, &life, created, random);
    if !stays && !matches!(life, Life::Creating) {
        // A finished init container counts as ready.
        status["ready"] = true.into();
        status["started"] = false.into();
    }
    status
}
