//! Credential plugins that are late, fail, or give what does not last: shell scripts.

use std::time::Duration;

use serde_json::{Value, json};

use super::ground::{Ground, ask};
use crate::access::credentials::CredentialTimings;

/// A plugin that hangs is told soon, and ended later; one that failed is asked again at once.
const QUICK: CredentialTimings = CredentialTimings {
    timeout: Duration::from_secs(20),
    patience: Duration::from_secs(10),
    shortest_pause: Duration::ZERO,
    longest_pause: Duration::from_millis(1),
    margin: Duration::ZERO,
};

/// A user whose plugin numbers its runs in `runs`, does `script`, and prints the token `t` with that number.
fn user(ground: &Ground, script: &str, expires: &str) -> Value {
    let runs = ground.folder.join("runs").display().to_string();
    let script = format!(
        "echo run >> {runs}\nnumber=$(grep -c run {runs})\n{script}\n\
         printf '{{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\
         \"status\":{{\"token\":\"t%s\"{expires}}}}}' $number\n"
    );
    // Run by the shell: a file that was just written may still be open in another child of this process.
    let file = ground.write("plugin.sh", &script);
    json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "sh", "args": [file]}})
}

fn runs(ground: &Ground) -> usize {
    let runs = std::fs::read_to_string(ground.folder.join("runs")).unwrap_or_default();
    runs.lines().count()
}

fn server(ground: &Ground) -> Value {
    json!({"server": format!("http://{}", ground.address)})
}

#[tokio::test]
async fn a_refused_token_is_replaced_and_the_request_sent_again() {
    let ground = Ground::plain().await;
    ground.visitors.admit_only("Bearer t2");
    let user = user(&ground, "", "");
    let (client, _) = ground.client(server(&ground), user, QUICK).await.unwrap();
    // Right after a run, for a millisecond here, a refusal is taken for what it is.
    while ask(&client).await.unwrap() != 200 {}
    assert_eq!(ground.visitors.seen().last().unwrap(), "Bearer t2");
    assert_eq!((ask(&client).await.unwrap().as_u16(), runs(&ground)), (200, 2));
    ground.shut_down().await;
}

#[tokio::test]
async fn who_is_refused_for_good_does_not_start_a_plugin_a_request() {
    let ground = Ground::plain().await;
    ground.visitors.admit_only("Bearer of another");
    let timings = CredentialTimings { shortest_pause: Duration::from_secs(600), ..QUICK };
    let user = user(&ground, "", "");
    let (client, _) = ground.client(server(&ground), user, timings).await.unwrap();
    for _ in 0..5 {
        assert_eq!(ask(&client).await.unwrap(), 401);
    }
    assert_eq!(runs(&ground), 1);
    ground.shut_down().await;
}

#[tokio::test]
async fn a_token_that_expires_is_renewed() {
    let ground = Ground::plain().await;
    let soon = r#","expirationTimestamp":"'"$(date -u -d '+1 second' +%Y-%m-%dT%H:%M:%SZ)"'""#;
    let user = user(&ground, "", soon);
    let (client, _) = ground.client(server(&ground), user, QUICK).await.unwrap();
    while !ground.visitors.seen().contains(&"Bearer t2".to_owned()) {
        assert_eq!(ask(&client).await.unwrap(), 200);
    }
    ground.shut_down().await;
}

#[tokio::test]
async fn one_that_hangs_is_told_and_then_ended_and_asked_again() {
    let ground = Ground::plain().await;
    let file = ground.folder.join("logged-in");
    let user = user(&ground, &format!("[ -e {} ] || exec sleep 600", file.display()), "");
    let timings = CredentialTimings {
        timeout: Duration::from_millis(600),
        patience: Duration::from_millis(50),
        ..QUICK
    };
    let (client, credentials) = ground.client(server(&ground), user, timings).await.unwrap();
    let mut credentials = credentials.unwrap();
    assert_eq!(ask(&client).await.unwrap_err(), "the credential plugin sh has not answered yet");
    while !credentials
        .check()
        .await
        .unwrap_err()
        .to_string()
        .contains("did not answer within 0 s and was ended")
    {
        credentials.changed().await;
    }
    std::fs::write(&file, "").unwrap();
    while credentials.check().await.is_err() {
        credentials.changed().await;
    }
    assert_eq!(ask(&client).await.unwrap(), 200);
    ground.shut_down().await;
}

#[tokio::test]
async fn one_that_fails_is_told_at_once_to_everybody() {
    let ground = Ground::plain().await;
    let user = user(&ground, "echo 'please log in' >&2; exit 4", "");
    let timings = CredentialTimings { shortest_pause: Duration::from_secs(600), ..QUICK };
    let (client, _) = ground.client(server(&ground), user, timings).await.unwrap();
    for _ in 0..3 {
        assert_eq!(
            ask(&client).await.unwrap_err(),
            "the credential plugin sh failed (exit status: 4): please log in"
        );
    }
    assert_eq!((runs(&ground), ground.visitors.seen().len()), (1, 0));
    ground.shut_down().await;
}

#[tokio::test]
async fn a_token_file_may_end_with_a_new_line() {
    let ground = Ground::plain().await;
    ground.write("token", "from-a-file\n");
    let user = json!({"tokenFile": "token"});
    let (client, _) = ground.client(server(&ground), user, QUICK).await.unwrap();
    assert_eq!(ask(&client).await.unwrap(), 200);
    assert_eq!(ground.visitors.seen(), ["Bearer from-a-file"]);
    ground.shut_down().await;
}
