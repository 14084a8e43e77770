//! Sessions of the older protocol era: a bounded number of them.
//!
//! Each costs memory whether it is used or not, and clients rarely close theirs. When all places are taken, the session
//! that was unused for longest makes room, if it was unused for long enough that no call can be running in it; its client
//! gets a 404 and begins a new one, as the protocol says.

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

use crate::limits::{Limits, SESSION_EVICTABLE};
use crate::telemetry::Telemetry;

/// The library's sessions, counted.
pub(super) struct BoundedSessions {
    sessions: LocalSessionManager,
    limit: usize,
    places: Arc<Semaphore>,
    held: Mutex<HashMap<SessionId, Held>>,
    open: Gauge,
}

struct Held {
    used: Instant,
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
            places: Arc::new(Semaphore::new(limits.sessions)),
            held: Mutex::default(),
            open: telemetry.register(|| metrics::gauge!("kubeplex_gateway_sessions")),
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
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

    /// Whether there is a place for one more session, after ending an unused one if need be.
    pub(super) async fn make_room(&self) -> bool {
        if self.places.available_permits() > 0 {
            return true;
        }
        let Some(unused) = self.longest_unused(Instant::now()) else { return false };
        tracing::info!(session = %unused, "ending an unused session to make room for another");
        // A worker that is already gone has nothing left to close.
        drop(self.close_session(&unused).await);
        true
    }

    fn longest_unused(&self, now: Instant) -> Option<SessionId> {
        let held = self.held.lock();
        let (id, session) = held.iter().min_by_key(|(_, session)| session.used)?;
        (now.saturating_duration_since(session.used) >= SESSION_EVICTABLE).then(|| id.clone())
    }

    fn forget(&self, id: &SessionId) {
        let mut held = self.held.lock();
        held.remove(id);
        self.open.set(held.len() as f64);
    }

    fn touch(&self, id: &SessionId) {
        if let Some(session) = self.held.lock().get_mut(id) {
            session.used = Instant::now();
        }
    }
}

impl SessionManager for BoundedSessions {
    type Error = SessionsError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| SessionsError::Full(self.limit))?;
        let (id, transport) = self.sessions.create_session().await?;
        let mut held = self.held.lock();
        held.insert(id.clone(), Held { used: Instant::now(), owner: None, _place: place });
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

    #[tokio::test(start_paused = true)]
    async fn the_limit_holds_and_a_closed_session_frees_its_place() {
        let sessions = sessions(2);
        let (first, _transport) = sessions.create_session().await.unwrap();
        let _second = sessions.create_session().await.unwrap();
        assert!(matches!(sessions.create_session().await, Err(SessionsError::Full(2))));
        assert!(!sessions.make_room().await, "both are in use");
        sessions.close_session(&first).await.unwrap();
        assert!(sessions.create_session().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_unused_session_makes_room() {
        let sessions = sessions(2);
        let (first, _first) = sessions.create_session().await.unwrap();
        let (second, _second) = sessions.create_session().await.unwrap();
        tokio::time::advance(SESSION_EVICTABLE).await;
        sessions.touch(&first);
        assert!(sessions.make_room().await);
        assert!(sessions.has_session(&first).await.unwrap());
        assert!(!sessions.has_session(&second).await.unwrap());
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
