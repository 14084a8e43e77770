//! Events: which ones a request means, and those that tell the same as one.
//!
//! A component that can't say "again" writes a new Event each time. Here the events of one type and reason about one object
//! are one row: the newest, with how often all of them together were told.

use std::collections::HashMap;

use kubeplex_proto::events::{EventQuestion, InvolvedKind, Moment};
use kubeplex_proto::pattern::{Pattern, any_or_unrestricted};
use kubeplex_proto::sort::RowKey;
use kubeplex_proto::status::{AgentError, AgentErrorCode};
use parking_lot::RwLock;

use super::budget::ScanBudget;
use super::field::Candidate;
use super::scan::{Decode, parse};
use crate::cache::{CellRef, KindShape, KindStore, RowRef};
use crate::limits::{DECODED_UNDER_LOCK, ROWS_UNDER_LOCK};

/// The conditions of one request.
pub(super) struct EventFilter<'a> {
    question: &'a EventQuestion,
    namespaces: &'a [Pattern],
    since_ms: Option<i64>,
    until_ms: Option<i64>,
    cells: EventCells,
}

/// Where the row of an event has what decides.
#[derive(Clone, Copy)]
pub(super) struct EventCells {
    last_seen: usize,
    api_version: usize,
    kind: usize,
    namespace: usize,
    name: usize,
    reason: usize,
    event_type: usize,
    count: usize,
    series_count: usize,
}

/// Events that tell the same, as one: the newest of them, and how often it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// The newest event's own, which says nothing where its object is in no namespace.
    pub(super) namespace: Option<String>,
    pub(super) involved_namespace: String,
    pub(super) count: i64,
    name: String,
    uid: String,
    last_seen_ms: i64,
}

/// What was told, by name and UID of the newest event of each.
pub(super) struct Folds(HashMap<(String, String), Told>);

impl<'a> EventFilter<'a> {
    /// `now_ms` is the cluster's time.
    ///
    /// # Errors
    /// `invalid_argument` for a kind that is not core/v1's events.
    pub(super) fn new(
        shape: &KindShape,
        question: &'a EventQuestion,
        namespaces: &'a [Pattern],
        now_ms: i64,
    ) -> Result<Self, AgentError> {
        let at = |moment: Option<Moment>| moment.map(|moment| moment.at_ms(now_ms));
        Ok(Self {
            question,
            namespaces,
            since_ms: at(question.since),
            until_ms: at(question.until),
            cells: EventCells::of(shape)?,
        })
    }

    pub(super) fn passes(&self, row: RowRef<'_>) -> bool {
        let cells = self.cells;
        self.in_time(row)
            && any_or_unrestricted(self.namespaces, text(row, cells.namespace))
            && (self.question.names.is_empty()
                || any_or_unrestricted(&self.question.names, text(row, cells.name)))
            && self.question.kind.as_ref().is_none_or(|kind| self.tells_of(row, kind))
    }

    fn in_time(&self, row: RowRef<'_>) -> bool {
        if self.since_ms.is_none() && self.until_ms.is_none() {
            return true;
        }
        let seen_ms = self.cells.last_seen_ms(row);
        self.since_ms.is_none_or(|since| seen_ms >= since)
            && self.until_ms.is_none_or(|until| seen_ms <= until)
    }

    /// Not every component says the group of the object.
    fn tells_of(&self, row: RowRef<'_>, wanted: &InvolvedKind) -> bool {
        let version = text(row, self.cells.api_version);
        let group = version.split_once('/').map_or("", |(group, _)| group);
        text(row, self.cells.kind) == wanted.kind && (version.is_empty() || group == wanted.group)
    }
}

impl EventCells {
    fn of(shape: &KindShape) -> Result<Self, AgentError> {
        Self::find(shape).ok_or_else(|| {
            let message = format!("{} do not tell of other objects: events do", shape.id);
            AgentError::new(AgentErrorCode::InvalidArgument, message)
        })
    }

    fn find(shape: &KindShape) -> Option<Self> {
        let stored = |path: &str| {
            let at = shape.indexed_paths().iter().position(|indexed| *indexed == path);
            at.map(|at| shape.narrow_columns() + at)
        };
        let mut narrow = shape.columns.defs().iter().filter(|def| !def.wide);
        Some(Self {
            last_seen: narrow.position(|def| def.column.name == "lastSeen")?,
            api_version: stored("involvedObject.apiVersion")?,
            kind: stored("involvedObject.kind")?,
            namespace: stored("involvedObject.namespace")?,
            name: stored("involvedObject.name")?,
            reason: stored("reason")?,
            event_type: stored("type")?,
            count: stored("count")?,
            series_count: stored("series.count")?,
        })
    }

