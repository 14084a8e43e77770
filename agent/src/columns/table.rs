//! The API server's own Table (`meta.k8s.io/v1`): rows of kinds whose columns only the server knows, and the yardstick
//! that the columns of this crate are measured against.

use kubeplex_proto::column::{CellFormat, Column, column_name};
use kubeplex_proto::quantity::parse_time_ms;
use serde_json::Value;

use super::{Cell, ColumnDef, human_duration};

/// A Table as it was received.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Empty in the events of a watch after the first.
    pub columns: Vec<ColumnDef>,
    pub rows: Vec<TableRow>,
    pub resource_version: String,
    /// Set where more pages follow.
    pub next_page: Option<String>,
}

/// One row, with what the server says of the object behind it (`includeObject=Metadata` or `Object`).
#[derive(Debug, Clone, PartialEq)]
pub struct TableRow {
    /// One for each column. Ages are instants where the object's metadata says which; else the server's text.
    pub cells: Vec<Cell>,
    /// The object, or as much of it as was asked for.
    pub object: Value,
}

/// A text that is no Table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the API server answered with kind \"{kind}\" where a Table was asked for: {problem}")]
pub struct TableError {
    kind: String,
    problem: &'static str,
}

/// Reads a Table.
///
/// # Errors
/// [`TableError`] where `table` is anything else, such as the list that a server without Tables sends.
pub fn from_table(table: &Value) -> Result<Table, TableError> {
    let kind = table["kind"].as_str().unwrap_or_default();
    let error = |problem| TableError { kind: kind.chars().take(80).collect(), problem };
    if kind != "Table" {
        return Err(error("this kind of object has none"));
    }
    let definitions = table["columnDefinitions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let columns: Vec<_> = definitions.iter().map(column).collect();
    let rows = table["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    let row = |row: &Value| -> Option<TableRow> {
        let object = row["object"].clone();
        let cells = row["cells"].as_array()?;
        let cell = |(index, value): (usize, &Value)| cell(columns.get(index), value, &object);
        Some(TableRow { cells: cells.iter().enumerate().map(cell).collect(), object })
    };
    let rows = rows.iter().map(row).collect::<Option<_>>().ok_or_else(|| error("a row has no cells"))?;
    let text = |pointer| table.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Table {
        columns,
        rows,
        resource_version: text("/metadata/resourceVersion"),
        next_page: Some(text("/metadata/continue")).filter(|token| !token.is_empty()),
    })
}

/// The columns of a Table whose cells stay true while they are kept.
///
/// Of a `date` the server writes how long ago it was, which is true for that moment alone; and only of the object's creation
/// is it known which instant that counts from. So the other dates are left out. Texts that the server words itself
/// (`3 (5m ago)`) can't be told from others, and age.
///
/// # Errors
/// As [`from_table`].
pub(crate) fn lasting_columns(table: &Value) -> Result<Vec<ColumnDef>, TableError> {
    let columns = from_table(table)?.columns;
    let definitions = table["columnDefinitions"].as_array().into_iter().flatten();
    let lasting = |(def, definition): (ColumnDef, &Value)| {
        let stays = definition["type"] != "date" || tells_creation(&def, definition);
        stays.then_some(def)
    };
    Ok(columns.into_iter().zip(definitions).filter_map(lasting).collect())
}

/// `Age`, or what servers show of kinds that they have no columns for: the creation time itself.
fn tells_creation(def: &ColumnDef, definition: &Value) -> bool {
    let describes = |description: &str| description.starts_with("CreationTimestamp is a timestamp");
    def.column.format == CellFormat::Age || definition["description"].as_str().is_some_and(describes)
}

/// Where the cells of some columns stand in the rows of a server's Tables. It names its columns in the first of them only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServedCells {
    columns: Vec<(ColumnDef, Option<usize>)>,
}

impl ServedCells {
    /// In rows of Tables whose columns have these names.
    pub(crate) fn of(defs: &[ColumnDef], names: &[String]) -> Self {
        let place = |def: &ColumnDef| names.iter().position(|name| column_name(name) == def.column.name);
        Self { columns: defs.iter().map(|def| (def.clone(), place(def))).collect() }
    }

    /// One for each of the columns: null where the server does not tell it any more.
    pub(crate) fn read(&self, cells: &[Value], object: &Value) -> Vec<Cell> {
        let read = |(def, place): &(ColumnDef, Option<usize>)| {
            let value = place.and_then(|place| cells.get(place)).unwrap_or(&Value::Null);
            cell(Some(def), value, object)
        };
        self.columns.iter().map(read).collect()
    }
}

fn column(definition: &Value) -> ColumnDef {
    let name = definition["name"].as_str().unwrap_or_default();
    let format = if name == "Age" { CellFormat::Age } else { CellFormat::Plain };
    let wide = definition["priority"].as_i64().unwrap_or(0) > 0;
    ColumnDef { column: Column { name: column_name(name), format }, wide }
}

fn cell(column: Option<&ColumnDef>, value: &Value, object: &Value) -> Cell {
    let created = || parse_time_ms(object.pointer("/metadata/creationTimestamp")?.as_str()?);
    match value {
        Value::String(_) if column.is_some_and(|def| def.column.format == CellFormat::Age) => {
            created().map_or_else(|| plain(value), Cell::Time)
        }
        value => plain(value),
    }
}

