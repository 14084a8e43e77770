//! Workloads that keep running: deployments and what they are made of.

use serde_json::Value;

use super::field::{
    NONE, containers, images, integer, labels, list, number, selector, selector_or_none, text,
};
use super::{AGE, Entry, NAME, narrow, wide};

const TEMPLATE: &str = "/spec/template/spec";
const CONTAINERS: Entry = wide("Containers", |workload| containers(workload, TEMPLATE));
const IMAGES: Entry = wide("Images", |workload| images(workload, TEMPLATE));
const SELECTOR: Entry = wide("Selector", |workload| selector_or_none(workload, "/spec/selector"));
const DESIRED: Entry = narrow("Desired", |set| integer(set, "/spec/replicas"));
const CURRENT: Entry = narrow("Current", |set| integer(set, "/status/replicas"));
const READY: Entry = narrow("Ready", |set| integer(set, "/status/readyReplicas"));
const READY_OF_DESIRED: Entry = narrow("Ready", |workload| {
    format!("{}/{}", number(workload, "/status/readyReplicas"), number(workload, "/spec/replicas")).into()
});

const DEPLOYMENTS: &[Entry] = &[
    NAME,
    READY_OF_DESIRED,
    narrow("Up-to-date", |deployment| integer(deployment, "/status/updatedReplicas")),
    narrow("Available", |deployment| integer(deployment, "/status/availableReplicas")),
    AGE,
    CONTAINERS,
    IMAGES,
    wide("Selector", |deployment| selector(deployment, "/spec/selector").into()),
];

const REPLICA_SETS: &[Entry] = &[NAME, DESIRED, CURRENT, READY, AGE, CONTAINERS, IMAGES, SELECTOR];

const REPLICATION_CONTROLLERS: &[Entry] = &[
    NAME,
    DESIRED,
    CURRENT,
    READY,
    AGE,
    CONTAINERS,
    IMAGES,
    wide("Selector", |controller| labels(controller, "/spec/selector").into()),
];

const STATEFUL_SETS: &[Entry] = &[NAME, READY_OF_DESIRED, AGE, CONTAINERS, IMAGES];

const DAEMON_SETS: &[Entry] = &[
    NAME,
    narrow("Desired", |set| integer(set, "/status/desiredNumberScheduled")),
    narrow("Current", |set| integer(set, "/status/currentNumberScheduled")),
    narrow("Ready", |set| integer(set, "/status/numberReady")),
    narrow("Up-to-date", |set| integer(set, "/status/updatedNumberScheduled")),
    narrow("Available", |set| integer(set, "/status/numberAvailable")),
    narrow("Node Selector", |set| labels(set, "/spec/template/spec/nodeSelector").into()),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

const CONTROLLER_REVISIONS: &[Entry] = &[
    NAME,
    narrow("Controller", |revision| controller(revision).into()),
    narrow("Revision", |revision| integer(revision, "/revision")),
    AGE,
];

const POD_TEMPLATES: &[Entry] = &[
    NAME,
    narrow("Containers", |template| containers(template, "/template/spec")),
    narrow("Images", |template| images(template, "/template/spec")),
    narrow("Pod Labels", |template| labels(template, "/template/metadata/labels").into()),
];

pub(super) fn entries(group: &str, resource: &str) -> Option<&'static [Entry]> {
    Some(match (group, resource) {
        ("apps", "deployments") => DEPLOYMENTS,
        ("apps", "replicasets") => REPLICA_SETS,
        ("apps", "statefulsets") => STATEFUL_SETS,
        ("apps", "daemonsets") => DAEMON_SETS,
        ("apps", "controllerrevisions") => CONTROLLER_REVISIONS,
        ("", "replicationcontrollers") => REPLICATION_CONTROLLERS,
        ("", "podtemplates") => POD_TEMPLATES,
        _ => return None,
    })
}

