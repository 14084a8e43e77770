//! A gateway's link endpoint and registry with one hand-made agent, over either carrier.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::service::TowerToHyperService;
use kubeplex_gateway::carrier::Carrier;
use kubeplex_gateway::config::{ExpectedCluster, TokenHash};
use kubeplex_gateway::fleet::{ClusterView, LinkState};
use kubeplex_gateway::limits::ARRIVALS;
use kubeplex_gateway::link::{Credentials, LinkEndpoint, Links};
use kubeplex_gateway::registry::Registry;
use kubeplex_link::activity::Activity;
use kubeplex_link::credential::Token;
use kubeplex_link::dial::{DialError, Route, dial};
use kubeplex_link::http2;
use kubeplex_link::proxy::Proxies;
use kubeplex_link::tasks::LinkTasks;
use kubeplex_link::timings::Timings;
use kubeplex_link::trust::Trust;
use kubeplex_link::url::GatewayUrl;
use kubeplex_link::websocket::LinkStream;
use kubeplex_proto::ids::ClusterId;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::direct::Door;
use crate::peer::Peer;
use crate::pki::Pki;

pub(crate) const CLUSTER: &str = "prod-eu";
pub(crate) const TOKEN: &str = "the-token-of-prod-eu";

/// Long enough for any machine; a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Fails instead of hanging.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("the test hangs")
}

/// Quick heartbeats, and patience enough for a busy machine.
pub(crate) fn quick() -> Timings {
    Timings {
        heartbeat: Duration::from_millis(50),
        suspect_after: Duration::from_secs(4),
        lost_after: Duration::from_secs(8),
        ..Timings::default()
    }
}

/// The gateway's side.
pub(crate) struct Rig {
    pub(crate) links: Links,
    pub(crate) agent: Peer,
    pub(crate) stop: CancellationToken,
    pub(crate) tracker: TaskTracker,
    address: Option<SocketAddr>,
    dialled: Option<Dialled>,
    door: Option<Door>,
    tasks: JoinSet<()>,
}

/// The agent's end of one link; dropping it kills the agent.
pub(crate) struct Dialled {
    pub(crate) ended: JoinSet<Result<(), hyper::Error>>,
    _cut: tokio_util::sync::DropGuard,
}

pub(crate) fn cluster() -> ClusterId {
    ClusterId::new(CLUSTER).unwrap()
}

impl Rig {
    fn new(timings: Timings) -> Self {
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let registry = Registry::new();
        let labels = BTreeMap::from([("region".to_owned(), "eu".to_owned())]);
        registry.expect(cluster(), labels);
        let links = Links::new(registry, timings, tracker.clone(), stop.clone());
        Self {
            links,
            agent: Peer::of(CLUSTER),
            stop,
            tracker,
            address: None,
            dialled: None,
            door: None,
            tasks: JoinSet::new(),
        }
    }

    /// With the agent attached in process.
    pub(crate) async fn in_process() -> Self {
        let rig = Self::new(quick());
        rig.links.attach_in_process(cluster(), rig.agent.router());
        rig.until(LinkState::Connected).await;
        rig
    }

    /// With the agent linked over a WebSocket.
    pub(crate) async fn web_socket() -> Self {
        let mut rig = Self::listening(quick()).await;
        rig.dialled = Some(rig.dial(&rig.agent, TOKEN).await.unwrap());
        rig.until(LinkState::Connected).await;
        rig
    }

    /// With the agent linked over a WebSocket in TLS.
    pub(crate) async fn web_socket_over_tls() -> Self {
        let pki = Pki::new();
        let mut rig = Self::listening_over_tls(quick(), &pki).await;
        let url = format!("wss://localhost:{}", rig.address().port());
        rig.dialled = Some(dial_through(Proxies::default(), &rig.agent, &url, pki.trust()).await.unwrap());
        rig.until(LinkState::Connected).await;
        rig
    }

    /// With the agent listening on loopback, and dialled.
    pub(crate) async fn direct() -> Self {
        let mut rig = Self::new(quick());
        let door = Door::open(&rig.agent, TOKEN, None).await;
        rig.links.dial(cluster(), door.route("http", None));
        rig.door = Some(door);
        rig.until(LinkState::Connected).await;
        rig
    }

    /// With the agent listening with a certificate, and dialled by name.
    pub(crate) async fn direct_over_tls() -> Self {
        let (mut rig, pki) = (Self::new(quick()), Pki::new());
        let door = Door::open(&rig.agent, TOKEN, Some(pki.identity())).await;
        rig.links.dial(cluster(), door.route("https", Some(pki.trust())));
        rig.door = Some(door);
        rig.until(LinkState::Connected).await;
        rig
    }