fn plain(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Bool(flag) => Cell::Boolean(*flag),
        Value::String(text) => Cell::Text(text.clone()),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Cell::Integer(integer),
            (None, Some(float)) => Cell::Number(float),
            (None, None) => Cell::Null,
        },
        value => Cell::Json(Box::new(value.clone())),
    }
}

impl Cell {
    /// Whether the server's cell says the same, computed at `now_ms` by the server's clock. An instant agrees with its
    /// age as far as two seconds allow; a number with the leading number of a text (`3 (5m ago)`); nothing with the
    /// texts that the server writes for nothing.
    pub fn agrees_with(&self, server: &Value, now_ms: i64) -> bool {
        match (self, server) {
            (Self::Null, Value::Null) => true,
            (Self::Null, Value::String(text)) => {
                matches!(text.as_str(), "" | "<none>" | "<unknown>" | "<no value>")
            }
            (Self::Time(ms), Value::String(text)) => {
                (-2..=2).any(|slack| human_duration(now_ms + slack * 1_000 - ms) == *text)
            }
            (Self::Integer(integer), Value::String(text)) => {
                text.split(' ').next().and_then(|leading| leading.parse().ok()) == Some(*integer)
            }
            (ours, server) => Value::from(ours.clone()) == *server,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_is_read_with_its_ages_as_instants() {
        let table = json!({
            "kind": "Table", "apiVersion": "meta.k8s.io/v1",
            "metadata": {"resourceVersion": "7", "continue": "abc"},
            "columnDefinitions": [
                {"name": "Name", "type": "string", "priority": 0},
                {"name": "Port(s)", "type": "integer", "priority": 1},
                {"name": "Age", "type": "string", "priority": 0},
            ],
            "rows": [
                {"cells": ["a", 80, "5m"],
                 "object": {"metadata": {"name": "a", "creationTimestamp": "1970-01-01T00:00:01Z"}}},
                {"cells": ["b", null, "<unknown>"], "object": null},
            ],
        });
        let table = from_table(&table).unwrap();
        let names: Vec<_> = table.columns.iter().map(|def| (def.column.name.as_str(), def.wide)).collect();
        assert_eq!(names, [("name", false), ("ports", true), ("age", false)]);
        assert_eq!(table.rows[0].cells, ["a".into(), Cell::Integer(80), Cell::Time(1_000)]);
        assert_eq!(table.rows[1].cells, ["b".into(), Cell::Null, "<unknown>".into()]);
        assert_eq!((table.resource_version.as_str(), table.next_page.as_deref()), ("7", Some("abc")));
    }

    #[test]
    fn cells_are_found_by_the_names_of_their_columns() {
        let narrow =
            |name: &str, format| ColumnDef { column: Column { name: name.to_owned(), format }, wide: false };
        let defs = [
            narrow("name", CellFormat::Plain),
            narrow("targetType", CellFormat::Plain),
            narrow("gone", CellFormat::Plain),
            narrow("age", CellFormat::Age),
        ];
        let names = ["Name", "Age", "Wide", "Target Type"].map(str::to_owned);
        let object = json!({"metadata": {"creationTimestamp": "1970-01-01T00:00:01Z"}});
        let cells =
            ServedCells::of(&defs, &names).read(&[json!("x"), json!("5m"), json!(1), json!("Pod")], &object);
        assert_eq!(cells, ["x".into(), "Pod".into(), Cell::Null, Cell::Time(1_000)]);
    }

    #[test]
    fn dates_that_can_not_grow_old_are_no_columns_of_what_is_kept() {
        let table = json!({
            "kind": "Table",
            "columnDefinitions": [
                {"name": "Name", "type": "string"},
                {"name": "Last Seen", "type": "date", "description": "(in JSONPath format): .status.seen"},
                {"name": "Size", "type": "integer"},
                {"name": "Created At", "type": "date", "description": "CreationTimestamp is a timestamp representing …"},
                {"name": "Age", "type": "date"},
            ],
            "rows": [],
        });
        let columns = lasting_columns(&table).unwrap();
        let names: Vec<_> = columns.iter().map(|def| def.column.name.as_str()).collect();
        assert_eq!(names, ["name", "size", "createdAt", "age"]);
    }

    #[test]
    fn what_is_no_table_is_refused_by_name() {
        let error = from_table(&json!({"kind": "PodMetricsList", "items": []})).unwrap_err();
        assert!(error.to_string().contains("PodMetricsList"), "{error}");
        assert!(from_table(&json!({"kind": "Table", "rows": [{}]})).is_err());
    }

    #[test]
    fn cells_agree_by_meaning() {
        let now = 1_000_000_000;
        for (ours, server, agrees) in [
            (Cell::Null, json!("<none>"), true),
            (Cell::Null, json!("x"), false),
            (Cell::Time(now - 300_000), json!("5m"), true),
            (Cell::Time(now - 300_000), json!("5m2s"), true),
            (Cell::Time(now - 300_000), json!("5m3s"), false),
            (Cell::Integer(3), json!("3 (5m ago)"), true),
            (Cell::Integer(3), json!("31"), false),
            (Cell::Integer(3), json!(3), true),
            ("a".into(), json!("a"), true),
            ("a".into(), json!("b"), false),
            (Cell::Boolean(true), json!(true), true),
        ] {
            assert_eq!(ours.agrees_with(&server, now), agrees, "{ours:?} {server}");
        }
    }
}
