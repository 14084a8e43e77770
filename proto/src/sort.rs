//! The one order over all clusters: what a row is sorted by, and how two keys compare.
//!
//! A row's key is complete (it ends with namespace, name and uid), so that "after this key" names one place in every
//! cluster, whichever cluster the key came from. That is what makes one cursor over all clusters possible.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::quantity::{parse_quantity, parse_time_ms};

/// One leading term of the order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SortTerm {
    pub by: SortBy,
    #[serde(default)]
    pub direction: Direction,
}

/// What a term looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SortBy {
    /// A column by name, or a path into the object.
    Field(String),
    /// The same for all rows of a cluster: its name, one of its labels. The gateway fills it in for each cluster, so
    /// that every agent can compare its rows with a key from any other.
    Constant(KeyValue),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    #[default]
    Ascending,
    Descending,
}

/// One value of a key. Numbers (of every kind: quantities, times, plain) come before text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum KeyValue {
    /// In billionths.
    Number(i128),
    /// At most [`TEXT_CHARS`] characters; [`KeyValue::text`] sees to it.
    Text(String),
    /// Last, in either direction.
    Missing,
}

/// Characters of a text that count in an order. Keys travel in cursors, which models pay for; texts that begin alike for so
/// long are told apart by what ends every key.
pub const TEXT_CHARS: usize = 256;

impl KeyValue {
    /// As much of a text as counts.
    pub fn text(text: &str) -> Self {
        let end = text.char_indices().nth(TEXT_CHARS).map_or(text.len(), |(end, _)| end);
        Self::Text(text[..end].to_owned())
    }

    pub fn from_ms(ms: i64) -> Self {
        Self::Number(i128::from(ms) * 1_000_000)
    }

    pub fn from_integer(value: i64) -> Self {
        Self::Number(i128::from(value) * 1_000_000_000)
    }

    /// Text that is a quantity or a time counts as what it means.
    pub fn by_value(text: &str) -> Self {
        parse_time_ms(text)
            .map(Self::from_ms)
            .or_else(|| parse_quantity(text).map(Self::Number))
            .unwrap_or_else(|| Self::text(text))
    }

    /// A scalar of an object; arrays and objects have no place in an order.
    pub fn from_json(value: &serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::String(text) => Self::by_value(text),
            Value::Number(number) => number
                .as_i64()
                .map(Self::from_integer)
                .or_else(|| number.as_f64().map(|float| Self::Number((float * 1e9) as i128)))
                .unwrap_or(Self::Missing),
            Value::Bool(flag) => Self::Text(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => Self::Missing,
        }
    }

    fn compare(&self, other: &Self, direction: Direction) -> Ordering {
        let ascending = match (self, other) {
            (Self::Missing, Self::Missing) => return Ordering::Equal,
            (Self::Missing, _) => return Ordering::Greater,
            (_, Self::Missing) => return Ordering::Less,
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        };
        match direction {
            Direction::Ascending => ascending,
            Direction::Descending => ascending.reverse(),
        }
    }
}

// On the wire a value is one string whose first character says what it is: JSON numbers can't hold billionths exactly.
impl From<KeyValue> for String {
    fn from(value: KeyValue) -> Self {
        match value {
            KeyValue::Number(nanos) => format!("n{nanos}"),
            KeyValue::Text(text) => format!("t{text}"),
            KeyValue::Missing => String::new(),
        }
    }
}

/// A key value from the wire that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a sort key: an empty string, t and a text, or n and an integer is wanted")]
pub struct InvalidKeyValue(String);

impl TryFrom<String> for KeyValue {
    type Error = InvalidKeyValue;

    fn try_from(wire: String) -> Result<Self, Self::Error> {
        match wire.as_bytes().first() {
            None => Ok(Self::Missing),
            Some(b't') => Ok(Self::Text(wire[1..].to_owned())),
            Some(b'n') => wire[1..].parse().map(Self::Number).map_err(|_| InvalidKeyValue(wire)),
            Some(_) => Err(InvalidKeyValue(wire)),
        }
    }
}

/// The full sort key of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RowKey {
    /// One value for each term of the order.
    #[serde(rename = "v", default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<KeyValue>,
    /// Empty for a cluster-scoped object.
    #[serde(rename = "ns", default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    #[serde(rename = "n")]
    pub name: String,
    #[serde(rename = "u")]
    pub uid: String,
}

