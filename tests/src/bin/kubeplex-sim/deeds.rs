//! What the simulation did to a cluster and when, as far as it decides what the gateway must have noticed.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::schedule::LineTrouble;

/// The deeds so far.
pub(crate) struct Deeds(Mutex<Done>);

struct Done {
    /// Since when nothing that an agent says can arrive.
    mute: Option<Instant>,
    /// Whether the line is in trouble.
    line: bool,
    /// Since when there is no agent.
    agentless: Option<Instant>,
    /// When something last happened that a link may break by, or come back by.
    link: Instant,
    /// Whether anything ever did.
    harmed: bool,
    /// Whether anything ever was wrong with the API server.
    api_harmed: bool,
}

impl Deeds {
    pub(crate) fn none() -> Self {
        let (mute, agentless, link) = (None, None, Instant::now());
        Self(Mutex::new(Done { mute, line: false, agentless, link, harmed: false, api_harmed: false }))
    }

    /// Something happened to the connection, or to one of the processes at its ends.
    pub(crate) fn link(&self) {
        let mut done = self.0.lock();
        (done.link, done.harmed) = (Instant::now(), true);
    }

    /// The line gets into trouble, or out of it.
    pub(crate) fn line(&self, trouble: Option<LineTrouble>) {
        self.link();
        let mut done = self.0.lock();
        let is_mute = trouble.is_some_and(LineTrouble::mutes_the_agent);
        done.mute = is_mute.then(|| done.mute.unwrap_or_else(Instant::now));
        done.line = trouble.is_some();
    }

    /// The last agent ends.
    pub(crate) fn agentless(&self) {
        self.link();
        self.0.lock().agentless = Some(Instant::now());
    }

    /// There is an agent.
    pub(crate) fn agent(&self) {
        self.0.lock().agentless = None;
    }

    pub(crate) fn api(&self) {
        self.0.lock().api_harmed = true;
    }

    /// How long nothing can have come from the cluster.
    pub(crate) fn silent_for(&self) -> Duration {
        let done = self.0.lock();
        // What an agent says at its end may be under way for as long as its line is in trouble.
        let agentless = done.agentless.filter(|since| *since == done.link);
        let since = [done.mute, agentless].into_iter().flatten().min();
        since.map(|since| since.elapsed()).unwrap_or_default()
    }

    /// Whether nothing has happened to the link since then, and nothing goes on.
    pub(crate) fn link_untouched_since(&self, since: Instant) -> bool {
        let done = self.0.lock();
        done.link < since && !done.line
    }

    /// Whether nothing ever happened to the cluster's link, its agents or its API server.
    pub(crate) fn unharmed(&self) -> bool {
        let done = self.0.lock();
        !done.harmed && !done.api_harmed
    }
}
