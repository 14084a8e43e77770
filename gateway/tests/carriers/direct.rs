//! An agent that listens, and what a link that the gateway dialled must do besides carrying calls.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use hyper_util::service::TowerToHyperService;
use kubeplex_gateway::fleet::LinkState;
use kubeplex_link::activity::Activity;
use kubeplex_link::credential::{Credential, Token};
use kubeplex_link::direct::{Route, accept};
use kubeplex_link::http2;
use kubeplex_link::identity::Identity;
use kubeplex_link::tasks::LinkTasks;
use kubeplex_link::timings::Timings;
use kubeplex_link::token::TokenHash;
use kubeplex_link::trust::Trust;
use kubeplex_link::url::AgentUrl;
use kubeplex_proto::control::{ClusterReport, Report};
use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::status::{AgentError, AgentErrorCode};
use kubeplex_test_support::counter::Counter;
use kubeplex_test_support::proxy::Proxy;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::peer::{self, Peer};
use crate::pki::Pki;
use crate::rig::{Rig, TOKEN, cluster, quick, within};

/// Where gateways dial an agent. Dropping it kills the agent.
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    /// Connections so far.
    pub(crate) dialled: Counter,
    /// Requests that showed another token.
    pub(crate) turned_away: Counter,
    _tasks: JoinSet<()>,
    _cut: tokio_util::sync::DropGuard,
}

impl Door {
    pub(crate) async fn open(agent: &Peer, token: &str, identity: Option<Identity>) -> Self {
        Self::open_at(SocketAddr::from(([127, 0, 0, 1], 0)), agent, token, identity).await
    }

    async fn open_at(address: SocketAddr, agent: &Peer, token: &str, identity: Option<Identity>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (dialled, turned_away) = (Counter::default(), Counter::default());
        let (hash, refused) = (TokenHash::of(token), turned_away.clone());
        let guard = middleware::from_fn(move |request: Request, next: Next| {
            let refused = refused.clone();
            async move {
                if hash.is_shown(request.headers()) {
                    return next.run(request).await;
                }
                refused.add_one();
                unknown_token()
            }
        });
        let app = agent.router().layer(guard);
        let (cut, count) = (CancellationToken::new(), dialled.clone());
        let guard = cut.clone().drop_guard();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                count.add_one();
                let (identity, app, cut) = (identity.clone(), app.clone(), cut.clone());
                connections.spawn(async move {
                    let Ok(stream) = accept(socket, identity.as_ref(), Activity::start()).await else {
                        return;
                    };
                    let tasks = LinkTasks::new(TaskTracker::new(), cut);
                    let service = TowerToHyperService::new(app);
                    let _ = http2::serve(stream, service, tasks, CancellationToken::new()).await;
                });
            }
        });
        Self { address, dialled, turned_away, _tasks: tasks, _cut: guard }
    }

    /// How a gateway is told to dial it.
    pub(crate) fn route(&self, scheme: &str, trust: Option<Trust>) -> Route {
        route(scheme, self.address, trust)
    }
}

fn route(scheme: &str, address: SocketAddr, trust: Option<Trust>) -> Route {
    let url: AgentUrl = format!("{scheme}://localhost:{}", address.port()).parse().unwrap();
    let trust = trust.unwrap_or_else(|| Trust::of_transport(url.transport()).unwrap());
    Route { url, credential: Token::new(TOKEN).unwrap().into(), trust }
}

fn unknown_token() -> Response {
    let error =
        AgentError::new(AgentErrorCode::Forbidden, "the token is not the one that this agent expects");
    (StatusCode::UNAUTHORIZED, axum::Json(error)).into_response()
}

/// Redials at once.
fn eager() -> Timings {
    Timings { reconnect_max: Duration::from_millis(20), ..quick() }
}

