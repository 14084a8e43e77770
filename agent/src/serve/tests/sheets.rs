//! Descriptions, as the service composes them.

use kubeplex_proto::gather::GatherFrame;
use kubeplex_proto::sheet::{Sheet, SheetRequest};
use kubeplex_proto::sheet::{SheetLogs, SheetPattern};
use kubeplex_proto::visibility::{Reach, VisibilityRule};
use serde_json::json;
use simcluster::{Rule, Subject};

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
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "front", "namespace": "shop"},
            "spec": {"rules": [{"http": {"paths": [{"backend": {"service": {"name": "described"}}}]}}]}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "other", "namespace": "shop"},
            "spec": {"defaultBackend": {"service": {"name": "somewhere"}}}}),
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
            "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2099-01-01T00:00:00Z"}}}]}}))
        .unwrap();
}

fn request() -> SheetRequest {
    SheetRequest {
        context: context(),
        kind: "deployments.apps".parse().unwrap(),
        version: None,
        namespaces: vec![Pattern::new("shop")],
        names: vec![Pattern::new("described")],
        limit: 5,
        logs: false,
    }
}

impl World {
    async fn sheet(&self, visibility: Visibility) -> Vec<Sheet> {
        let context = CallContext { visibility, ..context() };
        self.sheets(&SheetRequest { context, ..request() }).await
    }

    async fn sheets(&self, request: &SheetRequest) -> Vec<Sheet> {
        let frames = self.ask::<GatherFrame<Sheet>>(paths::SHEET, request).await.unwrap();
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
async fn a_service_is_described_with_its_endpoints_and_what_leads_to_it() {
    let world = World::start();
    apply(&world.sim);
    let service = world.sim.object(&simcluster::Gvr::core("services"), "shop", "described").unwrap();
    let endpoint = |ready: bool| json!({"addresses": ["10.0.0.1"], "conditions": {"ready": ready}});
    let owner = json!([{"apiVersion": "v1", "kind": "Service", "name": "described", "uid": service["metadata"]["uid"]}]);
    world
        .sim
        .apply(json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": "described-x", "namespace": "shop", "ownerReferences": owner},
            "endpoints": [endpoint(true), endpoint(false)]}))
        .unwrap();
    let sheets = world.sheets(&SheetRequest { kind: "services".parse().unwrap(), ..request() }).await;
    let [sheet] = sheets.as_slice() else { panic!("{sheets:?}") };
    assert_eq!(
        told(&sheet.children),
        ["endpointslice/described-x 1/2 endpoints ready", "pod/described-1 CrashLoopBackOff 0/1, 4 restarts"]
    );
    assert_eq!(told(&sheet.selected_by), ["ingress/front"]);
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

#[tokio::test(start_paused = true)]
async fn errors_are_told_of_logs_that_the_caller_may_read() {
    let policy = acting_for_ann_and_bob()
        .grant(Subject::User("ann".into()), Rule::new("get", "pods/log").in_namespace("shop"));
    let world = World::of(SimConfig { policy, ..small() }, config());
    apply(&world.sim);
    let write = |line: &str| world.sim.write_log(["shop", "described-1", "app"], line);
    (0..3).for_each(|at| write(&format!("ERROR dial 10.0.0.{at}: no route, token=hunter{at}")));
    write("listening on 8080");
    write("panic: runtime error");
    let asked = SheetRequest { logs: true, ..request() };
    let sheets = world.sheets(&asked).await;
    let [Sheet { logs: Some(logs), not_told, .. }] = sheets.as_slice() else { panic!("{sheets:?}") };
    let counted = |pattern: &SheetPattern| {
        assert!(pattern.last_ms.is_some_and(|at| at > 0), "{pattern:?}");
        (pattern.count, pattern.text.clone())
    };
    assert_eq!(
        logs.patterns.iter().map(counted).collect::<Vec<_>>(),
        [
            (3, "ERROR dial <n>: no route, token=[redacted]".to_owned()),
            (1, "panic: runtime error".to_owned())
        ]
    );
    assert_eq!(
        (not_told.as_slice(), SheetLogs { patterns: vec![], ..logs.clone() }),
        (&[][..], SheetLogs { pods: 1, more_pods: 0, containers: 1, lines: 500, patterns: vec![], more: 0 })
    );
    let reads = world.asked("/log?");
    let is_short = |asked: &Asked| asked.caller() == Some("ann") && asked.uri.contains("tailLines=500");
    assert!(reads.len() == 1 && reads.iter().all(is_short), "{reads:?}");

    let mut of_bob = asked;
    of_bob.context.caller.user = "bob".into();
    let sheets = world.sheets(&of_bob).await;
    assert_eq!((&sheets[0].logs, told(&sheets[0].children).len()), (&None, 2), "the rest is told");
    let [why] = sheets[0].not_told.as_slice() else { panic!("{:?}", sheets[0].not_told) };
    assert!(why.starts_with("logs: bob may not get pods/log \"described-1\""), "{why}");
    world.sheet(Visibility::everything()).await;
    assert_eq!(world.asked("/log?").len(), 1, "nothing is read for bob, or where nobody asks for logs");

    let without = SheetRequest {
        kind: "configmaps".parse().unwrap(),
        names: vec![Pattern::new("there")],
        logs: true,
        ..request()
    };
    assert_eq!(world.sheets(&without).await[0].not_told, ["logs: it has no pods"]);
}
