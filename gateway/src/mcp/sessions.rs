//! Sessions of the older protocol era: a bounded number of them.
//!
//! Each costs memory whether it is used or not, and clients rarely close theirs. When all places are taken, or a caller has
//! its share of them, the session that was unused for longest makes room, if it was unused for long enough that no call can
//! be running in it; its client gets a 404 and begins a new one, as the protocol says. Whoever has sessions makes room among
//! its own, so that nobody can take those of others away by opening ever more; whoever has none takes from who has the most.

use std::collections::HashMap;
use std::sync::Arc;

use futures::Stream;
use metrics::Gauge;
use parking_lot::Mutex;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_server::SessionId;
use rmcp::transport::streamable_http_server::session::local::{
    LocalSessionManager, LocalSessionManagerError,
};
use rmcp::transport::streamable_http_server::session::{ServerSseMessage, SessionManager};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::limits::{Limits, SESSION_EVICTABLE, SESSION_NEVER_USED};
use crate::shares::{self, Shares};
use crate::telemetry::Telemetry;

/// The library's sessions, counted.
pub(super) struct BoundedSessions {
    sessions: LocalSessionManager,
    limit: usize,
    per_caller: usize,
    places: Arc<Semaphore>,
    held: Mutex<HashMap<SessionId, Held>>,
    /// Sessions that are about to be, by who will own them.
    opening: Shares<String>,
    open: Gauge,
}

/// Room for one session, which nobody else can take while this is held.
#[derive(Debug)]
pub(super) struct Opening {
    _counted: shares::Share<String>,
}

/// How many of the sessions somebody may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    All,
    OfOne,
}

/// Why there is no room for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoRoom {
    #[error("all {0} sessions are in use")]
    All(usize),
    #[error("the caller has {0} sessions in use, as many as it may")]
    OfCaller(usize),
}

struct Held {
    used: Instant,
    /// Whether anything was said in it since it was opened.
    spoken: bool,
    /// The user who opened it; nobody's, and of no use to anybody, until that is said.
    owner: Option<String>,
    _place: OwnedSemaphorePermit,
}

/// Why a session could not be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionsError {
    #[error("all {0} sessions are in use")]
    Full(usize),
    #[error(transparent)]
    Session(#[from] LocalSessionManagerError),
}

impl BoundedSessions {
    pub(super) fn new(limits: &Limits, telemetry: &Telemetry) -> Self {
        let mut sessions = LocalSessionManager::default();
        // The library ends a session after so long without traffic, even one with a call running: longer than any call.
        sessions.session_config.keep_alive = Some(limits.session_idle);
        Self {
            sessions,
            limit: limits.sessions,
            per_caller: limits.sessions_per_caller,
            places: Arc::new(Semaphore::new(limits.sessions)),
            held: Mutex::default(),
            opening: Shares::new(),
            open: telemetry.register(|| metrics::gauge!("kubeplex_gateway_sessions")),
        }
    }

    /// Makes a new session the user's. One that is somebody's stays theirs.
    pub(super) fn give(&self, id: &SessionId, user: String) {
        if let Some(session) = self.held.lock().get_mut(id) {
            session.owner.get_or_insert(user);
        }
    }

    /// Whether there is such a session, and the user opened it.
    pub(super) fn is_owned(&self, id: &SessionId, user: &str) -> bool {
        self.held.lock().get(id).is_some_and(|session| session.owner.as_deref() == Some(user))
    }

    /// Room for one more session of `user`, after ending an unused one if need be.
    pub(super) async fn open(&self, user: String, share: Share) -> Result<Opening, NoRoom> {
        loop {
            let unused = match self.try_open(&user, share, Instant::now()) {
                Ok(opening) => return Ok(opening),
                Err((no_room, unused)) => unused.ok_or(no_room)?,
            };
            tracing::info!(session = %unused, "ending an unused session to make room for another");
            // A worker that is already gone has nothing left to close.
            drop(self.close_session(&unused).await);
        }
    }

    /// `Err` with the session that can be ended to make room, if there is one.
    fn try_open(
        &self,
        user: &str,
        share: Share,
        now: Instant,
    ) -> Result<Opening, (NoRoom, Option<SessionId>)> {
        let held = self.held.lock();
        let mut by_owner: HashMap<&str, usize> = HashMap::new();
        for owner in held.values().filter_map(|session| session.owner.as_deref()) {
            *by_owner.entry(owner).or_default() += 1;
        }
        let own = by_owner.get(user).copied().unwrap_or_default();
        let most = match share {
            Share::All => self.limit,
            Share::OfOne => self.per_caller.min(self.limit),
        };
        if held.len() + self.opening.total() >= self.limit {
            let from = if own > 0 { Some(user) } else { most_of(&by_owner) };
            return Err((NoRoom::All(self.limit), from.and_then(|owner| longest_unused(&held, owner, now))));
        }
        let counted = self.opening.take(user.to_owned(), most.saturating_sub(own));
        match counted {
            Some(counted) => Ok(Opening { _counted: counted }),
            None => Err((NoRoom::OfCaller(most), longest_unused(&held, user, now))),
        }
    }

    fn forget(&self, id: &SessionId) {
        let mut held = self.held.lock();
        held.remove(id);
        self.open.set(held.len() as f64);
    }

    fn touch(&self, id: &SessionId) {
        if let Some(session) = self.held.lock().get_mut(id) {
            session.used = Instant::now();
            session.spoken = true;
        }
    }
}

