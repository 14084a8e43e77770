//! Faults that need a kubelet: what it would say is written as a status and events, in the words of `pkg/kubelet` and of container
//! runtimes.

use serde_json::{Value, json};

use super::fault::{FATE, Fault, IMAGE, Made, Place, Plan, Planted, Reach, Said, UNTOUCHED, ago};

const fn written(
    name: &'static str,
    about: &'static str,
    cause: &'static str,
    reach: Reach,
    plan: fn(&Place) -> Plan,
) -> Fault {
    Fault { name, about, made: Made::Written, cause, reach, plan }
}

use Reach::{Own, Wide};

pub(super) const FAULTS: &[Fault] = &[
    written("panics", "a container exits with code 1 again and again", "CrashLoop", Own, panics),
    written("segfault", "a container is ended by SIGSEGV again and again", "CrashLoop", Own, segfault),
    written("memory", "a container goes beyond its memory limit again and again", "OutOfMemory", Own, memory),
    written("command", "a container's command is not in its image", "CannotStart", Own, command),
    written("no-tag", "an image has no such tag", "ImageNotFound", Own, no_tag),
    written("no-login", "a registry wants credentials", "ImageForbidden", Own, no_login),
    written("processor", "an image is for other processors", "ImageArchitecture", Own, processor),
    written("rate", "a registry allows no more pulls", "RegistryRateLimit", Own, rate),
    written(
        "no-secret",
        "pods take their environment from a Secret that is not there",
        "MissingSecret",
        Own,
        no_secret,
    ),
    written("init", "an init container fails again and again", "InitContainerFailing", Own, init),
    written("readiness", "a readiness probe is answered with 503", "ReadinessProbeFailing", Own, readiness),
    written(
        "liveness",
        "a liveness probe times out, and the container is restarted",
        "LivenessProbeFailing",
        Own,
        liveness,
    ),
    written("evicted", "a node ran low on memory and evicted pods", "Evicted", Own, evicted),
    written("shutdown", "a node was shut down under its pods", "NodeShutdown", Own, shutdown),
    written("attached", "a volume is attached to another node still", "VolumeMultiAttach", Own, attached),
    written("mount", "a share can't be mounted", "VolumeMount", Own, mount),
    written("sandbox", "the network plugin has no address left", "SandboxFailed", Own, sandbox),
    written("backoff", "pods of a job fail as often as they may", "JobFailed", Own, backoff),
    written("missed", "a cron job missed its run, and may not make up for it", "CronMissed", Own, missed),
    written(
        "lost-node",
        "a kubelet is silent, and pods on its node are not ready",
        "NodeNotReady",
        Wide,
        lost_node,
    ),
    written("full-disk", "a node runs out of disk", "NodeDiskPressure", Wide, full_disk),
    written("cordoned", "a node was cordoned seven hours ago", "NodeCordoned", Wide, cordoned),
];

fn conditions(ready: &str, reason: &str) -> Value {
    let is = |name: &str, status: &str| json!({"type": name, "status": status, "lastTransitionTime": ago(5)});
    let mut all = json!([
        is("PodScheduled", "True"),
        is("Initialized", "True"),
        is("ContainersReady", ready),
        is("Ready", ready)
    ]);
    for index in [2, 3] {
        all[index]["reason"] = reason.into();
        all[index]["message"] = "containers with unready status: [app]".into();
    }
    all
}

/// Pods whose only container is so.
fn container(
    place: &Place,
    phase: &str,
    spec: Value,
    container: Value,
    events: Vec<(&'static str, String)>,
) -> Plan {
    let mut all = json!({"name": "app", "image": IMAGE, "imageID": "", "ready": false, "started": false, "restartCount": 0});
    for (field, value) in container.as_object().into_iter().flatten() {
        all[field] = value.clone();
    }
    let status = json!({"phase": phase, "conditions": conditions("False", "ContainersNotReady"), "containerStatuses": [all]});
    said(place, spec, Said { status, events })
}

fn said(place: &Place, spec: Value, said: Said) -> Plan {
    Plan { pods: 2, said: Some(said), ..Plan::of([place.deployment(2, Some(UNTOUCHED), spec)]) }
}

fn ended(code: i64, reason: &str, message: &str) -> Value {
    json!({"terminated": {"exitCode": code, "reason": reason, "message": message, "startedAt": ago(1), "finishedAt": ago(0)}})
}

fn back_off(place: &Place, last: Value, spec: Value) -> Plan {
    let message = "back-off 5m0s restarting failed container=app pod=app_planted(0a1b2c3d)";
    let waiting = json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}});
    let looping = json!({"restartCount": 6, "state": waiting, "lastState": last});
    container(
        place,
        "Running",
        spec,
        looping,
        vec![("BackOff", "Back-off restarting failed container app in pod".to_owned())],
    )
}

