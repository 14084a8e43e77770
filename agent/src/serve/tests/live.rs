//! What the cache does not hold: live reads, shared, refused, cancelled.

use kubeplex_proto::status::{LegStatus, Source};
use simcluster::{Fault, FaultAction, Gvr, MetricsApi, Verb};

use super::*;
use crate::config::{Deny, LiveReads};

const METRICS: &str = "pods.metrics.k8s.io";

fn own_rights() -> World {
    World::of(small(), config().with_live_reads(LiveReads::Own))
}

#[tokio::test(start_paused = true)]
async fn a_kind_without_a_watch_is_read_live_and_filtered_like_any_other() {
    let world = own_rights();
    let answer = world.list(&list_of(METRICS)).await.unwrap();
    assert_eq!(
        (answer.head.status, answer.head.source),
        (LegStatus::Ok, Source::Live),
        "{:?}",
        answer.head.message
    );
    assert_eq!(answer.head.api_version, "metrics.k8s.io/v1beta1");
    assert!(answer.columns().contains(&"name"), "{:?}", answer.columns());
    assert!(answer.rows().count() > 10);

    let mut one = list_of(METRICS);
    one.namespaces = vec![Pattern::new("payments")];
    let payments = world.list(&one).await.unwrap();
    assert!(payments.rows().all(|row| row.key.namespace == "payments") && payments.head.total > 0);
    assert!(payments.head.total < answer.head.total);
    let mut hidden = list_of(METRICS);
    hidden.context.visibility = Visibility::nothing();
    assert_eq!(world.list(&hidden).await.unwrap().head.total, 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_denied_is_not_read_live_either() {
    let deny = Deny::new(vec![Pattern::new("nodes.metrics.k8s.io")], vec![Pattern::new("payments")]);
    let world = World::of(small(), config().with_live_reads(LiveReads::Own).with_deny(deny));
    let answer = world.list(&list_of(METRICS)).await.unwrap();
    assert!(answer.rows().count() > 5);
    assert!(answer.rows().all(|row| row.key.namespace != "payments"));
    let denied = world.list(&list_of("nodes.metrics.k8s.io")).await.unwrap();
    assert_eq!(denied.head.status, LegStatus::Forbidden);
}

#[tokio::test(start_paused = true)]
async fn another_live_read_is_another_revision() {
    let world = own_rights();
    let first = world.list(&list_of(METRICS)).await.unwrap().head.revision;
    sleep(Duration::from_secs(11)).await;
    assert_ne!(world.list(&list_of(METRICS)).await.unwrap().head.revision, first);
}

#[tokio::test(start_paused = true)]
async fn one_read_answers_its_caller_for_ten_seconds() {
    let world = own_rights();
    let request = list_of(METRICS);
    let answers = futures::future::join_all((0..20).map(|_| world.list(&request))).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().head.status == LegStatus::Ok));
    let reads = || world.sim.stats().count(Verb::List, METRICS);
    assert_eq!(reads(), 1);
    sleep(Duration::from_secs(9)).await;
    assert!(world.list(&request).await.unwrap().head.age_ms >= 9_000);
    assert_eq!(reads(), 1);
    sleep(Duration::from_secs(2)).await;
    world.list(&request).await.unwrap();
    assert_eq!(reads(), 2);
}

#[tokio::test(start_paused = true)]
async fn without_the_right_to_read_live_it_is_refused_in_words() {
    let world = World::of(small(), config().with_live_reads(LiveReads::Refused));
    let answer = world.list(&list_of(METRICS)).await.unwrap();
    assert_eq!((answer.head.status, answer.head.source), (LegStatus::Forbidden, Source::Live));
    assert!(answer.head.message.unwrap().contains("live_reads = \"refused\""));
    assert_eq!(world.sim.stats().count(Verb::List, METRICS), 0);
}

#[tokio::test(start_paused = true)]
async fn a_read_that_fails_is_said_and_tried_again_by_the_next_call() {
    let world = own_rights();
    for (code, status) in [(403, LegStatus::Forbidden), (404, LegStatus::Absent), (500, LegStatus::Error)] {
        let fault = Fault::new(FaultAction::Status { code, message: "no metrics today".into() });
        let fault = world.sim.faults().add(fault.verb(Verb::List).group("metrics.k8s.io"));
        let answer = world.list(&list_of(METRICS)).await.unwrap();
        assert_eq!(answer.head.status, status);
        assert!(code == 404 || answer.head.message.unwrap().contains("no metrics today"));
        world.sim.faults().remove(fault);
    }
    assert_eq!(world.list(&list_of(METRICS)).await.unwrap().head.status, LegStatus::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_server_without_tables_is_asked_for_objects() {
    let world = own_rights();
    let no_table = Fault::new(FaultAction::Status { code: 406, message: "no Table".into() });
    world.sim.faults().add(no_table.verb(Verb::List).group("metrics.k8s.io").times(1));
    let answer = world.list(&list_of(METRICS)).await.unwrap();
    assert_eq!((answer.head.status, answer.columns()), (LegStatus::Ok, vec!["name", "age"]));
    assert!(answer.rows().count() > 10);
}

#[tokio::test(start_paused = true)]
async fn an_aggregated_api_that_is_down_fails_its_own_kinds_only() {
    let sim = SimConfig { metrics_api: MetricsApi::Failing, ..small() };
    let world = World::of(sim, config().with_live_reads(LiveReads::Own));
    let answer = world.list(&list_of(METRICS)).await.unwrap();
    assert_eq!((answer.head.status, answer.rows().count()), (LegStatus::Error, 0));
    assert!(answer.head.message.is_some());
    assert_eq!(world.list(&list_of("nodes")).await.unwrap().head.status, LegStatus::Ok);
}

#[tokio::test(start_paused = true)]
async fn giving_up_reaches_the_api_server() {
    let world = own_rights();
    world.list(&list_of("nodes")).await.unwrap();
    world.sim.faults().add(Fault::new(FaultAction::Hang).verb(Verb::List).group("metrics.k8s.io"));
    let dropped_before = world.sim.stats().dropped_by_client;
    {
        let request = list_of(METRICS);
        let mut call = std::pin::pin!(world.list(&request));
        let asked = async { world.until(|world| world.sim.stats().count(Verb::List, METRICS) == 1).await };
        tokio::select! {
            _ = &mut call => panic!("answered in spite of the hang"),
            () = asked => {}
        }
    }
    world.until(|world| world.sim.stats().dropped_by_client > dropped_before).await;
}

#[tokio::test(start_paused = true)]
async fn a_read_that_hangs_ends_with_the_call() {
    let world = own_rights();
    world.sim.faults().add(Fault::new(FaultAction::Hang).verb(Verb::List).group("metrics.k8s.io"));
    let answer = world.list(&list_of(METRICS)).await.unwrap();
    assert_eq!(answer.head.status, LegStatus::Timeout);
    assert!(answer.head.message.is_some());
}

#[tokio::test(start_paused = true)]
async fn objects_of_such_a_kind_are_read_the_same_way() {
    let world = own_rights();
    let name = world.sim.objects(&Gvr::core("nodes"))[0]["metadata"]["name"].as_str().unwrap().to_owned();
    let answer = world.get(&get_of("nodes.metrics.k8s.io", "", &name)).await.unwrap();
    assert_eq!((answer.head.source, answer.objects.len()), (Source::Live, 1), "{:?}", answer.head);
    assert!(answer.objects[0].object["usage"]["cpu"].is_string());
}
