//! What a link over the network must do besides carrying calls.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use kubeplex_gateway::fleet::{ClusterView, LinkState, SideBySide};
use kubeplex_link::activity::Activity;
use kubeplex_link::credential::Token;
use kubeplex_link::dial::{DialError, Route, dial};
use kubeplex_link::proxy::Proxies;
use kubeplex_link::timings::Timings;
use kubeplex_link::trust::Trust;
use kubeplex_link::url::GatewayUrl;
use kubeplex_proto::PROTOCOL;
use kubeplex_proto::control::{ClusterReport, GatewayFrame, ProtocolRange, Report, Welcome};
use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::status::LegStatus;
use kubeplex_test_support::proxy::Proxy;
use serde::de::IgnoredAny;
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;

use crate::peer;
use crate::rig::{Rig, TOKEN, cluster, dial_as, quick, serve_until, within};

fn impatient() -> Timings {
    Timings { suspect_after: Duration::from_secs(1), lost_after: Duration::from_secs(2), ..quick() }
}

fn denied(outcome: Result<crate::rig::Dialled, DialError>) -> (StatusCode, String, Option<Duration>) {
    match outcome {
        Err(DialError::Refused { status, message, retry_after, .. }) => (status, message, retry_after),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("let in"),
    }
}

#[tokio::test]
async fn a_token_decides_who_is_let_in() {
    within(async {
        let rig = Rig::listening(quick()).await;
        let (status, message, _) = denied(rig.dial(&rig.agent, "a-wrong-token").await);
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(message.contains("not one of this gateway's"), "{message}");
        let (status, message, _) = denied(rig.dial(&rig.agent, "the-token-of-retired").await);
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(message.contains("retired"), "{message}");
        assert_eq!(rig.view().link, LinkState::Never);
    })
    .await;
}

#[tokio::test]
async fn the_endpoint_explains_itself_to_those_who_are_no_agents() {
    within(async {
        let rig = Rig::listening(quick()).await;
        let url = format!("http://{}/agent/v1/link", rig.address());
        let client = reqwest::Client::new();
        let bare = client.get(&url).send().await.unwrap();
        assert_eq!(bare.status().as_u16(), 401);
        assert_eq!(bare.headers()["www-authenticate"], "Bearer");
        assert!(bare.text().await.unwrap().contains("Authorization: Bearer"));
        let no_socket = client.get(&url).bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(no_socket.status().as_u16(), 426);
        let told = no_socket.text().await.unwrap();
        assert!(told.contains("WebSocket") && !told.contains("hint"), "{told}");
    })
    .await;
}

#[tokio::test]
async fn a_gateway_that_stops_lets_nobody_in_and_lets_calls_end() {
    within(async {
        let rig = Rig::listening(quick()).await;
        let mut dialled = rig.dial(&rig.agent, TOKEN).await.unwrap();
        rig.until(LinkState::Connected).await;
        let mut frames = rig.carrier().call(peer::BULK, Bytes::new()).await.unwrap();
        rig.stop.cancel();
        rig.until(LinkState::Lost).await;
        let (status, _, retry_after) = denied(rig.dial(&rig.agent, TOKEN).await);
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(retry_after.is_some());
        let mut received = 0;
        while let Some(frame) = frames.next::<String>().await {
            frame.unwrap();
            received += 1;
        }
        assert_eq!(received, peer::BULK_FRAMES, "a call under way ends in its own time");
        drop(frames);
        dialled.ended.join_next().await.unwrap().unwrap().unwrap();
        rig.tracker.close();
        rig.tracker.wait().await;
    })
    .await;
}

#[tokio::test]
async fn a_hello_that_contradicts_the_token_is_refused() {
    within(async {
        let rig = Rig::listening(quick()).await;
        let mut agent = rig.agent.clone();
        agent.speaker.cluster = ClusterId::new("prod-us").unwrap();
        let mut dialled = rig.dial(&agent, TOKEN).await.unwrap();
        let refusal = agent.refusal().await;
        assert!(refusal.message.contains("prod-us") && refusal.message.contains("prod-eu"), "{refusal}");
        assert_eq!(refusal.retry_after_ms, None);
        // The gateway hangs up.
        let _ = dialled.ended.join_next().await.unwrap();
        assert_eq!(rig.view().link, LinkState::Never);
    })
    .await;
}

#[tokio::test]
async fn a_protocol_without_common_version_is_refused() {
    within(async {
        let rig = Rig::listening(quick()).await;
        let ours = format!("this gateway {PROTOCOL}");
        for (min, max, older) in [(0, 0, "agent"), (90, 91, "gateway")] {
            let mut agent = rig.agent.twin("other");
            agent.speaker.protocol = ProtocolRange { min, max };
            let _dialled = rig.dial(&agent, TOKEN).await.unwrap();
            let refusal = agent.refusal().await;
            let told = [format!("{min} to {max}"), ours.clone(), format!("upgrade the {older}")];
            assert!(told.iter().all(|told| refusal.message.contains(told)), "{refusal}");
            assert_eq!(refusal.retry_after_ms, None, "time does not help");
        }
        let mut agent = rig.agent.twin("both");
        agent.speaker.protocol = ProtocolRange { min: 0, max: 91 };
        let _dialled = rig.dial(&agent, TOKEN).await.unwrap();
        assert_eq!(agent.speaker.welcome().await.protocol, PROTOCOL.max, "the newest that both speak");
    })
    .await;
}

