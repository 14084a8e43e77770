//! One cluster's part of a merge: a window of its rows, and how its answer goes.

use std::collections::VecDeque;
use std::sync::Arc;

use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::list::{ListHead, Row};
use kubeplex_proto::sort::{Direction, KeyValue, RowKey};
use kubeplex_proto::status::LegStatus;

use crate::fleet::ClusterView;
use crate::merge::{LegFailure, LegOutcome, RowsShown};
use crate::request::{Standing, Target};

use super::{MAX_KEY_BYTES, PageClock};

/// What one cluster has sent, and not yet shown.
pub(super) struct Leg {
    pub(super) cluster: Arc<ClusterView>,
    pub(super) head: Option<Head>,
    pub(super) window: VecDeque<Row>,
    pub(super) progress: Progress,
    pub(super) received: usize,
    pub(super) shown: usize,
    pub(super) last_key: Option<RowKey>,
}

pub(super) struct Head {
    pub(super) head: ListHead,
    pub(super) received_ms: i64,
    /// Where each of its cells stands among the page's columns.
    pub(super) places: Vec<usize>,
}

pub(super) enum Progress {
    /// Out since an earlier page.
    Out,
    Open,
    Ended {
        more: bool,
    },
    Failed(LegFailure),
}

impl Leg {
    pub(super) fn new(target: &Target) -> Self {
        Self {
            cluster: Arc::clone(&target.cluster),
            head: None,
            window: VecDeque::new(),
            progress: match target.standing {
                Standing::Asked => Progress::Open,
                Standing::Out => Progress::Out,
            },
            received: 0,
            shown: 0,
            last_key: None,
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
        self.window.is_empty() && self.is_open()
    }

    /// It has rows that it did not send.
    pub(super) fn hides_rows(&self) -> bool {
        self.window.is_empty() && matches!(self.progress, Progress::Ended { more: true })
    }

    pub(super) fn fault(
        &self,
        row: &Row,
        directions: &[Direction],
        after: Option<&RowKey>,
        limit: usize,
    ) -> Option<&'static str> {
        let Some(head) = &self.head else { return Some("its agent sent rows before their head") };
        if self.received >= limit {
            return Some("its agent sent more rows than were asked for");
        }
        if row.cells.len() != head.head.columns.len() || row.key.values.len() != directions.len() {
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
        self.received += 1;
        self.last_key = Some(row.key.clone());
        self.window.push_back(row);
    }

    pub(super) fn clock(&self) -> Option<PageClock> {
        let head = self.head.as_ref()?;
        Some(PageClock { cluster_ms: head.head.cluster_now_ms, gateway_ms: head.received_ms })
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
            Progress::Open | Progress::Ended { .. } | Progress::Failed(_) => {
                let status = self.head.as_ref().map_or(LegStatus::Ok, |head| head.head.status);
                LegOutcome::answered(self.cluster.id.clone(), status)
            }
        };
        outcome.last_known = self.cluster.last_known_objects(kind);
        outcome.with_head(self.head.as_ref().map(|head| (&head.head).into()))
    }
}

fn key_bytes(key: &RowKey) -> usize {
    let values = key.values.iter().map(|value| match value {
        KeyValue::Text(text) => text.len(),
        KeyValue::Number(_) | KeyValue::Missing => 0,
    });
    values.sum::<usize>() + key.namespace.len() + key.name.len() + key.uid.len()
}
