//! The rows of one store that one request means.

use kubeplex_proto::list::ListRequest;
use kubeplex_proto::status::AgentError;
use parking_lot::RwLock;

use super::budget::ScanBudget;
use super::events::Folds;
use super::field::{Candidate, Field};
use super::filter::Filter;
use super::scan::{Decode, scan};
use crate::cache::{KindShape, KindStore};

/// Where rows are, and which of them count.
pub(super) struct Rows<'a> {
    pub(super) store: &'a RwLock<KindStore>,
    pub(super) shape: &'a KindShape,
    pub(super) filter: Filter<'a>,
    pub(super) budget: &'a ScanBudget,
    /// Whether events that tell the same are one row.
    folded: bool,
}

/// What is known once all rows were visited.
pub(super) struct Visited {
    /// What the rows show, or an older one.
    pub(super) revision: u64,
    /// Where events that tell the same were visited as one.
    pub(super) folds: Option<Folds>,
}

impl<'a> Rows<'a> {
    /// `now_ms` is the cluster's time.
    ///
    /// # Errors
    /// `invalid_argument` for a field that the kind can't have.
    pub(super) fn of(
        store: &'a RwLock<KindStore>,
        shape: &'a KindShape,
        request: &'a ListRequest,
        now_ms: i64,
        budget: &'a ScanBudget,
    ) -> Result<Self, AgentError> {
        let patterns = (request.namespaces.as_slice(), request.names.as_slice());
        let filter = Filter::new(shape, &request.context.visibility, patterns, &request.label_selector)
            .with_fields(shape, &request.field_selector)?
            .with_events(shape, request, now_ms)?;
        Ok(Self { store, shape, filter, budget, folded: request.events.is_some() })
    }

    /// # Errors
    /// `invalid_argument` for what is neither a column nor a path.
    pub(super) fn field(&self, word: &str) -> Result<Field, AgentError> {
        if self.folded { Field::of_folded(self.shape, word) } else { Field::resolve(self.shape, word) }
    }

    pub(super) fn are_folded(&self) -> bool {
        self.folded
    }

    /// Calls `visit` with every row.
    ///
    /// # Errors
    /// `timeout` when the budget is used up.
    pub(super) fn visit(
        &mut self,
        decode: Decode,
        visit: &mut dyn FnMut(Candidate<'_>),
    ) -> Result<Visited, AgentError> {
        let (store, shape, budget) = (self.store, self.shape, self.budget);
        let filter = &mut self.filter;
        if !self.folded {
            let revision = scan(store, shape, filter, decode, budget, visit)?;
            return Ok(Visited { revision, folds: None });
        }
        let each =
            |fold: &mut dyn FnMut(Candidate<'_>)| scan(store, shape, filter, Decode::Rows, budget, fold);
        let (folds, revision) = Folds::collect(shape, each)?;
        folds.visit(store, shape, decode, budget, visit)?;
        Ok(Visited { revision, folds: Some(folds) })
    }
}