    /// Long ago for an event that does not say when.
    fn last_seen_ms(self, row: RowRef<'_>) -> i64 {
        match row.cell(self.last_seen) {
            CellRef::Time(ms) => ms,
            _ => row.created_ms().unwrap_or(i64::MIN),
        }
    }

    /// As the column says it: an event without a count was told once.
    fn count(self, row: RowRef<'_>) -> i64 {
        let number = |at| match row.cell(at) {
            CellRef::Integer(count) if count > 0 => Some(count),
            _ => None,
        };
        number(self.series_count).or_else(|| number(self.count)).unwrap_or(1)
    }

    /// What events that tell the same have in common.
    fn told(self, row: RowRef<'_>) -> [String; 6] {
        [self.namespace, self.api_version, self.kind, self.name, self.event_type, self.reason]
            .map(|at| text(row, at).to_owned())
    }
}

impl Folds {
    /// Folds the rows that `scan` visits.
    pub(super) fn collect(
        shape: &KindShape,
        scan: impl FnOnce(&mut dyn FnMut(Candidate<'_>)) -> Result<u64, AgentError>,
    ) -> Result<(Self, u64), AgentError> {
        let cells = EventCells::of(shape)?;
        let mut told: HashMap<[String; 6], Told> = HashMap::new();
        let revision = scan(&mut |candidate| {
            let new = Told::once(cells, candidate.row);
            told.entry(cells.told(candidate.row)).and_modify(|known| known.fold(&new)).or_insert(new);
        })?;
        let by_event = told.into_values().map(|told| ((told.name.clone(), told.uid.clone()), told));
        Ok((Self(by_event.collect()), revision))
    }

    /// What the row of this key stands for.
    pub(super) fn get(&self, key: &RowKey) -> Option<&Told> {
        self.0.get(&(key.name.clone(), key.uid.clone()))
    }

    /// Visits the newest event of each. One that is gone meanwhile is left out, as it might have gone before.
    ///
    /// # Errors
    /// `timeout` when the budget is used up.
    pub(super) fn visit(
        &self,
        store: &RwLock<KindStore>,
        shape: &KindShape,
        decode: Decode,
        budget: &ScanBudget,
        visit: &mut dyn FnMut(Candidate<'_>),
    ) -> Result<(), AgentError> {
        let at_once = if decode == Decode::Objects { DECODED_UNDER_LOCK } else { ROWS_UNDER_LOCK };
        let mut json = Vec::new();
        let mut folds = self.0.values().peekable();
        while folds.peek().is_some() {
            budget.check()?;
            let store = store.read();
            for told in folds.by_ref().take(at_once) {
                let Some(row) = told.row(&store) else { continue };
                let object = if decode == Decode::Objects { parse(row, &mut json) } else { None };
                visit(Candidate { shape, row, object: object.as_ref(), told: Some(told) });
            }
        }
        Ok(())
    }
}

impl Told {
    fn once(cells: EventCells, row: RowRef<'_>) -> Self {
        Self {
            namespace: row.namespace().map(str::to_owned),
            involved_namespace: text(row, cells.namespace).to_owned(),
            count: cells.count(row),
            name: row.name().to_owned(),
            uid: row.uid().into_owned(),
            last_seen_ms: cells.last_seen_ms(row),
        }
    }

    fn fold(&mut self, other: &Self) {
        let count = self.count.saturating_add(other.count);
        let place = |told: &Self| (told.last_seen_ms, told.name.clone(), told.uid.clone());
        if place(other) > place(self) {
            *self = other.clone();
        }
        self.count = count;
    }

    /// The newest event, if it is still there.
    pub(super) fn row<'s>(&self, store: &'s KindStore) -> Option<RowRef<'s>> {
        store.get(self.namespace.as_deref(), &self.name).filter(|row| row.uid() == self.uid)
    }
}

fn text(row: RowRef<'_>, at: usize) -> &str {
    match row.cell(at) {
        CellRef::Text(text) => text,
        _ => "",
    }
}
