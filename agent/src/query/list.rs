//! Lists: filter, count, order, cut to a page, project.

use std::collections::BTreeMap;

use kubeplex_proto::column::{CellFormat, Column};
use kubeplex_proto::group::Group;
use kubeplex_proto::json_len::json_len;
use kubeplex_proto::list::{ColumnChoice, Cut, ListRequest, Row};
use kubeplex_proto::sort::{KeyValue, RowKey, SortBy};
use kubeplex_proto::status::{AgentError, LegStatus};
use parking_lot::RwLock;

use super::budget::ScanBudget;
use super::events::Folds;
use super::field::{Candidate, Field};
use super::rows::{Rows, Visited};
use super::scan::{Decode, parse};
use super::top::Top;
use super::{default_class, group};
use crate::cache::{CellRef, KindShape, KindStore, RowRef};
use crate::limits::{ANSWER_BYTES, ANSWER_ROWS, STATUS_VALUES};

/// The rows of one page, and what is known of the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    pub columns: Vec<Column>,
    /// Rows that match, on this page or not, before `after` or not.
    pub total: u64,
    /// The same rows by their `status`, for kinds that have such a column.
    pub status_counts: BTreeMap<String, u64>,
    /// The revision that the rows show, or an older one.
    pub revision: u64,
    pub rows: Vec<Row>,
    /// In place of rows, where the request wants groups.
    pub groups: Vec<Group>,
    /// Whether rows follow after the last one.
    pub more: bool,
    /// Why the page is shorter than was asked for.
    pub cut: Option<Cut>,
}

/// Rows projected under one lock.
const PROJECTED_AT_ONCE: usize = kubeplex_proto::ROWS_PER_FRAME;

/// One page of the objects that a request may see and means, or all groups of them. `now_ms` is the cluster's time.
///
/// # Errors
/// `invalid_argument` for a column or a field that the kind can't have; `timeout` when the budget is used up before the
/// rows are known. Later the page is only cut. `too_large` for more groups than are kept.
pub fn list(
    store: &RwLock<KindStore>,
    request: &ListRequest,
    now_ms: i64,
    budget: &ScanBudget,
) -> Result<Listing, AgentError> {
    let shape = store.read().shape().clone();
    let rows = Rows::of(store, &shape, request, now_ms, budget)?;
    if let Some(grouping) = &request.group {
        return group::list(rows, grouping, request.context.max_bytes.min(ANSWER_BYTES));
    }
    let mut reading = Reading::new(rows, request)?;
    let mut found = reading.find(request.after.as_ref())?;
    loop {
        match reading.show(found) {
            Shown::Page(listing) => return Ok(listing),
            Shown::NothingUpTo(last) => found = reading.find(Some(&last))?,
        }
    }
}

/// One request at work on one store.
struct Reading<'a> {
    rows: Rows<'a>,
    request: &'a ListRequest,
    columns: Vec<Field>,
    terms: Vec<Term>,
    limit: usize,
}

/// What a scan came to.
struct Found {
    /// The first rows of the order.
    keys: Vec<RowKey>,
    /// Whether others come after them.
    more: bool,
    total: u64,
    status_counts: BTreeMap<String, u64>,
    revision: u64,
    /// What the rows stand for, where events that tell the same are one.
    folds: Option<Folds>,
}

/// What became of the rows that a scan found.
enum Shown {
    Page(Listing),
    /// They are gone up to this one, and others follow: a page that promises rows and has none leads nowhere.
    NothingUpTo(RowKey),
}

impl Listing {
    /// Nothing, as of a revision.
    pub(super) fn empty(revision: u64) -> Self {
        Self {
            columns: Vec::new(),
            total: 0,
            status_counts: BTreeMap::new(),
            revision,
            rows: Vec::new(),
            groups: Vec::new(),
            more: false,
            cut: None,
        }
    }
}