    /// Expecting an agent, and doing nothing about it.
    pub(crate) fn idle(timings: Timings) -> Self {
        Self::new(timings)
    }

    /// Waiting for agents, with tokens of `prod-eu` and of a cluster that is not expected.
    pub(crate) async fn listening(timings: Timings) -> Self {
        Self::listening_for(ARRIVALS, timings).await
    }

    /// The same, with room for so many that arrive at once.
    pub(crate) async fn listening_for(arrivals: usize, timings: Timings) -> Self {
        let mut rig = Self::new(timings);
        let (listener, app) = rig.listen(arrivals).await;
        rig.tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
        rig
    }

    /// The same behind TLS.
    pub(crate) async fn listening_over_tls(timings: Timings, pki: &Pki) -> Self {
        let mut rig = Self::new(timings);
        let (listener, app) = rig.listen(ARRIVALS).await;
        rig.tasks = pki.serve(listener, app);
        rig
    }

    async fn listen(&mut self, arrivals: usize) -> (TcpListener, axum::Router) {
        let with_token = |id: &str, token: &str| ExpectedCluster {
            id: ClusterId::new(id).unwrap(),
            labels: BTreeMap::new(),
            token: Some(TokenHash(Sha256::digest(token).into())),
        };
        let clusters = [with_token(CLUSTER, TOKEN), with_token("retired", "the-token-of-retired")];
        let endpoint = LinkEndpoint::new(self.links.clone(), Credentials::of(&clusters), arrivals);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.address = Some(listener.local_addr().unwrap());
        (listener, endpoint.router())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address.expect("a rig that listens")
    }

    pub(crate) async fn dial(&self, agent: &Peer, token: &str) -> Result<Dialled, DialError> {
        dial_as(agent, token, self.address()).await
    }

    pub(crate) fn registry(&self) -> &Registry {
        self.links.registry()
    }

    pub(crate) fn carrier(&self) -> Carrier {
        self.registry().leg(&cluster()).expect("a link").carrier
    }

    pub(crate) fn view(&self) -> Arc<ClusterView> {
        Arc::clone(self.registry().snapshot().get(&cluster()).expect("an expected cluster"))
    }

    pub(crate) async fn until(&self, state: LinkState) {
        self.until_view(|view| view.link == state).await;
    }

    pub(crate) async fn until_view(&self, mut accept: impl FnMut(&ClusterView) -> bool) {
        let mut changes = self.registry().changes();
        while !accept(&self.view()) {
            changes.changed().await.unwrap();
        }
    }
}

/// Dials the gateway, or whatever stands before it at `address`, and serves `agent` on the link.
pub(crate) async fn dial_as(agent: &Peer, token: &str, address: SocketAddr) -> Result<Dialled, DialError> {
    dial_router(agent.router(), token, address).await
}

/// The same for an agent of any kind.
pub(crate) async fn dial_router(
    router: Router,
    token: &str,
    address: SocketAddr,
) -> Result<Dialled, DialError> {
    let url: GatewayUrl = format!("ws://{address}").parse().unwrap();
    let (credential, trust) = (Token::new(token).unwrap().into(), Trust::for_url(&url).unwrap());
    dial_route(router, &Route { url, credential, trust, proxies: Proxies::default() }).await
}

/// Dials the gateway at `url`, through whichever of `proxies` is meant for it.
pub(crate) async fn dial_through(
    proxies: Proxies,
    agent: &Peer,
    url: &str,
    trust: Trust,
) -> Result<Dialled, DialError> {
    let (url, credential) = (url.parse().unwrap(), Token::new(TOKEN).unwrap().into());
    dial_route(agent.router(), &Route { url, credential, trust, proxies }).await
}

async fn dial_route(router: Router, route: &Route) -> Result<Dialled, DialError> {
    Ok(serve(router, dial(route, Activity::start(), Timings::default().dial).await?))
}

/// Serves an agent of any kind on a link that the gateway has let in.
pub(crate) fn serve(router: Router, stream: LinkStream) -> Dialled {
    serve_until(router, stream, CancellationToken::new())
}

/// The same, until it says good-bye.
pub(crate) fn serve_until(router: Router, stream: LinkStream, drain: CancellationToken) -> Dialled {
    let tasks = LinkTasks::new(TaskTracker::new(), CancellationToken::new());
    let cut = tasks.cut_on_drop();
    let mut ended = JoinSet::new();
    ended.spawn(http2::serve(stream, TowerToHyperService::new(router), tasks, drain));
    Dialled { ended, _cut: cut }
}
