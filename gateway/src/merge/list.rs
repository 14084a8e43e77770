//! Rows of many legs in one order.
//!
//! A row is shown once every leg that could still have an earlier one has shown its next, so a late leg can't disturb
//! the order: it is waited for, or it has failed and is out. Memory holds the page and the rows that legs were asked for.
//!
//! A leg is asked for few rows at first ([`begin`](ListMerge::begin)) and for more where the page needs them
//! ([`go_on`](ListMerge::go_on)), each time after the last row that it sent, whether it sent as many as it was asked for or
//! as many as fitted into its share of the bytes. A row that moved in between, in an order by
//! something that changes, is shown where it stood first.

mod asks;
mod leg;

use std::collections::BTreeMap;

use kubeplex_proto::column::{CellFormat, Column, same_column};
use kubeplex_proto::json_len::json_len;
use kubeplex_proto::kind::{GroupResource, Scope};
use kubeplex_proto::list::{ListEnd, ListHead, Row};
use kubeplex_proto::sort::{Direction, RowKey};
use kubeplex_proto::status::LegStatus;
use serde_json::Value;

use crate::clock::Steady;
use crate::error::CallError;
use crate::request::{LegId, ListQuery};

use super::{Coverage, Heard, LegFailure, SearchNotes, Step};

pub use asks::Ask;

use leg::{Head, Leg, Progress};

/// Feeds: `head` once an answer, then `rows` as they come, then `finish`; asks by [`next`](Self::next).
pub struct ListMerge {
    legs: Vec<Leg>,
    /// Set where no row of a leg comes before all rows of another one are shown.
    turns: Option<Vec<LegId>>,
    first: Vec<(LegId, usize)>,
    /// How often legs were asked for more.
    rounds: u32,
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

/// A page of rows, and what every leg said.
#[derive(Debug, Clone)]
pub struct ListPage {
    /// United over the legs: clusters may serve different versions of a kind.
    pub columns: Vec<Column>,
    /// Whether any cluster that rows are from has the kind in namespaces.
    pub namespaced: bool,
    pub rows: Vec<PageRow>,
    /// Whether rows follow after the last one here.
    pub more: bool,
    /// Rows that match, over the clusters that answered.
    pub total: u64,
    /// The same by status.
    pub status_counts: BTreeMap<String, u64>,
    pub coverage: Coverage,
    /// Where a search is answered.
    pub search: Option<SearchNotes>,
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

/// The cluster's time since 1970 when that was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageClock {
    pub cluster_ms: i64,
    pub heard: Steady,
}

impl ListMerge {
    pub fn new(query: &ListQuery) -> Self {
        let turns = asks::turns(query);
        Self {
            legs: query.targets.iter().map(|target| Leg::new(target, query.page.limit)).collect(),
            first: asks::first(query, turns.as_deref()),
            turns,
            rounds: 0,
            kind: query.kind.clone(),
            directions: query.page.order.directions(),
            after: query.page.resume.as_ref().map(|resume| resume.after.clone()),
            limit: query.page.limit as usize,
            max_bytes: query.options.max_bytes,
            bytes: 0,
            columns: Vec::new(),
            rows: Vec::new(),
            done: None,
        }
    }

    /// Whether a leg has more rows and is not being asked for them.
    pub fn is_paused(&self, leg: LegId) -> bool {
        self.legs.get(leg.0).is_some_and(|leg| matches!(leg.progress, Progress::Paused))
    }

    pub fn head(&mut self, leg: LegId, heard: Heard<ListHead>) {
        let Some(state) = self.legs.get_mut(leg.0).filter(|state| state.is_open()) else { return };
        if state.begun {
            return self.protest(leg, "its agent sent a second head");
        }
        state.begun = true;
        let head = &heard.head;
        if !head.status.answered() {
            let message = head.message.clone().unwrap_or_else(|| "its agent gave no reason".to_owned());
            state.progress = Progress::Failed(LegFailure::new(head.status, message));
            return;
        }
        if let Some(known) = &mut state.head {
            if known.heard.head.columns != head.columns {
                let failure = LegFailure::new(LegStatus::Error, "its columns changed while it was read");
                state.progress = Progress::Failed(failure);
            } else {
                known.fold(heard);
            }
            return;
        }
        let places = unite(&mut self.columns, &head.columns);
        state.head = Some(Head { heard, places });
    }

    /// Rows out of order, of the wrong width or beyond the limit fail the leg: its agent can't be trusted.
    pub fn rows(&mut self, leg: LegId, rows: Vec<Row>) {
        for row in rows {
            let Some(state) = self.legs.get_mut(leg.0).filter(|state| state.is_open()) else {
                return;
            };
            let fault = state.fault(&row, &self.directions, self.after.as_ref());
            match fault {
                Some(fault) => return self.protest(leg, fault),
                None => state.accept(row),
            }
        }
    }

    /// The leg is over. A leg that ends before its head has failed.
    pub fn finish(&mut self, leg: LegId, end: Result<ListEnd, LegFailure>) {
        let Some(state) = self.legs.get_mut(leg.0).filter(|state| state.is_open()) else {
            return;
        };
        state.progress = match end {
            Err(failure) => Progress::Failed(failure),
            Ok(_) if !state.begun => {
                Progress::Failed(LegFailure::new(LegStatus::Error, "its agent's reply ended before it began"))
            }
            Ok(ListEnd { cut: Some(cut), .. }) if !cut.status.answered() => {
                Progress::Failed(LegFailure::new(cut.status, cut.message))
            }
            // More rows and none shown: there is no place to go on from.
            Ok(ListEnd { more: true, .. }) if state.sent == 0 => {
                Progress::Failed(LegFailure::new(LegStatus::Error, "its agent promised rows and sent none"))
            }
            Ok(ListEnd { more: true, .. }) => Progress::Paused,
            Ok(ListEnd { more: false, .. }) => Progress::Ended,
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
        let answered = self.legs.iter().zip(&coverage.legs).enumerate();
        let answered = answered.filter(|(_, (_, outcome))| outcome.is_answered());
        let (mut total, mut status_counts) = (0, BTreeMap::new());
        let said: Vec<_> =
            answered.filter_map(|(at, (leg, _))| Some((at, &leg.head.as_ref()?.heard.head))).collect();
        for (_, head) in &said {
            total += head.total;
            for (status, count) in &head.status_counts {
                *status_counts.entry(status.clone()).or_insert(0) += count;
            }
        }
        Ok(ListPage {
            namespaced: heads().any(|head| head.heard.head.scope == Some(Scope::Namespaced)),
            more: self.done == Some(PageEnd::Cut),
            total,
            status_counts,
            search: SearchNotes::of(said.into_iter().map(|(at, head)| (LegId(at), head))),
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
        let cost = cost(row, &head.heard.head.columns);
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

/// What a row adds to an answer, about; never more, so that a page is not cut short here.
fn cost(row: &Row, columns: &[Column]) -> usize {
    let cells = row.cells.iter().zip(columns).map(|(cell, column)| match column.format {
        CellFormat::Plain => json_len(cell),
        // `"3d"`
        CellFormat::Age => 4,
        // `"5m"`
        CellFormat::Cpu | CellFormat::Memory => 4,
    });
    cells.sum::<usize>() + row.cells.len() + 2
}

#[cfg(test)]
mod tests;
