//! How a watch is opened, and asked whether it still stands.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep;

use super::Driver;
use crate::api::{ApiError, Page, Query};
use crate::watch::failure::{Failure, FailureKind};
use crate::watch::open::{OpenWatch, watch_query};
use crate::watch::rights::Verb;
use crate::watch::step::{Event, Nudged};

impl Driver {
    /// Opens a watch that begins with all objects there are.
    pub(super) async fn stream(&mut self) -> Event {
        let query =
            self.watch_query().with("sendInitialEvents", "true").with("resourceVersionMatch", "NotOlderThan");
        let event = self.open(query, self.context.timings.initial_silence).await;
        self.remember_refusal(&event);
        event
    }

    pub(super) async fn watch(&mut self, from: &str) -> Event {
        let event =
            self.open(self.watch_query().with("resourceVersion", from), self.context.timings.silence).await;
        self.expect_a_word();
        event
    }

    /// From here on the open watch should say something now and then.
    pub(super) fn expect_a_word(&mut self) {
        let timings = &self.context.timings;
        if let Some(open) = &mut self.open {
            open.expect_a_word(timings.nudge, timings.silence);
        }
    }

    fn watch_query(&self) -> Query {
        watch_query(&self.path, &self.context.timings)
    }

    async fn open(&mut self, query: Query, silence: Duration) -> Event {
        self.open = None;
        if let Some(refused) = self.permission.refusal(Verb::Watch).await {
            return refused;
        }
        let path = query.build();
        let opening = self.context.api.watch(&path, self.representation, self.context.timings.open);
        let refusal_told = self.refusal_told();
        // In a box: a watch is open most of the time.
        let opened = Box::pin(async {
            tokio::select! {
                biased;
                opened = opening => opened,
                told = refusal_told => Err(told),
            }
        });
        match opened.await {
            Ok(lines) => {
                self.open = Some(OpenWatch::new(lines, silence));
                Event::Opened
            }
            Err(error) => Event::Failed(Failure::from(&error)),
        }
    }

    /// Ends where the server says what is wrong with the kind while a watch waits for its head. A watch begins once the
    /// server has all objects of the kind in memory; where it can't get them there, because it can't convert them, say, it
    /// tells only those who list.
    fn refusal_told(&self) -> impl Future<Output = ApiError> + Send + use<> {
        let (explain, one_object) = (self.context.timings.explain, self.one_object());
        async move {
            sleep(explain).await;
            match one_object.await {
                // A refusal is none: who may watch need not be granted lists.
                Err(told @ ApiError::Server { .. }) => told,
                _ => std::future::pending().await,
            }
        }
    }

    /// A list that costs the server as little as one can.
    fn one_object(&self) -> impl Future<Output = Result<Page, ApiError>> + Send + use<> {
        let (api, representation) = (self.context.api.clone(), self.representation);
        let path = Query::of(self.path.as_str()).with("limit", "1").build();
        let within = self.context.timings.open;
        async move { api.page(&path, representation, within).await }
    }

    /// One kind's refusal spares the others the attempt.
    fn remember_refusal(&self, event: &Event) {
        if matches!(event, Event::Failed(failure) if failure.kind == FailureKind::Invalid) {
            self.context.streaming.store(false, Ordering::Relaxed);
        }
    }

    /// Begins a list of one object beside the open watch.
    pub(super) fn nudge(&mut self) {
        let one_object = self.one_object();
        if let Some(open) = &mut self.open {
            open.nudge_with(one_object);
        }
    }

    /// Servers with streamed lists answer consistent lists from the cache that feeds the watches. Events have no such cache.
    pub(super) fn judge(&self, nudged: &Result<Page, ApiError>) -> Nudged {
        let is_cached = self.feed.handle.info.id.resource != "events";
        match nudged {
            Ok(_) if is_cached && self.context.streaming.load(Ordering::Relaxed) => Nudged::BookmarkFollows,
            Ok(_) => Nudged::BookmarkMayFollow,
            Err(error) => {
                let kind = &self.feed.handle.info.id;
                tracing::debug!(%kind, error = error as &dyn std::error::Error, "a quiet watch could not be nudged");
                Nudged::Failed
            }
        }
    }
}
