//! Problems: found when somebody asks, kept true as objects change, and shown to who may see them.

use kubeplex_proto::gather::{GatherFrame, GatherHead};
use kubeplex_proto::problems::{Problem, ProblemSeverity, ProblemsRequest};
use kubeplex_proto::status::LegStatus;
use kubeplex_proto::visibility::{Reach, VisibilityRule};
use serde_json::{Value, json};
use simcluster::{Gvr, Troubles};

use super::*;

fn problems() -> ProblemsRequest {
    ProblemsRequest {
        context: context(),
        kind: None,
        namespaces: vec![],
        names: vec![],
        since: None,
        until: None,
        severity: ProblemSeverity::Info,
        limit: 500,
    }
}

async fn told(world: &World, request: &ProblemsRequest) -> (GatherHead, Vec<Problem>) {
    let (mut head, mut problems) = (None, Vec::new());
    for frame in world.ask::<GatherFrame<Problem>>(paths::PROBLEMS, request).await.unwrap() {
        match frame {
            GatherFrame::Head(first) => head = Some(*first),
            GatherFrame::Items(items) => problems.extend(items),
            GatherFrame::End(end) => assert!(end.cut.is_none(), "{end:?}"),
        }
    }
    (head.unwrap(), problems)
}

/// `CrashLoop deployments.apps/fraud-detector`
fn lines(problems: &[Problem]) -> Vec<String> {
    let line =
        |problem: &Problem| format!("{} {}/{}", problem.cause, problem.subject.kind, problem.subject.name);
    problems.iter().map(line).collect()
}

const CRASH: &str = "CrashLoop deployments.apps/fraud-detector";