fn panics(place: &Place) -> Plan {
    back_off(place, ended(1, "Error", "panic: no such table: orders"), json!({}))
}

fn segfault(place: &Place) -> Plan {
    back_off(place, ended(139, "Error", ""), json!({}))
}

fn memory(place: &Place) -> Plan {
    let limits = json!({"limits": {"memory": "64Mi"}});
    back_off(
        place,
        ended(137, "OOMKilled", ""),
        json!({"containers": [{"name": "app", "image": IMAGE, "resources": limits}]}),
    )
}

fn command(place: &Place) -> Plan {
    let message = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: \"/srv/run\": stat /srv/run: no such file or directory";
    back_off(place, ended(128, "StartError", message), json!({}))
}

fn pull(place: &Place, reason: &str, message: &str) -> Plan {
    let waiting = json!({"state": {"waiting": {"reason": reason, "message": message}}});
    let told = format!("Failed to pull image \"{IMAGE}\": {message}");
    container(place, "Pending", json!({}), waiting, vec![("Failed", told)])
}

fn no_tag(place: &Place) -> Plan {
    let told = "rpc error: code = NotFound desc = failed to pull and unpack image: failed to resolve reference: registry.kubeplex.dev/planted/app:1.0.0: not found";
    pull(place, "ImagePullBackOff", &format!("Back-off pulling image \"{IMAGE}\": ErrImagePull: {told}"))
}

fn no_login(place: &Place) -> Plan {
    pull(
        place,
        "ErrImagePull",
        "failed to resolve reference: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
    )
}

fn processor(place: &Place) -> Plan {
    pull(
        place,
        "ErrImagePull",
        "rpc error: code = NotFound desc = failed to pull and unpack image: no match for platform in manifest: not found",
    )
}

fn rate(place: &Place) -> Plan {
    pull(
        place,
        "ErrImagePull",
        "failed to copy: httpReadSeeker: failed open: unexpected status code: 429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit.",
    )
}

fn no_secret(place: &Place) -> Plan {
    let from = json!([{"secretRef": {"name": "no-such-secret"}}]);
    let spec = json!({"containers": [{"name": "app", "image": IMAGE, "envFrom": from}]});
    let message = "secret \"no-such-secret\" not found";
    let waiting = json!({"state": {"waiting": {"reason": "CreateContainerConfigError", "message": message}}});
    container(place, "Pending", spec, waiting, vec![("Failed", format!("Error: {message}"))])
}

fn init(place: &Place) -> Plan {
    let waiting = json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 2m40s restarting failed container=migrate"}});
    let init = json!({
        "name": "migrate", "image": IMAGE, "imageID": "", "ready": false, "restartCount": 5, "state": waiting,
        "lastState": ended(3, "Error", "could not connect to the database"),
    });
    let app = json!({"name": "app", "image": IMAGE, "imageID": "", "ready": false, "restartCount": 0, "state": {"waiting": {"reason": "PodInitializing"}}});
    let status = json!({
        "phase": "Pending", "conditions": conditions("False", "ContainersNotReady"),
        "initContainerStatuses": [init], "containerStatuses": [app],
    });
    said(
        place,
        json!({"initContainers": [{"name": "migrate", "image": IMAGE}]}),
        Said { status, events: Vec::new() },
    )
}

fn readiness(place: &Place) -> Plan {
    let running = json!({"started": true, "state": {"running": {"startedAt": ago(9)}}});
    let told = "Readiness probe failed: HTTP probe failed with statuscode: 503".to_owned();
    container(place, "Running", json!({}), running, vec![("Unhealthy", told)])
}

fn liveness(place: &Place) -> Plan {
    let running = json!({"started": true, "restartCount": 5, "state": {"running": {"startedAt": ago(1)}}, "lastState": ended(137, "Error", "")});
    let probe = "Liveness probe failed: Get \"http://10.1.2.3:8080/live\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
    let killing = "Container app failed liveness probe, will be restarted";
    container(
        place,
        "Running",
        json!({}),
        running,
        vec![("Unhealthy", probe.to_owned()), ("Killing", killing.to_owned())],
    )
}

/// A pod on its own: a ReplicaSet would make another one in its place.
fn failed(place: &Place, reason: &str, message: &str) -> Plan {
    let mut pod = place.pods(Some(UNTOUCHED), json!({}));
    pod["metadata"]["labels"] = json!({"app": place.name});
    let conditions = conditions("False", "PodFailed");
    let status = json!({"phase": "Failed", "reason": reason, "message": message, "conditions": conditions});
    let said = Said { status, events: Vec::new() };
    Plan { pods: 1, said: Some(said), ..Plan::of([place.object("v1/pods", pod)]) }
}

fn evicted(place: &Place) -> Plan {
    failed(
        place,
        "Evicted",
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 90Mi. ",
    )
}

