//! Lists: statuses, waiting, and what is hidden.

use kubeplex_proto::control::SyncState;
use kubeplex_proto::ids::InstanceId;
use kubeplex_proto::list::Known;
use kubeplex_proto::status::{AgentErrorCode, LegStatus, Source};
use simcluster::{Fault, FaultAction, Gvr, Policy, Rule, Subject, User, Verb};

use super::*;
use crate::config::Deny;

#[tokio::test(start_paused = true)]
async fn a_first_list_fills_the_cache_and_the_next_is_answered_from_it() {
    let world = World::start();
    let first = world.list(&list_of("pods")).await.unwrap();
    assert_eq!((first.head.status, first.head.source), (LegStatus::Ok, Source::Fill));
    assert_eq!(first.head.api_version, "v1");
    assert_eq!(first.columns(), ["name", "ready", "status", "restarts", "age"]);
    let pods = world.sim.count(&Gvr::core("pods"));
    assert!(pods > 128, "{pods} pods do not fill two frames");
    assert_eq!((first.head.total, first.rows().count()), (pods as u64, pods));
    assert!(first.frames.iter().all(|frame| frame.len() <= 64) && first.frames.len() > 2);
    assert!(first.rows().map(|row| (&row.key.namespace, &row.key.name)).is_sorted());
    assert_eq!(first.head.status_counts.values().sum::<u64>(), pods as u64);
    assert_eq!(first.end, ListEnd { more: false, cut: None });

    let second = world.list(&list_of("pods")).await.unwrap();
    assert_eq!((second.head.source, second.head.total), (Source::Cache, pods as u64));
    assert_eq!(world.sim.stats().count(Verb::List, "pods") + world.sim.stats().count(Verb::Watch, "pods"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_page_ends_at_its_limit() {
    let world = World::start();
    let page = world.list(&ListRequest { limit: 10, ..list_of("pods") }).await.unwrap();
    assert_eq!((page.rows().count(), page.end.more), (10, true));
    assert!(page.head.total > 10);
}

#[tokio::test(start_paused = true)]
async fn who_has_an_answer_that_is_still_right_gets_one_line() {
    let world = World::start();
    // The first answer is the one that fills the cache.
    world.list(&list_of("pods")).await.unwrap();
    let asked = list_of("pods");
    let answer = world.list(&asked).await.unwrap();
    let of = |instance: &InstanceId, revision| ListRequest {
        known: Some(Known { instance: instance.clone(), revision }),
        ..asked.clone()
    };
    let again = |revision| of(world.agent.instance(), revision);
    let frames = world.ask::<ListFrame>(paths::LIST, &again(answer.head.revision)).await.unwrap();
    let [ListFrame::Unchanged(unchanged)] = frames.as_slice() else { panic!("{frames:?}") };
    assert_eq!(unchanged.clock_offset_ms, answer.head.clock_offset_ms);
    assert!(unchanged.cluster_now_ms >= answer.head.cluster_now_ms);

    let stranger = InstanceId("somebody else".into());
    for other in [again(0), again(answer.head.revision + 1), of(&stranger, answer.head.revision)] {
        assert_eq!(world.list(&other).await.unwrap().rows().count(), answer.rows().count(), "{other:?}");
    }
    let mut pod = world.sim.objects(&Gvr::core("pods")).swap_remove(0);
    pod["metadata"]["labels"]["changed"] = "yes".into();
    world.sim.apply(pod).unwrap();
    world.until(|world| world.revision("pods") > answer.head.revision).await;
    let changed = world.list(&again(answer.head.revision)).await.unwrap();
    assert!(changed.head.revision > answer.head.revision);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_has_something_to_say_is_given_in_full() {
    let world = World::start();
    world.list(&list_of("pods")).await.unwrap();
    let revision = world.list(&list_of("pods")).await.unwrap().head.revision;
    let handle = world.agent.kinds().open(&list_of("pods").kind, None).await;
    let crate::kinds::Opened::Handle(handle) = handle else { panic!("pods are not watched") };
    for (state, message, status) in [
        (SyncState::Stale, Some("the watch ended".to_owned()), LegStatus::Stale),
        (SyncState::Synced, Some("one object could not be read".to_owned()), LegStatus::Ok),
    ] {
        handle.set_state(state, message.clone());
        let known = Some(Known { instance: world.agent.instance().clone(), revision });
        let again = ListRequest { known, ..list_of("pods") };
        let head = world.list(&again).await.unwrap().head;
        assert_eq!((head.revision, head.status, head.message), (revision, status, message));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_hidden_is_not_counted() {
    let world = World::start();
    let mut hidden = list_of("pods");
    hidden.context.visibility = Visibility::nothing();
    let answer = world.list(&hidden).await.unwrap();
    assert_eq!((answer.head.status, answer.head.total, answer.rows().count()), (LegStatus::Ok, 0, 0));
    assert!(answer.head.status_counts.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_kind_or_version_that_the_cluster_lacks_is_absent() {
    let world = World::start();
    let no_kind = world.list(&list_of("unicorns.example.com")).await.unwrap();
    assert_eq!((no_kind.head.status, no_kind.head.api_version.as_str()), (LegStatus::Absent, ""));
    let version = Some("v9".to_owned());
    let no_version = world.list(&ListRequest { version, ..list_of("pods") }).await.unwrap();
    assert_eq!(no_version.head.status, LegStatus::Absent);
}

#[tokio::test(start_paused = true)]
async fn a_denied_kind_is_forbidden_and_says_by_whom() {
    let deny = Deny::new(vec![Pattern::new("secrets")], vec![]);
    let world = World::of(small(), config().with_deny(deny));
    let answer = world.list(&list_of("secrets")).await.unwrap();
    assert_eq!(answer.head.status, LegStatus::Forbidden);
    assert!(answer.head.message.unwrap().contains("configuration keeps secrets out"));
}

#[tokio::test(start_paused = true)]
async fn what_the_agent_may_not_list_is_forbidden() {
    let agent = User::new("agent", &[]);
    let policy = Policy::enforced()
        .user(TOKEN, agent.clone())
        .grant(Subject::User(agent.name), Rule::new("get,list,watch", "nodes,namespaces"));
    let world = World::of(SimConfig { policy, ..small() }, config());
    let pods = world.list(&list_of("pods")).await.unwrap();
    assert_eq!((pods.head.status, pods.rows().count()), (LegStatus::Forbidden, 0));
    assert!(pods.head.message.is_some());
    assert_eq!(world.list(&list_of("nodes")).await.unwrap().head.status, LegStatus::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_hangs_is_syncing_before_the_caller_gives_up() {
    let world = World::start();
    world.list(&list_of("nodes")).await.unwrap();
    world.sim.faults().add(Fault::new(FaultAction::Hang).resource("pods"));
    let started = tokio::time::Instant::now();
    let answer = world.list(&list_of("pods")).await.unwrap();
    assert_eq!((answer.head.status, answer.rows().count()), (LegStatus::Syncing, 0));
    assert!(answer.head.message.is_some());
    let waited = started.elapsed();
    assert!(waited < Duration::from_secs(10) && waited > Duration::from_secs(9), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn rows_without_proof_that_they_are_current_are_stale() {
    let world = World::start();
    let before = world.list(&list_of("pods")).await.unwrap();
    world
        .sim
        .faults()
        .add(Fault::new(FaultAction::Status { code: 500, message: "down".into() }).resource("pods"));
    world.sim.faults().add(Fault::new(FaultAction::Freeze { after_events: 0 }).resource("pods"));
    let pods = list_of("pods").kind;
    world
        .until(|world| {
            let reports = world.agent.kinds().snapshot();
            reports.iter().any(|report| report.kind == pods && report.state == SyncState::Stale)
        })
        .await;
    let answer = world.list(&list_of("pods")).await.unwrap();
    assert_eq!((answer.head.status, answer.rows().count()), (LegStatus::Stale, before.rows().count()));
    assert!(answer.head.age_ms > 0 && answer.head.message.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_column_that_does_not_exist_is_an_argument_error() {
    let world = World::start();
    let fields = ColumnChoice::Fields(vec!["restart".into()]);
    let error = world.list(&ListRequest { columns: fields, ..list_of("pods") }).await.err().unwrap();
    assert_eq!(error.code, AgentErrorCode::InvalidArgument);
    assert!(error.message.contains("restart"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn many_at_once_are_all_answered() {
    let world = World::start();
    let request = list_of("pods");
    let answers = futures::future::join_all((0..300).map(|_| world.list(&request))).await;
    let pods = world.sim.count(&Gvr::core("pods"));
    assert!(answers.into_iter().all(|answer| answer.unwrap().rows().count() == pods));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_silent_from_the_start_is_not_waited_for_longer_than_the_call() {
    let sim = small();
    let world = World::of(sim, config());
    world.sim.faults().add(Fault::new(FaultAction::Hang));
    let mut request = list_of("pods");
    request.context.deadline_ms = 2_000;
    let answer = world.list(&request).await.unwrap();
    assert!(matches!(answer.head.status, LegStatus::Syncing | LegStatus::Error), "{:?}", answer.head);
    assert!(answer.head.message.is_some());
}
