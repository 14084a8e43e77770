//! Going over the rows that a request means, without holding writers up for long.

use kubeplex_proto::status::AgentError;
use parking_lot::RwLock;
use serde_json::Value;

use super::budget::ScanBudget;
use super::field::Candidate;
use super::filter::{Filter, Reach};
use crate::cache::{KindShape, KindStore, RowRef};
use crate::limits::{DECODED_UNDER_LOCK, ROWS_UNDER_LOCK};

/// Whether whole objects are decoded while scanning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decode {
    Rows,
    Objects,
}

/// Where a scan goes on: a range, and the first name in it that was not looked at.
struct Place {
    range: usize,
    from: Option<(String, String)>,
}

/// Calls `visit` with every row that passes, in the order of namespace and name, and returns the revision that the rows
/// show. The lock is released again and again: a row that moves meanwhile is still visited at most once,
/// and the revision is that of the beginning, so that whatever changed since makes it outdated.
///
/// # Errors
/// `timeout` when the budget is used up.
pub(super) fn scan(
    store: &RwLock<KindStore>,
    shape: &KindShape,
    filter: &mut Filter<'_>,
    decode: Decode,
    budget: &ScanBudget,
    visit: &mut dyn FnMut(Candidate<'_>),
) -> Result<u64, AgentError> {
    let decode = if filter.needs_object() { Decode::Objects } else { decode };
    let reach = filter.reach(shape);
    let mut place = Place { range: 0, from: None };
    let mut revision = None;
    let mut reader = Reader { shape, filter, decode, visit, json: Vec::new() };
    loop {
        budget.check()?;
        let store = store.read();
        let first_revision = *revision.get_or_insert(store.revision());
        reader.filter.begin(&store);
        if !reader.step(&store, &reach, &mut place) {
            return Ok(first_revision);
        }
    }
}

struct Reader<'s, 'f, 'v> {
    shape: &'s KindShape,
    filter: &'s mut Filter<'f>,
    decode: Decode,
    visit: &'v mut dyn FnMut(Candidate<'_>),
    /// Space for an object's JSON, reused.
    json: Vec<u8>,
}

impl Reader<'_, '_, '_> {
    /// One lock's worth of rows; false when there are no more.
    fn step(&mut self, store: &KindStore, reach: &Reach, place: &mut Place) -> bool {
        let mut left = if self.decode == Decode::Objects { DECODED_UNDER_LOCK } else { ROWS_UNDER_LOCK };
        match reach {
            Reach::Objects(keys) => {
                for (namespace, name) in keys {
                    let row = store.get((!namespace.is_empty()).then_some(namespace), name);
                    row.into_iter().for_each(|row| _ = self.consider(row));
                }
                false
            }
            Reach::All => self.range(store, None, place, &mut left),
            Reach::Namespaces(namespaces) => {
                while let Some(namespace) = namespaces.get(place.range) {
                    if self.range(store, Some(namespace), place, &mut left) {
                        return true;
                    }
                    *place = Place { range: place.range + 1, from: None };
                }
                false
            }
        }
    }

    /// The rows of one namespace, or all; true when it broke off because the step is over.
    fn range(
        &mut self,
        store: &KindStore,
        namespace: Option<&String>,
        place: &mut Place,
        left: &mut usize,
    ) -> bool {
        let start = namespace.map_or("", String::as_str);
        let (from_namespace, from_name) =
            place.from.take().unwrap_or_else(|| (start.to_owned(), String::new()));
        for row in store.rows_from(&from_namespace, &from_name) {
            if namespace.is_some_and(|namespace| row.namespace() != Some(namespace)) {
                return false;
            }
            if *left == 0 {
                place.from = Some((row.namespace().unwrap_or_default().to_owned(), row.name().to_owned()));
                return true;
            }
            *left -= self.consider(row);
        }
        false
    }

    /// Visits the row if it passes. Returns what it cost, in the unit that a step is limited in.
    fn consider(&mut self, row: RowRef<'_>) -> usize {
        let rows_only = self.decode == Decode::Rows;
        if !self.filter.row_passes(self.shape, row) {
            return usize::from(rows_only);
        }
        let object = if rows_only { None } else { parse(row, &mut self.json) };
        let candidate = Candidate { shape: self.shape, row, object: object.as_ref() };
        if self.filter.object_passes(candidate) {
            (self.visit)(candidate);
        }
        1
    }
}

/// The whole object of a row; `None` where only the row was kept.
pub(super) fn parse(row: RowRef<'_>, json: &mut Vec<u8>) -> Option<Value> {
    if row.object(json) { serde_json::from_slice(json).ok() } else { None }
}
