//! Groups by their keys, and a page of them.

use std::collections::BTreeMap;

use kubeplex_proto::column::CellFormat;
use kubeplex_proto::group::added;
use kubeplex_proto::quantity::{mebibytes, millicores};
use kubeplex_proto::sort::{Direction, KeyValue, RowKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::error::{CallError, ErrorCode};
use crate::limits::MAX_GROUPS;
use crate::request::{Field, GroupBy, Order, PageQuery};

/// All groups of an answer.
pub(crate) struct GroupTable<'q> {
    by: &'q GroupBy,
    /// How each sum is shown.
    sums: Vec<CellFormat>,
    /// By their keys as JSON.
    found: BTreeMap<String, Grouped>,
    too_many: bool,
}

struct Grouped {
    keys: Vec<Value>,
    count: u64,
    sums: Vec<KeyValue>,
}

/// Groups in the order asked for, one cell for each of [`GroupBy::columns`].
#[derive(Debug, PartialEq)]
pub(crate) struct GroupPage {
    pub(crate) rows: Vec<(RowKey, Vec<Value>)>,
    /// Whether more follow.
    pub(crate) more: bool,
    /// All groups, here or not.
    pub(crate) total: u64,
}

/// Longer keys are told apart by a hash: the text of a row's key travels in its cursor.
const LONGEST_NAME: usize = 256;

impl<'q> GroupTable<'q> {
    pub(crate) fn new(by: &'q GroupBy) -> Self {
        let sums = vec![CellFormat::Plain; by.sums.len()];
        Self { by, sums, found: BTreeMap::new(), too_many: false }
    }

    /// The same with sums that are shown so.
    pub(crate) fn showing(self, sums: Vec<CellFormat>) -> Self {
        Self { sums, ..self }
    }

    /// Adds so many rows to their group. `sums` has one entry for each sum.
    pub(crate) fn add(&mut self, keys: Vec<Value>, count: u64, sums: &[KeyValue]) {
        let same = Value::from(keys.clone()).to_string();
        if let Some(known) = self.found.get_mut(&same) {
            known.count += count;
            known.sums = known.sums.iter().zip(sums).map(|(a, b)| added(a, b)).collect();
        } else if self.found.len() < MAX_GROUPS {
            self.found.insert(same, Grouped { keys, count, sums: sums.to_vec() });
        } else {
            self.too_many = true;
        }
    }

    /// # Errors
    /// `too_large` for more groups than are kept.
    pub(crate) fn into_page(self, page: &PageQuery) -> Result<GroupPage, CallError> {
        if self.too_many {
            let columns = self.by.columns();
            let keys = columns[..self.by.keys.len()].join(",");
            let message =
                format!("groupBy: \"{keys}\" makes more than {MAX_GROUPS} groups over all clusters");
            return Err(CallError::new(ErrorCode::TooLarge, message)
                .with_hint("group by what has fewer values, or select fewer objects or clusters"));
        }
        let terms = self.terms(&page.order);
        let directions: Vec<_> = terms.iter().map(|(_, direction)| *direction).collect();
        let total = self.found.len() as u64;
        let (found, formats) = (self.found, self.sums);
        let rows = found.into_iter().map(|(same, group)| (group.key(&same, &terms), group.cells(&formats)));
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by(|(a, _), (b, _)| a.compare(b, &directions));
        if let Some(resume) = &page.resume {
            rows.retain(|(key, _)| resume.after.compare(key, &directions).is_lt());
        }
        let more = rows.len() > page.limit as usize;
        rows.truncate(page.limit as usize);
        Ok(GroupPage { rows, more, total })
    }

    /// The columns sorted by, in that order; most rows first where nobody says otherwise.
    fn terms(&self, order: &Order) -> Vec<(usize, Direction)> {
        match order {
            Order::Usual => vec![(self.by.keys.len(), Direction::Descending)],
            Order::By(terms) => {
                let place = |field: &Field| self.by.place(&field.to_string());
                terms.iter().filter_map(|term| Some((place(&term.field)?, term.direction))).collect()
            }
        }
    }
}

impl Grouped {
    fn key(&self, same: &str, terms: &[(usize, Direction)]) -> RowKey {
        let count = i64::try_from(self.count).unwrap_or(i64::MAX);
        let value = |place: usize| match place.checked_sub(self.keys.len()) {
            None => KeyValue::from_json(&self.keys[place]),
            Some(0) => KeyValue::from_integer(count),
            Some(sum) => self.sums.get(sum - 1).cloned().unwrap_or(KeyValue::Missing),
        };
        RowKey {
            values: terms.iter().map(|(place, _)| value(*place)).collect(),
            namespace: String::new(),
            name: name(same),
            uid: String::new(),
        }
    }

    fn cells(self, formats: &[CellFormat]) -> Vec<Value> {
        let sums = self.sums.iter().zip(formats).map(|(sum, format)| amount(sum, *format));
        self.keys.into_iter().chain([self.count.into()]).chain(sums).collect()
    }
}

fn name(same: &str) -> String {
    if same.len() <= LONGEST_NAME {
        return same.to_owned();
    }
    let digest: String = Sha256::digest(same).iter().map(|byte| format!("{byte:02x}")).collect();
    let start: String = same.chars().take(LONGEST_NAME / 4).collect();
    format!("{start}{digest}")
}

/// A sum as JSON: a quantity in the unit of its column, or a number, whole where it is whole.
fn amount(sum: &KeyValue, format: CellFormat) -> Value {
    let KeyValue::Number(nanos) = sum else { return Value::Null };
    match format {
        CellFormat::Cpu => return millicores(*nanos).into(),
        CellFormat::Memory => return mebibytes(*nanos).into(),
        CellFormat::Plain | CellFormat::Age => {}
    }
    match i64::try_from(nanos / 1_000_000_000) {
        Ok(whole) if nanos % 1_000_000_000 == 0 => whole.into(),
        _ => (*nanos as f64 / 1e9).into(),
    }
}
