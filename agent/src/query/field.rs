//! What a word of a request means: a column, or a path into the object; and where its value comes from.
//!
//! A word with a `.` or a `[` is a path, any other a column (in any spelling that means the same). A top-level field of
//! the object that is no column is written as a path, `.type`. What a row holds is read from the row; any other value
//! costs decoding the whole object.

use std::borrow::Cow;

use kubeplex_proto::column::{CellFormat, Column, same_column};
use kubeplex_proto::nearest::nearest;
use kubeplex_proto::quantity::parse_quantity;
use kubeplex_proto::sort::KeyValue;
use kubeplex_proto::status::{AgentError, AgentErrorCode};
use serde_json::Value;

use crate::cache::{CellRef, KindShape, RowRef};
use crate::columns::Cell;
use crate::path::Path;

use super::events::Told;

/// The column of events that says how often each was told.
const REPEATS: &str = "count";

/// A value that every object of a kind may have.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) column: Column,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Namespace,
    Name,
    Uid,
    Version,
    /// As the API server writes it.
    Created,
    /// As milliseconds.
    CreatedMs,
    Label(String),
    /// A cell of the row.
    Stored(usize),
    /// A column that rows do not hold, by its place among all columns.
    Wide(usize),
    /// How often an event was told, over all that tell the same.
    Repeats,
    Path(Path),
}

/// A row, and its whole object where some field needs it.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) shape: &'a KindShape,
    pub(super) row: RowRef<'a>,
    pub(super) object: Option<&'a Value>,
    /// Set where events that tell the same are one.
    pub(super) told: Option<&'a Told>,
}

impl Field {
    /// # Errors
    /// `invalid_argument` for what is neither a column of the kind nor a path, with the nearest that are.
    pub(super) fn resolve(shape: &KindShape, word: &str) -> Result<Self, AgentError> {
        if let Some(field) = Self::column(shape, word) {
            return Ok(field);
        }
        let stored = shape.indexed_paths().iter().position(|path| *path == word);
        if stored.is_none() && !word.contains(['.', '[']) {
            return Err(unknown(shape, word));
        }
        let source = match stored {
            Some(at) => Source::Stored(shape.narrow_columns() + at),
            None => path_source(shape, word)?,
        };
        Ok(Self { column: Column { name: word.to_owned(), format: CellFormat::Plain }, source })
    }

    /// As [`resolve`](Self::resolve), of rows that stand for several events each.
    pub(super) fn of_folded(shape: &KindShape, word: &str) -> Result<Self, AgentError> {
        if same_column(word, REPEATS) { Ok(Self::repeats()) } else { Self::resolve(shape, word) }
    }

    pub(super) fn repeats() -> Self {
        Self {
            column: Column { name: REPEATS.to_owned(), format: CellFormat::Plain },
            source: Source::Repeats,
        }
    }

    /// The column at a place among all of the kind's.
    pub(super) fn of_column(shape: &KindShape, at: usize) -> Self {
        let defs = shape.columns.defs();
        let source = if defs[at].wide {
            Source::Wide(at)
        } else {
            Source::Stored(defs[..at].iter().filter(|def| !def.wide).count())
        };
        Self { column: defs[at].column.clone(), source }
    }

    /// A column of the kind, or one that every kind has although it is not shown.
    pub(super) fn column(shape: &KindShape, word: &str) -> Option<Self> {
        if let Some(at) = shape.columns.find(word) {
            return Some(Self::of_column(shape, at));
        }
        let everywhere = [
            ("namespace", CellFormat::Plain, Source::Namespace),
            ("name", CellFormat::Plain, Source::Name),
            ("age", CellFormat::Age, Source::CreatedMs),
        ];
        let (name, format, source) = everywhere.into_iter().find(|(name, ..)| same_column(name, word))?;
        Some(Self { column: Column { name: name.to_owned(), format }, source })
    }

    /// Whether the value is not in the row.
    pub(super) fn needs_object(&self) -> bool {
        matches!(self.source, Source::Wide(_) | Source::Path(_))
    }

