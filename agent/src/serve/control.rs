//! The control stream of a link.

use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use kubeplex_link::frames::FrameReader;
use kubeplex_link::limits::CONTROL_FRAME;
use kubeplex_proto::PROTOCOL;
use kubeplex_proto::control::Hello;
use kubeplex_proto::ids::Epoch;

use super::body::lines;
use super::{Service, Shared};
use crate::report::{Conversation, ReportSource, ReportTimings, conversation};

pub(super) async fn control(State(service): State<Service>, request: Request<Body>) -> Response {
    let parts = Conversation {
        hello: hello(&service.0),
        source: ReportSource::of_kinds(service.0.kinds.clone()),
        timings: ReportTimings::default(),
        jitter: rand::random,
    };
    lines(conversation(parts, FrameReader::new(request.into_body(), CONTROL_FRAME)))
}

fn hello(shared: &Shared) -> Hello {
    Hello {
        protocol: PROTOCOL,
        features: Vec::new(),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        kubernetes_version: shared.kinds.cluster().kubernetes_version,
        cluster: shared.cluster.clone(),
        instance: shared.instance.clone(),
        epoch: Epoch(shared.epoch.fetch_add(1, Ordering::Relaxed) + 1),
    }
}
