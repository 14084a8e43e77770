//! One open watch. It pulls from the store's history at its own pace, so a slow reader costs no buffer and falls out of the history (410) as
//! with a real server.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::Instant;

use super::trouble::Trouble;
use crate::catalog::Resource;
use crate::cluster::Shared;
use crate::faults::Call;
use crate::http::render::Renderer;
use crate::names::GroupResource;
use crate::select::Selection;
use crate::status::ApiError;
use crate::store::{Change, ChangeKind, Expired, Object, Scope};

/// A real server sends its last bookmark about this long before the deadline.
const LAST_BOOKMARK_BEFORE: Duration = Duration::from_secs(2);

/// Where a watch begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// With changes from now on.
    Now,
    /// With changes after this revision.
    After(u64),
    /// With everything there is, as `ADDED`.
    State,
    /// The same, and a bookmark that says where it ends.
    StateThenBookmark,
}

/// Whether and how often a watch gets bookmarks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bookmarks {
    Never,
    Every(Duration),
}

pub(super) struct Session {
    shared: Arc<Shared>,
    kind: GroupResource,
    selection: Selection,
    renderer: Renderer,
    head: watch::Receiver<u64>,
    /// Everything up to this revision is sent or queued.
    position: u64,
    queue: VecDeque<Bytes>,
    /// How many lines of the queue tell what was before the watch.
    backlog: usize,
    next_bookmark: Option<Instant>,
    news: News,
    period: Duration,
    deadline: Instant,
    trouble: Trouble,
    phase: Phase,
}

/// Whether the server's cache of the kind is known to be further than where the watch began. Only then are bookmarks sent:
/// kube-apiserver drops one that is not newer than the watch, which it takes the cache's last event or progress for
/// (`cacheWatcher.process` and `Cacher.dispatchEvents`). So a watch of a kind in which nothing happens stays silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    /// Nothing since the storage was asked for progress so often.
    NoneSince(u64),
    Some,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Live,
    /// What is queued is the rest.
    Ending,
}

impl Session {
    #[expect(clippy::too_many_arguments, reason = "called once, with what the query said")]
    pub(super) fn open(
        shared: &Arc<Shared>,
        call: Call,
        resource: &Resource,
        selection: Selection,
        renderer: Renderer,
        start: Start,
        bookmarks: Bookmarks,
        deadline: Instant,
    ) -> Self {
        let kind = resource.group_resource();
        let progress = shared.store.progress(&kind);
        let period = match bookmarks {
            Bookmarks::Never => Duration::MAX,
            Bookmarks::Every(period) => period,
        };
        let mut session = Self {
            head: shared.store.head(&kind),
            trouble: Trouble::new(shared.faults.clone(), call),
            shared: shared.clone(),
            kind,
            selection,
            renderer,
            position: 0,
            queue: VecDeque::new(),
            backlog: 0,
            next_bookmark: None,
            news: News::NoneSince(progress),
            period,
            deadline,
            phase: Phase::Live,
        };
        session.schedule_bookmark();
        session.begin(start);
        session.backlog = session.queue.len();
        session
    }

