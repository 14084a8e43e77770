//! One cluster's part of a merge: a window of its rows, and how its answer goes.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::list::{ListHead, Row};
use kubeplex_proto::sort::{Direction, KeyValue, RowKey};
use kubeplex_proto::status::LegStatus;

use crate::fleet::ClusterView;
use crate::merge::{Heard, LegFailure, LegOutcome, RowsShown};
use crate::request::{Standing, Target};

use super::PageClock;
use crate::limits::MAX_KEY_BYTES;

/// What one cluster has sent, and not yet shown.
pub(super) struct Leg {
    pub(super) cluster: Arc<ClusterView>,
    pub(super) head: Option<Head>,
    pub(super) window: VecDeque<Row>,
    pub(super) progress: Progress,
    /// Whether the head of the present answer is in.
    pub(super) begun: bool,
    /// Rows that it was asked for, and what it sent of them.
    asked: usize,
    pub(super) sent: usize,
    /// Rows of all answers, and what was shown of them.
    pub(super) received: usize,
    pub(super) shown: usize,
    pub(super) last_key: Option<RowKey>,
    /// Rows of earlier answers: one that moved meanwhile is not shown again.
    pub(super) known: HashSet<RowId>,
}

/// What stays the same of a row that moves. The UID alone would not do: objects of aggregated APIs have none.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct RowId {
    namespace: String,
    name: String,
    uid: String,
}

impl From<&RowKey> for RowId {
    fn from(key: &RowKey) -> Self {
        Self { namespace: key.namespace.clone(), name: key.name.clone(), uid: key.uid.clone() }
    }
}

pub(super) struct Head {
    pub(super) heard: Heard<ListHead>,
    /// Where each of its cells stands among the page's columns.
    pub(super) places: Vec<usize>,
}

pub(super) enum Progress {
    /// Out since an earlier page.
    Out,
    Open,
    /// It sent what it was asked for, or as much of it as fitted, and has more.
    Paused,
    Ended,
    Failed(LegFailure),
}

impl Head {
    /// What a further answer says: the rows of both together are as old as the older ones, and lack what either lacks.
    pub(super) fn fold(&mut self, Heard { head: again, as_of, .. }: Heard<ListHead>) {
        self.heard.as_of = self.heard.as_of.min(as_of);
        let known = &mut self.heard.head;
        known.revision = known.revision.min(again.revision);
        let is_worse = known.status == LegStatus::Ok && again.status != LegStatus::Ok;
        if is_worse {
            known.status = again.status;
        }
        if is_worse || known.message.is_none() {
            known.message = again.message.or_else(|| known.message.take());
        }
    }
}

impl Leg {
    /// A leg that is asked for so many rows.
    pub(super) fn new(target: &Target, rows: u32) -> Self {
        Self {
            cluster: Arc::clone(&target.cluster),
            head: None,
            window: VecDeque::new(),
            progress: match target.standing {
                Standing::Asked => Progress::Open,
                Standing::Out => Progress::Out,
            },
            begun: false,
            asked: rows as usize,
            sent: 0,
            received: 0,
            shown: 0,
            last_key: None,
            known: HashSet::new(),
        }
    }

    /// Another answer begins.
    pub(super) fn ask(&mut self, rows: u32) {
        (self.begun, self.asked, self.sent) = (false, rows as usize, 0);
        if matches!(self.progress, Progress::Paused) {
            self.progress = Progress::Open;
        }
    }

    /// How many rows it has beyond those that it sent, at most; those before the page included.
    pub(super) fn unsent(&self) -> usize {
        match (&self.progress, &self.head) {
            (Progress::Open | Progress::Paused, Some(head)) => {
                usize::try_from(head.heard.head.total).unwrap_or(usize::MAX).saturating_sub(self.received)
            }
            _ => 0,
        }
    }

    /// Frames of it are still to come.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.progress, Progress::Open)
    }

    pub(super) fn expects_head(&self) -> bool {
        self.head.is_none() && self.is_open()
    }

    /// Its next row is not here yet.
    pub(super) fn is_starved(&self) -> bool {
        self.window.is_empty() && matches!(self.progress, Progress::Open | Progress::Paused)
    }

    /// It has rows that it did not send.
    pub(super) fn hides_rows(&self) -> bool {
        self.window.is_empty() && matches!(self.progress, Progress::Paused)
    }

    pub(super) fn fault(
        &self,
        row: &Row,
        directions: &[Direction],
        after: Option<&RowKey>,
    ) -> Option<&'static str> {
        let Some(head) = self.head.as_ref().filter(|_| self.begun) else {
            return Some("its agent sent rows before their head");
        };
        if self.sent >= self.asked {
            return Some("its agent sent more rows than were asked for");
        }
        if row.cells.len() != head.heard.head.columns.len() || row.key.values.len() != directions.len() {
            return Some("its agent sent a row that does not fit its columns or the order");
        }
        if key_bytes(&row.key) > MAX_KEY_BYTES {
            return Some("its rows have sort values too long to page by; sort by another column");
        }
        let previous = self.last_key.as_ref().or(after);
        let in_order = previous.is_none_or(|previous| previous.compare(&row.key, directions).is_lt());
        (!in_order).then_some("its agent sent rows out of order")
    }

    pub(super) fn accept(&mut self, row: Row) {
        self.sent += 1;
        self.received += 1;
        self.last_key = Some(row.key.clone());
        if self.known.is_empty() || !self.known.contains(&RowId::from(&row.key)) {
            self.window.push_back(row);
        }
    }

    pub(super) fn clock(&self) -> Option<PageClock> {
        let heard = &self.head.as_ref()?.heard;
        Some(PageClock { cluster_ms: heard.head.cluster_now_ms, heard: heard.at })
    }

    pub(super) fn outcome(&self, kind: &GroupResource) -> LegOutcome {
        let mut outcome = match &self.progress {
            Progress::Out => LegOutcome::out(&self.cluster),
            // Rows that are still here were not needed, so nothing of this page is missing.
            Progress::Failed(failure) if self.window.is_empty() => {
                let rows = if self.shown > 0 { RowsShown::Partial } else { RowsShown::None };
                LegOutcome::failed(&self.cluster, failure.clone(), rows)
            }
            Progress::Open if self.head.is_none() => {
                let failure = LegFailure::new(LegStatus::Timeout, "its answer was not waited for");
                LegOutcome::failed(&self.cluster, failure, RowsShown::None)
            }
            Progress::Open | Progress::Paused | Progress::Ended | Progress::Failed(_) => {
                let status = self.head.as_ref().map_or(LegStatus::Ok, |head| head.heard.head.status);
                LegOutcome::answered(self.cluster.id.clone(), status)
            }
        };
        outcome.last_known = self.cluster.last_known_objects(kind);
        outcome.with_head(self.head.as_ref().map(|head| (&head.heard).into()))
    }
}

fn key_bytes(key: &RowKey) -> usize {
    let values = key.values.iter().map(|value| match value {
        KeyValue::Text(text) => text.len(),
        KeyValue::Number(_) | KeyValue::Missing => 0,
    });
    values.sum::<usize>() + key.namespace.len() + key.name.len() + key.uid.len()
}
