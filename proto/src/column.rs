//! Columns: what a row shows, and how a cell is to be read.

use serde::{Deserialize, Serialize};

/// One column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Column {
    /// Lower camel case: `ready`, `upToDate`; a path where the caller asked for one.
    pub name: String,
    pub format: CellFormat,
}

/// How the cells of a column are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CellFormat {
    /// Any JSON value, shown as it is.
    Plain,
    /// Milliseconds since 1970 by the cluster's clock, shown as the time that has passed since.
    Age,
    /// A quantity of processors, shown in thousandths of one: `250m`.
    Cpu,
    /// A quantity of bytes, shown in mebibytes: `64Mi`.
    Memory,
}

/// The name under which a column of the API server's Table is known here: `Up-to-date` → `upToDate`, `Port(s)` → `ports`.
pub fn column_name(server_name: &str) -> String {
    let mut name = String::with_capacity(server_name.len());
    let mut word_starts = false;
    for c in server_name.chars() {
        if !c.is_alphanumeric() {
            // Brackets inside a word, as in `Port(s)`, do not start a new one.
            word_starts |= !matches!(c, '(' | ')') && !name.is_empty();
        } else if std::mem::take(&mut word_starts) {
            name.extend(c.to_uppercase());
        } else {
            name.extend(c.to_lowercase());
        }
    }
    name
}

/// Whether two spellings mean one column: case, hyphens, underscores and spaces do not count.
pub fn same_column(a: &str, b: &str) -> bool {
    let significant = |text: &str| -> Vec<char> {
        text.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
    };
    significant(a) == significant(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_names_become_camel_case() {
        for (server, ours) in [
            ("Name", "name"),
            ("Up-to-date", "upToDate"),
            ("Port(s)", "ports"),
            ("Cluster-IP", "clusterIp"),
            ("Nominated Node", "nominatedNode"),
            ("MinPods", "minpods"),
        ] {
            assert_eq!(column_name(server), ours);
        }
        assert!(same_column("up-to-date", "upToDate"));
        assert!(!same_column("ready", "status"));
    }
}