    /// The next line, or nothing at the end.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        loop {
            self.trouble.update();
            if self.trouble.is_frozen() || (self.backlog == 0 && self.trouble.is_stalled()) {
                self.trouble.plan_changed().await;
                continue;
            }
            if let Some(line) = self.trouble.due_line() {
                return Some(self.trouble.leaves(line));
            }
            if let Some(line) = self.queue.pop_front() {
                self.backlog = self.backlog.saturating_sub(1);
                return Some(self.trouble.leaves(line));
            }
            if self.phase == Phase::Ending {
                return None;
            }
            self.advance().await;
        }
    }

    /// Waits for whatever comes first and queues what follows from it.
    async fn advance(&mut self) {
        let bookmark_at = self.next_bookmark.unwrap_or(self.deadline);
        tokio::select! {
            biased;
            _ = self.head.changed() => self.pull(),
            () = self.trouble.stirs() => {}
            () = tokio::time::sleep_until(self.deadline) => self.phase = Phase::Ending,
            () = tokio::time::sleep_until(bookmark_at), if self.next_bookmark.is_some() => self.queue_bookmark(),
        }
    }

    fn begin(&mut self, start: Start) {
        match start {
            Start::Now => self.position = self.shared.store.revision(),
            Start::After(revision) => {
                self.position = revision;
                self.pull();
            }
            Start::State => self.queue_state(),
            Start::StateThenBookmark => {
                self.queue_state();
                if self.next_bookmark.is_some() {
                    let line = self.renderer.bookmark(self.position, true);
                    self.shared.counters.bookmark();
                    self.queue.push_back(line);
                }
            }
        }
    }

    fn queue_state(&mut self) {
        let scope = Scope { namespace: &self.selection.namespace, ..Scope::default() };
        let Ok(page) = self.shared.store.list(&self.kind, scope) else { return };
        self.position = page.revision;
        for object in page.objects {
            if self.selects(&object) {
                let line = self.renderer.event("ADDED", &object);
                self.queue_event(&line);
            }
        }
    }

    /// Queues the changes since the last time, or the error that they are gone.
    fn pull(&mut self) {
        if self.head.has_changed().is_err() {
            return self.pull_to_the_end();
        }
        match self.shared.store.changes(&self.kind, self.position) {
            Ok((changes, revision)) => {
                if !changes.is_empty() {
                    self.news = News::Some;
                }
                for change in &changes {
                    self.queue_change(change);
                }
                self.position = self.position.max(revision);
            }
            Err(Expired) => {
                let error = ApiError::too_old(self.position, self.shared.store.revision());
                let line = format!("{}\n", serde_json::json!({"type": "ERROR", "object": error.status()}));
                self.queue.push_back(Bytes::from(line));
                self.phase = Phase::Ending;
            }
        }
    }

    /// Queues what had happened when the watch was ended, or the kind was no longer served. Nothing of what came after: this
    /// task may be late.
    fn pull_to_the_end(&mut self) {
        self.phase = Phase::Ending;
        let end = *self.head.borrow();
        let Ok((changes, _)) = self.shared.store.changes(&self.kind, self.position) else { return };
        for change in changes.iter().filter(|change| change.revision() <= end) {
            self.queue_change(change);
        }
    }

    fn queue_change(&mut self, change: &Change) {
        let namespace = &*self.selection.namespace;
        if !namespace.is_empty() && change.last().key().namespace() != namespace {
            return;
        }
        let line = if self.selection.needs_content() {
            let Some(line) = self.selected_change(change) else { return };
            line
        } else {
            let event_type = change.kind().event_type();
            match self.renderer.shares_lines() {
                true => change.line(|| self.renderer.event(event_type, change.last())),
                false => self.renderer.event(event_type, change.last()),
            }
        };
        self.queue_event(&line);
    }

    /// Seen through a selector, an object comes and goes as it begins and ceases to match.
    fn selected_change(&mut self, change: &Change) -> Option<Bytes> {
        let matched = change.old().is_some_and(|old| self.selects(old));
        let matches = change.kind() != ChangeKind::Deleted && self.selects(change.last());
        match (matched, matches) {
            (false, false) => None,
            (false, true) => Some(self.renderer.event("ADDED", change.last())),
            (true, true) => Some(self.renderer.event("MODIFIED", change.last())),
            (true, false) => {
                let old = change.old()?.at_revision(change.revision());
                Some(self.renderer.event("DELETED", &old))
            }
        }
    }

    fn selects(&self, object: &Object) -> bool {
        !self.selection.needs_content() || self.selection.matches(&object.value())
    }

    fn queue_event(&mut self, line: &Bytes) {
        self.shared.counters.event();
        for line in self.trouble.pass(line) {
            self.queue.push_back(line);
        }
    }

    fn queue_bookmark(&mut self) {
        self.pull();
        if self.phase == Phase::Live && self.has_news() {
            let line = self.renderer.bookmark(self.position, false);
            self.shared.counters.bookmark();
            self.queue.push_back(line);
        }
        self.schedule_bookmark();
    }

    fn has_news(&mut self) -> bool {
        if self.news == News::NoneSince(self.shared.store.progress(&self.kind)) {
            return false;
        }
        self.news = News::Some;
        true
    }

    /// After the usual period, but once more shortly before the deadline.
    fn schedule_bookmark(&mut self) {
        if self.period == Duration::MAX {
            return;
        }
        let now = Instant::now();
        let last = self.deadline.checked_sub(LAST_BOOKMARK_BEFORE).unwrap_or(now);
        self.next_bookmark = Some(match now + self.period {
            usual if usual < last || last <= now => usual,
            _ => last,
        });
    }
}
