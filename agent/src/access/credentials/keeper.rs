//! The one task that obtains credentials, and what requests see of it.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use jiff::Timestamp;
use kube::Config;
use kubeplex_link::backoff::Backoff;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::credential::{Credential, Identity};
use super::source::Source;
use super::{CredentialError, CredentialTimings};

/// The credentials for one API server. Clones share them.
#[derive(Clone)]
pub struct Credentials {
    state: watch::Receiver<State>,
    /// The highest number of a run whose outcome is of no use any more.
    useless: Arc<watch::Sender<u64>>,
    patience: Duration,
}

/// A client with a credential in it.
#[derive(Clone)]
pub(super) struct Session {
    /// The run that obtained it.
    pub(super) run: u64,
    pub(super) client: kube::Client,
    pub(super) authorization: Option<HeaderValue>,
    lifetime: Option<Lifetime>,
    /// No other run begins before.
    pub(super) next_run: Instant,
}

/// When a credential is renewed, and when it is of no use any more.
#[derive(Debug, Clone, Copy)]
struct Lifetime {
    renew: Instant,
    end: Instant,
}

#[derive(Clone)]
enum State {
    /// Nothing was obtained yet, and a run is under way.
    First,
    Ready(Session),
    /// The run that is to replace what there was takes long.
    Running(CredentialError),
    Failed {
        run: u64,
        error: CredentialError,
    },
}

/// The task.
struct Keeper {
    config: Config,
    source: Source,
    timings: CredentialTimings,
    state: watch::Sender<State>,
    useless: watch::Receiver<u64>,
    /// The last client with a certificate of its own, or without one.
    client: Option<(Option<Identity>, kube::Client)>,
}

impl Credentials {
    pub(super) fn start(
        config: Config,
        source: Source,
        timings: CredentialTimings,
        tracker: &TaskTracker,
        stop: &CancellationToken,
    ) -> Self {
        let (state, seen) = watch::channel(State::First);
        let (useless, told) = watch::channel(0);
        let keeper = Keeper { config, source, timings, state, useless: told, client: None };
        let stop = stop.clone();
        drop(tracker.spawn(async move { stop.run_until_cancelled(keeper.run()).await }));
        Self { state: seen, useless: Arc::new(useless), patience: timings.patience }
    }

    /// What is wrong, once that is known or the first credential is there: then nothing is.
    ///
    /// # Errors
    /// What keeps the credentials from being had at this moment.
    pub async fn check(&self) -> Result<(), CredentialError> {
        self.session().await.map(drop)
    }

    /// Waits until there is something else to say than before.
    pub async fn changed(&mut self) {
        if self.state.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// A session that has not expired. One that soon will is renewed meanwhile.
    pub(super) async fn session(&self) -> Result<Session, CredentialError> {
        self.next(|session| {
            let now = Instant::now();
            if session.lifetime.is_some_and(|lifetime| lifetime.renew <= now) {
                self.give_up(session.run);
            }
            // What is short-lived serves until there may be another.
            session.lifetime.is_none_or(|lifetime| now < lifetime.end.max(session.next_run))
        })
        .await
    }

    /// A session that is newer than one whose credential the API server refused.
    pub(super) async fn session_after(&self, refused: u64) -> Result<Session, CredentialError> {
        self.next(|session| session.run > refused).await
    }

    async fn next(&self, good: impl Fn(&Session) -> bool) -> Result<Session, CredentialError> {
        let mut state = self.state.clone();
        loop {
            let current = state.borrow_and_update().clone();
            match current {
                State::First => {}
                State::Ready(session) if good(&session) => return Ok(session),
                State::Ready(session) => self.give_up(session.run),
                State::Running(error) => return Err(error),
                // The next run is nobody's to wait for: it may fail for as long as nobody logs in.
                State::Failed { run, error } => {
                    self.give_up(run);
                    return Err(error);
                }
            }
            if state.changed().await.is_err() {
                return Err(CredentialError::Stopping);
            }
        }
    }

    /// What this run obtained is of no use any more.
    pub(super) fn give_up(&self, run: u64) {
        self.useless.send_if_modified(|known| std::mem::replace(known, run.max(*known)) < run);
    }

    /// How long a request may have to wait before it is told something.
    pub fn patience(&self) -> Duration {
        self.patience
    }
}

impl Keeper {
    async fn run(mut self) {
        let mut backoff = Backoff::new(self.timings.longest_pause);
        for run in 1.. {
            let began = Instant::now();
            let obtained = self.obtain().await;
            let next_run = began + backoff.pause(Some(self.timings.shortest_pause), rand::random());
            self.state.send_replace(match obtained {
                Ok((client, credential)) => {
                    let lifetime = self.lifetime(credential.expires);
                    let authorization = credential.authorization;
                    State::Ready(Session { run, client, authorization, lifetime, next_run })
                }
                Err(error) => {
                    tracing::debug!(run, %error, "no credential was obtained");
                    State::Failed { run, error }
                }
            });
            if self.useless.wait_for(|useless| *useless >= run).await.is_err() {
                return;
            }
            // What served for a while is no failure.
            if began.elapsed() > self.timings.longest_pause {
                backoff.reset();
            }
            tokio::time::sleep_until(next_run).await;
        }
    }

