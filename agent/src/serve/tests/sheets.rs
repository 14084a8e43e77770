//! Descriptions, as the service composes them.

use kubeplex_proto::gather::GatherFrame;
use kubeplex_proto::sheet::{Sheet, SheetRequest};
use kubeplex_proto::visibility::{Reach, VisibilityRule};
use serde_json::json;

use super::*;

/// A deployment with one pod that fails, behind a service, that mounts one map that is there and one that is not.
fn apply(sim: &SimCluster) {
    let owner = |kind: &str, name: &str, uid: &str| json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid, "controller": true}]);
    let labels = json!({"app": "described"});
    let pod_spec = json!({
        "volumes": [{"name": "a", "configMap": {"name": "there"}}, {"name": "b", "configMap": {"name": "gone"}}],
        "containers": [{"name": "app", "image": "described:1",
            "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}}}],
    });
    let mut placed = pod_spec.clone();
    placed["nodeName"] = json!("n1");
    let uid = |kind: &str| format!("00000000-0000-4000-8000-0000000000{kind}");
    let (deployment, set, pod) = (uid("01"), uid("02"), uid("03"));
    for object in [
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "there", "namespace": "shop"}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "described", "namespace": "shop", "uid": deployment},
            "spec": {"replicas": 1, "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod_spec}}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "described", "namespace": "shop"},
            "spec": {"selector": labels, "ports": [{"port": 80}]}}),
    ] {
        sim.apply(object).unwrap();
    }
    let uid_of = |group: &str, resource: &str| {
        let object = sim.object(&simcluster::Gvr::new(group, "v1", resource), "shop", "described").unwrap();
        object["metadata"]["uid"].as_str().unwrap().to_owned()
    };
    let deployment = uid_of("apps", "deployments");
    let mut replicas = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": "described", "namespace": "shop", "uid": set, "ownerReferences": owner("Deployment", "described", &deployment)},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}}, "status": {"readyReplicas": 0}});
    replicas["spec"]["template"] = json!({"metadata": {"labels": labels}, "spec": placed});
    sim.apply(replicas).unwrap();
    let set = uid_of("apps", "replicasets");
    sim.apply(json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "described-1", "namespace": "shop", "uid": pod, "labels": labels,
            "ownerReferences": owner("ReplicaSet", "described", &set)},
        "spec": placed, "status": {"phase": "Running", "containerStatuses": [{"name": "app", "ready": false,
            "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}}))
        .unwrap();
}

impl World {
    async fn sheet(&self, visibility: Visibility) -> Vec<Sheet> {
        let request = SheetRequest {
            context: CallContext { visibility, ..context() },
            kind: "deployments.apps".parse().unwrap(),
            version: None,
            namespaces: vec![Pattern::new("shop")],
            names: vec![Pattern::new("described")],
            limit: 5,
        };
        let frames = self.ask::<GatherFrame<Sheet>>(paths::SHEET, &request).await.unwrap();
        let items = frames.into_iter().filter_map(|frame| match frame {
            GatherFrame::Items(items) => Some(items),
            GatherFrame::Head(_) | GatherFrame::End(_) => None,
        });
        items.flatten().collect()
    }
}

fn told(relatives: &kubeplex_proto::sheet::Relatives) -> Vec<String> {
    let relatives = relatives.shown.iter();
    relatives
        .map(|relative| {
            format!("{}/{} {}", relative.kind, relative.name, relative.state).trim_end().to_owned()
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_workload_is_described_with_what_is_around_it() {
    let world = World::start();
    apply(&world.sim);
    let sheets = world.sheet(Visibility::everything()).await;
    let [sheet] = sheets.as_slice() else { panic!("{sheets:?}") };
    assert_eq!(sheet.object["spec"]["replicas"], 1);
    assert_eq!(
        told(&sheet.children),
        ["replicaset/described 0/1 ready", "pod/described-1 CrashLoopBackOff 0/1, 4 restarts"]
    );
    assert_eq!(told(&sheet.uses), ["configmap/gone missing", "configmap/there"]);
    assert!(told(&sheet.selected_by)[0].starts_with("service/described "), "{:?}", sheet.selected_by);
    let usage = sheet.usage.as_ref().unwrap();
    assert_eq!((usage.requested.cpu_milli, usage.limits.memory_bytes >> 20), (100, 128));
}

#[tokio::test(start_paused = true)]
async fn of_what_the_caller_may_not_see_nothing_is_told() {
    let world = World::start();
    apply(&world.sim);
    let only = |kinds: &[&str]| {
        let kinds = Reach::Only(kinds.iter().map(|kind| Pattern::new(*kind)).collect());
        Visibility::of(vec![VisibilityRule::of(kinds, Reach::All)])
    };
    let sheets = world.sheet(only(&["deployments.apps"])).await;
    let [sheet] = sheets.as_slice() else { panic!("{sheets:?}") };
    assert_eq!(
        (told(&sheet.children), told(&sheet.uses), told(&sheet.selected_by)),
        (vec![], vec![], vec![])
    );
    assert_eq!((&sheet.usage, sheet.events.len()), (&None, 0));
    let sheets = world.sheet(only(&["deployments.apps", "replicasets.apps"])).await;
    assert_eq!(told(&sheets[0].children), ["replicaset/described 0/1 ready"]);
    assert!(world.sheet(only(&["pods"])).await.is_empty());
}