#[tokio::test(start_paused = true)]
async fn where_kinds_are_watched_on_demand_who_asks_gets_all_at_once() {
    let world = World::start();
    world.until(|world| world.agent.kinds().cluster().ready).await;
    assert!(world.asked("/pods").is_empty());
    assert_eq!(world.agent.kinds().cluster().problems, None, "nobody looks yet");
    let (head, found) = told(&world, &problems()).await;
    assert_eq!((head.status, head.message, head.total), (LegStatus::Ok, None, found.len() as u64));
    assert!(lines(&found).contains(&CRASH.to_owned()), "{:?}", lines(&found));
    let counts = world.agent.kinds().cluster().problems.unwrap();
    assert_eq!(counts.critical + counts.warning + counts.info, found.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn only_what_a_caller_may_see_is_told() {
    let world = World::start();
    let mut request = problems();
    let only = |namespace: &str| Reach::Only(vec![Pattern::new(namespace)]);
    request.context.visibility = Visibility::of(vec![VisibilityRule::of(Reach::All, only("search"))]);
    let (head, found) = told(&world, &request).await;
    assert_eq!(head.status, LegStatus::Ok);
    assert!(
        !found.is_empty()
            && found.iter().all(|problem| problem.subject.namespace.as_deref() == Some("search"))
    );
    request.context.visibility = Visibility::nothing();
    assert_eq!(told(&world, &request).await.1, []);
}

#[tokio::test(start_paused = true)]
async fn a_healthy_cluster_has_none_and_what_breaks_and_heals_shows_at_once() {
    let world =
        World::of(SimConfig { troubles: Troubles::None, ..small() }, config().with_watch(WatchMode::Builtin));
    world.until(|world| world.agent.kinds().cluster().ready).await;
    let (_, found) = told(&world, &problems()).await;
    assert_eq!(lines(&found), Vec::<String>::new());
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "never", "namespace": "shop", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"storageClassName": "no-such-class", "accessModes": ["ReadWriteOnce"]}, "status": {"phase": "Pending"}});
    world.sim.apply(claim).unwrap();
    let found = async |wanted: &[&str]| {
        let waiting = async {
            loop {
                let found = lines(&told(&world, &problems()).await.1);
                if found == wanted {
                    return;
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(HOUR, waiting).await.unwrap();
    };
    found(&["MissingStorageClass persistentvolumeclaims/never"]).await;
    let gvr = Gvr::new("", "v1", "persistentvolumeclaims");
    world.sim.delete(&gvr, "shop", "never").unwrap();
    found(&[]).await;
}

#[tokio::test(start_paused = true)]
async fn a_workload_is_asked_for_with_what_is_there_for_it() {
    let world = World::of(SimConfig { troubles: Troubles::None, ..small() }, config());
    let labels = json!({"app": "asked"});
    let of = |version: &str, kind: &str, name: &str, spec: Value, status: Value| {
        json!({"apiVersion": version, "kind": kind, "spec": spec, "status": status,
            "metadata": {"name": name, "namespace": "shop", "creationTimestamp": "2026-01-01T00:00:00Z"}})
    };
    let pods = json!({"containers": [{"name": "app", "image": "asked:1"}],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "asked-data"}}]});
    let template = json!({"metadata": {"labels": labels}, "spec": pods});
    let at_maximum = json!([{"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas",
        "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z"}]);
    let scaler = |name: &str, target: &str| {
        of(
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            name,
            json!({"maxReplicas": 5, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}}),
            json!({"currentReplicas": 5, "conditions": at_maximum}),
        )
    };
    let backend =
        |name: &str| json!({"path": "/", "backend": {"service": {"name": name, "port": {"number": 80}}}});
    for object in [
        of(
            "apps/v1",
            "Deployment",
            "asked",
            json!({"replicas": 0, "selector": {"matchLabels": labels}, "template": template}),
            json!({}),
        ),
        scaler("asked-scaler", "asked"),
        scaler("other-scaler", "other"),
        of(
            "policy/v1",
            "PodDisruptionBudget",
            "asked-budget",
            json!({"minAvailable": 2, "selector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["asked"]}]}}),
            json!({"expectedPods": 2, "desiredHealthy": 2, "currentHealthy": 2, "disruptionsAllowed": 0}),
        ),
        of(
            "v1",
            "PersistentVolumeClaim",
            "asked-data",
            json!({"storageClassName": "no-such-class", "accessModes": ["ReadWriteOnce"]}),
            json!({"phase": "Pending"}),
        ),
        of("v1", "Service", "asked-service", json!({"selector": labels, "ports": [{"port": 80}]}), json!({})),
        of(
            "networking.k8s.io/v1",
            "Ingress",
            "asked-ingress",
            json!({"rules": [{"http": {"paths": [backend("asked-service"), backend("gone")]}}]}),
            json!({}),
        ),
    ] {
        world.sim.apply(object).unwrap();
    }
    let asked = ProblemsRequest {
        kind: Some("deployments.apps".parse().unwrap()),
        names: vec![Pattern::new("asked")],
        ..problems()
    };
    let mut found = lines(&told(&world, &asked).await.1);
    found.sort();
    assert_eq!(
        found,
        [
            "AutoscalerAtMaximum horizontalpodautoscalers.autoscaling/asked-scaler",
            "BudgetBlocksDrains poddisruptionbudgets.policy/asked-budget",
            "IngressServiceMissing ingresses.networking.k8s.io/asked-ingress",
            "MissingStorageClass persistentvolumeclaims/asked-data",
        ]
    );
    let only = |kind: &str| VisibilityRule::of(Reach::Only(vec![Pattern::new(kind)]), Reach::All);
    let seeing = |kinds: &[&str]| {
        let visibility = Visibility::of(kinds.iter().map(|kind| only(kind)).collect());
        ProblemsRequest { context: CallContext { visibility, ..context() }, ..asked.clone() }
    };
    let scalers = "horizontalpodautoscalers.autoscaling";
    assert_eq!(lines(&told(&world, &seeing(&["deployments.apps", scalers])).await.1), found[..1]);
    // Who may not see a workload finds out nothing by its name.
    assert_eq!(told(&world, &seeing(&[scalers])).await.1, []);
}

#[tokio::test(start_paused = true)]
async fn what_a_finalizer_holds_is_found_of_any_kind_that_is_watched() {
    let world = World::of(SimConfig { troubles: Troubles::None, ..small() }, config());
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"}, "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}]}});
    let widget = |name: &str, finalizers: Value| {
        json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name, "namespace": "shop",
            "creationTimestamp": "2026-01-01T00:00:00Z", "deletionTimestamp": "2026-01-01T01:00:00Z", "finalizers": finalizers}})
    };
    world.sim.apply(definition).unwrap();
    world.sim.apply(widget("held", json!(["example.com/cleanup"]))).unwrap();
    let held = "DeletionHeld widgets.example.com/held";
    assert_eq!(
        lines(&told(&world, &problems()).await.1),
        Vec::<String>::new(),
        "nobody watches the kind yet"
    );
    let asked = ProblemsRequest { kind: Some("widgets.example.com".parse().unwrap()), ..problems() };
    let (head, found) = told(&world, &asked).await;
    assert_eq!((lines(&found), head.message), (vec![held.to_owned()], None));
    assert!(found[0].message.contains("the finalizer example.com/cleanup holds it"), "{}", found[0].message);
    assert_eq!(lines(&told(&world, &problems()).await.1), [held]);
    world.sim.apply(widget("held", json!([]))).unwrap();
    let waiting = async {
        while !told(&world, &problems()).await.1.is_empty() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(HOUR, waiting).await.unwrap();
}