#[tokio::test]
async fn an_agent_that_went_and_came_back_is_dialled_again() {
    within(async {
        let rig = Rig::idle(eager());
        let door = Door::open(&rig.agent, TOKEN, None).await;
        let address = door.address;
        rig.links.dial(cluster(), door.route("http", None));
        rig.until(LinkState::Connected).await;
        drop(door);
        rig.until(LinkState::Lost).await;
        let _door = Door::open_at(address, &rig.agent.twin("next"), TOKEN, None).await;
        rig.until(LinkState::Connected).await;
        rig.carrier().call(peer::COUNT, Bytes::new()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn silence_is_noticed_on_a_link_that_the_gateway_dialled() {
    within(async {
        let impatient =
            Timings { suspect_after: Duration::from_secs(1), lost_after: Duration::from_secs(2), ..eager() };
        let rig = Rig::idle(impatient);
        let door = Door::open(&rig.agent, TOKEN, None).await;
        let proxy = Proxy::to(door.address).await;
        rig.links.dial(cluster(), route("http", proxy.address, None));
        rig.until(LinkState::Connected).await;
        proxy.freeze();
        rig.until(LinkState::Suspect).await;
        rig.until(LinkState::Lost).await;
        proxy.thaw();
        rig.until(LinkState::Connected).await;
    })
    .await;
}

#[tokio::test]
async fn only_the_agent_that_knows_the_token_and_shows_the_right_certificate_is_linked() {
    within(async {
        let (pki, other) = (Pki::new(), Pki::new());
        let rig = Rig::idle(eager());
        let door = Door::open(&rig.agent, "another-token", Some(pki.identity())).await;
        rig.links.dial(cluster(), door.route("https", Some(pki.trust())));
        door.turned_away.until("its token is refused, again and again", |count| count >= 2).await;
        let unbelieved = Rig::idle(eager());
        let door = Door::open(&unbelieved.agent, TOKEN, Some(pki.identity())).await;
        unbelieved.links.dial(cluster(), door.route("https", Some(other.trust())));
        door.dialled.until("it is dialled, again and again", |count| count >= 2).await;
        for rig in [rig, unbelieved] {
            assert_eq!(rig.view().link, LinkState::Never);
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_dialled_says_which_cluster_it_is() {
    within(async {
        let rig = Rig::idle(eager());
        let mut liar = rig.agent.clone();
        liar.speaker.cluster = ClusterId::new("prod-us").unwrap();
        let door = Door::open(&liar, TOKEN, None).await;
        rig.links.dial(cluster(), door.route("http", None));
        let refusal = liar.refusal().await;
        assert!(refusal.message.contains("prod-us") && refusal.message.contains("prod-eu"), "{refusal}");
        assert_eq!(rig.view().link, LinkState::Never);
    })
    .await;
}

#[tokio::test]
async fn a_link_that_has_grown_old_is_replaced_and_no_call_notices() {
    within(async {
        let rig = Rig::idle(Timings { max_age: Duration::from_millis(100), ..eager() });
        let door = Door::open(&rig.agent, TOKEN, None).await;
        rig.links.dial(cluster(), door.route("http", None));
        rig.until(LinkState::Connected).await;
        let mut frames = rig.carrier().call(peer::BULK, Bytes::new()).await.unwrap();
        let mut changes = rig.registry().changes();
        while door.dialled.get() < 5 {
            assert_eq!(rig.view().link, LinkState::Connected);
            rig.carrier().call(peer::COUNT, Bytes::new()).await.unwrap();
            changes.changed().await.unwrap();
        }
        let mut received = 0;
        while let Some(frame) = frames.next::<String>().await {
            frame.unwrap();
            received += 1;
        }
        assert_eq!(received, peer::BULK_FRAMES, "a call that began on the first link ends on it");
    })
    .await;
}

#[tokio::test]
async fn another_way_to_another_agent_is_taken_and_no_call_notices() {
    within(async {
        let rig = Rig::idle(eager());
        let door = Door::open(&rig.agent, TOKEN, None).await;
        rig.links.dial(cluster(), door.route("http", None));
        rig.until(LinkState::Connected).await;
        let next = rig.agent.twin("next");
        next.speaker.report(Report { cluster: Some(ClusterReport::default()), ..Report::default() });
        let other = Door::open(&next, TOKEN, None).await;
        rig.links.dial(cluster(), other.route("http", None));
        let mut changes = rig.registry().changes();
        let serves = |rig: &Rig| {
            let view = rig.view();
            view.standby.is_none() && view.instance.as_ref().is_some_and(|instance| instance.0 == "next")
        };
        while !serves(&rig) {
            assert_eq!(rig.view().link, LinkState::Connected);
            rig.carrier().call(peer::COUNT, Bytes::new()).await.unwrap();
            changes.changed().await.unwrap();
        }
        rig.carrier().call(peer::COUNT, Bytes::new()).await.unwrap();
        assert_eq!(door.dialled.get(), 1, "the first is not dialled any more");
    })
    .await;
}

/// Where the agent was before, nothing that the configuration names is any more.
#[tokio::test]
async fn a_way_that_leads_nowhere_is_not_replaced_by_the_one_before() {
    within(async {
        let rig = Rig::idle(eager());
        let door = Door::open(&rig.agent, TOKEN, None).await;
        rig.links.dial(cluster(), door.route("http", None));
        rig.until(LinkState::Connected).await;
        let nowhere = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        rig.links.dial(cluster(), route("http", nowhere, None));
        rig.until(LinkState::Lost).await;
        rig.links.dial(cluster(), door.route("http", None));
        rig.until(LinkState::Connected).await;
    })
    .await;
}

#[tokio::test]
async fn an_agent_that_is_not_to_be_dialled_is_left_and_may_be_dialled_again() {
    within(async {
        let rig = Rig::idle(eager());
        let door = Door::open(&rig.agent, TOKEN, None).await;
        for dials in 1..=2 {
            rig.links.dial(cluster(), door.route("http", None));
            rig.until(LinkState::Connected).await;
            assert_eq!(door.dialled.get(), dials);
            rig.links.hang_up(&cluster());
            rig.until(LinkState::Lost).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_is_read_from_its_file_at_each_dial() {
    within(async {
        let file = std::env::temp_dir().join(format!("kubeplex-dial-{}", uuid::Uuid::new_v4()));
        std::fs::write(&file, "an-old-token").unwrap();
        let rig = Rig::idle(eager());
        let door = Door::open(&rig.agent, TOKEN, None).await;
        let credential = Credential::in_file(&file).unwrap();
        rig.links.dial(cluster(), Route { credential, ..door.route("http", None) });
        door.turned_away.until("its token is refused", |count| count >= 1).await;
        std::fs::write(&file, TOKEN).unwrap();
        rig.until(LinkState::Connected).await;
        std::fs::remove_file(&file).unwrap();
    })
    .await;
}
