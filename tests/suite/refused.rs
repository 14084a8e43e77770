//! Agents that a gateway refuses: both ends say why, what was shown, and what to do about it; the gateway once, however often
//! they come.

use kubeplex_gateway::config::TokenHash;
use kubeplex_tests::program::Program;
use kubeplex_tests::wait;

use crate::proxied::{CLUSTER, Credentials, Surroundings};
use crate::separate::token;

/// The lines of a log that say all of these.
fn lines(program: &Program, words: &[&str]) -> Vec<String> {
    let log = program.log();
    let says = |line: &&str| words.iter().all(|word| line.contains(word));
    log.lines().filter(says).map(str::to_owned).collect()
}

/// Waits until an agent has been refused so often, and says so in these words.
async fn until_refused(agent: &Program, times: usize, words: &[&str]) {
    wait::until(&format!("the agent's log says {words:?} {times} times"), async || {
        if lines(agent, words).len() >= times { Ok(()) } else { Err(agent.log()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_with_the_token_of_another_cluster_is_told_both_names() {
    let surroundings = Surroundings::new().await;
    let agent =
        surroundings.agent("localhost", &Credentials { cluster: "us-1", token: &token(CLUSTER) }, &[]);
    let told = ["cluster us-1", "belongs to ap-1", "cluster = \\\"ap-1\\\""];
    until_refused(&agent, 3, &[&["ERROR"][..], &told].concat()).await;
    let said = lines(&surroundings.gateway, &["an agent's link was not accepted"]);
    assert!(said.len() == 1 && told.iter().all(|word| said[0].contains(word)), "{said:?}");
    wait::until("clusters_list says it", async || {
        let answer = surroundings.clusters().await;
        let message = answer["clusters"]["problems"][0]["message"].as_str().unwrap_or_default().to_owned();
        if message.contains("cluster us-1") && message.contains("belongs to ap-1") {
            Ok(())
        } else {
            Err(answer)
        }
    })
    .await;
    surroundings.stop(agent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_with_an_unknown_token_is_told_which_it_was_without_the_token() {
    let surroundings = Surroundings::new().await;
    let agent =
        surroundings.agent("localhost", &Credentials { cluster: CLUSTER, token: "nobody's-token" }, &[]);
    let beginning: String = TokenHash::of("nobody's-token").to_string().chars().take(8).collect();
    let shown = format!("SHA-256 begins with {beginning}");
    until_refused(&agent, 3, &["ERROR", &shown, "put the token's SHA-256 beside the cluster's name"]).await;
    let said = lines(&surroundings.gateway, &["an agent was not let in"]);
    assert!(said.len() == 1 && said[0].contains(&shown) && said[0].contains("token_sha256"), "{said:?}");
    assert!(said[0].contains("127.0.0.1"), "{said:?}");
    for log in [agent.log(), surroundings.gateway.log()] {
        assert!(!log.contains("nobody's-token"), "{log}");
    }
    // Its token is read whenever it dials.
    surroundings.put_token(&token(CLUSTER));
    surroundings.until_linked(&agent).await;
    surroundings.stop(agent).await;
}
