//! The control stream: hello, reports and heartbeats as a gateway sees them.

use kubeplex_link::frames::{self, FrameReader};
use kubeplex_link::timings::Timings;
use kubeplex_proto::control::{AgentFrame, GatewayFrame, Hello, Report, SyncState};
use kubeplex_proto::ids::Epoch;
use kubeplex_proto::kind::GroupResource;
use simcluster::Gvr;

use super::*;

/// The gateway's side of a control stream.
struct Gateway {
    writer: frames::FrameWriter,
    reader: FrameReader,
}

impl Gateway {
    async fn open(world: &World) -> (Self, Hello) {
        let (writer, body) = frames::channel(4);
        let request = Request::post(paths::CONTROL).body(Body::new(body)).unwrap();
        let response = world.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let mut gateway = Self { writer, reader: FrameReader::new(response.into_body(), 1 << 22) };
        match gateway.frame().await {
            AgentFrame::Hello(hello) => (gateway, *hello),
            AgentFrame::Report(report) => panic!("{report:?} before the hello"),
        }
    }

    async fn frame(&mut self) -> AgentFrame {
        timeout(HOUR, self.reader.next()).await.unwrap().unwrap().unwrap()
    }

    async fn report(&mut self) -> Report {
        match self.frame().await {
            AgentFrame::Report(report) => *report,
            AgentFrame::Hello(_) => panic!("a second hello"),
        }
    }

    fn welcome(&mut self) {
        assert!(self.writer.offer(&GatewayFrame::Welcome(Timings::default().welcome(1))));
    }
}

#[tokio::test(start_paused = true)]
async fn the_gateway_is_told_of_the_cluster_and_then_of_what_changes() {
    let world = World::start();
    world.list(&list_of("pods")).await.unwrap();
    let (mut gateway, hello) = Gateway::open(&world).await;
    assert_eq!((hello.cluster.as_str(), &hello.instance), ("sim", world.agent.instance()));
    gateway.welcome();
    let first = gateway.report().await;
    let pods = GroupResource::new("", "pods");
    let told = first.kinds.iter().find(|report| report.kind == pods).unwrap();
    assert_eq!((told.state, told.objects), (SyncState::Synced, world.sim.count(&Gvr::core("pods")) as u64));
    assert!(first.discovery.unwrap().get(&pods).is_some() && first.cluster.is_some());

    let mut pod = world.sim.objects(&Gvr::core("pods"))[0].clone();
    pod["metadata"]["labels"]["touched"] = "yes".into();
    world.sim.apply(pod).unwrap();
    let changed = loop {
        let report = gateway.report().await;
        if let Some(changed) =
            report.kinds.into_iter().find(|report| report.kind == pods && report.revision != told.revision)
        {
            break changed;
        }
    };
    assert!(changed.revision > told.revision);
    let listed = world.list(&list_of("pods")).await.unwrap();
    assert_eq!(listed.head.revision, changed.revision);
}

#[tokio::test(start_paused = true)]
async fn each_link_has_an_epoch_above_the_one_before() {
    let world = World::start();
    let (_first, first) = Gateway::open(&world).await;
    let (_second, second) = Gateway::open(&world).await;
    assert_eq!((first.epoch, second.epoch), (Epoch(1), Epoch(2)));
    assert_eq!(first.instance, second.instance);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_says_nonsense_is_left() {
    let world = World::start();
    let (mut gateway, _) = Gateway::open(&world).await;
    assert!(gateway.writer.offer(&"nonsense"));
    assert!(timeout(HOUR, gateway.reader.next::<AgentFrame>()).await.unwrap().is_none());
}
