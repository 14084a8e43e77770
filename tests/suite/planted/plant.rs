//! Planting faults in a cluster, and taking them out again.

use kubeplex_tests::server::{Server, text};
use kubeplex_tests::wait;
use serde_json::{Value, json};

use super::fault::{Fault, Lasting, Place, Plan, Planted, Said, ago};

/// All namespaces of faults begin so, and so does whatever of them has none.
pub(super) const PREFIX: &str = "planted-";

/// Kinds of which faults make objects outside of namespaces.
const GLOBAL: [&str; 5] = [
    "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
    "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    "/apis/storage.k8s.io/v1/storageclasses",
    "/api/v1/nodes",
];
const APIS: &str = "/apis/apiregistration.k8s.io/v1/apiservices/v1.planted.kubeplex.dev";

pub(super) async fn namespace(server: &Server, name: &str) {
    let namespace = json!({"metadata": {"name": name}});
    server.create("/api/v1/namespaces", namespace).await;
}

/// Does what the fault's plan says, and returns what is asked of it.
pub(super) async fn plant(server: &Server, namespace: &str, fault: &Fault) -> Option<(&'static str, String)> {
    let place = Place { namespace: namespace.to_owned(), name: fault.name };
    let plan = (fault.plan)(&place);
    create(server, plan.objects).await;
    for (path, patch) in &plan.patches {
        node_is_known(server, path).await;
        server.merge(path, patch).await;
    }
    for planted in plan.once_refused {
        refused(server, &place, &planted).await;
        create(server, vec![planted]).await;
    }
    if let Some(said) = &plan.said {
        say(server, &place, plan.pods, said).await;
    }
    for path in &plan.deleted {
        server.delete(path).await;
    }
    plan.asked
}

/// Waits until a controller has come to what is to last, and puts back when it did. It keeps the time of a condition that
/// stays as it is.
pub(super) async fn make_last(server: &Server, namespace: &str, fault: &Fault) {
    let place = Place { namespace: namespace.to_owned(), name: fault.name };
    let Some(lasting) = (fault.plan)(&place).lasting else { return };
    let Lasting { path, condition, reason, minutes } = lasting;
    let mut conditions = wait::until("a controller to come to a condition", async || {
        let conditions = server.get(&path).await["status"]["conditions"].clone();
        let is = |at: &Value| at["type"] == condition && at["status"] == "True" && at["reason"] == reason;
        let there = conditions.as_array().is_some_and(|conditions| conditions.iter().any(is));
        if there { Ok(conditions) } else { Err(conditions) }
    })
    .await;
    for entry in conditions.as_array_mut().into_iter().flatten().filter(|entry| entry["type"] == condition) {
        entry["lastTransitionTime"] = ago(minutes).into();
    }
    server.merge(&format!("{path}/status"), &json!({"status": {"conditions": conditions}})).await;
}

/// The objects that are as they should be.
pub(super) async fn sow(server: &Server, plan: Plan) {
    create(server, plan.objects).await;
}

async fn create(server: &Server, objects: Vec<Planted>) {
    for Planted { path, object } in objects {
        server.create(&path, object).await;
    }
}

/// kwok says once that a new node is ready, and must not say so after what is written of it.
async fn node_is_known(server: &Server, path: &str) {
    let Some(node) = path.strip_suffix("/status").filter(|path| path.starts_with("/api/v1/nodes/")) else {
        return;
    };
    wait::until("kwok to play the node", async || {
        let node = server.get(node).await;
        let version = text(&node["status"]["nodeInfo"]["kubeletVersion"]);
        if version.is_empty() { Err(node["status"].clone()) } else { Ok(()) }
    })
    .await;
}

/// Waits until a pod of a deployment is refused.
async fn refused(server: &Server, place: &Place, deployment: &Planted) {
    let mut pod = deployment.object["spec"]["template"].clone();
    pod["metadata"]["generateName"] = "refused-".into();
    let path = format!("{}?dryRun=All", place.path("v1/pods"));
    wait::until("a pod to be refused", async || match server.try_create(&path, pod.clone()).await {
        Ok(_) => Err("it was taken"),
        Err(_) => Ok(()),
    })
    .await;
}

/// Writes what a kubelet would say of pods that have a node.
async fn say(server: &Server, place: &Place, pods: usize, said: &Said) {
    let path = place.path("v1/pods");
    let selected = format!("{path}?labelSelector=app%3D{}", place.name);
    let pods = wait::until("pods to have a node", async || {
        let there = server.list(&selected).await;
        let bound = there.iter().filter(|pod| !text(&pod["spec"]["nodeName"]).is_empty()).count();
        if bound == pods { Ok(there) } else { Err(bound) }
    })
    .await;
    for pod in pods {
        let name = text(&pod["metadata"]["name"]);
        server.merge(&format!("{path}/{name}/status"), &json!({"status": said.status})).await;
        for (reason, message) in &said.events {
            server.create(&place.path("v1/events"), event(&pod, reason, message)).await;
        }
    }
}

/// As a kubelet records it.
fn event(pod: &Value, reason: &str, message: &str) -> Value {
    let metadata = &pod["metadata"];
    json!({
        "metadata": {"generateName": format!("{}.", text(&metadata["name"]))},
        "involvedObject": {
            "apiVersion": "v1", "kind": "Pod", "namespace": metadata["namespace"], "name": metadata["name"],
            "uid": metadata["uid"], "fieldPath": "spec.containers{app}",
        },
        "type": "Warning", "reason": reason, "message": message, "count": 4,
        "firstTimestamp": ago(4), "lastTimestamp": ago(0),
        "source": {"component": "kubelet", "host": pod["spec"]["nodeName"]},
    })
}

/// Takes everything out of the cluster that faults have put into it.
pub(super) async fn clear(server: &Server) {
    server.delete(APIS).await;
    for path in GLOBAL {
        for name in planted(server, path).await {
            server.delete(&format!("{path}/{name}")).await;
        }
    }
    let namespaces = "/api/v1/namespaces";
    for name in planted(server, namespaces).await {
        let maps = format!("{namespaces}/{name}/configmaps");
        for map in server.list(&maps).await {
            if map["metadata"]["finalizers"].is_array() {
                let path = format!("{maps}/{}", text(&map["metadata"]["name"]));
                server.merge(&path, &json!({"metadata": {"finalizers": null}})).await;
            }
        }
        server.delete(&format!("{namespaces}/{name}")).await;
        // Nobody says of pods on a node that is gone that they have ended.
        let pods = format!("{namespaces}/{name}/pods");
        for pod in server.list(&pods).await {
            server.delete(&format!("{pods}/{}", text(&pod["metadata"]["name"]))).await;
        }
    }
    wait::until("the namespaces to be gone", async || {
        let left = planted(server, namespaces).await;
        if left.is_empty() { Ok(()) } else { Err(left) }
    })
    .await;
}

async fn planted(server: &Server, path: &str) -> Vec<String> {
    let names = server.list(path).await.into_iter().map(|object| text(&object["metadata"]["name"]));
    names.filter(|name| name.starts_with(PREFIX)).collect()
}
