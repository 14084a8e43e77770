//! Objects from the rows of Tables: of Secrets, whose data must never arrive here, and of kinds whose columns only the server
//! knows.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Where to find what in a row. The server names its columns in the first Table of a watch only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SecretColumns {
    kind_of_secret: usize,
    keys: usize,
}

impl Default for SecretColumns {
    /// NAME TYPE DATA AGE, as it has been since Tables exist.
    fn default() -> Self {
        Self { kind_of_secret: 1, keys: 2 }
    }
}

/// The Table inside a watch event.
pub(crate) struct Rows {
    /// The names of its columns, where it tells them.
    pub(crate) columns: Vec<String>,
    /// They share the Table's bytes.
    pub(crate) rows: Vec<Bytes>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TableOfRows<'a> {
    #[serde(default)]
    column_definitions: Option<Vec<ColumnName>>,
    #[serde(borrow, default)]
    rows: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct ColumnName {
    name: String,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    cells: Vec<Value>,
    object: RowObject,
}

#[derive(Deserialize)]
struct RowObject {
    metadata: Value,
}

impl SecretColumns {
    /// From the names of a Table's columns.
    pub(crate) fn named(names: &[String]) -> Self {
        let default = Self::default();
        let find = |name: &str| names.iter().position(|known| known.eq_ignore_ascii_case(name));
        Self {
            kind_of_secret: find("Type").unwrap_or(default.kind_of_secret),
            keys: find("Data").unwrap_or(default.keys),
        }
    }

    /// A Secret without its data: identity, labels, type, and how many keys it has, as `dataCount`.
    pub(crate) fn object(self, row: &[u8]) -> serde_json::Result<Value> {
        let row: Row = serde_json::from_slice(row)?;
        let cell = |index: usize| row.cells.get(index).cloned().unwrap_or_default();
        Ok(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": row.object.metadata,
            "type": cell(self.kind_of_secret),
            "dataCount": cell(self.keys),
        }))
    }
}

/// A row with its whole object.
#[derive(Deserialize)]
pub(crate) struct ShownRow {
    #[serde(default)]
    pub(crate) cells: Vec<Value>,
    pub(crate) object: Value,
}

/// A list's item is a row already, a watch event holds a Table of one.
pub(crate) fn rows(raw: &Bytes) -> serde_json::Result<Rows> {
    let table: TableOfRows<'_> = serde_json::from_slice(raw)?;
    let columns = table.column_definitions.into_iter().flatten().map(|column| column.name).collect();
    let rows: Vec<_> =
        table.rows.into_iter().flatten().map(|row| raw.slice_ref(row.get().as_bytes())).collect();
    Ok(Rows { columns, rows: if rows.is_empty() { vec![raw.clone()] } else { rows } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_becomes_a_secret_without_data() {
        let table = Bytes::from_static(
            br#"{"kind":"Table","rows":[{"cells":["db","Opaque",3,"4d"],"object":{"kind":"PartialObjectMetadata",
                "metadata":{"name":"db","namespace":"shop","uid":"u","resourceVersion":"5"}}}]}"#,
        );
        let rows = rows(&table).unwrap().rows;
        let secret = SecretColumns::default().object(&rows[0]).unwrap();
        assert_eq!(secret["type"], "Opaque");
        assert_eq!(secret["dataCount"], 3);
        assert_eq!(secret["metadata"]["namespace"], "shop");
        assert!(secret.get("data").is_none());
    }

    #[test]
    fn columns_are_found_by_their_names() {
        let names = ["Name", "Data", "Type"].map(str::to_owned);
        assert_eq!(SecretColumns::named(&names), SecretColumns { kind_of_secret: 2, keys: 1 });
        assert_eq!(SecretColumns::named(&[]), SecretColumns::default());
    }
}
