//! The whole as it is meant to run: real API servers, agents with the manifest's rights, a gateway with TLS, callers with tokens
//! of different reach; and then everything is replaced under load, and no answer is wrong.

use std::collections::BTreeSet;
use std::sync::Arc;

use kubeplex_cli::client::Client;
use kubeplex_tests::real::ControlPlanes;
use kubeplex_tests::server::Server;
use kubeplex_tests::wait;
use tokio::time::Instant;

use super::audit::Rules;
use super::check_audit;
use super::cluster::Deployed;
use super::fleet::{CALLERS, Fleet};
use super::judge::{Question, Truth, Verdict};
use super::load::{Load, Sky, Weather, ask};
use super::site::planes;
use crate::ground::{self, CLUSTERS};

/// Everything is replaced so often.
const ROUNDS: usize = 4;

/// The questions, each with the client of its caller.
type Questions = Vec<(Arc<Question>, Client)>;

#[tokio::test(flavor = "multi_thread")]
async fn agents_and_the_gateway_are_replaced_under_load_and_no_answer_is_wrong() {
    let test = "agents_and_the_gateway_are_replaced_under_load_and_no_answer_is_wrong";
    let Some(planes) = planes(test) else { return };
    let _alone = ground::changing().await;
    let (deployed, questions) = replaced(&planes).await;
    let servers: Vec<_> = deployed.iter().map(|deployed| deployed.cluster.server.clone()).collect();
    let after = Question::all(&servers.iter().collect::<Vec<_>>(), &CALLERS).await;
    let same = questions.iter().zip(&after).all(|((before, _), after)| before.truth == after.truth);
    assert!(
        same && questions.len() == after.len(),
        "the clusters changed meanwhile: the answers prove nothing"
    );
    for deployed in deployed {
        check_audit(&deployed.audit, &Rules::of(&deployed.applied, &deployed.cluster.server).await);
        deployed.take_out().await;
    }
}

async fn replaced(planes: &ControlPlanes) -> (Vec<Deployed>, Questions) {
    let mut fleet = Fleet::start(planes).await;
    let questions = questions(&fleet).await;
    until_whole(&questions).await;
    tokens_differ(&questions);
    let (sky, began) = (Sky::fair(), Instant::now());
    let mut load = Load::start(questions.clone(), sky.clone());
    for _ in 0..ROUNDS {
        for at in 0..CLUSTERS.len() {
            fleet.roll(at).await;
            until_whole(&questions).await;
            load.goes_on();
        }
        sky.turns(Weather::Storm);
        fleet.restart_gateway().await;
        until_whole(&questions).await;
        sky.turns(Weather::Fair);
        load.goes_on();
        for (at, (name, ..)) in CLUSTERS.into_iter().enumerate() {
            sky.turns(Weather::Without(name));
            fleet.recreate(at).await;
            until_whole(&questions).await;
            sky.turns(Weather::Fair);
            load.goes_on();
        }
    }
    let seconds = began.elapsed().as_secs() as usize;
    let tally = load.stop().await;
    eprintln!("{tally:?} in {seconds} s");
    assert!(tally.calls() > 49 * seconds, "{tally:?} is not fifty calls a second");
    assert!(tally.partial > 0 && tally.unanswered > 0, "{tally:?}: nothing was ever away");
    (fleet.stop().await, questions)
}

async fn questions(fleet: &Fleet) -> Questions {
    let servers: Vec<&Server> = fleet.deployed.iter().map(|deployed| &deployed.cluster.server).collect();
    let questions = Question::all(&servers, &CALLERS).await.into_iter();
    questions
        .map(|question| {
            let client = fleet.client(question.user);
            (Arc::new(question), client)
        })
        .collect()
}

/// Waits until each question is answered whole.
async fn until_whole(questions: &Questions) {
    for (question, client) in questions {
        wait::until(&format!("{} {} {}", question.user, question.tool, question.arguments), async || {
            let answer = ask(question, client).await.map_err(|error| error.to_string())?;
            match question.judge(answer.structured()) {
                Ok(Verdict::Whole) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }
}

/// Tokens that reach differently far are answered differently: the same question has another truth for each.
fn tokens_differ(questions: &Questions) {
    let pods = |user: &str| {
        let of_user = questions.iter().filter(|(question, _)| question.user == user);
        let truths = of_user.map(|(question, _)| match &question.truth {
            Truth::Hidden => "hidden".to_owned(),
            truth => format!("{truth:?}"),
        });
        truths.collect::<Vec<_>>()
    };
    let answers: BTreeSet<_> = CALLERS.iter().map(|caller| pods(caller.user)).collect();
    assert_eq!(answers.len(), CALLERS.len());
}
