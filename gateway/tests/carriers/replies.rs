//! One call at a time: what comes back, and what a caller who leaves leaves behind.

use bytes::Bytes;
use kubeplex_gateway::carrier::{CarrierError, Frames};
use kubeplex_link::frames::FrameError;
use kubeplex_link::limits::REPLY_FRAME;
use kubeplex_proto::control::{ClusterReport, KindReport, Report, SyncState};
use kubeplex_proto::kind::{GroupResource, KindTable};
use kubeplex_proto::status::AgentErrorCode;
use kubeplex_test_support::control::AGENT_VERSION;
use kubeplex_test_support::kind;
use serde::Deserialize;

use crate::peer::{self, Peer};
use crate::rig::Rig;

#[derive(Debug, Deserialize)]
struct Row {
    n: u32,
}

async fn call(rig: &Rig, path: &'static str) -> Result<Frames, CarrierError> {
    rig.carrier().call(path, Bytes::from_static(b"{}")).await
}

/// All rows up to the end or the first error.
async fn rows(mut frames: Frames) -> (Vec<u32>, Option<CarrierError>) {
    let mut rows = Vec::new();
    while let Some(row) = frames.next::<Row>().await {
        match row {
            Ok(row) => rows.push(row.n),
            Err(error) => return (rows, Some(error)),
        }
    }
    (rows, None)
}

async fn idle(peer: &Peer) {
    peer.at_work.until("the agent is idle", |count| count == 0).await;
}

async fn busy(peer: &Peer) {
    peer.at_work.until("the agent is at work", |count| count > 0).await;
}

pub(crate) async fn frames_arrive_in_order(rig: Rig) {
    let (rows, error) = rows(call(&rig, peer::COUNT).await.unwrap()).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(rows, (1..=200).collect::<Vec<_>>());
}

pub(crate) async fn a_refusal_keeps_its_words(rig: Rig) {
    let Err(CarrierError::Refused(error)) = call(&rig, peer::REFUSE).await else { panic!("no refusal") };
    assert_eq!(error.code, AgentErrorCode::InvalidArgument);
    assert_eq!(error.message, "no column \"stauts\"");
    assert_eq!(error.hint.as_deref(), Some("status"));
}

pub(crate) async fn a_status_without_words_is_quoted(rig: Rig) {
    let Err(CarrierError::Unexplained { status, excerpt }) = call(&rig, peer::BARE_STATUS).await else {
        panic!("no error")
    };
    assert_eq!((status.as_u16(), excerpt.as_str()), (502, "<html>proxy</html>"));
    let Err(CarrierError::Unexplained { status, .. }) = call(&rig, "/no/such/path").await else {
        panic!("no error")
    };
    assert_eq!(status.as_u16(), 404);
}

pub(crate) async fn garbage_is_an_error(rig: Rig) {
    let (rows, error) = rows(call(&rig, peer::GARBAGE).await.unwrap()).await;
    assert_eq!(rows, [1]);
    assert!(matches!(error, Some(CarrierError::Frame(FrameError::Malformed { .. }))), "{error:?}");
}

pub(crate) async fn an_endless_frame_is_cut_off(rig: Rig) {
    let (_, error) = rows(call(&rig, peer::ENDLESS).await.unwrap()).await;
    let limit_reached = matches!(
        error,
        Some(CarrierError::Frame(FrameError::TooLong { limit })) if limit == REPLY_FRAME
    );
    assert!(limit_reached, "{error:?}");
    idle(&rig.agent).await;
}

pub(crate) async fn a_reply_that_breaks_is_not_taken_for_complete(rig: Rig) {
    // The end of a stream may overtake its beginning; either way it is no complete answer.
    let (rows, error) = match call(&rig, peer::BREAK).await {
        Ok(frames) => rows(frames).await,
        Err(error) => (Vec::new(), Some(error)),
    };
    assert!(rows.len() <= 1, "{rows:?}");
    let broken = matches!(error, Some(CarrierError::Broken(_) | CarrierError::Frame(FrameError::Broken(_))));
    assert!(broken, "{error:?}");
}

pub(crate) async fn dropping_a_reply_ends_its_handler(rig: Rig) {
    let mut frames = call(&rig, peer::FIRST_THEN_HANG).await.unwrap();
    assert_eq!(frames.next::<Row>().await.unwrap().unwrap().n, 1);
    busy(&rig.agent).await;
    drop(frames);
    idle(&rig.agent).await;
}

pub(crate) async fn dropping_a_call_ends_its_handler(rig: Rig) {
    tokio::select! {
        answer = call(&rig, peer::HANG) => panic!("answered: {:?}", answer.err()),
        () = busy(&rig.agent) => {}
    }
    idle(&rig.agent).await;
}

pub(crate) async fn a_panic_costs_one_call(rig: Rig) {
    let answer = call(&rig, peer::PANIC).await;
    assert!(matches!(answer, Err(CarrierError::Panicked | CarrierError::Broken(_))), "{:?}", answer.err());
    frames_arrive_in_order(rig).await;
}

pub(crate) async fn reports_reach_the_registry(rig: Rig) {
    let pods = GroupResource::new("", "pods");
    let report = |revision, objects| KindReport {
        kind: pods.clone(),
        state: SyncState::Synced,
        revision,
        objects,
        age_ms: Some(40),
        message: None,
    };
    let discovery =
        KindTable { kinds: vec![kind::pods()], failed_groups: vec![("metrics.k8s.io".into(), "503".into())] };
    rig.agent.speaker.report(Report {
        kinds: vec![report(7, 412)],
        discovery: Some(discovery.clone()),
        cluster: Some(ClusterReport { kubernetes_version: "v1.35.2".into(), nodes: 3, ..Default::default() }),
        ..Report::default()
    });
    rig.until_view(|view| view.caches.get(&pods).is_some()).await;
    let view = rig.view();
    assert_eq!(view.last_known_objects(&pods), Some(412));
    assert!(view.caches.age_ms(&pods) >= Some(40), "an age does not shrink on the way");
    assert_eq!(view.kinds.as_deref(), Some(&discovery));
    assert_eq!((view.report.nodes, &*view.agent_version), (3, AGENT_VERSION));
    assert_eq!(view.labels["region"], "eu");
    assert!(view.heard.is_some());

    // What a report does not mention stays; what it drops goes.
    rig.agent.speaker.report(Report { kinds: vec![report(8, 413)], ..Report::default() });
    rig.until_view(|view| view.last_known_objects(&pods) == Some(413)).await;
    assert_eq!(rig.view().report.nodes, 3);
    rig.agent.speaker.report(Report { dropped: vec![pods.clone()], ..Report::default() });
    rig.until_view(|view| view.caches.is_empty()).await;
}
