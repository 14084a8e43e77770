//! Rows of many legs in one order.
//!
//! A row is shown once every leg that could still have an earlier one has shown its next, so a late leg can't disturb
//! the order: it is waited for, or it has failed and is out. Memory holds the page and one window of rows a leg.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use kubeplex_proto::column::{Column, same_column};
use kubeplex_proto::kind::{GroupResource, Scope};
use kubeplex_proto::list::{ListEnd, ListHead, Row};
use kubeplex_proto::sort::{Direction, RowKey};
use kubeplex_proto::status::LegStatus;
use serde_json::Value;

use crate::error::CallError;
use crate::fleet::ClusterView;
use crate::request::{LegId, ListQuery, Standing};

use super::{Coverage, LegFailure, LegOutcome, RowsShown, Step};

/// Feeds: `head` once a leg, then `rows` as they come, then `finish`; asks by [`next`](Self::next).
pub struct ListMerge {
    legs: Vec<Leg>,
    kind: GroupResource,
    directions: Vec<Direction>,
    after: Option<RowKey>,
    limit: usize,
    /// Bytes of cells; rendering fits the page into its budget exactly, this only bounds what is fetched for it.
    max_bytes: usize,
    bytes: usize,
    columns: Vec<Column>,
    rows: Vec<PageRow>,
    done: Option<PageEnd>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PageEnd {
    Complete,
    Cut,
}

struct Leg {
    cluster: Arc<ClusterView>,
    head: Option<Head>,
    window: VecDeque<Row>,
    progress: Progress,
    received: usize,
    shown: usize,
    last_key: Option<RowKey>,
}

struct Head {
    head: ListHead,
    received_ms: i64,
    /// Where each of its cells stands among the page's columns.
    places: Vec<usize>,
}

enum Progress {
    /// Out since an earlier page.
    Out,
    Open,
    Ended {
        more: bool,
    },
    Failed(LegFailure),
}

/// A page of rows, and what every leg said.
#[derive(Debug, Clone)]
pub struct ListPage {
    /// United over the legs: clusters may serve different versions of a kind.
    pub columns: Vec<Column>,
    /// Whether any cluster that answered has the kind in namespaces.
    pub namespaced: bool,
    pub rows: Vec<PageRow>,
    /// Whether rows follow after the last one here.
    pub more: bool,
    /// Rows that match, over the clusters that answered.
    pub total: u64,
    /// The same by status.
    pub status_counts: BTreeMap<String, u64>,
    pub coverage: Coverage,
    /// One entry for each leg; what the ages of its rows are relative to.
    pub clocks: Vec<Option<PageClock>>,
}

/// A row with one cell for each column of the page.
#[derive(Debug, Clone, PartialEq)]
pub struct PageRow {
    pub leg: LegId,
    pub key: RowKey,
    pub cells: Vec<Value>,
}

/// The cluster's time when the gateway's was `gateway_ms`, both since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageClock {
    pub cluster_ms: i64,
    pub gateway_ms: i64,
}

impl ListMerge {
    pub fn new(query: &ListQuery) -> Self {
        let legs = query.targets.iter().map(|target| Leg {
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
        });
        Self {
            legs: legs.collect(),
            kind: query.kind.clone(),
            directions: query.order.directions(),
            after: query.resume.as_ref().map(|resume| resume.after.clone()),
            limit: query.limit as usize,
            max_bytes: query.options.max_bytes,
            bytes: 0,
            columns: Vec::new(),
            rows: Vec::new(),
            done: None,
        }
    }

    /// `now_ms` is the gateway's time since 1970 at arrival; ages are counted on from it.
    pub fn head(&mut self, leg: LegId, head: ListHead, now_ms: i64) {
        let Some(state) = self.legs.get_mut(leg.0).filter(|state| state.expects_head()) else {
            return self.protest(leg, "its agent sent a second head");
        };
        if !head.status.answered() {
            let message = head.message.clone().unwrap_or_else(|| "its agent gave no reason".to_owned());
            state.progress = Progress::Failed(LegFailure::new(head.status, message));
            return;
        }
        let places = unite(&mut self.columns, &head.columns);
        state.head = Some(Head { head, received_ms: now_ms, places });
    }

