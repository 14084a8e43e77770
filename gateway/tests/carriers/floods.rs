//! An agent that floods its gateway costs its own link.

use axum::Router;
use axum::body::Body;
use axum::routing::post;
use futures::{StreamExt as _, stream};
use kubeplex_gateway::fleet::LinkState;
use kubeplex_link::frames::encode;
use kubeplex_proto::PROTOCOL;
use kubeplex_proto::control::{AgentFrame, Hello, KindReport, Report, SyncState};
use kubeplex_proto::ids::{Epoch, InstanceId};
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::paths;

use crate::rig::{CLUSTER, Rig, TOKEN, cluster, dial_router, quick, within};

fn hello() -> AgentFrame {
    AgentFrame::Hello(Box::new(Hello {
        protocol: PROTOCOL,
        features: Vec::new(),
        agent_version: "flood".to_owned(),
        kubernetes_version: String::new(),
        cluster: cluster(),
        instance: InstanceId("flood".to_owned()),
        epoch: Epoch(0),
    }))
}

/// A report of a kind of its own, whose message is so long.
fn report(number: usize, bytes: usize) -> AgentFrame {
    let kind = GroupResource::new("example.com", format!("things{number}"));
    let message = Some("x".repeat(bytes));
    let kind =
        KindReport { kind, state: SyncState::Synced, revision: 1, objects: 1, age_ms: Some(0), message };
    AgentFrame::Report(Box::new(Report { kinds: vec![kind], ..Report::default() }))
}

/// Says hello, and then reports without an end.
fn flooding(bytes: usize) -> Router {
    let frames = move || {
        let reports = (0..).map(move |number| report(number, bytes));
        let frames = stream::iter(std::iter::once(hello()).chain(reports));
        async { Body::from_stream(frames.map(|frame| encode(&frame))) }
    };
    Router::new().route(paths::CONTROL, post(frames))
}

#[tokio::test]
async fn a_flood_of_reports_ends_its_link_and_leaves_little_behind() {
    for bytes in [0, 100_000] {
        within(async {
            let rig = Rig::listening(quick()).await;
            let mut flood = dial_router(flooding(bytes), TOKEN, rig.address()).await.unwrap();
            flood.ended.join_next().await.expect("a link that ends").unwrap().ok();
            rig.until(LinkState::Lost).await;
            let known: Vec<_> = rig.view().caches.reports().cloned().collect();
            assert!(!known.is_empty() && known.len() <= 1_000, "{} kinds", known.len());
            assert!(known.iter().all(|kind| kind.message.as_ref().is_none_or(|told| told.len() <= 1_024)));
            let _well = rig.dial(&rig.agent, TOKEN).await.unwrap();
            rig.until(LinkState::Connected).await;
            assert_eq!(rig.agent.speaker.cluster.as_str(), CLUSTER);
        })
        .await;
    }
}
