//! Counts instead of rows.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::sort::KeyValue;

/// Rows that have the same values are counted together, and some of their numbers summed up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Grouping {
    /// Columns or paths; none: all rows are one group.
    #[serde(default)]
    pub keys: Vec<String>,
    #[serde(default)]
    pub sums: Vec<String>,
}

/// Rows that have the same values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// What the rows have in common: one for each key.
    #[serde(rename = "k")]
    pub keys: Vec<Value>,
    /// How many they are.
    #[serde(rename = "n")]
    pub count: u64,
    /// One for each sum; missing where no row has a number.
    #[serde(rename = "s", default, skip_serializing_if = "Vec::is_empty")]
    pub sums: Vec<KeyValue>,
}

/// The sum of two sums.
pub fn added(a: &KeyValue, b: &KeyValue) -> KeyValue {
    match (a, b) {
        (KeyValue::Number(a), KeyValue::Number(b)) => KeyValue::Number(a.saturating_add(*b)),
        (KeyValue::Number(sum), _) | (_, KeyValue::Number(sum)) => KeyValue::Number(*sum),
        _ => KeyValue::Missing,
    }
}