    /// The value as a cell of an answer.
    pub(super) fn value(&self, candidate: Candidate<'_>) -> Value {
        match &self.source {
            Source::Stored(at) => cell_value(candidate.row.cell(*at)),
            Source::CreatedMs => candidate.row.created_ms().into(),
            Source::Wide(at) => candidate.wide(*at).into(),
            Source::Repeats => candidate.told.map_or(Value::Null, |told| told.count.into()),
            Source::Path(path) => candidate.object.map_or(Value::Null, |object| at_path(path, object)),
            _ => self.row_text(candidate.row).map_or(Value::Null, |text| text.into_owned().into()),
        }
    }

    /// The value as part of a sort key. An age grows as the time it counts from falls.
    pub(super) fn key(&self, candidate: Candidate<'_>) -> KeyValue {
        let key = match &self.source {
            Source::Stored(at) => cell_key(candidate.row.cell(*at)),
            Source::Created | Source::CreatedMs => {
                candidate.row.created_ms().map_or(KeyValue::Missing, KeyValue::from_ms)
            }
            Source::Wide(at) => column_key(&candidate.wide(*at)),
            Source::Repeats => {
                candidate.told.map_or(KeyValue::Missing, |told| KeyValue::from_integer(told.count))
            }
            Source::Path(path) => {
                let found = candidate.object.and_then(|object| path.first(object));
                found.map_or(KeyValue::Missing, KeyValue::from_json)
            }
            _ => self.row_text(candidate.row).map_or(KeyValue::Missing, |text| KeyValue::by_value(&text)),
        };
        match (self.column.format, key) {
            (CellFormat::Age, KeyValue::Number(nanos)) => KeyValue::Number(-nanos),
            (_, key) => key,
        }
    }

    /// The value as a number to add up; `None` where there is nothing.
    ///
    /// # Errors
    /// The value, where it is something else.
    pub(super) fn amount(&self, candidate: Candidate<'_>) -> Result<Option<i128>, Value> {
        let value = self.value(candidate);
        let key = match &value {
            Value::Number(_) => KeyValue::from_json(&value),
            Value::String(text) => match (text_key(text), parse_quantity(text)) {
                (KeyValue::Missing, _) => KeyValue::Missing,
                (_, Some(quantity)) => KeyValue::Number(quantity),
                (_, None) => return Err(value),
            },
            Value::Null => KeyValue::Missing,
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => return Err(value),
        };
        Ok(match key {
            KeyValue::Number(nanos) => Some(nanos),
            KeyValue::Text(_) | KeyValue::Missing => None,
        })
    }

    /// Whether some value of the field reads so; where there is none, whether `wanted` is empty.
    pub(super) fn reads(&self, candidate: Candidate<'_>, wanted: &str) -> bool {
        match &self.source {
            Source::Stored(at) => cell_text(candidate.row.cell(*at)).unwrap_or_default() == wanted,
            Source::CreatedMs => time_text(candidate.row.created_ms()).unwrap_or_default() == wanted,
            Source::Repeats => candidate.told.is_some_and(|told| told.count.to_string() == wanted),
            Source::Wide(at) => scalar_text(&Value::from(candidate.wide(*at))).unwrap_or_default() == wanted,
            Source::Path(path) => {
                let found = candidate.object.map(|object| path.all(object)).unwrap_or_default();
                let mut texts = found.into_iter().filter_map(scalar_text).peekable();
                if texts.peek().is_none() { wanted.is_empty() } else { texts.any(|text| text == wanted) }
            }
            _ => self.row_text(candidate.row).unwrap_or_default() == wanted,
        }
    }

    fn row_text<'a>(&self, row: RowRef<'a>) -> Option<Cow<'a, str>> {
        match &self.source {
            Source::Namespace => row.namespace().map(Cow::Borrowed),
            Source::Name => Some(Cow::Borrowed(row.name())),
            Source::Uid => Some(row.uid()),
            Source::Version => Some(row.resource_version()),
            Source::Label(key) => row.label(key).map(Cow::Borrowed),
            Source::Created => time_text(row.created_ms()).map(Cow::Owned),
            Source::CreatedMs | Source::Stored(_) | Source::Wide(_) | Source::Repeats | Source::Path(_) => {
                None
            }
        }
    }
}

impl<'a> Candidate<'a> {
    /// The namespace under which an answer has the row: of an event that of the object it tells of.
    pub(super) fn namespace(&self) -> &'a str {
        match self.told {
            Some(told) => &told.involved_namespace,
            None => self.row.namespace().unwrap_or_default(),
        }
    }

    fn wide(&self, at: usize) -> Cell {
        self.object.map_or(Cell::Null, |object| self.shape.columns.cell(at, object))
    }
}

