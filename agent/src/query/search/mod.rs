//! Searches: the rows of all kinds that match, in one order. What is read is what lists read, so whoever may not see an
//! object in a list does not find it here.

mod matcher;
mod shown;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use kubeplex_proto::column::{CellFormat, Column};
use kubeplex_proto::group::Grouping;
use kubeplex_proto::kind::Scope;
use kubeplex_proto::list::{ColumnChoice, ListRequest, Row};
use kubeplex_proto::search::{Place, Search};
use kubeplex_proto::selector::LabelSelector;
use kubeplex_proto::sort::{KeyValue, RowKey, SortBy};
use kubeplex_proto::status::AgentError;
use parking_lot::RwLock;

use super::budget::ScanBudget;
use super::field::Candidate;
use super::filter::Filter;
use super::group::{Groups, ages_differ};
use super::list::{Listing, Page};
use super::scan::{Decode, parse, scan};
use super::top::Top;
use crate::cache::{KindShape, KindStore};
use crate::limits::{ANSWER_BYTES, ANSWER_ROWS};

pub(super) use matcher::Matcher;
use shown::{Found, Shown, USUAL};

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finds {
    pub listing: Listing,
    /// Rows that match, by kind.
    pub kinds: BTreeMap<String, u64>,
}

/// One page of the rows of these stores that a request may see and means, or all groups of them. `now_ms` is the cluster's
/// time.
///
/// # Errors
/// `invalid_argument` for a column or a path that there can't be; `timeout` when the budget is used up before the rows are
/// known. `too_large` for more groups than are kept.
pub fn search(
    stores: &[&RwLock<KindStore>],
    request: &ListRequest,
    now_ms: i64,
    budget: &ScanBudget,
) -> Result<Finds, AgentError> {
    let everything = Search::default();
    let shapes: Vec<_> = stores.iter().map(|store| Arc::clone(store.read().shape())).collect();
    let names: Vec<String> = shapes.iter().map(|shape| shape.id.to_string()).collect();
    let searching = Searching {
        stores,
        shapes: &shapes,
        names: &names,
        request,
        search: request.search.as_ref().unwrap_or(&everything),
        labels: &LabelSelector::default(),
        now_ms,
        budget,
    };
    match &request.group {
        Some(grouping) => searching.groups(grouping),
        None => searching.page(),
    }
}

/// One request at work.
struct Searching<'a> {
    stores: &'a [&'a RwLock<KindStore>],
    shapes: &'a [Arc<KindShape>],
    names: &'a [String],
    request: &'a ListRequest,
    search: &'a Search,
    labels: &'a LabelSelector,
    now_ms: i64,
    budget: &'a ScanBudget,
}

/// One leading term of the order.
enum Term {
    Shown(Shown),
    Constant(KeyValue),
}

/// What a scan came to.
struct Hits {
    keys: Vec<RowKey>,
    more: bool,
    total: u64,
    kinds: BTreeMap<String, u64>,
}

impl<'a> Searching<'a> {
    fn shown(&self, words: &[String]) -> Result<Vec<Shown>, AgentError> {
        words.iter().map(|word| Shown::of(word, self.shapes)).collect()
    }

    fn page(&self) -> Result<Finds, AgentError> {
        let columns = match &self.request.columns {
            ColumnChoice::Usual | ColumnChoice::Wide => self.shown(&USUAL.map(str::to_owned))?,
            ColumnChoice::Fields(words) => self.shown(words)?,
        };
        let terms = self.request.sort.iter().map(|sort| match &sort.by {
            SortBy::Field(word) => Shown::of(word, self.shapes).map(Term::Shown),
            SortBy::Constant(value) => Ok(Term::Constant(value.clone())),
        });
        let terms = terms.collect::<Result<Vec<_>, _>>()?;
        let kind_term = self.request.sort.iter().position(|sort| sort.by == SortBy::Field("kind".to_owned()));
        let mut hits = self.find(&terms, self.request.after.as_ref())?;
        loop {
            let last = hits.keys.last().cloned();
            let page = self.project(&columns, kind_term, &hits.keys);
            match last {
                // They are all gone, and others follow: a page that promises rows and has none leads nowhere.
                Some(last) if hits.more && page.rows.is_empty() && page.cut.is_none() => {
                    hits = self.find(&terms, Some(&last))?;
                }
                _ => return Ok(finds(hits, &columns, page)),
            }
        }
    }

    /// The first rows of the order that come after a key.
    fn find(&self, terms: &[Term], after: Option<&RowKey>) -> Result<Hits, AgentError> {
        let directions = self.request.sort.iter().map(|term| term.direction).collect();
        let limit = (self.request.limit as usize).min(ANSWER_ROWS);
        let mut top = Top::new(limit, after, directions);
        let mut values: Vec<KeyValue> = terms.iter().map(Term::constant).collect();
        let mut kinds = BTreeMap::new();
        self.visit(
            |kind| terms.iter().any(|term| term.needs_object(kind)),
            &mut |found| {
                let name = &self.names[found.kind];
                for (value, term) in values.iter_mut().zip(terms) {
                    if let Term::Shown(shown) = term {
                        *value = shown.key(&found, name);
                    }
                }
                top.offer(&values, found.candidate);
            },
            &mut kinds,
        )?;
        let (keys, matched) = top.finish();
        let more = matched > keys.len();
        Ok(Hits { keys, more, total: kinds.values().sum(), kinds })
    }

