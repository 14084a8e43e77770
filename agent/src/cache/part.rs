//! The part of a kind that one watch feeds.

use super::row::RowRef;
use super::shape::KindShape;

/// All objects of a kind, or those in one namespace. The parts of a store do not overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    pub namespace: Option<String>,
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

    pub(super) fn holds(&self, _shape: &KindShape, row: RowRef<'_>) -> bool {
        self.namespace.as_deref().is_none_or(|namespace| row.namespace() == Some(namespace))
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