fn most_of<'a>(by_owner: &HashMap<&'a str, usize>) -> Option<&'a str> {
    by_owner.iter().max_by_key(|(owner, count)| (**count, **owner)).map(|(owner, _)| *owner)
}

/// The session of `owner` that was unused for longest, if that is long enough to end it.
fn longest_unused(held: &HashMap<SessionId, Held>, owner: &str, now: Instant) -> Option<SessionId> {
    let evictable = |session: &Held| {
        let patience = if session.spoken { SESSION_EVICTABLE } else { SESSION_NEVER_USED };
        session.owner.as_deref() == Some(owner) && now.saturating_duration_since(session.used) >= patience
    };
    let candidates = held.iter().filter(|(_, session)| evictable(session));
    candidates.min_by_key(|(_, session)| session.used).map(|(id, _)| id.clone())
}

impl SessionManager for BoundedSessions {
    type Error = SessionsError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| SessionsError::Full(self.limit))?;
        let (id, transport) = self.sessions.create_session().await?;
        let mut held = self.held.lock();
        held.insert(id.clone(), Held { used: Instant::now(), spoken: false, owner: None, _place: place });
        self.open.set(held.len() as f64);
        drop(held);
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        Ok(self.sessions.initialize_session(id, message).await?)
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        Ok(self.sessions.has_session(id).await?)
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        self.forget(id);
        Ok(self.sessions.close_session(id).await?)
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.touch(id);
        Ok(self.sessions.create_stream(id, message).await?)
    }

    async fn accept_message(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Result<(), Self::Error> {
        self.touch(id);
        Ok(self.sessions.accept_message(id, message).await?)
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.touch(id);
        Ok(self.sessions.create_standalone_stream(id).await?)
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.touch(id);
        Ok(self.sessions.resume(id, last_event_id).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions(limit: usize) -> BoundedSessions {
        BoundedSessions::new(&Limits { sessions: limit, ..Limits::default() }, &Telemetry::new())
    }

    type Kept = (SessionId, <BoundedSessions as SessionManager>::Transport);

    /// As a request does it: room, the session, its owner.
    async fn opened(sessions: &BoundedSessions, user: &str) -> Result<Kept, NoRoom> {
        let _opening = sessions.open(user.to_owned(), Share::OfOne).await?;
        let (id, transport) = sessions.create_session().await.unwrap();
        sessions.give(&id, user.to_owned());
        Ok((id, transport))
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_holds_and_a_closed_session_frees_its_place() {
        let sessions = sessions(2);
        let first = opened(&sessions, "anna").await.unwrap();
        let _second = opened(&sessions, "ben").await.unwrap();
        assert!(matches!(sessions.create_session().await, Err(SessionsError::Full(2))));
        assert_eq!(opened(&sessions, "anna").await.err(), Some(NoRoom::All(2)), "both are in use");
        sessions.close_session(&first.0).await.unwrap();
        assert!(opened(&sessions, "anna").await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn room_that_is_held_is_nobody_elses() {
        let sessions = sessions(2);
        let first = sessions.open("anna".to_owned(), Share::OfOne).await.unwrap();
        let _second = sessions.open("ben".to_owned(), Share::OfOne).await.unwrap();
        assert_eq!(opened(&sessions, "carl").await.err(), Some(NoRoom::All(2)));
        drop(first);
        assert!(opened(&sessions, "carl").await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_opens_ever_more_loses_its_own() {
        let limits = Limits { sessions: 5, sessions_per_caller: 3, ..Limits::default() };
        let sessions = BoundedSessions::new(&limits, &Telemetry::new());
        let bens = opened(&sessions, "ben").await.unwrap();
        let mut annas = Vec::new();
        for _ in 0..3 {
            annas.push(opened(&sessions, "anna").await.unwrap());
            tokio::time::advance(SESSION_NEVER_USED / 10).await;
        }
        assert_eq!(opened(&sessions, "anna").await.err(), Some(NoRoom::OfCaller(3)));
        sessions.touch(&annas[0].0);
        tokio::time::advance(SESSION_NEVER_USED).await;
        // The second was unused for longest; the first has spoken, and may have a call running.
        annas.push(opened(&sessions, "anna").await.unwrap());
        assert!(!sessions.has_session(&annas[1].0).await.unwrap());
        for kept in [&annas[0], &annas[2], &bens] {
            assert!(sessions.has_session(&kept.0).await.unwrap());
        }
        // Now all are taken: whoever has none gets one of who has the most.
        let _fifth = opened(&sessions, "carl").await.unwrap();
        let dora = opened(&sessions, "dora").await.unwrap();
        assert!(!sessions.has_session(&annas[2].0).await.unwrap());
        for kept in [&annas[0], &annas[3], &bens, &dora] {
            assert!(sessions.has_session(&kept.0).await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_session_is_its_openers_and_stays_it() {
        let sessions = sessions(2);
        let (id, _transport) = sessions.create_session().await.unwrap();
        assert!(!sessions.is_owned(&id, "anna"));
        sessions.give(&id, "anna".to_owned());
        sessions.give(&id, "ben".to_owned());
        assert!(sessions.is_owned(&id, "anna"));
        assert!(!sessions.is_owned(&id, "ben"));
        sessions.close_session(&id).await.unwrap();
        assert!(!sessions.is_owned(&id, "anna"));
    }
}