    /// Rows out of order, of the wrong width or beyond the limit fail the leg: its agent can't be trusted.
    pub fn rows(&mut self, leg: LegId, rows: Vec<Row>) {
        for row in rows {
            let Some(state) =
                self.legs.get_mut(leg.0).filter(|state| matches!(state.progress, Progress::Open))
            else {
                return;
            };
            let fault = state.fault(&row, &self.directions, self.after.as_ref(), self.limit);
            match fault {
                Some(fault) => return self.protest(leg, fault),
                None => state.accept(row),
            }
        }
    }

    /// The leg is over. A leg that ends before its head has failed.
    pub fn finish(&mut self, leg: LegId, end: Result<ListEnd, LegFailure>) {
        let Some(state) = self.legs.get_mut(leg.0).filter(|state| matches!(state.progress, Progress::Open))
        else {
            return;
        };
        state.progress = match end {
            Err(failure) => Progress::Failed(failure),
            Ok(_) if state.head.is_none() => {
                Progress::Failed(LegFailure::new(LegStatus::Error, "its agent's reply ended before it began"))
            }
            Ok(ListEnd { cut: Some(cut), .. }) if !cut.status.answered() => {
                Progress::Failed(LegFailure::new(cut.status, cut.message))
            }
            // More rows and none shown: there is no place to go on from.
            Ok(ListEnd { more: true, .. }) if state.received == 0 => {
                Progress::Failed(LegFailure::new(LegStatus::Error, "its agent promised rows and sent none"))
            }
            Ok(ListEnd { more, .. }) => Progress::Ended { more },
        };
    }

    /// Call until [`Step::Done`]; on [`Step::Need`] feed that leg first.
    #[expect(
        clippy::should_implement_trait,
        reason = "a step is not an item: the caller feeds the machine between steps"
    )]
    pub fn next(&mut self) -> Step {
        if self.done.is_some() {
            return Step::Done;
        }
        if let Some(leg) = self.first_leg(|leg| leg.expects_head()) {
            return Step::Need(leg);
        }
        if self.rows.len() >= self.limit {
            return self.at_limit();
        }
        if let Some(leg) = self.first_leg(Leg::is_starved) {
            return Step::Need(leg);
        }
        // A leg that was cut by its agent's own budget: what comes after its last row is not known.
        if self.first_leg(Leg::hides_rows).is_some() {
            return self.end(PageEnd::Cut);
        }
        match self.earliest() {
            None => self.end(PageEnd::Complete),
            Some(leg) => self.show(leg),
        }
    }

    /// # Errors
    /// Every leg failed.
    pub fn into_page(self) -> Result<ListPage, CallError> {
        let coverage = Coverage { legs: self.legs.iter().map(|leg| leg.outcome(&self.kind)).collect() };
        if let Some(error) = coverage.failure() {
            return Err(error);
        }
        let heads = || self.legs.iter().filter_map(|leg| leg.head.as_ref());
        let mut status_counts = BTreeMap::new();
        for (status, count) in heads().flat_map(|head| &head.head.status_counts) {
            *status_counts.entry(status.clone()).or_insert(0) += count;
        }
        Ok(ListPage {
            namespaced: heads().any(|head| head.head.scope == Some(Scope::Namespaced)),
            more: self.done == Some(PageEnd::Cut),
            total: heads().map(|head| head.head.total).sum(),
            status_counts,
            clocks: self.legs.iter().map(Leg::clock).collect(),
            coverage,
            columns: self.columns,
            rows: self.rows,
        })
    }

    fn first_leg(&self, is: impl Fn(&Leg) -> bool) -> Option<LegId> {
        self.legs.iter().position(is).map(LegId)
    }

    /// Whether anything follows a full page is known as soon as one leg shows another row.
    fn at_limit(&mut self) -> Step {
        if self.legs.iter().any(|leg| !leg.window.is_empty() || leg.hides_rows()) {
            return self.end(PageEnd::Cut);
        }
        match self.first_leg(Leg::is_starved) {
            Some(leg) => Step::Need(leg),
            None => self.end(PageEnd::Complete),
        }
    }

    fn end(&mut self, end: PageEnd) -> Step {
        self.done = Some(end);
        Step::Done
    }

    fn earliest(&self) -> Option<LegId> {
        let fronts =
            self.legs.iter().enumerate().filter_map(|(at, leg)| Some((at, &leg.window.front()?.key)));
        fronts.min_by(|(_, a), (_, b)| a.compare(b, &self.directions)).map(|(at, _)| LegId(at))
    }

    fn show(&mut self, leg: LegId) -> Step {
        let state = &mut self.legs[leg.0];
        let (Some(row), Some(head)) = (state.window.front(), &state.head) else { return Step::Need(leg) };
        let cost = cost(row);
        if !self.rows.is_empty() && self.bytes + cost > self.max_bytes {
            return self.end(PageEnd::Cut);
        }
        let mut cells = vec![Value::Null; self.columns.len()];
        if let Some(row) = state.window.pop_front() {
            for (cell, place) in row.cells.into_iter().zip(&head.places) {
                cells[*place] = cell;
            }
            state.shown += 1;
            self.bytes += cost;
            self.rows.push(PageRow { leg, key: row.key, cells });
        }
        Step::Row
    }

    fn protest(&mut self, leg: LegId, fault: &str) {
        if let Some(state) = self.legs.get_mut(leg.0) {
            state.window.clear();
            state.progress = Progress::Failed(LegFailure::new(LegStatus::Error, fault));
        }
    }
}