#[tokio::test]
async fn the_gateways_configuration_is_the_terms_for_both_ends() {
    within(async {
        let rig = Rig::listening(impatient()).await;
        let _dialled = rig.dial(&rig.agent, TOKEN).await.unwrap();
        let terms = Welcome {
            protocol: PROTOCOL.max,
            heartbeat_ms: 50,
            suspect_after_ms: Some(1_000),
            lost_after_ms: Some(2_000),
            max_age_ms: Some(1_800_000),
            standby: false,
        };
        assert_eq!(rig.agent.speaker.first_word().await, GatewayFrame::Welcome(terms));
    })
    .await;
}

#[tokio::test]
async fn an_agent_killed_in_the_middle_of_a_reply_is_an_error_and_lost() {
    within(async {
        let rig = Rig::listening(quick()).await;
        let dialled = rig.dial(&rig.agent, TOKEN).await.unwrap();
        rig.until(LinkState::Connected).await;
        let mut frames = rig.carrier().call(peer::FIRST_THEN_HANG, Bytes::new()).await.unwrap();
        frames.next::<IgnoredAny>().await.unwrap().unwrap();
        drop(dialled);
        assert!(
            frames.next::<IgnoredAny>().await.unwrap().is_err(),
            "the end of the agent is not the end of the reply"
        );
        rig.until(LinkState::Lost).await;
        let Err(unreachable) = rig.registry().leg(&cluster()) else { panic!("a leg to a lost cluster") };
        assert_eq!(unreachable.status, LegStatus::Disconnected);
        assert!(unreachable.to_string().starts_with("prod-eu: no link for"), "{unreachable}");
    })
    .await;
}

#[tokio::test]
async fn a_link_that_went_silent_is_suspected_then_lost_and_its_calls_end() {
    within(async {
        let rig = Rig::listening(impatient()).await;
        let proxy = Proxy::to(rig.address()).await;
        let _dialled = dial_as(&rig.agent, TOKEN, proxy.address).await.unwrap();
        rig.until(LinkState::Connected).await;
        let mut frames = rig.carrier().call(peer::FIRST_THEN_HANG, Bytes::new()).await.unwrap();
        frames.next::<IgnoredAny>().await.unwrap().unwrap();
        proxy.freeze();
        rig.until(LinkState::Suspect).await;
        assert!(rig.registry().leg(&cluster()).is_ok(), "a suspect is still asked");
        proxy.thaw();
        rig.until(LinkState::Connected).await;
        proxy.freeze();
        rig.until(LinkState::Lost).await;
        assert!(rig.registry().leg(&cluster()).is_err());
        assert!(frames.next::<IgnoredAny>().await.unwrap().is_err());
    })
    .await;
}

