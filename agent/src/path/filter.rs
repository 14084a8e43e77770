//! The test inside `[?( … )]`.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Value;

use super::Path;

/// Whether an element passes. Paths are relative to the element (`@.type`).
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    /// The path leads somewhere.
    Exists(Path),
    Compare {
        left: Operand,
        operator: Operator,
        right: Operand,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Path(Path),
    Literal(Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Longer spellings first, so that `<=` is not read as `<`.
pub(super) const OPERATORS: [(&str, Operator); 6] = [
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

impl Filter {
    pub(super) fn passes(&self, element: &Value) -> bool {
        match self {
            Self::Exists(path) => path.first(element).is_some(),
            Self::Compare { left, operator, right } => {
                let (Some(left), Some(right)) = (left.value(element), right.value(element)) else {
                    return false;
                };
                operator.holds(left, right)
            }
        }
    }
}

impl Operand {
    fn value<'a>(&'a self, element: &'a Value) -> Option<&'a Value> {
        match self {
            Self::Path(path) => path.first(element),
            Self::Literal(value) => Some(value),
        }
    }
}

impl Operator {
    fn holds(self, left: &Value, right: &Value) -> bool {
        let order = compare(left, right);
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => order.is_some_and(Ordering::is_le),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        }
    }
}

/// `None` where the two are of different types: then they differ, and neither is less.
fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
        },
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        _ => None,
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists(path) => write!(f, "{}", Operand::Path(path.clone())),
            Self::Compare { left, operator, right } => {
                let spelling =
                    OPERATORS.iter().find(|(_, known)| known == operator).map_or("", |(text, _)| text);
                write!(f, "{left}{spelling}{right}")
            }
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) if path.steps.is_empty() => f.write_str("@"),
            Self::Path(path) => {
                let path = path.to_string();
                write!(f, "@{}{path}", if path.starts_with(['[', '.']) { "" } else { "." })
            }
            Self::Literal(value) => write!(f, "{value}"),
        }
    }
}
