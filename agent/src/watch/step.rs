//! The words between the watch loop and its decisions: what happened, what it means, what to do next.

use std::time::Duration;

use kubeplex_proto::control::SyncState;

use super::failure::Failure;

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// The loop begins.
    Start,
    /// A page of a list is in the store.
    Page { version: String, next: Option<String> },
    /// The head of a watch's reply arrived.
    Opened,
    /// Events or bookmarks of the open watch are in the store.
    Progress { version: Option<String>, initial_end: bool, bookmark: bool },
    /// A page could not be read, a watch not be opened.
    Failed(Failure),
    /// The open watch ended after this long, by itself or with an error.
    Ended { lived: Duration, failure: Option<Failure> },
    /// The open watch has said nothing yet, for so long that its first bookmark may need a nudge.
    Quiet,
    /// The nudge is over.
    Nudged(Nudged),
    /// The open watch said nothing for too long.
    Silent,
    /// The pause is over.
    Waited,
    /// The pause is over early: the server, which did not answer, answers again.
    Reached,
}

/// What came of a nudge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nudged {
    /// The server answered, and is one that sends the bookmark now.
    BookmarkFollows,
    /// The server answered, but is an old one or has no cache of this kind: it may or may not send a bookmark.
    BookmarkMayFollow,
    Failed,
}

/// What it means for the store and its readers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// A whole list begins: what it does not mention is gone at its end.
    BeginList,
    /// The list is complete.
    FinishList,
    /// The rows may not be shown any more.
    Clear,
    State(SyncState, Option<String>),
    /// The rows are current.
    Current,
    /// The watch stands again, which proves the rows current unless it fails at once.
    Reopened,
    /// It did.
    ReopeningFailed,
    /// What the cluster serves may have changed.
    Rediscover,
}

impl Effect {
    pub(super) fn synced() -> Self {
        Self::State(SyncState::Synced, None)
    }

    pub(super) fn stale(failure: &Failure) -> Self {
        Self::State(SyncState::Stale, Some(failure.message.clone()))
    }
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Open a watch that sends the objects there are first.
    Stream,
    /// Ask for a page of a list.
    Page { next: Option<String>, objects: u32 },
    /// Open a watch from this version.
    Watch { from: String },
    /// Read on from the open watch.
    Read,
    /// Ask for a list of one object, and read on meanwhile.
    ///
    /// A server sends no bookmark before its cache of the kind is known to be further than where the watch began. Where
    /// nothing happens to a kind, it learns that from its storage every ten minutes or, since it counts objects in the
    /// cache, about once a minute, which may be too late for the first bookmark. A list that must be consistent makes it
    /// find out. (`cacheWatcher.process` and `RequestWatchProgress` in kube-apiserver's cacher, as of 1.37.)
    Nudge,
    /// Pause for this long, or up to half as long again.
    Wait(Duration),
    /// The same, but only until a server that served nobody serves anybody.
    WaitForServer(Duration),
    /// End: what is watched here may not be watched.
    GiveUp,
    /// Give up this store for a new one, because its versions mean nothing to the server any more.
    Rebuild,
}

/// What a refusal by the server means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnRefusal {
    /// That is an answer, and is asked again now and then.
    Settle,
    /// There is another way.
    GiveUp,
}

/// Effects in order, then the step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reaction {
    pub(crate) effects: Vec<Effect>,
    pub(crate) step: Step,
}

impl Step {
    pub(super) fn after(self, effects: Vec<Effect>) -> Reaction {
        Reaction { effects, step: self }
    }
}

impl Reaction {
    pub(super) fn with_first(mut self, effect: Effect) -> Self {
        self.effects.insert(0, effect);
        self
    }
}
