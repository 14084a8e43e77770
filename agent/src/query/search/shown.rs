//! What rows of a search show, order by and group by: what every kind has, and columns of those that have them.

use std::collections::BTreeMap;
use std::sync::Arc;

use kubeplex_proto::column::{CellFormat, Column, same_column};
use kubeplex_proto::nearest::nearest;
use kubeplex_proto::search::Place;
use kubeplex_proto::sort::KeyValue;
use kubeplex_proto::status::{AgentError, AgentErrorCode};
use serde_json::Value;

use super::matcher::Matcher;
use crate::cache::KindShape;
use crate::query::field::{Candidate, Field, cell_key, cell_value};

/// A word of a request that is about rows of all kinds.
pub(super) struct Shown {
    pub(super) column: Column,
    what: What,
}

enum What {
    Kind,
    Namespace,
    Name,
    Status,
    Age,
    /// Where the row matches.
    Match,
    Images,
    /// By the number of each kind; a kind without it shows nothing.
    Own(BTreeMap<usize, Field>),
}

/// A row and its kind.
pub(super) struct Found<'a> {
    pub(super) candidate: Candidate<'a>,
    /// The number of its kind.
    pub(super) kind: usize,
    pub(super) place: Place,
}

/// The columns that nobody has to ask for.
pub(super) const USUAL: [&str; 5] = ["kind", "name", "status", "age", "match"];

/// A word that all kinds know: its format, and what it means.
type Word = (&'static str, CellFormat, fn() -> What);

const WORDS: [Word; 7] = [
    ("kind", CellFormat::Plain, || What::Kind),
    ("namespace", CellFormat::Plain, || What::Namespace),
    ("name", CellFormat::Plain, || What::Name),
    ("status", CellFormat::Plain, || What::Status),
    ("age", CellFormat::Age, || What::Age),
    ("match", CellFormat::Plain, || What::Match),
    ("image", CellFormat::Plain, || What::Images),
];

impl Shown {
    /// # Errors
    /// `invalid_argument` for a path that can't be read, and for what is nearly a column of a kind and none.
    pub(super) fn of(word: &str, shapes: &[Arc<KindShape>]) -> Result<Self, AgentError> {
        let meant = if word == "metadata.namespace" { "namespace" } else { word };
        if let Some((name, format, what)) = WORDS.iter().find(|(name, ..)| same_column(name, meant)) {
            return Ok(Self { column: Column { name: (*name).to_owned(), format: *format }, what: what() });
        }
        let mut own = BTreeMap::new();
        for (kind, shape) in shapes.iter().enumerate() {
            match Field::resolve(shape, word) {
                Ok(field) => drop(own.insert(kind, field)),
                Err(error) if word.contains(['.', '[']) => return Err(error),
                Err(_) => {}
            }
        }
        let Some(first) = own.values().next() else { return nowhere(word, shapes) };
        let column = first.column.clone();
        // Moments and other values do not mix in one column.
        own.retain(|_, field| field.column.format == column.format);
        Ok(Self { column: Column { name: word.to_owned(), ..column }, what: What::Own(own) })
    }

    /// Whether the value is not in the rows of a kind.
    pub(super) fn needs_object(&self, kind: usize) -> bool {
        matches!(&self.what, What::Own(own) if own.get(&kind).is_some_and(Field::needs_object))
    }

    /// `matcher` is what found the row.
    pub(super) fn value(&self, found: &Found<'_>, kind_name: &str, matcher: Option<&Matcher<'_>>) -> Value {
        let Found { candidate, kind, .. } = found;
        let (shape, row) = (candidate.shape, candidate.row);
        match &self.what {
            What::Kind => kind_name.into(),
            What::Namespace => row.namespace().into(),
            What::Name => row.name().into(),
            What::Status => status_cell(shape).map_or(Value::Null, |at| cell_value(row.cell(at))),
            What::Age => row.created_ms().into(),
            What::Match => {
                let reasons = matcher.map(|matcher| matcher.reasons(shape, row)).unwrap_or_default();
                if reasons.is_empty() { Value::Null } else { reasons.join(", ").into() }
            }
            What::Images => shape.image_cell().map_or(Value::Null, |at| cell_value(row.cell(at))),
            What::Own(own) => own.get(kind).map_or(Value::Null, |field| field.value(*candidate)),
        }
    }

    pub(super) fn key(&self, found: &Found<'_>, kind_name: &str) -> KeyValue {
        let Found { candidate, kind, place } = found;
        let row = candidate.row;
        let cell = |at: Option<usize>| at.map_or(KeyValue::Missing, |at| cell_key(row.cell(at)));
        match &self.what {
            What::Kind => KeyValue::text(kind_name),
            What::Namespace => row.namespace().map_or(KeyValue::Missing, KeyValue::text),
            What::Name => KeyValue::text(row.name()),
            What::Status => cell(status_cell(candidate.shape)),
            // An age grows as the time it counts from falls.
            What::Age => row
                .created_ms()
                .map_or(KeyValue::Missing, |created| KeyValue::from_ms(created.saturating_neg())),
            What::Match => KeyValue::from_integer(*place as i64),
            What::Images => cell(candidate.shape.image_cell()),
            What::Own(own) => own.get(kind).map_or(KeyValue::Missing, |field| field.key(*candidate)),
        }
    }

    /// What is summed up of a row; nothing where there is no such thing.
    ///
    /// # Errors
    /// The value, where it is no number.
    pub(super) fn amount(&self, found: &Found<'_>) -> Result<KeyValue, AgentError> {
        match &self.what {
            What::Own(own) => match own.get(&found.kind) {
                Some(field) => crate::query::group::amount(field, found.candidate),
                None => Ok(KeyValue::Missing),
            },
            _ => {
                let message = format!("sum({}): it is no number", self.column.name);
                Err(AgentError::new(AgentErrorCode::InvalidArgument, message)
                    .with_hint("sum(restarts) is an example; group by the others"))
            }
        }
    }
}

/// The cell of a row that says how its object is: its status, or how much of it is ready.
pub(super) fn status_cell(shape: &KindShape) -> Option<usize> {
    let narrow = |name: &str| {
        let mut narrow = shape.columns.defs().iter().filter(|def| !def.wide);
        narrow.position(|def| def.column.name == name && def.column.format == CellFormat::Plain)
    };
    narrow("status").or_else(|| narrow("ready"))
}

/// A word that none of the kinds here knows may be a column of a kind of another cluster.
fn nowhere(word: &str, shapes: &[Arc<KindShape>]) -> Result<Shown, AgentError> {
    let of_kinds = shapes.iter().flat_map(|shape| shape.columns.defs());
    let known = of_kinds.map(|def| def.column.name.as_str()).chain(WORDS.iter().map(|(name, ..)| *name));
    let near = nearest(word, known);
    if near.is_empty() {
        let column = Column { name: word.to_owned(), format: CellFormat::Plain };
        return Ok(Shown { column, what: What::Own(BTreeMap::new()) });
    }
    let shown: String = word.chars().take(80).collect();
    let message = format!("no kind searched has a column \"{shown}\"");
    let hint = format!("did you mean {}? A path into objects has a dot: spec.nodeName", near.join(" or "));
    Err(AgentError::new(AgentErrorCode::InvalidArgument, message).with_hint(hint))
}