    fn groups(&self, grouping: &Grouping) -> Result<Finds, AgentError> {
        let (keys, sums) = (self.shown(&grouping.keys)?, self.shown(&grouping.sums)?);
        for (shown, word) in keys.iter().zip(&grouping.keys).chain(sums.iter().zip(&grouping.sums)) {
            if shown.column.format == CellFormat::Age {
                return Err(ages_differ(&shown.column.name, word));
            }
        }
        let columns: Vec<Column> = keys.iter().map(|key| key.column.clone()).collect();
        let mut groups = Groups::new(columns, self.request.context.max_bytes.min(ANSWER_BYTES));
        let mut kinds = BTreeMap::new();
        self.visit(
            |kind| keys.iter().chain(&sums).any(|shown| shown.needs_object(kind)),
            &mut |found| {
                groups.count(|| {
                    let amounts = sums.iter().map(|sum| sum.amount(&found)).collect::<Result<_, _>>()?;
                    let name = &self.names[found.kind];
                    Ok((keys.iter().map(|key| key.value(&found, name, None)).collect(), amounts))
                });
            },
            &mut kinds,
        )?;
        Ok(Finds { listing: groups.finish(0)?, kinds })
    }

    /// Calls `visit` with every row that matches, kind by kind, and counts them by kind.
    fn visit(
        &self,
        needs_object: impl Fn(usize) -> bool,
        visit: &mut dyn FnMut(Found<'_>),
        counts: &mut BTreeMap<String, u64>,
    ) -> Result<(), AgentError> {
        for (kind, shape) in self.shapes.iter().enumerate() {
            let place = Cell::new(Place::Elsewhere);
            let Some(mut filter) = self.filter(shape, &place) else { continue };
            let decode = if needs_object(kind) { Decode::Objects } else { Decode::Rows };
            let mut count = 0;
            scan(self.stores[kind], shape, &mut filter, decode, self.budget, &mut |candidate| {
                count += 1;
                visit(Found { candidate, kind, place: place.get() });
            })?;
            if count > 0 {
                counts.insert(self.names[kind].clone(), count);
            }
        }
        Ok(())
    }

    /// What is visible of a kind and meant; `None` where nothing of it can be.
    fn filter<'f>(&self, shape: &KindShape, place: &'f Cell<Place>) -> Option<Filter<'f>>
    where
        'a: 'f,
    {
        let matcher = self.matcher(shape, place)?;
        let ListRequest { context, namespaces, names, .. } = self.request;
        let filter = Filter::new(shape, &context.visibility, (namespaces, names), self.labels);
        Some(filter.with_search(matcher))
    }

    fn matcher<'f>(&self, shape: &KindShape, place: &'f Cell<Place>) -> Option<Matcher<'f>>
    where
        'a: 'f,
    {
        // What is asked of a namespace is not about what is in none.
        let is_outside = !self.request.namespaces.is_empty() && shape.scope == Scope::Cluster;
        if is_outside {
            return None;
        }
        Matcher::new(shape, self.search, self.now_ms, place)
    }

    /// Reads the rows again, by key. One that is gone, or does not match any more, is left out: it changed after the scan, as
    /// it might have changed before.
    fn project(&self, columns: &[Shown], kind_term: Option<usize>, keys: &[RowKey]) -> Page {
        let mut page = Page::new(self.request.context.max_bytes.min(ANSWER_BYTES));
        let place = Cell::new(Place::Elsewhere);
        let mut json = Vec::new();
        for key in keys {
            if page.is_overdue(self.budget) {
                break;
            }
            let Some(KeyValue::Text(name)) = kind_term.and_then(|at| key.values.get(at)) else { continue };
            let Some(kind) = self.names.iter().position(|known| known == name) else { continue };
            let shape = &self.shapes[kind];
            let (Some(mut filter), Some(matcher)) = (self.filter(shape, &place), self.matcher(shape, &place))
            else {
                continue;
            };
            let store = self.stores[kind].read();
            filter.begin(&store);
            let namespace = (!key.namespace.is_empty()).then_some(key.namespace.as_str());
            let row = store.get(namespace, &key.name).filter(|row| row.uid() == key.uid);
            let Some(row) = row.filter(|row| filter.row_passes(shape, *row)) else { continue };
            let decodes = columns.iter().any(|column| column.needs_object(kind));
            let object = if decodes { parse(row, &mut json) } else { None };
            let candidate = Candidate { shape, row, object: object.as_ref(), told: None };
            let found = Found { candidate, kind, place: place.get() };
            let cells = columns.iter().map(|column| column.value(&found, name, Some(&matcher))).collect();
            if !page.push(Row { key: key.clone(), cells }) {
                break;
            }
        }
        page
    }
}

impl Term {
    fn needs_object(&self, kind: usize) -> bool {
        matches!(self, Self::Shown(shown) if shown.needs_object(kind))
    }

    /// The value that all rows have.
    fn constant(&self) -> KeyValue {
        match self {
            Self::Shown(_) => KeyValue::Missing,
            Self::Constant(value) => value.clone(),
        }
    }
}

fn finds(hits: Hits, columns: &[Shown], page: Page) -> Finds {
    let listing = Listing {
        columns: columns.iter().map(|shown| shown.column.clone()).collect(),
        total: hits.total,
        more: page.cut.is_some() || hits.more,
        rows: page.rows,
        cut: page.cut,
        ..Listing::empty(0)
    };
    Finds { listing, kinds: hits.kinds }
}

#[cfg(test)]
mod tests;
