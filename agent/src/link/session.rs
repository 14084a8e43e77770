//! One connection to the gateway: dialled, served, and left again.

use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper_util::service::TowerToHyperService;
use kubeplex_link::activity::Activity;
use kubeplex_link::dial::DialError;
use kubeplex_link::http2;
use kubeplex_link::liveness::LivenessWatch;
use kubeplex_link::tasks::LinkTasks;
use kubeplex_link::timings::age;
use kubeplex_link::websocket::LinkStream;
use kubeplex_proto::control::Welcome;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Agent;
use super::failure::Failure;
use super::verdict::{self, Verdict};

/// A link that the gateway has accepted. Dropping it closes the connection.
pub(super) struct Link {
    welcomed: Instant,
    /// When another should take its place.
    due_at: Instant,
    over: oneshot::Receiver<Failure>,
    retire: CancellationToken,
    cut: DropGuard,
}

/// Why it is time for another link.
pub(super) enum Due {
    /// The link is old, and serves on.
    Aged,
    Over(Failure),
}

impl Link {
    /// Waits until another link is needed.
    pub(super) async fn due(&mut self) -> Due {
        tokio::select! {
            over = &mut self.over => Due::Over(over.unwrap_or(Failure::Closed)),
            () = sleep_until(self.due_at) => Due::Aged,
        }
    }

    /// How long the gateway has had it.
    pub(super) fn lasted(&self) -> Duration {
        self.welcomed.elapsed()
    }

    /// Takes no request any more, says so, and closes the connection when those under way have ended.
    pub(super) fn retire(self) {
        drop(self.cut.disarm());
        self.retire.cancel();
    }
}

/// Dials once, serves what comes, and waits until the gateway has accepted the link. The connection belongs to `links`.
pub(super) async fn open<D, F>(agent: &Agent, dial: &D, links: &mut JoinSet<()>) -> Result<Link, Failure>
where
    D: Fn(Activity) -> F,
    F: Future<Output = Result<LinkStream, DialError>>,
{
    let timings = agent.timings;
    let activity = Activity::start();
    let stream = dial(activity.clone()).await?;
    let (connection, mut verdict) = Connection::of(agent, activity);
    let (retire, cut) = (connection.retire.clone(), connection.cut.clone());
    let (ends, mut over) = oneshot::channel();
    links.spawn(connection.serve(stream, ends));
    let cut = cut.drop_guard();
    let welcome = async {
        let accepted = verdict.wait_for(|verdict| matches!(verdict, Verdict::Welcome(_))).await;
        match accepted.map(|verdict| verdict.clone()) {
            Ok(Verdict::Welcome(terms)) => terms,
            // The connection says why.
            _ => std::future::pending().await,
        }
    };
    let terms: Welcome = tokio::select! {
        terms = welcome => terms,
        failure = &mut over => return Err(failure.unwrap_or(Failure::Closed)),
    };
    let welcomed = Instant::now();
    let due_at = welcomed + age(timings.under(&terms).max_age, rand::random());
    Ok(Link { welcomed, due_at, over, retire, cut })
}

/// Serves a connection that a gateway has opened, until it ends or the agent stops. Returns why it ended, where the agent is
/// not the reason.
pub(super) async fn take(agent: &Agent, stream: LinkStream, activity: Activity) -> Option<Failure> {
    let (connection, _) = Connection::of(agent, activity);
    let retire = connection.retire.clone();
    let (ends, over) = oneshot::channel();
    let mut serving = pin!(connection.serve(stream, ends));
    tokio::select! {
        () = &mut serving => {}
        () = agent.shutdown.cancelled() => {
            retire.cancel();
            serving.await;
        }
    }
    over.await.ok()
}

/// What serves one connection.
struct Connection {
    agent: Agent,
    router: Router,
    activity: Activity,
    verdict: watch::Receiver<Verdict>,
    retire: CancellationToken,
    cut: CancellationToken,
    tasks: LinkTasks,
}

