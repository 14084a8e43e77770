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
    let mut groups = Groups::new(&rows, grouping, max_bytes)?;
    let mut total = 0;
    let visited = rows.visit(groups.decode(), &mut |candidate| {
        total += 1;
        groups.count(candidate);
    })?;
    Ok(Listing {
        columns: groups.keys.iter().map(|key| key.column.clone()).collect(),
        total,
        groups: groups.finish()?,
        ..Listing::empty(visited.revision)
    })
}

/// Groups as they grow.
struct Groups {
    keys: Vec<Field>,
    sums: Vec<Field>,
    /// By their keys as JSON.
    found: BTreeMap<String, Group>,
    bytes_left: u64,
    fault: Option<AgentError>,
}

impl Groups {
    fn new(rows: &Rows<'_>, grouping: &Grouping, max_bytes: u64) -> Result<Self, AgentError> {
        let fields = |words: &[String]| -> Result<Vec<Field>, AgentError> {
            words.iter().map(|word| rows.field(word).and_then(|field| no_age(field, word))).collect()
        };
        Ok(Self {
            keys: fields(&grouping.keys)?,
            sums: fields(&grouping.sums)?,
            found: BTreeMap::new(),
            bytes_left: max_bytes,
            fault: None,
        })
    }

    fn decode(&self) -> Decode {
        let needs_object = self.keys.iter().chain(&self.sums).any(Field::needs_object);
        if needs_object { Decode::Objects } else { Decode::Rows }
    }

    fn count(&mut self, candidate: Candidate<'_>) {
        if self.fault.is_none() {
            self.fault = self.add(candidate).err();
        }
    }

    fn add(&mut self, candidate: Candidate<'_>) -> Result<(), AgentError> {
        let keys: Vec<Value> = self.keys.iter().map(|key| key.value(candidate)).collect();
        let amounts = self.sums.iter().map(|field| amount(field, candidate));
        let amounts = amounts.collect::<Result<Vec<_>, _>>()?;
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
        let keys: Vec<_> = self.keys.iter().map(|key| key.column.name.as_str()).collect();
        let message =
            format!("{} makes more than {} groups, which is too many", keys.join(","), self.found.len());
        AgentError::new(AgentErrorCode::TooLarge, message)
            .with_hint("group by what has fewer values, or select fewer objects")
    }

    fn finish(self) -> Result<Vec<Group>, AgentError> {
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok(self.found.into_values().collect()),
        }
    }
}

/// Two things are never equally old.
fn no_age(field: Field, word: &str) -> Result<Field, AgentError> {
    let Column { format: CellFormat::Age, name } = &field.column else { return Ok(field) };
    let message = format!("\"{word}\" can't be grouped by or summed up: {name} is the time since a moment");
    Err(AgentError::new(AgentErrorCode::InvalidArgument, message)
        .with_hint("sortBy orders by it; events_list and others take since and until"))
}

fn amount(field: &Field, candidate: Candidate<'_>) -> Result<KeyValue, AgentError> {
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
