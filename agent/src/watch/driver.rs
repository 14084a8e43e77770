//! The watch loop itself: does what the [`Machine`] says, and tells it what came of it.

mod opening;
mod pauses;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use kubeplex_proto::control::SyncState;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinError;
use tokio::time::Instant;
use tracing::Span;

use super::applier::{Applier, Change};
use super::context::WatchContext;
use super::event::WatchEvent;
use super::failure::Failure;
use super::feed::Feed;
use super::machine::Machine;
use super::open::{OpenWatch, Said};
use super::permission::Permission;
use super::rights::Verb;
use super::run::Exit;
use super::step::{Effect, Event, OnRefusal, Step};
use super::version;
use crate::api::{ApiError, Query, Representation};
use crate::limits::{INGEST_BATCH, INLINE_INGEST_BYTES};

/// How a watch loop ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The server refused what was to be watched, and there is another way.
    Refused,
    Exit(Exit),
}

/// Keeps one part of a kind current until the future is dropped, or it can't any more.
pub(super) async fn feed(context: WatchContext, feed: Feed, on_refusal: OnRefusal) -> Ended {
    let applier = Arc::new(Applier::new(feed.clone(), Arc::clone(&context.deny), context.witnesses.clone()));
    let representation = applier.intake().representation();
    // A stream of Tables says the end of its first part in the metadata of a row that has none: list those in pages.
    let streaming = representation == Representation::Full && context.streaming.load(Ordering::Relaxed);
    let driver = Driver {
        permission: Permission::new(&context, feed.clone()),
        machine: Machine::new(context.timings, streaming, on_refusal),
        path: feed.path(),
        applier,
        representation,
        open: None,
        list: None,
        reached_at: None,
        feed,
        context,
    };
    match driver.run().await {
        Ok(ended) => ended,
        Err(broken) => {
            tracing::error!(
                error = &broken as &dyn std::error::Error,
                "a watch ends because its blocking work did"
            );
            Ended::Exit(Exit::Broken)
        }
    }
}

struct Driver {
    context: WatchContext,
    feed: Feed,
    applier: Arc<Applier>,
    machine: Machine,
    permission: Permission,
    path: String,
    representation: Representation,
    open: Option<OpenWatch>,
    list: Option<RunningList>,
    /// When a pause was last cut short.
    reached_at: Option<Instant>,
}

struct RunningList {
    /// Given back during a pause.
    permit: Option<OwnedSemaphorePermit>,
    /// The list is current as of then.
    started_at: Instant,
}

impl Driver {
    async fn run(mut self) -> Result<Ended, JoinError> {
        let mut event = Event::Start;
        loop {
            let reaction = self.machine.on(event);
            for effect in reaction.effects {
                self.perform(effect).await?;
            }
            event = match reaction.step {
                Step::Stream => self.stream().await,
                Step::Page { next, objects } => self.page(next, objects).await?,
                Step::Watch { from } => self.watch(&from).await,
                Step::Read => self.read().await?,
                Step::Nudge => {
                    self.nudge();
                    self.read().await?
                }
                Step::Wait(pause) => self.wait(pause).await,
                Step::WaitForServer(pause) => self.wait_for_server(pause).await,
                Step::GiveUp => return Ok(Ended::Refused),
                Step::Rebuild => return Ok(Ended::Exit(Exit::Rebuild)),
            };
            self.permission.note(&event);
        }
    }

    async fn perform(&mut self, effect: Effect) -> Result<(), JoinError> {
        match effect {
            Effect::BeginList => {
                self.open = None;
                // A list that begins anew gives its place back first, or such lists could wait for each other.
                self.list = None;
                let permit = self.context.place_for_a_list().await;
                self.list = Some(RunningList { permit, started_at: Instant::now() });
                self.applier.begin_list();
            }
            Effect::FinishList => {
                let applier = Arc::clone(&self.applier);
                self.context.workers.run(move || applier.finish_list()).await?;
                if let Some(list) = self.list.take() {
                    self.feed.current_at(list.started_at);
                }
                self.tend();
            }
            Effect::Clear => {
                let applier = Arc::clone(&self.applier);
                self.context.workers.run(move || applier.clear()).await?;
            }
            Effect::State(SyncState::Synced, None) => {
                self.feed.set_state(SyncState::Synced, self.applier.complaint());
            }
            Effect::State(state, message) => self.say(state, message),
            Effect::Current => self.feed.current_at(Instant::now()),
            Effect::Reopened => self.feed.reopened_at(Instant::now()),
            Effect::ReopeningFailed => self.feed.reopening_failed(),
            Effect::Rediscover => self.context.rediscover.notify_one(),
        }
        Ok(())
    }

    fn say(&self, state: SyncState, message: Option<String>) {
        if self.feed.state() != state {
            let (kind, reason) = (&self.feed.handle.info.id, message.as_deref().unwrap_or_default());
            match state {
                SyncState::Forbidden | SyncState::Absent => {
                    tracing::info!(%kind, reason, "a kind can't be watched");
                }
                // One outage of the API server is told once, by its client, not once for each kind.
                _ => tracing::debug!(%kind, kind.state = ?state, reason, "a kind is not current"),
            }
        }
        self.feed.set_state(state, message);
    }