impl Connection {
    fn of(agent: &Agent, activity: Activity) -> (Self, watch::Receiver<Verdict>) {
        let (retire, cut) = (CancellationToken::new(), CancellationToken::new());
        let (router, verdict) = verdict::observe(&agent.router, retire.clone());
        let tasks = LinkTasks::new(agent.tracker.clone(), cut.clone());
        let heard = verdict.clone();
        (Self { agent: agent.clone(), router, activity, verdict, retire, cut, tasks }, heard)
    }

    async fn serve(mut self, stream: LinkStream, over: oneshot::Sender<Failure>) {
        let _cut = self.tasks.cut_on_drop();
        let service = TowerToHyperService::new(self.router.clone());
        let mut serving = pin!(http2::serve(stream, service, self.tasks.clone(), self.retire.clone()));
        let retired = self.retire.clone();
        let failure = tokio::select! {
            result = &mut serving => ended(result),
            failure = self.watch() => failure,
            () = retired.cancelled() => return self.linger(serving).await,
        };
        // A gateway that refuses closes the connection right behind its refusal: the refusal says more.
        let failure = match &*self.verdict.borrow() {
            Verdict::Refused(refusal) => Failure::Refused(refusal.clone()),
            _ => failure,
        };
        let left = matches!(failure, Failure::Left);
        // Nobody hears it where the link was given up meanwhile.
        let _ = over.send(failure);
        if left {
            self.linger(serving).await;
        }
    }

    /// Until the last request under way has ended, or its time is over.
    async fn linger(&self, serving: impl Future) {
        let timings = self.agent.timings;
        let stopped = async {
            self.agent.shutdown.cancelled().await;
            sleep(timings.drain).await;
        };
        tokio::select! {
            _ = timeout(timings.retire, serving) => {}
            () = stopped => {}
        }
    }

    /// Resolves when the link is to be given up, whatever the connection says.
    async fn watch(&mut self) -> Failure {
        let timings = self.agent.timings;
        let mut liveness = LivenessWatch::new(self.activity.clone(), &timings);
        // The gateway's patience with the hello, and as much for what lies between.
        let patience = timings.hello * 2;
        let first_word = timeout(patience, self.verdict.wait_for(|verdict| *verdict != Verdict::Pending));
        let first_word = tokio::select! {
            first_word = first_word => first_word.map(|verdict| verdict.ok().map(|verdict| verdict.clone())),
            () = liveness.lost() => return Failure::Lost(self.activity.silence()),
        };
        match first_word {
            Ok(Some(Verdict::Welcome(terms))) => {
                self.log(&terms);
                // From here on the gateway's terms count: it beats as often as it says, which may be too seldom for the
                // agent's own.
                let mut liveness = LivenessWatch::new(self.activity.clone(), &timings.under(&terms));
                tokio::select! {
                    () = liveness.lost() => Failure::Lost(self.activity.silence()),
                    failure = self.told() => failure,
                }
            }
            Ok(Some(Verdict::Refused(refusal))) => Failure::Refused(refusal),
            Ok(Some(Verdict::Left)) => Failure::Left,
            Ok(Some(Verdict::Pending) | None) | Err(_) => Failure::Ignored(patience),
        }
    }

    /// Resolves when the gateway has said its last word on a link that it had accepted.
    async fn told(&mut self) -> Failure {
        self.verdict.mark_unchanged();
        while self.verdict.changed().await.is_ok() {
            match self.verdict.borrow().clone() {
                Verdict::Welcome(terms) => self.log(&terms),
                Verdict::Refused(refusal) => return Failure::Refused(refusal),
                Verdict::Left => return Failure::Left,
                Verdict::Pending => {}
            }
        }
        Failure::Left
    }

    fn log(&self, terms: &Welcome) {
        let Agent { cluster, gateway, .. } = &self.agent;
        if terms.standby {
            tracing::warn!(%cluster, %gateway, "linked to the gateway, where another agent serves the cluster: standing by");
        } else {
            tracing::info!(%cluster, %gateway, "linked to the gateway");
        }
    }
}

fn ended(result: Result<(), hyper::Error>) -> Failure {
    match result {
        Ok(()) => Failure::Closed,
        Err(error) => Failure::Broken(error),
    }
}