impl<'a> Reading<'a> {
    fn new(rows: Rows<'a>, request: &'a ListRequest) -> Result<Self, AgentError> {
        Ok(Self {
            columns: columns(&rows, &request.columns)?,
            terms: terms(&rows, request)?,
            rows,
            request,
            limit: (request.limit as usize).min(ANSWER_ROWS),
        })
    }

    fn find(&mut self, after: Option<&RowKey>) -> Result<Found, AgentError> {
        let directions = self.request.sort.iter().map(|term| term.direction).collect();
        let mut top = Top::new(self.limit, after, directions);
        let mut counts = StatusCounts::new(self.rows.shape);
        let terms = &self.terms;
        let mut values: Vec<_> = terms.iter().map(Term::constant).collect();
        let mut total = 0;
        let decode = if terms.iter().any(Term::needs_object) { Decode::Objects } else { Decode::Rows };
        let mut visit = |candidate: Candidate<'_>| {
            total += 1;
            counts.count(candidate);
            for (value, term) in values.iter_mut().zip(terms) {
                if let Term::Field(field) = term {
                    *value = field.key(candidate);
                }
            }
            top.offer(&values, candidate);
        };
        let Visited { revision, folds } = self.rows.visit(decode, &mut visit)?;
        let (keys, matched) = top.finish();
        let more = matched > keys.len();
        Ok(Found { keys, more, total, status_counts: counts.values, revision, folds })
    }

    fn show(&mut self, found: Found) -> Shown {
        let last = found.keys.last().cloned();
        let mut page = Page::new(self.request.context.max_bytes.min(ANSWER_BYTES));
        page.project(&mut self.rows, &self.columns, found.keys, found.folds.as_ref());
        if let Some(last) = last
            && found.more
            && page.rows.is_empty()
            && page.cut.is_none()
        {
            return Shown::NothingUpTo(last);
        }
        Shown::Page(Listing {
            columns: self.columns.iter().map(|field| field.column.clone()).collect(),
            total: found.total,
            status_counts: found.status_counts,
            revision: found.revision,
            more: page.cut.is_some() || found.more,
            rows: page.rows,
            groups: Vec::new(),
            cut: page.cut,
        })
    }
}

fn columns(rows: &Rows<'_>, choice: &ColumnChoice) -> Result<Vec<Field>, AgentError> {
    let shape = rows.shape;
    let all = shape.columns.defs();
    let shown = |wide: bool| {
        let columns =
            (0..all.len()).filter(|at| wide || !all[*at].wide).map(|at| Field::of_column(shape, at));
        columns.chain(rows.are_folded().then(Field::repeats)).collect()
    };
    match choice {
        ColumnChoice::Usual => Ok(shown(false)),
        ColumnChoice::Wide => Ok(shown(true)),
        ColumnChoice::Fields(words) => words.iter().map(|word| rows.field(word)).collect(),
    }
}

/// One leading term of the order.
enum Term {
    Field(Field),
    Constant(KeyValue),
}

impl Term {
    fn needs_object(&self) -> bool {
        matches!(self, Self::Field(field) if field.needs_object())
    }

    /// The value that all rows have.
    fn constant(&self) -> KeyValue {
        match self {
            Self::Field(_) => KeyValue::Missing,
            Self::Constant(value) => value.clone(),
        }
    }
}

fn terms(rows: &Rows<'_>, request: &ListRequest) -> Result<Vec<Term>, AgentError> {
    let term = |by: &SortBy| match by {
        SortBy::Field(word) => rows.field(word).map(Term::Field),
        SortBy::Constant(value) => Ok(Term::Constant(value.clone())),
    };
    request.sort.iter().map(|sort| term(&sort.by)).collect()
}

/// Matches by the text of their `status` column.
struct StatusCounts {
    /// The cell of the row.
    cell: Option<usize>,
    values: BTreeMap<String, u64>,
}

