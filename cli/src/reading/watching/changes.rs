//! What differs between two tables of the same question.

use std::collections::HashMap;

use crate::table::Table;

/// What tells one row from another; a row of a table without any of them is told by all that it says.
const IDENTITY: [&str; 6] = ["cluster", "namespace", "kind", "name", "object", "reason"];

/// What tells one moment of an object from another, in a table of moments.
const OF_A_MOMENT: [&str; 3] = ["date", "time", "change"];

/// One row that is not as it was.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change<'a> {
    New(&'a [String]),
    Different(&'a [String]),
    Gone(&'a [String]),
}

/// What became different, in the order of the table, and then what is gone.
pub(super) fn changes<'a>(before: &'a Table, after: &'a Table) -> Vec<Change<'a>> {
    let mut known = by_identity(before);
    let mut changes = Vec::new();
    for row in after.rows() {
        match known.remove(&identity(after, row)) {
            None => changes.push(Change::New(row)),
            Some(old) if lasting(before, old) != lasting(after, row) => changes.push(Change::Different(row)),
            Some(_) => {}
        }
    }
    let gone = before.rows().iter().filter(|row| known.contains_key(&identity(before, row)));
    changes.extend(gone.map(|row| Change::Gone(row)));
    changes
}

fn by_identity(table: &Table) -> HashMap<Vec<&str>, &Vec<String>> {
    table.rows().iter().map(|row| (identity(table, row), row)).collect()
}

fn identity<'a>(table: &Table, row: &'a [String]) -> Vec<&'a str> {
    let cells = || table.header().iter().zip(row);
    let told: Vec<_> = cells()
        .filter(|(name, _)| IDENTITY.contains(&name.as_str()) || OF_A_MOMENT.contains(&name.as_str()))
        .map(|(_, cell)| cell.as_str())
        .collect();
    let is_named = table.header().iter().any(|name| name == "name" || name == "object");
    if is_named { told } else { lasting(table, row) }
}

/// Without what grows older all the time.
fn lasting<'a>(table: &Table, row: &'a [String]) -> Vec<&'a str> {
    let cells = table.header().iter().zip(row).filter(|(name, _)| !is_of_time(name));
    cells.map(|(_, cell)| cell.as_str()).collect()
}

fn is_of_time(column: &str) -> bool {
    column.ends_with("Age")
        || column.ends_with("Seen")
        || matches!(column, "age" | "first" | "last" | "since")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn table(columns: &[&str], rows: Value) -> Table {
        Table::of(&json!({"columns": columns, "groups": [{"cluster": "eu", "rows": rows}]}))
    }

    fn told(columns: &[&str], before: Value, after: Value) -> Vec<String> {
        let (before, after) = (table(columns, before), table(columns, after));
        let told = changes(&before, &after).into_iter().map(|change| match change {
            Change::New(row) => format!("+ {}", row.join(" ")),
            Change::Different(row) => format!("~ {}", row.join(" ")),
            Change::Gone(row) => format!("- {}", row.join(" ")),
        });
        told.collect()
    }

    #[test]
    fn rows_come_change_and_go() {
        assert_eq!(
            told(
                &["name", "stage", "age", "dataAge"],
                json!([["a", "one", "1s", "1s"], ["b", "one", "1s", "1s"], ["c", "one", "1s", "1s"]]),
                json!([["a", "one", "3s", "2s"], ["b", "two", "3s", "2s"], ["d", "one", "0s", "2s"]]),
            ),
            ["~ eu b two 3s 2s", "+ eu d one 0s 2s", "- eu c one 1s 1s"]
        );
    }

    /// One object has many of them, and what followed from one may become known later.
    #[test]
    fn moments_of_an_object_are_rows_of_their_own() {
        let columns = ["time", "object", "change", "folded"];
        let row = |time: &str, folded: &str| json!([time, "Deployment/a", "replicas: 1 → 2", folded]);
        assert_eq!(
            told(
                &columns,
                json!([row("10:02Z", "-"), row("10:01Z", "-")]),
                json!([row("10:03Z", "-"), row("10:02Z", "pods +1"), row("10:01Z", "-")]),
            ),
            [
                "+ eu 10:03Z Deployment/a replicas: 1 → 2 -",
                "~ eu 10:02Z Deployment/a replicas: 1 → 2 pods +1"
            ]
        );
    }

    #[test]
    fn rows_without_names_are_told_by_what_they_say() {
        assert_eq!(
            told(
                &["status", "count"],
                json!([["Running", 3], ["Pending", 1]]),
                json!([["Running", 4], ["Pending", 1]])
            ),
            ["+ eu Running 4", "- eu Running 3"]
        );
    }
}