fn shutdown(place: &Place) -> Plan {
    failed(place, "Terminated", "Pod was terminated in response to imminent node shutdown.")
}

/// Pods whose containers are not made, and an event that says why.
fn uncreated(place: &Place, reason: &'static str, message: &str) -> Plan {
    let waiting = json!({"state": {"waiting": {"reason": "ContainerCreating"}}});
    container(place, "Pending", json!({}), waiting, vec![(reason, message.to_owned())])
}

fn attached(place: &Place) -> Plan {
    let told = "Multi-Attach error for volume \"pvc-0a1b2c3d\" Volume is already exclusively attached to one node and can't be attached to another";
    uncreated(place, "FailedAttachVolume", told)
}

fn mount(place: &Place) -> Plan {
    let told = "MountVolume.SetUp failed for volume \"share\" : mount failed: exit status 32 mount.nfs: Connection timed out";
    uncreated(place, "FailedMount", told)
}

fn sandbox(place: &Place) -> Plan {
    let told = "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox: plugin type=\"bridge\" failed (add): failed to allocate for range 0: no IP addresses available in range set: 10.1.0.1-10.1.0.254";
    uncreated(place, "FailedCreatePodSandBox", told)
}

/// kwok plays the pods' end; that the job gives up is its controller's own doing.
fn backoff(place: &Place) -> Plan {
    let template = place.pods(Some("error"), json!({"restartPolicy": "Never"}));
    Plan::of([place.object("batch/v1/jobs", json!({"spec": {"backoffLimit": 0, "template": template}}))])
}

/// It last ran three years ago, and its runs may be late by a minute.
fn missed(place: &Place) -> Plan {
    let spec = json!({
        "schedule": "0 0 1 1 *", "startingDeadlineSeconds": 60,
        "jobTemplate": {"spec": {"template": place.pods(Some(UNTOUCHED), json!({"restartPolicy": "Never"}))}},
    });
    let status = json!({"status": {"lastScheduleTime": ago(3 * 365 * 24 * 60)}});
    let path = format!("{}/{}/status", place.path("batch/v1/cronjobs"), place.name);
    Plan {
        patches: vec![(path, status)],
        ..Plan::of([place.object("batch/v1/cronjobs", json!({"spec": spec}))])
    }
}

/// A node of which kwok says once that it is ready, and nothing after that.
fn node(place: &Place, spec: Value, conditions: Value) -> Plan {
    let name = place.global();
    let node = Planted {
        path: "/api/v1/nodes".to_owned(),
        object: json!({"metadata": {"name": name, "annotations": {"seed.kubeplex.dev/address": "10.200.0.1", FATE: UNTOUCHED}}, "spec": spec}),
    };
    let info = json!({"kubeletVersion": "v1.37.2", "architecture": "amd64", "operatingSystem": "linux", "osImage": "planted",
                      "kernelVersion": "6", "containerRuntimeVersion": "containerd://2", "bootID": "b", "machineID": "m",
                      "systemUUID": "s", "kubeProxyVersion": ""});
    let status = json!({"status": {"nodeInfo": info, "conditions": conditions}});
    let path = format!("/api/v1/nodes/{name}/status");
    Plan { patches: vec![(path, status)], asked: Some(("nodes", name)), ..Plan::of([node]) }
}

fn is(name: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({"type": name, "status": status, "reason": reason, "message": message, "lastTransitionTime": ago(5), "lastHeartbeatTime": ago(0)})
}

fn lost_node(place: &Place) -> Plan {
    let silent = is("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.");
    let mut plan = node(place, json!({}), json!([silent]));
    let running = json!({"name": "app", "image": IMAGE, "imageID": "", "ready": false, "restartCount": 0, "state": {"running": {"startedAt": ago(60)}}});
    let status =
        json!({"phase": "Running", "conditions": conditions("False", ""), "containerStatuses": [running]});
    let tolerations = json!([{"operator": "Exists"}]);
    plan.objects.push(place.deployment(
        2,
        Some(UNTOUCHED),
        json!({"nodeName": place.global(), "tolerations": tolerations}),
    ));
    Plan { pods: 2, said: Some(Said { status, events: Vec::new() }), ..plan }
}

fn full_disk(place: &Place) -> Plan {
    let ready = is("Ready", "True", "KubeletReady", "kubelet is posting ready status");
    node(
        place,
        json!({}),
        json!([is("DiskPressure", "True", "KubeletHasDiskPressure", "kubelet has disk pressure"), ready]),
    )
}

fn cordoned(place: &Place) -> Plan {
    let taint =
        json!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": ago(7 * 60)});
    let ready = is("Ready", "True", "KubeletReady", "kubelet is posting ready status");
    node(place, json!({"unschedulable": true, "taints": [taint]}), json!([ready]))
}
