//! Counts instead of rows.

use kubeplex_proto::column::same_column;
use kubeplex_proto::group::Grouping;
use serde::Serialize;

use super::Field;

/// Rows that have the same values are counted, and some of their numbers summed up.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct GroupBy {
    pub keys: Vec<Field>,
    /// Columns or paths of numbers.
    pub sums: Vec<String>,
}

impl GroupBy {
    /// The part that an agent does: what belongs to its cluster is the same for all that it has. `namespace` is the path of
    /// an object's namespace.
    pub fn at_the_edge(&self, namespace: &str) -> Grouping {
        let words = self.keys.iter().filter_map(|key| match key {
            Field::Cluster | Field::ClusterLabel(_) => None,
            Field::Namespace => Some(namespace.to_owned()),
            Field::Object(word) => Some(word.clone()),
        });
        Grouping { keys: words.collect(), sums: self.sums.clone() }
    }

    /// The columns of the answer: the keys, `count`, the sums. A key that is called like a column before or behind it, such
    /// as the count of an event, stands as `column.NAME`.
    pub fn columns(&self) -> Vec<String> {
        let own = self.sums.iter().map(|word| format!("sum({word})"));
        let own: Vec<String> = std::iter::once(COUNT.to_owned()).chain(own).collect();
        let mut columns: Vec<String> = Vec::new();
        for key in &self.keys {
            let name = key.to_string();
            let is_taken = own.iter().chain(&columns).any(|known| same_column(known, &name));
            columns.push(if is_taken { format!("column.{name}") } else { name });
        }
        columns.extend(own);
        columns
    }

    /// Where the column stands that a caller calls so.
    pub fn place(&self, name: &str) -> Option<usize> {
        let own = self.columns();
        own.iter().position(|column| column == name || same_column(column, name))
    }
}

/// The column that says how many rows a group has.
pub const COUNT: &str = "count";
