//! Groups: how many rows have the same values, and the sums of some of their numbers.

use std::collections::BTreeMap;

use kubeplex_proto::column::{CellFormat, Column};
use kubeplex_proto::group::{Group, Grouping, added};
use kubeplex_proto::json_len::json_len;
use kubeplex_proto::sort::KeyValue;
use kubeplex_proto::status::{AgentError, AgentErrorCode};
use serde_json::Value;

use super::field::{Candidate, Field};
use super::list::Listing;
use super::rows::Rows;
use super::scan::Decode;
use crate::limits::GROUPS;

/// The groups of all rows that a request means.
///
/// # Errors
/// `invalid_argument` for a key or a sum that the kind can't have, and for a sum of what are no numbers; `too_large` for more
/// groups than are kept; `timeout` when the budget is used up.
pub(super) fn list(mut rows: Rows<'_>, grouping: &Grouping, max_bytes: u64) -> Result<Listing, AgentError> {
    let fields = |words: &[String]| -> Result<Vec<Field>, AgentError> {
        words.iter().map(|word| rows.field(word).and_then(|field| no_age(field, word))).collect()
    };
    let (keys, sums) = (fields(&grouping.keys)?, fields(&grouping.sums)?);
    let needs_object = keys.iter().chain(&sums).any(Field::needs_object);
    let decode = if needs_object { Decode::Objects } else { Decode::Rows };
    let mut groups = Groups::new(keys.iter().map(|key| key.column.clone()).collect(), max_bytes);
    let visited = rows.visit(decode, &mut |candidate| {
        groups.count(|| {
            let amounts = sums.iter().map(|field| amount(field, candidate)).collect::<Result<_, _>>()?;
            Ok((keys.iter().map(|key| key.value(candidate)).collect(), amounts))
        });
    })?;
    groups.finish(visited.revision)
}

/// Groups as they grow.
pub(super) struct Groups {
    keys: Vec<Column>,
    /// By their keys as JSON.
    found: BTreeMap<String, Group>,
    total: u64,
    bytes_left: u64,
    fault: Option<AgentError>,
}

impl Groups {
    pub(super) fn new(keys: Vec<Column>, max_bytes: u64) -> Self {
        Self { keys, found: BTreeMap::new(), total: 0, bytes_left: max_bytes, fault: None }
    }

    /// Counts a row by its keys and amounts, which are not asked for once something is wrong.
    pub(super) fn count(&mut self, row: impl FnOnce() -> Result<(Vec<Value>, Vec<KeyValue>), AgentError>) {
        self.total += 1;
        if self.fault.is_none() {
            self.fault = row().and_then(|(keys, amounts)| self.add(keys, amounts)).err();
        }
    }

    fn add(&mut self, keys: Vec<Value>, amounts: Vec<KeyValue>) -> Result<(), AgentError> {
        let same = Value::from(keys.clone()).to_string();
        if let Some(known) = self.found.get_mut(&same) {
            known.count += 1;
            known.sums = known.sums.iter().zip(&amounts).map(|(sum, amount)| added(sum, amount)).collect();
            return Ok(());
        }
        let group = Group { keys, count: 1, sums: amounts };
        let bytes = json_len(&group) as u64;
        if self.found.len() >= GROUPS || bytes > self.bytes_left {
            return Err(self.too_many());
        }
        self.bytes_left -= bytes;
        self.found.insert(same, group);
        Ok(())
    }

    fn too_many(&self) -> AgentError {
        let keys: Vec<_> = self.keys.iter().map(|key| key.name.as_str()).collect();
        let message =
            format!("{} makes more than {} groups, which is too many", keys.join(","), self.found.len());
        AgentError::new(AgentErrorCode::TooLarge, message)
            .with_hint("group by what has fewer values, or select fewer objects")
    }

    /// # Errors
    /// The first thing that was wrong.
    pub(super) fn finish(self, revision: u64) -> Result<Listing, AgentError> {
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok(Listing {
                columns: self.keys,
                total: self.total,
                groups: self.found.into_values().collect(),
                ..Listing::empty(revision)
            }),
        }
    }
}

/// Two things are never equally old.
fn no_age(field: Field, word: &str) -> Result<Field, AgentError> {
    match &field.column {
        Column { format: CellFormat::Age, name } => Err(ages_differ(name, word)),
        _ => Ok(field),
    }
}

pub(super) fn ages_differ(name: &str, word: &str) -> AgentError {
    let message = format!("\"{word}\" can't be grouped by or summed up: {name} is the time since a moment");
    AgentError::new(AgentErrorCode::InvalidArgument, message)
        .with_hint("sortBy orders by it; events_list and others take since and until")
}

pub(super) fn amount(field: &Field, candidate: Candidate<'_>) -> Result<KeyValue, AgentError> {
    match field.amount(candidate) {
        Ok(amount) => Ok(amount.map_or(KeyValue::Missing, KeyValue::Number)),
        Err(value) => {
            let value: String = value.to_string().chars().take(60).collect();
            let name = &field.column.name;
            let message = format!("sum({name}): {value} is no number");
            Err(AgentError::new(AgentErrorCode::InvalidArgument, message)
                .with_hint(format!("group by {name}, and count what each value has")))
        }
    }
}

#[cfg(test)]
mod tests;