impl Leg {
    fn expects_head(&self) -> bool {
        self.head.is_none() && matches!(self.progress, Progress::Open)
    }

    /// Its next row is not here yet.
    fn is_starved(&self) -> bool {
        self.window.is_empty() && matches!(self.progress, Progress::Open)
    }

    /// It has rows that it did not send.
    fn hides_rows(&self) -> bool {
        self.window.is_empty() && matches!(self.progress, Progress::Ended { more: true })
    }

    fn fault(
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
        let previous = self.last_key.as_ref().or(after);
        let in_order = previous.is_none_or(|previous| previous.compare(&row.key, directions).is_lt());
        (!in_order).then_some("its agent sent rows out of order")
    }

    fn accept(&mut self, row: Row) {
        self.received += 1;
        self.last_key = Some(row.key.clone());
        self.window.push_back(row);
    }

    fn clock(&self) -> Option<PageClock> {
        let head = self.head.as_ref()?;
        Some(PageClock { cluster_ms: head.head.cluster_now_ms, gateway_ms: head.received_ms })
    }

    fn outcome(&self, kind: &GroupResource) -> LegOutcome {
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
        if let Some(Head { head, .. }) = &self.head {
            outcome.message = outcome.message.or_else(|| head.message.clone());
            outcome.total = Some(head.total);
            if head.status != LegStatus::Absent {
                outcome.age_ms = Some(head.age_ms);
                outcome.source = Some(head.source);
                outcome.api_version = Some(head.api_version.clone()).filter(|version| !version.is_empty());
            }
        }
        outcome
    }
}

/// Adds what is new of `columns` to `united`; where each of them stands in it.
fn unite(united: &mut Vec<Column>, columns: &[Column]) -> Vec<usize> {
    let mut places = Vec::with_capacity(columns.len());
    for column in columns {
        let known = united.iter().enumerate().position(|(at, known)| {
            !places.contains(&at) && known.format == column.format && same_column(&known.name, &column.name)
        });
        places.push(known.unwrap_or_else(|| {
            united.push(column.clone());
            united.len() - 1
        }));
    }
    places
}

/// What a row adds to an answer, about.
fn cost(row: &Row) -> usize {
    let cells: usize = row.cells.iter().map(crate::render::json_len).sum();
    cells + row.cells.len() + 2
}

#[cfg(test)]
mod tests;
