//! The columns that a CRD declares, as the API server reads them.
//!
//! Rules: `k8s.io/apiextensions-apiserver/pkg/registry/customresource/tableconvertor`.

use kubeplex_proto::column::{CellFormat, Column, column_name};
use kubeplex_proto::quantity::parse_time_ms;
use serde::Deserialize;
use serde_json::Value;

use super::builtin::field;
use super::{Cell, ColumnDef, Columns, Reader};
use crate::limits::DECLARED_COLUMNS;
use crate::path::Path;

/// One of a CRD version's `additionalPrinterColumns`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrinterColumn {
    pub name: String,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    #[serde(rename = "type")]
    pub column_type: String,
    pub json_path: String,
    /// Above 0: shown by `-o wide` only.
    #[serde(default)]
    pub priority: i32,
}

/// How the cell of such a column is found.
#[derive(Debug, Clone)]
pub(super) struct PrinterCell {
    path: Path,
    cell_type: CellType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CellType {
    Text,
    Integer,
    Number,
    Boolean,
    Date,
}

/// A column whose path can't be read is left out, as on the API server.
pub(super) fn columns(declared: &[PrinterColumn]) -> Columns {
    if declared.is_empty() {
        return Columns::generic();
    }
    let name =
        ColumnDef { column: Column { name: "name".to_owned(), format: CellFormat::Plain }, wide: false };
    let readable =
        declared.iter().filter_map(|column| Some((def(column), cell(column)?))).take(DECLARED_COLUMNS);
    let name = std::iter::once((name, Reader::Builtin(field::name)));
    let (defs, readers) = name.chain(readable).unzip();
    Columns { defs, readers }
}

fn def(column: &PrinterColumn) -> ColumnDef {
    let format = if column.column_type == "date" { CellFormat::Age } else { CellFormat::Plain };
    ColumnDef { column: Column { name: column_name(&column.name), format }, wide: column.priority > 0 }
}

fn cell(column: &PrinterColumn) -> Option<Reader> {
    let cell_type = match column.column_type.as_str() {
        "integer" => CellType::Integer,
        "number" => CellType::Number,
        "boolean" => CellType::Boolean,
        "date" => CellType::Date,
        _ => CellType::Text,
    };
    Some(Reader::Printer(PrinterCell { path: Path::parse(&column.json_path).ok()?, cell_type }))
}

impl PrinterCell {
    pub(super) fn read(&self, object: &Value) -> Cell {
        let Some(value) = self.path.first(object) else { return Cell::Null };
        match (self.cell_type, value) {
            (_, Value::Null) => Cell::Null,
            (CellType::Text, value) => Cell::Text(printed(value)),
            (CellType::Integer, Value::Number(number)) => number
                .as_i64()
                .or_else(|| number.as_f64().map(|float| float as i64))
                .map_or(Cell::Null, Cell::Integer),
            (CellType::Number, Value::Number(number)) => number.as_f64().map_or(Cell::Null, Cell::Number),
            (CellType::Boolean, Value::Bool(flag)) => Cell::Boolean(*flag),
            (CellType::Date, Value::String(text)) => date(text),
            _ => Cell::Null,
        }
    }
}

fn date(text: &str) -> Cell {
    match parse_time_ms(text) {
        Some(ms) => Cell::Time(ms),
        None if text.is_empty() || text == "null" => Cell::Null,
        None => "<invalid>".into(),
    }
}

/// Scalars as they are; maps and arrays as Go writes JSON: keys sorted, the characters of HTML escaped.
fn printed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(_) | Value::Array(_) => {
            let mut sorted = value.clone();
            sorted.sort_all_objects();
            sorted.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
        }
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn column(name: &str, column_type: &str, path: &str, priority: i32) -> PrinterColumn {
        PrinterColumn { name: name.into(), column_type: column_type.into(), json_path: path.into(), priority }
    }

    fn check(column_type: &str, value: &Value, expected: Cell) {
        let columns = Columns::from_printer_columns(&[column("Value", column_type, ".spec.value", 0)]);
        let object = json!({"metadata": {"name": "x"}, "spec": {"value": value}});
        assert_eq!(columns.narrow(&object), ["x".into(), expected], "{column_type} {value}");
    }

    #[test]
    fn a_cell_is_read_by_the_columns_type() {
        check("string", &json!("a"), "a".into());
        check("string", &json!(3), "3".into());
        check("string", &json!(1.5), "1.5".into());
        check("string", &json!(true), "true".into());
        check("string", &json!({"b": [1], "a": "<&>"}), r#"{"a":"\u003c\u0026\u003e","b":[1]}"#.into());
        check("string", &Value::Null, Cell::Null);
        check("integer", &json!(3), Cell::Integer(3));
        check("integer", &json!(3.9), Cell::Integer(3));
        check("integer", &json!("3"), Cell::Null);
        check("number", &json!(3), Cell::Number(3.0));
        check("boolean", &json!(false), Cell::Boolean(false));
        check("boolean", &json!("false"), Cell::Null);
        check("date", &json!("1970-01-01T00:00:02Z"), Cell::Time(2_000));
        check("date", &json!("soon"), "<invalid>".into());
        check("date", &json!(""), Cell::Null);
        check("date", &json!(12), Cell::Null);
    }

    #[test]
    fn the_first_of_several_values_is_shown() {
        let columns = Columns::from_printer_columns(&[
            column("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status", 0),
            column("Hosts", "string", "{.spec.hosts[*]}", 0),
        ]);
        let object = json!({
            "metadata": {"name": "x"},
            "spec": {"hosts": ["a", "b"]},
            "status": {"conditions": [{"type": "Live", "status": "False"}, {"type": "Ready", "status": "True"}]},
        });
        assert_eq!(columns.narrow(&object), ["x".into(), "True".into(), "a".into()]);
    }

    #[test]
    fn priority_makes_a_column_wide_and_a_bad_path_leaves_it_out() {
        let columns = Columns::from_printer_columns(&[
            column("Issue Date", "date", ".status.issued", 1),
            column("Broken", "string", ".spec.a[", 0),
            column("Age", "date", ".metadata.creationTimestamp", 0),
        ]);
        let shown: Vec<_> = columns
            .defs()
            .iter()
            .map(|def| (def.column.name.as_str(), def.column.format, def.wide))
            .collect();
        assert_eq!(
            shown,
            [
                ("name", CellFormat::Plain, false),
                ("issueDate", CellFormat::Age, true),
                ("age", CellFormat::Age, false),
            ]
        );
        assert_eq!(columns.find("issue-date"), Some(1));
    }

    #[test]
    fn without_columns_name_and_age_are_shown() {
        let object = json!({"metadata": {"name": "x", "creationTimestamp": "1970-01-01T00:00:01Z"}});
        assert_eq!(Columns::from_printer_columns(&[]).narrow(&object), ["x".into(), Cell::Time(1_000)]);
    }

    #[test]
    fn a_declared_column_is_read_from_a_crd() {
        let declared: PrinterColumn = serde_json::from_value(json!({
            "name": "Ready", "type": "string", "jsonPath": ".status.ready", "description": "d", "format": "f",
        }))
        .unwrap();
        assert_eq!(declared, column("Ready", "string", ".status.ready", 0));
    }
}