impl RowKey {
    /// Compares two keys of one order; `directions` has one entry for each of its terms.
    pub fn compare(&self, other: &Self, directions: &[Direction]) -> Ordering {
        compare_values(&self.values, &other.values, directions)
            .then_with(|| self.namespace.cmp(&other.namespace))
            .then_with(|| self.name.cmp(&other.name))
            .then_with(|| self.uid.cmp(&other.uid))
    }
}

/// Compares what two keys of one order begin with; `directions` has one entry for each of its terms.
pub fn compare_values(a: &[KeyValue], b: &[KeyValue], directions: &[Direction]) -> Ordering {
    let terms = a.iter().zip(b).zip(directions);
    let mut orderings = terms.map(|((a, b), direction)| a.compare(b, *direction));
    orderings.find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(values: Vec<KeyValue>, name: &str) -> RowKey {
        RowKey { values, namespace: String::new(), name: name.to_owned(), uid: String::new() }
    }

    #[test]
    fn numbers_then_text_and_missing_last_in_either_direction() {
        let values = ["9", "10", "100m", "1Gi", "x", ""].map(|text| match text {
            "" => KeyValue::Missing,
            text => KeyValue::by_value(text),
        });
        let sorted = |direction| {
            let mut keys: Vec<_> = values.iter().map(|value| key(vec![value.clone()], "")).collect();
            keys.sort_by(|a, b| a.compare(b, &[direction]));
            keys.into_iter().map(|key| key.values[0].clone()).collect::<Vec<_>>()
        };
        let expect = |order: &[usize]| order.iter().map(|i| values[*i].clone()).collect::<Vec<_>>();
        assert_eq!(sorted(Direction::Ascending), expect(&[2, 0, 1, 3, 4, 5]));
        assert_eq!(sorted(Direction::Descending), expect(&[4, 3, 1, 0, 2, 5]));
    }

    #[test]
    fn ties_fall_to_namespace_name_and_uid() {
        let (a, b) = (key(vec![KeyValue::Missing], "a"), key(vec![KeyValue::Missing], "b"));
        assert_eq!(a.compare(&b, &[Direction::Descending]), Ordering::Less);
    }

    #[test]
    fn long_texts_count_by_their_beginning_and_a_page_can_begin_between_them() {
        let long = |end: &str| KeyValue::by_value(&format!("{}{end}", "ä".repeat(TEXT_CHARS)));
        assert_eq!(long("a"), long("b"));
        assert!(serde_json::to_string(&long("")).unwrap().len() <= 2 * TEXT_CHARS + 3);
        let rows = [("b", "p1"), ("a", "p2"), ("a", "p3")].map(|(end, name)| key(vec![long(end)], name));
        for (at, shown) in rows.iter().enumerate() {
            for direction in [Direction::Ascending, Direction::Descending] {
                let after = rows.iter().filter(|row| row.compare(shown, &[direction]).is_gt());
                assert_eq!(after.count(), rows.len() - at - 1, "each row is on one side of each other");
            }
        }
    }

    fn any_value() -> impl Strategy<Value = KeyValue> {
        prop_oneof![
            any::<i64>().prop_map(KeyValue::from_integer),
            ".{0,12}".prop_map(KeyValue::Text),
            Just(KeyValue::Missing),
        ]
    }

    proptest! {
        #[test]
        fn a_value_survives_the_wire(value in any_value()) {
            let wire = serde_json::to_string(&value).unwrap();
            prop_assert_eq!(serde_json::from_str::<KeyValue>(&wire).unwrap(), value);
        }

        #[test]
        fn the_order_is_total(a in any_value(), b in any_value(), c in any_value(), descending: bool) {
            let directions = [if descending { Direction::Descending } else { Direction::Ascending }];
            let [a, b, c] = [a, b, c].map(|value| key(vec![value], ""));
            prop_assert_eq!(a.compare(&b, &directions), b.compare(&a, &directions).reverse());
            if a.compare(&b, &directions).is_le() && b.compare(&c, &directions).is_le() {
                prop_assert!(a.compare(&c, &directions).is_le());
            }
        }
    }
}
