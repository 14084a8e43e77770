//! Agents behind a proxy that lets nothing out but what asks for a tunnel.

use kubeplex_gateway::fleet::LinkState;
use kubeplex_link::dial::DialError;
use kubeplex_link::proxy::{Proxies, ProxyError};
use kubeplex_link::reason;
use kubeplex_test_support::connect_proxy::{ConnectProxy, Manners};

use crate::pki::{FAR_AWAY, Pki};
use crate::rig::{Dialled, Rig, dial_through, quick, within};

/// `alice:s3cret`.
const CREDENTIALS: &str = "Basic YWxpY2U6czNjcmV0";

/// What becomes of an agent that dials a gateway of which it only knows the name, through a proxy with these manners.
async fn dialled(manners: Manners, user: &str) -> (Result<Dialled, DialError>, Rig, ConnectProxy) {
    let pki = Pki::new();
    let rig = Rig::listening_over_tls(quick(), &pki).await;
    let proxy = ConnectProxy::to(rig.address(), manners).await;
    let proxies = Proxies::always(format!("http://{user}{}", proxy.address).parse().unwrap());
    let outcome = dial_through(proxies, &rig.agent, &format!("wss://{FAR_AWAY}"), pki.trust()).await;
    (outcome, rig, proxy)
}

#[tokio::test]
async fn a_tunnel_is_asked_for_by_name_and_the_credentials_are_shown() {
    for (manners, user) in [
        (Manners::Open, ""),
        (Manners::Open, "alice:s3cret@"),
        (Manners::OpenTo(CREDENTIALS.to_owned()), "alice:s3cret@"),
    ] {
        within(async {
            let (dialled, rig, proxy) = dialled(manners, user).await;
            let _dialled = dialled.unwrap();
            rig.until(LinkState::Connected).await;
            assert_eq!(proxy.asked(), [format!("{FAR_AWAY}:443")], "the name is the proxy's to look up");
            crate::replies::frames_arrive_in_order(rig).await;
        })
        .await;
    }
}

#[tokio::test]
async fn what_the_proxy_answered_is_said_and_its_password_is_not() {
    for (manners, told) in [
        (
            Manners::OpenTo("Basic else".to_owned()),
            "it answered with HTTP status 407 Proxy Authentication Required: who are you, please",
        ),
        (
            Manners::Say("HTTP/1.1 403 Forbidden\r\nContent-Length: 22\r\n\r\n<b>not on this list</b>"),
            "it answered with HTTP status 403 Forbidden: <b>not on this list</b",
        ),
        (
            Manners::Say("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
            "502 Bad Gateway: no explanation",
        ),
        (Manners::Say("SSH-2.0-OpenSSH_9.6\r\n"), "it is no HTTP proxy, or broke off"),
        (Manners::Say(""), "it is no HTTP proxy, or broke off"),
    ] {
        within(async {
            let (dialled, _rig, proxy) = dialled(manners.clone(), "alice:s3cret@").await;
            let Err(error @ DialError::Proxy { .. }) = dialled else { panic!("{manners:?}") };
            let (said, address) = (reason(&error), proxy.address);
            let place =
                format!("reaching wss://{FAR_AWAY}:443/agent/v1/link through the proxy http://{address}: ");
            assert!(said.starts_with(&place) && said.contains(told), "{said}");
            assert!(!said.contains("s3cret") && !said.contains("YWxp"), "{said}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    within(async {
        let rig = Rig::listening(quick()).await;
        let proxies = Proxies::always("http://127.0.0.1:1".parse().unwrap());
        let trust = Pki::new().trust();
        let outcome = dial_through(proxies, &rig.agent, &format!("wss://{FAR_AWAY}"), trust).await;
        let Err(DialError::Proxy { proxy, source: ProxyError::Connect(_), .. }) = outcome else {
            panic!("it was there")
        };
        assert_eq!(proxy, "http://127.0.0.1:1");
    })
    .await;
}

#[tokio::test]
async fn a_link_in_plain_goes_through_a_proxy_of_this_machine_alone() {
    within(async {
        let rig = Rig::listening(quick()).await;
        let (url, trust) = (format!("ws://{}", rig.address()), Pki::new().trust());
        let proxy = ConnectProxy::to(rig.address(), Manners::Open).await;
        let here = Proxies::always(format!("http://{}", proxy.address).parse().unwrap());
        let _dialled = dial_through(here, &rig.agent, &url, trust.clone()).await.unwrap();
        rig.until(LinkState::Connected).await;
        let elsewhere = Proxies::always("http://192.0.2.1:3128".parse().unwrap());
        let outcome = dial_through(elsewhere, &rig.agent, &url, trust).await;
        assert!(matches!(outcome, Err(DialError::Proxy { source: ProxyError::NoAddress, .. })));
    })
    .await;
}
