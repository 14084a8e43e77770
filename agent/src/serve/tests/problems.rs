//! Problems: found when somebody asks, kept true as objects change, and shown to who may see them.

use kubeplex_proto::gather::{GatherFrame, GatherHead};
use kubeplex_proto::problems::{Problem, ProblemSeverity, ProblemsRequest};
use kubeplex_proto::status::LegStatus;
use kubeplex_proto::visibility::{Reach, VisibilityRule};
use serde_json::json;
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