impl StatusCounts {
    fn new(shape: &KindShape) -> Self {
        let narrow = shape.columns.defs().iter().filter(|def| !def.wide);
        let is_status = |column: &Column| column.name == "status" && column.format == CellFormat::Plain;
        Self { cell: narrow.map(|def| &def.column).position(is_status), values: BTreeMap::new() }
    }

    fn count(&mut self, candidate: Candidate<'_>) {
        let Some(CellRef::Text(status)) = self.cell.map(|cell| candidate.row.cell(cell)) else { return };
        if let Some(count) = self.values.get_mut(status) {
            *count += 1;
            return;
        }
        let status = if self.values.len() < STATUS_VALUES { status } else { "other" };
        *self.values.entry(status.to_owned()).or_default() += 1;
    }
}

/// Rows as far as they fit.
pub(super) struct Page {
    pub(super) rows: Vec<Row>,
    bytes_left: u64,
    pub(super) cut: Option<Cut>,
}

impl Page {
    pub(super) fn new(max_bytes: u64) -> Self {
        Self { rows: Vec::new(), bytes_left: max_bytes, cut: None }
    }

    /// Reads the rows again, by key. One that is gone, or does not pass any more, is left out: it changed after the scan,
    /// as it might have changed before.
    fn project(&mut self, rows: &mut Rows<'_>, columns: &[Field], keys: Vec<RowKey>, folds: Option<&Folds>) {
        let (store, shape, filter, budget) = (rows.store, rows.shape, &mut rows.filter, rows.budget);
        let needs_object = filter.needs_object() || columns.iter().any(Field::needs_object);
        let mut keys = keys.into_iter().peekable();
        let mut json = Vec::new();
        while keys.peek().is_some() && self.cut.is_none() {
            if self.is_overdue(budget) {
                return;
            }
            let store = store.read();
            filter.begin(&store);
            let default = default_class::name(&store);
            for key in keys.by_ref().take(PROJECTED_AT_ONCE) {
                let told = folds.and_then(|folds| folds.get(&key));
                let row = match told {
                    Some(told) => told.row(&store),
                    None => row_of(&store, &key),
                };
                let Some(row) = row else { continue };
                let object = if needs_object { parse(row, &mut json) } else { None };
                let candidate = Candidate { shape, row, object: object.as_ref(), told };
                if !filter.row_passes(shape, row) || !filter.object_passes(candidate) {
                    continue;
                }
                let mut cells: Vec<_> = columns.iter().map(|field| field.value(candidate)).collect();
                if default.as_deref().is_some_and(|default| default != row.name()) {
                    default_class::unmark(&mut cells, row.name());
                }
                if !self.push(Row { key, cells }) {
                    return;
                }
            }
        }
    }

    /// Whether the budget is used up, so that the page ends here.
    pub(super) fn is_overdue(&mut self, budget: &ScanBudget) -> bool {
        let timeout = budget.check().err();
        self.cut = timeout.map(|timeout| Cut { status: LegStatus::Timeout, message: timeout.message });
        self.cut.is_some()
    }

    /// Appends a row if there is room. The first one always has: a page without rows leads nowhere.
    pub(super) fn push(&mut self, row: Row) -> bool {
        let size = json_len(&row) as u64 + 1;
        if size > self.bytes_left && !self.rows.is_empty() {
            let message = format!("the rows after {} did not fit into the bytes asked for", self.rows.len());
            self.cut = Some(Cut { status: LegStatus::Ok, message });
            return false;
        }
        self.bytes_left = self.bytes_left.saturating_sub(size);
        self.rows.push(row);
        true
    }
}

fn row_of<'s>(store: &'s KindStore, key: &RowKey) -> Option<RowRef<'s>> {
    let namespace = (!key.namespace.is_empty()).then_some(key.namespace.as_str());
    store.get(namespace, &key.name).filter(|row| row.uid() == key.uid)
}

#[cfg(test)]
mod tests;
