//! Cells of a row in eight bytes each.

use super::strings::{Strings, Symbol};
use crate::columns::Cell;

/// A cell: a tag in the upper four bits, a value in the others. What does not fit there is spilled to the strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packed(u64);

/// A stored cell as a reader sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CellRef<'a> {
    Null,
    Text(&'a str),
    Integer(i64),
    Boolean(bool),
    /// Milliseconds since 1970, by the cluster's clock.
    Time(i64),
    /// Anything else, as JSON text.
    Json(&'a str),
}

const TAG_SHIFT: u32 = 60;
const VALUE_MASK: u64 = (1 << TAG_SHIFT) - 1;

const NULL: u64 = 0;
const INTEGER: u64 = 1;
const TIME: u64 = 2;
const BOOLEAN: u64 = 3;
const TEXT: u64 = 4;
const JSON: u64 = 5;
/// The row's own name, which nearly every kind shows and nearly no two rows share.
const NAME: u64 = 6;

impl Packed {
    pub(super) const EMPTY: Self = Self(NULL);

    /// `name` is the row's.
    pub(super) fn pack(cell: &Cell, name: &str, strings: &mut Strings) -> Self {
        match cell {
            Cell::Null => Self::EMPTY,
            Cell::Text(text) if text == name => Self::of(NAME, 0),
            Cell::Text(text) => Self::spilled(TEXT, text, strings),
            Cell::Integer(integer) if fits(*integer) => Self::of(INTEGER, *integer as u64),
            Cell::Integer(integer) => Self::spilled(JSON, &integer.to_string(), strings),
            Cell::Time(ms) if fits(*ms) => Self::of(TIME, *ms as u64),
            Cell::Time(ms) => Self::spilled(JSON, &ms.to_string(), strings),
            Cell::Boolean(flag) => Self::of(BOOLEAN, u64::from(*flag)),
            Cell::Number(number) => {
                Self::spilled(JSON, &serde_json::Value::from(*number).to_string(), strings)
            }
            Cell::Json(value) => Self::spilled(JSON, &value.to_string(), strings),
        }
    }

    pub(super) fn read<'a>(self, name: &'a str, strings: &'a Strings) -> CellRef<'a> {
        match self.tag() {
            INTEGER => CellRef::Integer(self.signed()),
            TIME => CellRef::Time(self.signed()),
            BOOLEAN => CellRef::Boolean(self.0 & VALUE_MASK != 0),
            TEXT => CellRef::Text(strings.get(self.symbol())),
            JSON => CellRef::Json(strings.get(self.symbol())),
            NAME => CellRef::Text(name),
            _ => CellRef::Null,
        }
    }

    /// The text that the cell holds, but for the row's own name.
    pub(super) fn text(self) -> Option<Symbol> {
        (self.tag() == TEXT).then(|| self.symbol())
    }

    /// Gives back what the cell holds in the strings.
    pub(super) fn release(self, strings: &mut Strings) {
        if matches!(self.tag(), TEXT | JSON) {
            strings.release(self.symbol());
        }
    }

    fn of(tag: u64, value: u64) -> Self {
        Self(tag << TAG_SHIFT | value & VALUE_MASK)
    }

    fn spilled(tag: u64, text: &str, strings: &mut Strings) -> Self {
        Self::of(tag, u64::from(strings.take(text).id()))
    }

    fn tag(self) -> u64 {
        self.0 >> TAG_SHIFT
    }

    fn symbol(self) -> Symbol {
        Symbol::from_id((self.0 & VALUE_MASK) as u32)
    }

    /// The value with its sign, from the 60 bits that it has.
    fn signed(self) -> i64 {
        (self.0 << (u64::BITS - TAG_SHIFT)) as i64 >> (u64::BITS - TAG_SHIFT)
    }
}

/// Whether a number survives in 60 bits.
fn fits(number: i64) -> bool {
    (-(1 << (TAG_SHIFT - 1))..1 << (TAG_SHIFT - 1)).contains(&number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_cell_is_read_as_it_was_packed() {
        let mut strings = Strings::default();
        let limit = 1_i64 << 59;
        for (cell, expected) in [
            (Cell::Null, CellRef::Null),
            (Cell::from("cart-1"), CellRef::Text("cart-1")),
            (Cell::from("Running"), CellRef::Text("Running")),
            (Cell::Integer(-7), CellRef::Integer(-7)),
            (Cell::Integer(limit - 1), CellRef::Integer(limit - 1)),
            (Cell::Integer(-limit), CellRef::Integer(-limit)),
            (Cell::Integer(limit), CellRef::Json("576460752303423488")),
            (Cell::Integer(i64::MIN), CellRef::Json("-9223372036854775808")),
            (Cell::Time(1_795_458_279_000), CellRef::Time(1_795_458_279_000)),
            (Cell::Boolean(true), CellRef::Boolean(true)),
            (Cell::Number(0.25), CellRef::Json("0.25")),
            (Cell::Json(Box::new(json!({"a": [1]}))), CellRef::Json(r#"{"a":[1]}"#)),
        ] {
            let packed = Packed::pack(&cell, "cart-1", &mut strings);
            assert_eq!(packed.read("cart-1", &strings), expected, "{cell:?}");
            packed.release(&mut strings);
        }
        assert_eq!(strings.len(), 0);
    }
}
