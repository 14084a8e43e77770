//! Reading the rows of an answer, however they are grouped.

use serde_json::{Map, Value};

/// One row, with what its group says put back into it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub cluster: String,
    /// Empty for what has none.
    pub namespace: String,
    /// By column, `cluster` and `namespace` left out.
    pub cells: Map<String, Value>,
}

impl Row {
    pub fn name(&self) -> &str {
        self.cells.get("name").and_then(Value::as_str).unwrap_or_default()
    }

    /// Cluster, namespace and name.
    pub fn key(&self) -> (String, String, String) {
        (self.cluster.clone(), self.namespace.clone(), self.name().to_owned())
    }

    /// The cell of a column.
    ///
    /// # Panics
    /// When the answer has no such column.
    pub fn cell(&self, column: &str) -> &Value {
        self.cells.get(column).unwrap_or_else(|| panic!("no column {column:?} in {self:?}"))
    }
}

/// The rows of `answer`, in its order.
///
/// # Panics
/// When the answer is not a listing, or a row has not as many cells as there are columns.
pub fn of(answer: &Value) -> Vec<Row> {
    let groups = answer["groups"].as_array().unwrap_or_else(|| panic!("no groups in {answer}"));
    let columns = columns(answer);
    let rows = groups.iter().flat_map(|group| {
        let rows = group["rows"].as_array().unwrap_or_else(|| panic!("no rows in {group}"));
        rows.iter().map(|row| read(group, &columns, row)).collect::<Vec<_>>()
    });
    rows.collect()
}

/// The names of the columns, in their order.
pub fn columns(answer: &Value) -> Vec<String> {
    let columns = answer["columns"].as_array().unwrap_or_else(|| panic!("no columns in {answer}"));
    columns.iter().map(|column| column.as_str().unwrap_or_default().to_owned()).collect()
}

/// A cell as it would be printed; nothing is nothing.
pub fn plain(cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn read(group: &Value, columns: &[String], row: &Value) -> Row {
    let mut cells: Map<String, Value> = match row {
        Value::Object(cells) => cells.clone(),
        Value::Array(cells) => {
            assert_eq!(cells.len(), columns.len(), "cells of {row} for {columns:?}");
            columns.iter().cloned().zip(cells.iter().cloned()).collect()
        }
        other => panic!("{other} is no row"),
    };
    let mut take = |what: &str| {
        let cell = cells.shift_remove(what);
        let value = group.get(what).cloned().or(cell).unwrap_or_default();
        value.as_str().unwrap_or_default().to_owned()
    };
    let (cluster, namespace) = (take("cluster"), take("namespace"));
    if let (Some(date), Some(Value::String(time))) = (group["date"].as_str(), cells.get_mut("time")) {
        *time = format!("{date}T{time}");
    }
    Row { cluster, namespace, cells }
}
