//! Lists: statuses, waiting, and what is hidden.

use kubeplex_proto::control::SyncState;
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
