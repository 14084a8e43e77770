//! The part of a kind that one watch feeds.

use super::cell::CellRef;
use super::row::RowRef;
use super::shape::KindShape;

/// All objects of a kind, or those in one namespace, or of some types. The parts of a store do not overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    pub namespace: Option<String>,
    pub types: Types,
}

/// Which objects, by a `type` that no object ever changes: that of Secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Types {
    #[default]
    All,
    Only(&'static str),
    AllBut(Vec<&'static str>),
}

/// A list that is under way: what it does not mention until its end is gone.
#[derive(Debug)]
pub struct Relist {
    mark: u32,
}

impl Part {
    pub fn is_whole(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn holds(&self, shape: &KindShape, row: RowRef<'_>) -> bool {
        self.namespace.as_deref().is_none_or(|namespace| row.namespace() == Some(namespace))
            && self.types.hold(shape, row)
    }
}

impl Types {
    /// As a field selector says it; `None` for all.
    pub fn selector(&self) -> Option<String> {
        match self {
            Self::All => None,
            Self::Only(one) => Some(format!("type={one}")),
            Self::AllBut(others) => {
                let others: Vec<_> = others.iter().map(|other| format!("type!={other}")).collect();
                Some(others.join(","))
            }
        }
    }

    fn hold(&self, shape: &KindShape, row: RowRef<'_>) -> bool {
        if *self == Self::All {
            return true;
        }
        let narrow = shape.columns.defs().iter().filter(|def| !def.wide).count();
        let place = shape.indexed_paths().iter().position(|path| *path == "type");
        let of_row = match place.map(|place| row.cell(narrow + place)) {
            Some(CellRef::Text(text)) => text,
            _ => "",
        };
        match self {
            Self::All => true,
            Self::Only(one) => of_row == *one,
            Self::AllBut(others) => !others.contains(&of_row),
        }
    }
}

impl Relist {
    pub(super) fn of(mark: u32) -> Self {
        Self { mark }
    }

    /// Whether a row was last applied before this list began. Marks count on and wrap.
    pub(super) fn misses(&self, mark: u32) -> bool {
        (mark.wrapping_sub(self.mark) as i32) < 0
    }
}
