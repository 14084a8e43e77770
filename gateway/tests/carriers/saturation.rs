//! Callers that do not read and callers that leave must not cost the link.

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use kubeplex_gateway::fleet::LinkState;
use kubeplex_link::limits::STREAMS;
use kubeplex_proto::control::{ClusterReport, Report};
use kubeplex_test_support::counter::Counter;

use crate::peer;
use crate::rig::Rig;

const UNREAD: usize = 16;
const CANCELLED: usize = 1_000;

pub(crate) async fn unread_replies_and_cancellations_leave_the_link_alone(rig: Rig) {
    let mut unread = Vec::new();
    for _ in 0..UNREAD {
        unread.push(rig.carrier().call(peer::BULK, Bytes::new()).await.unwrap());
    }
    // A third leave before the agent can have accepted, a third while it works, a third while the reply streams.
    let leaving: FuturesUnordered<_> = (0..CANCELLED).map(|nth| leave(&rig, nth)).collect();
    leaving.collect::<Vec<()>>().await;

    beats_go_on(rig.agent.speaker.beats()).await;
    rig.agent.speaker.report(Report {
        cluster: Some(ClusterReport { nodes: 5, ..Default::default() }),
        ..Report::default()
    });
    rig.until_view(|view| view.report.nodes == 5).await;
    assert_eq!(rig.view().link, LinkState::Connected);
    rig.agent.at_work.until("the cancelled are given up", |count| count <= UNREAD).await;

    for mut frames in unread {
        let mut received = 0;
        while let Some(frame) = frames.next::<String>().await {
            assert_eq!(frame.unwrap().len(), peer::BULK_FRAME - 3);
            received += 1;
        }
        assert_eq!(received, peer::BULK_FRAMES, "a reply that waited is complete");
    }
    rig.agent.at_work.until("the agent is idle", |count| count == 0).await;
}

/// Every stream but the control stream and one stands full of what nobody reads: together more than a connection may hold
/// by HTTP/2's usual settings.
pub(crate) async fn a_link_full_of_unread_replies_still_carries_heartbeats_and_calls(rig: Rig) {
    let mut unread = Vec::new();
    for _ in 0..STREAMS - 2 {
        let mut frames = rig.carrier().call(peer::BULK, Bytes::new()).await.unwrap();
        frames.next::<String>().await.unwrap().unwrap();
        unread.push(frames);
    }
    beats_go_on(rig.agent.speaker.beats()).await;
    let mut frames = rig.carrier().call(peer::COUNT, Bytes::new()).await.unwrap();
    while let Some(frame) = frames.next::<serde::de::IgnoredAny>().await {
        frame.unwrap();
    }
    assert_eq!(rig.view().link, LinkState::Connected);
}

async fn leave(rig: &Rig, nth: usize) {
    let carrier = rig.carrier();
    match nth % 3 {
        0 => {
            let call = carrier.call(peer::HANG, Bytes::new());
            // Polled once: the request is on its way, and that is all.
            let _ = futures::future::select(Box::pin(call), std::future::ready(())).await;
        }
        1 => {
            let working = rig.agent.at_work.until("the agent is at work", |count| count > UNREAD);
            tokio::select! {
                _ = carrier.call(peer::HANG, Bytes::new()) => {}
                () = working => {}
            }
        }
        _ => {
            let mut frames = carrier.call(peer::BULK, Bytes::new()).await.unwrap();
            assert!(frames.next::<String>().await.unwrap().is_ok());
        }
    }
}

async fn beats_go_on(beats: &Counter) {
    let before = beats.get();
    beats.until("heartbeats go on", |now| now >= before + 3).await;
}