/// Paths to what rows hold need no object.
fn path_source(shape: &KindShape, text: &str) -> Result<Source, AgentError> {
    let path = Path::of_caller(text)
        .map_err(|error| AgentError::new(AgentErrorCode::InvalidArgument, error.to_string()))?;
    let keys = path.keys().unwrap_or_default();
    let stored =
        || shape.indexed_paths().iter().position(|indexed| indexed.split('.').eq(keys.iter().copied()));
    Ok(match keys.as_slice() {
        ["metadata", "name"] => Source::Name,
        ["metadata", "namespace"] => Source::Namespace,
        ["metadata", "uid"] => Source::Uid,
        ["metadata", "resourceVersion"] => Source::Version,
        ["metadata", "creationTimestamp"] => Source::Created,
        ["metadata", "labels", key] => Source::Label((*key).to_owned()),
        _ => match stored() {
            Some(at) => Source::Stored(shape.narrow_columns() + at),
            None => Source::Path(path),
        },
    })
}

fn unknown(shape: &KindShape, word: &str) -> AgentError {
    let columns: Vec<&str> = shape.columns.defs().iter().map(|def| def.column.name.as_str()).collect();
    let known = columns.iter().copied().chain(["name", "namespace", "age"]);
    let near = nearest(word, known);
    let shown: String = word.chars().take(80).collect();
    let hint = if near.is_empty() {
        format!(
            "columns are {}; a path into the object has a dot: spec.nodeName, .{shown}",
            columns.join(", ")
        )
    } else {
        format!("did you mean {}? A path into the object has a dot: spec.nodeName", near.join(" or "))
    };
    let message = format!("{} has no column \"{shown}\"", shape.id);
    AgentError::new(AgentErrorCode::InvalidArgument, message).with_hint(hint)
}

pub(super) fn cell_value(cell: CellRef<'_>) -> Value {
    match cell {
        CellRef::Null => Value::Null,
        CellRef::Text(text) => text.into(),
        CellRef::Integer(integer) | CellRef::Time(integer) => integer.into(),
        CellRef::Boolean(flag) => flag.into(),
        CellRef::Json(text) => serde_json::from_str(text).unwrap_or_default(),
    }
}

pub(super) fn cell_key(cell: CellRef<'_>) -> KeyValue {
    match cell {
        CellRef::Null => KeyValue::Missing,
        CellRef::Text(text) => text_key(text),
        CellRef::Integer(integer) => KeyValue::from_integer(integer),
        CellRef::Time(ms) => KeyValue::from_ms(ms),
        CellRef::Boolean(_) | CellRef::Json(_) => KeyValue::from_json(&cell_value(cell)),
    }
}

/// What stands in a column for "nothing" is missing, and so comes last.
fn text_key(text: &str) -> KeyValue {
    if matches!(text, "" | "<none>" | "<unset>" | "<unknown>") {
        KeyValue::Missing
    } else {
        KeyValue::by_value(text)
    }
}

fn column_key(cell: &Cell) -> KeyValue {
    match cell {
        Cell::Time(ms) => KeyValue::from_ms(*ms),
        Cell::Text(text) => text_key(text),
        other => KeyValue::from_json(&other.clone().into()),
    }
}

fn cell_text(cell: CellRef<'_>) -> Option<Cow<'_, str>> {
    match cell {
        CellRef::Text(text) => Some(Cow::Borrowed(text)),
        CellRef::Time(ms) => time_text(Some(ms)).map(Cow::Owned),
        other => scalar_text(&cell_value(other)).map(|text| Cow::Owned(text.into_owned())),
    }
}

fn scalar_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(flag) => Some(Cow::Owned(flag.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn time_text(ms: Option<i64>) -> Option<String> {
    jiff::Timestamp::from_millisecond(ms?).ok().map(|time| time.to_string())
}

/// What a path leads to: one value as it is, several as an array.
fn at_path(path: &Path, object: &Value) -> Value {
    let mut found = path.all(object);
    match found.len() {
        0 => Value::Null,
        1 => found.remove(0).clone(),
        _ => Value::Array(found.into_iter().cloned().collect()),
    }
}