/// `daemonset.apps/agent`: the owner that is the controller.
fn controller(object: &Value) -> String {
    let owners = list(object, "/metadata/ownerReferences");
    let Some(owner) = owners.iter().find(|owner| owner["controller"] == true) else { return NONE.to_owned() };
    let kind = text(owner, "/kind").to_lowercase();
    let kind = match text(owner, "/apiVersion").split_once('/') {
        Some((group, _)) => format!("{kind}.{}", group.to_lowercase()),
        None => kind,
    };
    format!("{kind}/{}", text(owner, "/name"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_names, named};

    #[test]
    fn columns_are_the_servers() {
        let wide = "[Containers], [Images], [Selector]";
        check_names("deployments.apps", &format!("Name, Ready, Up-to-date, Available, Age, {wide}"));
        for set in ["replicasets.apps", "replicationcontrollers"] {
            check_names(set, &format!("Name, Desired, Current, Ready, Age, {wide}"));
        }
        check_names("statefulsets.apps", "Name, Ready, Age, [Containers], [Images]");
        check_names(
            "daemonsets.apps",
            &format!("Name, Desired, Current, Ready, Up-to-date, Available, Node Selector, Age, {wide}"),
        );
        check_names("controllerrevisions.apps", "Name, Controller, Revision, Age");
        check_names("podtemplates", "Name, Containers, Images, Pod Labels");
    }

    #[test]
    fn deployments_and_sets() {
        let workload = named(
            "w",
            json!({
                "spec": {
                    "replicas": 3,
                    "selector": {"matchLabels": {"app": "w"}},
                    "template": {"spec": {"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:2"}]}},
                },
                "status": {"replicas": 4, "readyReplicas": 2, "updatedReplicas": 1, "availableReplicas": 2},
            }),
        );
        let wide = json!({"containers": "a,b", "images": "a:1,b:2", "selector": "app=w"});
        check("deployments.apps", &workload, &json!({"ready": "2/3", "upToDate": 1, "available": 2}));
        check("deployments.apps", &workload, &wide);
        check("replicasets.apps", &workload, &json!({"desired": 3, "current": 4, "ready": 2}));
        check("replicasets.apps", &workload, &wide);
        check("statefulsets.apps", &workload, &json!({"ready": "2/3", "age": 100_000}));
        let idle = named("w", json!({"spec": {"replicas": 0}, "status": {}}));
        check("deployments.apps", &idle, &json!({"ready": "0/0", "upToDate": 0, "selector": ""}));
        check("replicasets.apps", &idle, &json!({"selector": "<none>"}));
    }

    #[test]
    fn daemon_sets() {
        let set = named(
            "d",
            json!({
                "spec": {"template": {"spec": {"nodeSelector": {"disk": "ssd", "arch": "arm64"}}}},
                "status": {"desiredNumberScheduled": 5, "currentNumberScheduled": 4, "numberReady": 3,
                           "updatedNumberScheduled": 2, "numberAvailable": 1},
            }),
        );
        check(
            "daemonsets.apps",
            &set,
            &json!({"desired": 5, "current": 4, "ready": 3, "upToDate": 2, "available": 1,
                    "nodeSelector": "arch=arm64,disk=ssd"}),
        );
        check(
            "daemonsets.apps",
            &named("d", json!({})),
            &json!({"nodeSelector": "<none>", "containers": ""}),
        );
    }

    #[test]
    fn revisions_name_their_controller() {
        let owned = |api_version: &str| {
            let owner =
                json!({"apiVersion": api_version, "kind": "DaemonSet", "name": "agent", "controller": true});
            named("r", json!({"revision": 7, "metadata": {"ownerReferences": [{"kind": "Other"}, owner]}}))
        };
        check(
            "controllerrevisions.apps",
            &owned("apps/v1"),
            &json!({"controller": "daemonset.apps/agent", "revision": 7}),
        );
        check("controllerrevisions.apps", &owned("v1"), &json!({"controller": "daemonset/agent"}));
        check(
            "controllerrevisions.apps",
            &named("r", json!({})),
            &json!({"controller": "<none>", "revision": 0}),
        );
    }
}