    async fn page(&mut self, next: Option<String>, objects: u32) -> Result<Event, JoinError> {
        if let Some(refused) = self.permission.refusal(Verb::List).await {
            return Ok(refused);
        }
        if self.list.as_ref().is_some_and(|list| list.permit.is_none()) {
            let permit = self.context.place_for_a_list().await;
            if let Some(list) = &mut self.list {
                list.permit = permit;
            }
        }
        let mut query = Query::of(self.path.as_str()).with("limit", &objects.to_string());
        if let Some(next) = &next {
            query = query.with("continue", next);
        }
        let query = query.build();
        let listing = self.context.api.page(&query, self.representation, self.context.timings.page);
        let page = match Box::pin(listing).await {
            Ok(page) => page,
            Err(error) => return Ok(Event::Failed(Failure::from(&error))),
        };
        self.applier.intake().note_columns(&page.columns);
        self.ingest(page.items.into_iter().map(Change::Put).collect()).await?;
        Ok(Event::Page { version: page.resource_version, next: page.next })
    }

    /// Takes in what the open watch says next.
    async fn read(&mut self) -> Result<Event, JoinError> {
        let Some(open) = self.open.as_mut() else {
            return Ok(Event::Ended { lived: Duration::ZERO, failure: None });
        };
        if let Some(error) = open.pending.take() {
            return Ok(self.ended(Some(&error)));
        }
        match open.next(INGEST_BATCH).await {
            Said::Lines(Ok(lines)) if lines.is_empty() => Ok(self.ended(None)),
            Said::Lines(Ok(lines)) => self.take_in(&lines).await,
            Said::Lines(Err(error)) => Ok(self.ended(Some(&error))),
            Said::Nudged(outcome) => Ok(Event::Nudged(self.judge(&outcome))),
            Said::NothingYet => Ok(Event::Quiet),
            Said::NothingForLong => {
                self.open = None;
                Ok(Event::Silent)
            }
        }
    }

    fn ended(&mut self, error: Option<&ApiError>) -> Event {
        let lived = self.open.take().map_or(Duration::ZERO, |open| open.opened_at.elapsed());
        Event::Ended { lived, failure: error.map(Failure::from) }
    }

    async fn take_in(&mut self, lines: &[Bytes]) -> Result<Event, JoinError> {
        let mut changes = Vec::with_capacity(lines.len());
        let mut newest: Option<String> = None;
        let (mut initial_end, mut has_bookmark) = (false, false);
        let mut error = None;
        for line in lines {
            match WatchEvent::parse(line) {
                Ok(WatchEvent::Put(object)) => changes.push(Change::Put(object)),
                Ok(WatchEvent::Delete(object)) => changes.push(Change::Delete(object)),
                Ok(WatchEvent::Bookmark(bookmark)) => {
                    initial_end |= bookmark.initial_end;
                    has_bookmark |= !bookmark.initial_end;
                    self.applier.intake().note_columns(&bookmark.columns);
                    version::advance(newest.get_or_insert_default(), bookmark.version);
                }
                Ok(WatchEvent::Error(told)) => error = Some(told),
                Err(unreadable) => error = Some(unreadable),
            }
            if error.is_some() {
                break;
            }
        }
        if changes.is_empty()
            && newest.is_none()
            && let Some(error) = error
        {
            return Ok(self.ended(Some(&error)));
        }
        if let Some(version) = self.ingest(changes).await? {
            version::advance(newest.get_or_insert_default(), version);
        }
        if let Some(open) = self.open.as_mut() {
            open.pending = error;
            open.spoke();
        }
        if initial_end {
            self.expect_a_word();
        }
        Ok(Event::Progress { version: newest, initial_end, bookmark: has_bookmark })
    }

    /// A few small objects are taken in where they are; more would keep other tasks waiting.
    async fn ingest(&mut self, changes: Vec<Change>) -> Result<Option<String>, JoinError> {
        let bytes: usize = changes.iter().map(|change| change.raw().len()).sum();
        let newest = if bytes <= INLINE_INGEST_BYTES {
            self.applier.apply(&changes)
        } else {
            let (applier, span) = (Arc::clone(&self.applier), Span::current());
            let taking_in = self.context.workers.run(move || {
                let _logged_for = span.entered();
                let mut newest: Option<String> = None;
                for batch in changes.chunks(INGEST_BATCH) {
                    if let Some(version) = applier.apply(batch) {
                        version::advance(newest.get_or_insert_default(), version);
                    }
                }
                newest
            });
            taking_in.await?
        };
        self.tend();
        Ok(newest)
    }

    /// Starts the store's upkeep where it wants some, beside the watch.
    fn tend(&mut self) {
        if self.feed.handle.store.read().wants_tending()
            && let Some(tending) = self.feed.handle.tend()
        {
            drop(self.context.workers.run(move || tending.run()));
        }
    }
}
