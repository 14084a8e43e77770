//! Fifty calls a second, of every question in turn, each answer judged by the weather that it was given in.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kubeplex_cli::client::{Client, ClientError, Exchange};
use parking_lot::Mutex;
use serde_json::{Map, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};
use tokio_util::sync::CancellationToken;

use super::judge::{Question, Verdict};

/// From one call to the next.
const PACE: Duration = Duration::from_millis(20);

/// What an answer may lack at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weather {
    /// Nothing.
    Fair,
    /// The part of this cluster, whose agent is away.
    Without(&'static str),
    /// Anything, and there may be none: the gateway is away, or its agents are on their way back.
    Storm,
}

/// How the weather was and is.
#[derive(Clone)]
pub(super) struct Sky(Arc<Mutex<Vec<Weather>>>);

/// What became of the calls.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) whole: usize,
    /// Right, and with a part missing that was said.
    pub(super) partial: usize,
    /// There was no answer: an error that says so, or no connection.
    pub(super) unanswered: usize,
    pub(super) slowest: Duration,
}

/// Calls until it is stopped.
pub(super) struct Load {
    over: CancellationToken,
    callers: JoinSet<Result<Tally, String>>,
}

impl Sky {
    pub(super) fn fair() -> Self {
        Self(Arc::new(Mutex::new(vec![Weather::Fair])))
    }

    pub(super) fn turns(&self, weather: Weather) {
        self.0.lock().push(weather);
    }

    /// For [`since`](Self::since).
    fn now(&self) -> usize {
        self.0.lock().len() - 1
    }

    fn since(&self, then: usize) -> Vec<Weather> {
        self.0.lock()[then..].to_vec()
    }
}

impl Load {
    /// Puts the questions in turn, each with the client of its caller.
    pub(super) fn start(questions: Vec<(Arc<Question>, Client)>, sky: Sky) -> Self {
        let (over, mut callers) = (CancellationToken::new(), JoinSet::new());
        callers.spawn(call(questions, sky, over.clone()));
        Self { over, callers }
    }

    /// Whether no answer was wrong so far.
    pub(super) fn goes_on(&mut self) {
        if let Some(ended) = self.callers.try_join_next() {
            panic!("{:?}", ended.expect("the calls do not panic"));
        }
    }

    /// What became of the calls, all of which are over.
    pub(super) async fn stop(mut self) -> Tally {
        self.over.cancel();
        let tally = self.callers.join_next().await.expect("the calls").expect("they do not panic");
        tally.unwrap_or_else(|wrong| panic!("{wrong}"))
    }
}

async fn call(
    questions: Vec<(Arc<Question>, Client)>,
    sky: Sky,
    over: CancellationToken,
) -> Result<Tally, String> {
    let (mut calls, mut tally) = (JoinSet::new(), Tally::default());
    let mut pace = interval(PACE);
    for (question, client) in questions.into_iter().cycle() {
        let ticked = over.run_until_cancelled(pace.tick()).await;
        if ticked.is_none() {
            break;
        }
        calls.spawn(one(question, client, sky.clone()));
        while let Some(called) = calls.try_join_next() {
            tally.add(called.expect("a call does not panic")?);
        }
    }
    while let Some(called) = calls.join_next().await {
        tally.add(called.expect("a call does not panic")?);
    }
    Ok(tally)
}

async fn one(question: Arc<Question>, client: Client, sky: Sky) -> Result<(Verdict, Duration), String> {
    let began = sky.now();
    let asked = Instant::now();
    let answer = ask(&question, &client).await;
    let took = asked.elapsed();
    let weather = sky.since(began);
    judge(&question, answer, &weather).map(|verdict| (verdict, took)).map_err(|wrong| {
        let Question { user, tool, arguments, .. } = &*question;
        format!("{user} {tool} {arguments} in {weather:?}: {wrong}")
    })
}

pub(super) async fn ask(question: &Question, client: &Client) -> Result<Exchange, ClientError> {
    let mut arguments: Map<_, _> = question.arguments.as_object().cloned().expect("an object");
    // A busy machine is no wrong answer.
    arguments.insert("timeoutSeconds".to_owned(), json!(20));
    client.call(question.tool, arguments, false).await
}

fn judge(
    question: &Question,
    answer: Result<Exchange, ClientError>,
    weather: &[Weather],
) -> Result<Verdict, String> {
    let verdict = match &answer {
        Ok(exchange) => question.judge(exchange.structured())?,
        Err(_) if weather.contains(&Weather::Storm) => Verdict::Nothing,
        Err(error) => return Err(format!("{error:?}")),
    };
    let away: BTreeSet<_> = weather
        .iter()
        .filter_map(|weather| match weather {
            Weather::Without(cluster) => Some((*cluster).to_owned()),
            Weather::Fair | Weather::Storm => None,
        })
        .collect();
    let is_expected = weather.contains(&Weather::Storm)
        || match &verdict {
            Verdict::Whole => true,
            Verdict::Without(missing) => missing.is_subset(&away),
            Verdict::Nothing => !away.is_empty() && question.clusters().is_subset(&away),
        };
    if is_expected { Ok(verdict) } else { Err(format!("{verdict:?}: {answer:?}")) }
}

impl Tally {
    fn add(&mut self, (verdict, took): (Verdict, Duration)) {
        self.slowest = self.slowest.max(took);
        match verdict {
            Verdict::Whole => self.whole += 1,
            Verdict::Without(_) => self.partial += 1,
            Verdict::Nothing => self.unanswered += 1,
        }
    }

    pub(super) fn calls(&self) -> usize {
        self.whole + self.partial + self.unanswered
    }
}