#[tokio::test]
async fn a_newer_link_of_the_same_agent_replaces_the_older_and_lets_its_calls_end() {
    within(async {
        let rig = Rig::listening(quick()).await;
        let mut first = rig.dial(&rig.agent, TOKEN).await.unwrap();
        rig.until(LinkState::Connected).await;
        let mut frames = rig.carrier().call(peer::BULK, Bytes::new()).await.unwrap();
        let _second = rig.dial(&rig.agent, TOKEN).await.unwrap();
        let mut received = 0;
        while let Some(frame) = frames.next::<String>().await {
            frame.unwrap();
            received += 1;
        }
        assert_eq!(received, peer::BULK_FRAMES);
        drop(frames);
        first.ended.join_next().await.unwrap().unwrap().unwrap();
        assert_eq!(rig.view().link, LinkState::Connected);
        rig.carrier().call(peer::COUNT, Bytes::new()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn another_agent_stands_by_until_the_first_does_not_answer() {
    within(async {
        let rig = Rig::listening(Timings { lost_after: Duration::from_secs(60), ..impatient() }).await;
        let proxy = Proxy::to(rig.address()).await;
        let _first = dial_as(&rig.agent, TOKEN, proxy.address).await.unwrap();
        rig.until(LinkState::Connected).await;
        let second = rig.agent.twin("second");
        let _dialled = rig.dial(&second, TOKEN).await.unwrap();
        assert!(second.speaker.welcome().await.standby, "the first answers");
        let third = rig.agent.twin("third");
        let dialled = rig.dial(&third, TOKEN).await.unwrap();
        let refusal = third.refusal().await;
        let told = ["first", "second"].iter().all(|instance| refusal.message.contains(instance));
        assert!(told && refusal.retry_after_ms.is_some(), "{refusal}");
        drop(dialled);

        let mut frames = rig.carrier().call(peer::FIRST_THEN_HANG, Bytes::new()).await.unwrap();
        frames.next::<IgnoredAny>().await.unwrap().unwrap();
        proxy.freeze();
        second.speaker.until_welcome(|welcome| !welcome.standby).await;
        assert!(frames.next::<IgnoredAny>().await.unwrap().is_err(), "nobody waits for the dead");
        rig.carrier().call(peer::COUNT, Bytes::new()).await.unwrap();
        assert_eq!(rig.view().standby, None);
    })
    .await;
}

#[tokio::test]
async fn two_agents_that_both_stay_are_an_alarm_and_the_first_keeps_serving() {
    within(async {
        let rig = Rig::listening(Timings { two_agents: Duration::from_millis(100), ..quick() }).await;
        let first = rig.dial(&rig.agent, TOKEN).await.unwrap();
        rig.until(LinkState::Connected).await;
        let second = rig.agent.twin("second");
        let _second = rig.dial(&second, TOKEN).await.unwrap();
        let rivals = |view: &ClusterView| {
            view.standby.as_ref().is_some_and(|standby| standby.side_by_side == SideBySide::Rivals)
        };
        rig.until_view(rivals).await;
        rig.agent.speaker.report(Report { cluster: Some(ClusterReport::default()), ..Report::default() });
        rig.until_view(|view| view.instance.as_ref().is_some_and(|instance| instance.0 == "first")).await;
        drop(first);
        rig.until_view(|view| view.standby.is_none()).await;
        assert_eq!(rig.view().link, LinkState::Connected, "the one that stood by serves");
    })
    .await;
}

#[tokio::test]
async fn agents_that_arrive_all_at_once_are_told_when_to_come_again() {
    within(async {
        let rig = Rig::listening_for(2, Timings { retry_after: Duration::from_secs(3), ..quick() }).await;
        let url: GatewayUrl = format!("ws://{}", rig.address()).parse().unwrap();
        let (credential, trust) = (Token::new(TOKEN).unwrap().into(), Trust::for_url(&url).unwrap());
        let route = Route { url, credential, trust, proxies: Proxies::default() };
        // They have shaken hands, and say nothing.
        let mut arriving = Vec::new();
        for _ in 0..2 {
            arriving.push(dial(&route, Activity::start(), Timings::default().dial).await.unwrap());
        }
        for _ in 0..5 {
            let (status, message, retry_after) = denied(rig.dial(&rig.agent, TOKEN).await);
            assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{message}");
            let retry_after = retry_after.unwrap().as_secs();
            assert!((3..=6).contains(&retry_after), "{retry_after} s");
        }
        arriving.pop();
        // One that has reported leaves its place to the next.
        let mut linked = Vec::new();
        for nth in 0..3 {
            let agent = rig.agent.twin("one");
            loop {
                match rig.dial(&agent, TOKEN).await {
                    Ok(dialled) => break linked.push(dialled),
                    Err(DialError::Refused { status: StatusCode::TOO_MANY_REQUESTS, .. }) => {
                        tokio::task::yield_now().await;
                    }
                    Err(error) => panic!("{nth}: {error}"),
                }
            }
        }
    })
    .await;
}

/// The control stream of this one stays open, so that only HTTP/2 tells.
#[tokio::test]
async fn what_an_agent_was_asked_before_it_said_good_bye_it_answers() {
    within(async {
        let rig = Rig::listening(quick()).await;
        let url: GatewayUrl = format!("ws://{}", rig.address()).parse().unwrap();
        let (credential, trust) = (Token::new(TOKEN).unwrap().into(), Trust::for_url(&url).unwrap());
        let route = Route { url, credential, trust, proxies: Proxies::default() };
        let (stream, drain) = (
            dial(&route, Activity::start(), Timings::default().dial).await.unwrap(),
            CancellationToken::new(),
        );
        let _link = serve_until(rig.agent.router(), stream, drain.clone());
        rig.until(LinkState::Connected).await;
        let mut frames = rig.carrier().call(peer::BULK, Bytes::new()).await.unwrap();
        drain.cancel();
        rig.until(LinkState::Lost).await;
        let mut received = 0;
        while let Some(frame) = frames.next::<String>().await {
            frame.unwrap();
            received += 1;
        }
        assert_eq!(received, peer::BULK_FRAMES);
    })
    .await;
}

#[tokio::test]
async fn bytes_that_are_no_http2_cost_their_own_connection_only() {
    within(async {
        let rig = Rig::listening(impatient()).await;
        let url: GatewayUrl = format!("ws://{}", rig.address()).parse().unwrap();
        let (credential, trust) = (Token::new(TOKEN).unwrap().into(), Trust::for_url(&url).unwrap());
        let route = Route { url, credential, trust, proxies: Proxies::default() };
        for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 4096], &[0; 9]] {
            let mut stream = dial(&route, Activity::start(), Timings::default().dial).await.unwrap();
            stream.write_all(garbage).await.unwrap();
            stream.flush().await.unwrap();
            let mut rest = Vec::new();
            // The gateway hangs up, politely or not.
            let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
        }
        let _dialled = rig.dial(&rig.agent, TOKEN).await.unwrap();
        rig.until(LinkState::Connected).await;
    })
    .await;
}
