//! Credentials that a new configuration takes back.

use std::collections::BTreeMap;

use kubeplex_gateway::Gateway;
use kubeplex_gateway::config::{ExpectedCluster, GatewayConfig, TokenHash};
use kubeplex_gateway::fleet::LinkState;
use kubeplex_link::activity::Activity;
use kubeplex_link::credential::Token;
use kubeplex_link::dial::{DialError, Route, dial};
use kubeplex_link::proxy::Proxies;
use kubeplex_link::timings::Timings;
use kubeplex_link::trust::Trust;
use kubeplex_link::url::GatewayUrl;
use kubeplex_proto::ids::ClusterId;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::peer::Peer;
use crate::rig::{CLUSTER, TOKEN, cluster, dial_as, serve, within};

/// The cluster with a token, or only another one.
fn config(token: Option<&str>) -> GatewayConfig {
    let free = "127.0.0.1:0".parse().unwrap();
    let config = GatewayConfig::default().with_listen(free).unwrap().with_admin(free).unwrap();
    let id = if token.is_some() { cluster() } else { ClusterId::new("elsewhere").unwrap() };
    config.with_cluster(ExpectedCluster { id, labels: BTreeMap::new(), token: token.map(TokenHash::of) })
}

async fn until(gateway: &Gateway, state: LinkState) {
    let mut changes = gateway.registry().changes();
    let is = |gateway: &Gateway| {
        gateway.registry().snapshot().get(&cluster()).is_some_and(|view| view.link == state)
    };
    while !is(gateway) {
        changes.changed().await.unwrap();
    }
}

#[tokio::test]
async fn a_link_ends_when_its_token_is_taken_back_and_another_token_opens_one() {
    within(async {
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let gateway = Gateway::start(config(Some(TOKEN)), tracker, stop.clone()).await.unwrap();
        let (agent, address) = (Peer::of(CLUSTER), gateway.addresses().listen);
        let mut link = dial_as(&agent, TOKEN, address).await.unwrap();
        until(&gateway, LinkState::Connected).await;

        gateway.reload(config(Some("another-token"))).expect("it names clusters");
        link.ended.join_next().await.expect("a link that ends").unwrap().ok();
        until(&gateway, LinkState::Lost).await;
        let refused = dial_as(&agent, TOKEN, address).await.err();
        assert!(matches!(refused, Some(DialError::Refused { status, .. }) if status == 401), "{refused:?}");

        let mut link = dial_as(&agent, "another-token", address).await.unwrap();
        until(&gateway, LinkState::Connected).await;
        gateway.reload(config(None)).expect("it names clusters");
        link.ended.join_next().await.expect("a link that ends").unwrap().ok();
        assert!(gateway.registry().snapshot().get(&cluster()).is_none());
        assert!(dial_as(&agent, "another-token", address).await.is_err());
        stop.cancel();
    })
    .await;
}

#[tokio::test]
async fn who_was_let_in_by_a_token_that_is_taken_back_before_the_hello_gets_no_place() {
    within(async {
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let gateway = Gateway::start(config(Some(TOKEN)), tracker, stop.clone()).await.unwrap();
        let agent = Peer::of(CLUSTER);
        let url: GatewayUrl = format!("ws://{}", gateway.addresses().listen).parse().unwrap();
        let (credential, trust) = (Token::new(TOKEN).unwrap().into(), Trust::for_url(&url).unwrap());
        let route = Route { url, credential, trust, proxies: Proxies::default() };
        let stream = dial(&route, Activity::start(), Timings::default().dial).await.unwrap();
        gateway.reload(config(Some("another-token"))).expect("it names clusters");
        let _link = serve(agent.router(), stream);
        let refusal = agent.refusal().await;
        assert!(refusal.message.contains("taken back"), "{refusal}");
        let view = gateway.registry().snapshot();
        assert_ne!(view.get(&cluster()).unwrap().link, LinkState::Connected);
        stop.cancel();
    })
    .await;
}
