//! TLS and proxies, as a kubeconfig may want them.

use serde_json::json;

use super::ground::{Certificates, Clients, ConnectProxy, Ground, NAME, ask};
use crate::access::ContextError;
use crate::access::credentials::CredentialTimings;

/// What a kubeconfig says of the server, and what asking it comes to.
#[tokio::test]
async fn the_certificate_is_checked_as_the_kubeconfig_says() {
    let certificates = Certificates::new();
    let ground = Ground::tls(&certificates, Clients::Anybody).await;
    // Relative to the kubeconfig that names it.
    ground.write("authority.pem", &certificates.authority);
    let server = format!("https://{}", ground.address);
    for (cluster, expected) in [
        (json!({"certificate-authority": "authority.pem", "tls-server-name": NAME}), Ok("200")),
        (json!({"insecure-skip-tls-verify": true}), Ok("200")),
        (json!({"certificate-authority": "authority.pem"}), Err("not valid for name")),
        (json!({"tls-server-name": NAME}), Err("certificate")),
    ] {
        let mut whole = cluster.clone();
        whole["server"] = json!(server);
        let (client, _) = ground.client(whole, json!({}), CredentialTimings::default()).await.unwrap();
        match (ask(&client).await, expected) {
            (Ok(status), Ok(expected)) => assert_eq!(status.as_str(), expected, "{cluster}"),
            (Err(error), Err(expected)) => assert!(error.contains(expected), "{cluster}: {error}"),
            (outcome, _) => panic!("{cluster}: {outcome:?}"),
        }
    }
    let both =
        json!({"server": server, "certificate-authority": "authority.pem", "insecure-skip-tls-verify": true});
    let refused = ground.client(both, json!({}), CredentialTimings::default()).await;
    assert!(matches!(refused, Err(ContextError::CheckedAndUnchecked)));
    ground.shut_down().await;
}

#[tokio::test]
async fn a_proxy_of_the_kubeconfig_is_used_even_for_this_machine() {
    let certificates = Certificates::new();
    let ground = Ground::tls(&certificates, Clients::Anybody).await;
    ground.write("authority.pem", &certificates.authority);
    let proxy = ConnectProxy::to(ground.address).await;
    // Nobody but the proxy can find this server.
    let cluster = json!({"server": format!("https://{NAME}:6443"), "certificate-authority": "authority.pem",
        "proxy-url": format!("http://me:p%40ss@{}", proxy.address)});
    let (client, _) = ground.client(cluster, json!({}), CredentialTimings::default()).await.unwrap();
    assert_eq!(ask(&client).await.unwrap(), 200);
    assert_eq!(proxy.logins(), ["Basic bWU6cEBzcw=="]);
    let cluster = json!({"server": format!("https://{}", ground.address), "certificate-authority": "authority.pem",
        "tls-server-name": NAME, "proxy-url": format!("http://{}", proxy.address)});
    let (client, _) = ground.client(cluster, json!({}), CredentialTimings::default()).await.unwrap();
    assert_eq!((ask(&client).await.unwrap().as_u16(), proxy.tunnels()), (200, 2));
    let wrong = json!({"server": "https://x", "proxy-url": "ftp://x"});
    let refused = ground.client(wrong, json!({}), CredentialTimings::default()).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("ftp://x")));
    ground.shut_down().await;
}

#[tokio::test]
async fn a_plugin_may_give_a_certificate() {
    let certificates = Certificates::new();
    let ground = Ground::tls(&certificates, Clients::WithCertificate).await;
    ground.write("authority.pem", &certificates.authority);
    let cluster = json!({"server": format!("https://{}", ground.address), "certificate-authority": "authority.pem",
        "tls-server-name": NAME});
    let (nobody, _) = ground.client(cluster.clone(), json!({}), CredentialTimings::default()).await.unwrap();
    assert!(ask(&nobody).await.is_err());
    let (certificate, key) = &certificates.client;
    let credential = json!({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1",
        "status": {"clientCertificateData": certificate, "clientKeyData": key}});
    let file = ground.write("credential.json", &credential.to_string());
    let exec = json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "cat", "args": [file],
        "interactiveMode": "Never"});
    let (client, _) =
        ground.client(cluster, json!({"exec": exec}), CredentialTimings::default()).await.unwrap();
    assert_eq!(ask(&client).await.unwrap(), 200);
    ground.shut_down().await;
}