    /// Obtains a credential, and tells those who wait that it takes long, if it does.
    async fn obtain(&mut self) -> Result<(kube::Client, Credential), CredentialError> {
        let source = self.source.clone();
        let obtaining = source.obtain();
        tokio::pin!(obtaining);
        let credential = tokio::select! {
            credential = &mut obtaining => credential,
            () = tokio::time::sleep_until(self.patience_ends()) => {
                self.state.send_if_modified(|state| {
                    // Who was told why the last run failed hears no news by that the next one takes long.
                    let is_news = !matches!(state, State::Failed { .. });
                    if is_news {
                        *state = State::Running(source.running());
                    }
                    is_news
                });
                obtaining.await
            }
        }?;
        Ok((self.client(&credential)?, credential))
    }

    /// When requests have waited for long enough: not while there still is a credential to send them with.
    fn patience_ends(&self) -> Instant {
        let until = Instant::now() + self.timings.patience;
        match &*self.state.borrow() {
            State::Ready(Session { lifetime: Some(lifetime), .. }) => until.max(lifetime.end),
            _ => until,
        }
    }

    /// Counted from now, because the clocks of this machine and of the issuer may differ; what has expired already is tried,
    /// and not for long.
    fn lifetime(&self, expires: Option<Timestamp>) -> Option<Lifetime> {
        let left =
            |at: Timestamp| Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
        let left = expires.map(left).into_iter().chain(self.source.life()).min()?;
        let left = left.max(self.timings.shortest_pause);
        let now = Instant::now();
        Some(Lifetime { renew: now + left - self.timings.margin.min(left / 10), end: now + left })
    }

    /// The client of before, unless the certificate is another.
    fn client(&mut self, credential: &Credential) -> Result<kube::Client, CredentialError> {
        let same = |before: &Option<Identity>| match (before, &credential.identity) {
            (None, None) => true,
            (Some(before), Some(now)) => before.certificate == now.certificate,
            _ => false,
        };
        if let Some((_, client)) = self.client.as_ref().filter(|(before, _)| same(before)) {
            return Ok(client.clone());
        }
        let mut config = self.config.clone();
        if let Some(Identity { certificate, key }) = &credential.identity {
            use secrecy::ExposeSecret as _;
            let user = &mut config.auth_info;
            user.client_certificate_data = Some(BASE64_STANDARD.encode(certificate));
            user.client_key_data = Some(BASE64_STANDARD.encode(key.expose_secret()).into());
        }
        let client = kube::Client::try_from(config);
        let client = client.map_err(|error| CredentialError::Unusable(kubeplex_link::reason(&error)))?;
        self.client = Some((credential.identity.clone(), client.clone()));
        Ok(client)
    }
}
