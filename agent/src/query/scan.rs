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

/// Where a scan goes on: a range or an object of its reach, and in a range the first name that was not looked at.
struct Place {
    at: usize,
    from: Option<(String, String)>,
}

/// What a decoded object takes of a lock's time, in rows.
const DECODED_COST: usize = ROWS_UNDER_LOCK / DECODED_UNDER_LOCK;

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
    let mut place = Place { at: 0, from: None };
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
        let mut left = ROWS_UNDER_LOCK;
        match reach {
            Reach::Objects(keys) => {
                while let Some((namespace, name)) = keys.get(place.at) {
                    if left == 0 {
                        return true;
                    }
                    let row = store.get((!namespace.is_empty()).then_some(namespace), name);
                    left = left.saturating_sub(row.map_or(1, |row| self.consider(row)));
                    place.at += 1;
                }
                false
            }
            Reach::All => self.range(store, None, place, &mut left),
            Reach::Namespaces(namespaces) => {
                while let Some(namespace) = namespaces.get(place.at) {
                    if self.range(store, Some(namespace), place, &mut left) {
                        return true;
                    }
                    *place = Place { at: place.at + 1, from: None };
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
        if self.filter.reads_names() {
            self.go_over(store.named_rows_from(&from_namespace, &from_name), namespace, place, left)
        } else {
            self.go_over(store.rows_from(&from_namespace, &from_name), namespace, place, left)
        }
    }

    fn go_over<'r>(
        &mut self,
        rows: impl Iterator<Item = RowRef<'r>>,
        namespace: Option<&String>,
        place: &mut Place,
        left: &mut usize,
    ) -> bool {
        for row in rows {
            if namespace.is_some_and(|namespace| row.namespace() != Some(namespace)) {
                return false;
            }
            if *left == 0 {
                place.from = Some((row.namespace().unwrap_or_default().to_owned(), row.name().to_owned()));
                return true;
            }
            *left = left.saturating_sub(self.consider(row));
        }
        false
    }

    /// Visits the row if it passes. Returns what it cost, in rows.
    fn consider(&mut self, row: RowRef<'_>) -> usize {
        let rows_only = self.decode == Decode::Rows;
        if !self.filter.row_passes(self.shape, row) {
            return 1;
        }
        let object = if rows_only { None } else { parse(row, &mut self.json) };
        let candidate = Candidate { shape: self.shape, row, object: object.as_ref(), told: None };
        if self.filter.object_passes(candidate) {
            (self.visit)(candidate);
        }
        if rows_only { 1 } else { DECODED_COST }
    }
}

/// The whole object of a row; `None` where only the row was kept.
pub(super) fn parse(row: RowRef<'_>, json: &mut Vec<u8>) -> Option<Value> {
    if row.object(json) { serde_json::from_slice(json).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use kubeplex_proto::pattern::Pattern;
    use kubeplex_proto::selector::{FieldSelector, LabelSelector};
    use kubeplex_proto::visibility::Visibility;

    use super::*;
    use crate::query::tests::{patterns, pods};

    /// How often the lock is taken for a scan, and the longest time that it is held.
    fn locks(store: &RwLock<KindStore>, namespaces: &[Pattern], names: &[Pattern]) -> (usize, Duration) {
        let shape = store.read().shape().clone();
        let (visibility, labels) = (Visibility::everything(), LabelSelector::default());
        let selector: FieldSelector = "spec.containers[0].image=x".parse().unwrap();
        let filter = Filter::new(&shape, &visibility, (namespaces, names), &labels);
        let mut filter = filter.with_fields(&shape, &selector).unwrap();
        let (reach, decode) = (filter.reach(&shape), Decode::Objects);
        let mut reader =
            Reader { shape: &shape, filter: &mut filter, decode, visit: &mut |_| {}, json: Vec::new() };
        let (mut place, mut taken, mut longest) = (Place { at: 0, from: None }, 0, Duration::ZERO);
        loop {
            let store = store.read();
            let began = Instant::now();
            reader.filter.begin(&store);
            let goes_on = reader.step(&store, &reach, &mut place);
            (taken, longest) = (taken + 1, longest.max(began.elapsed()));
            if !goes_on {
                return (taken, longest);
            }
        }
    }

    #[test]
    fn the_lock_is_let_go_however_rows_are_found() {
        let store = pods(ROWS_UNDER_LOCK as i64 + 1_000);
        let names: Vec<_> = (0..600).map(|at| format!("p{at:04}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        for (namespaces, names, expected) in [
            // Every object is decoded.
            (vec![], vec![], store.read().len() / DECODED_UNDER_LOCK),
            // None is, and still every row is looked at.
            (vec![], patterns(&["nobody*"]), 2),
            // A third of them are there, and decoded.
            (patterns(&["shop"]), patterns(&names), 200 / DECODED_UNDER_LOCK),
        ] {
            let (taken, longest) = locks(&store, &namespaces, &names);
            println!("{taken} locks, of {longest:?} at most");
            assert!(taken >= expected, "{taken} instead of {expected}");
        }
    }
}
