//! What an answer is kept under: everything that decides what it says, written out.

use std::sync::Arc;

use serde::Serialize;

/// JSON separates what it is made of, so that no two different questions run into the same bytes; and the bytes are compared,
/// not a hash of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key(Arc<[u8]>);

impl Key {
    /// `None` for what has no JSON form.
    pub(super) fn of(question: &impl Serialize) -> Option<Self> {
        serde_json::to_vec(question).ok().map(|bytes| Self(bytes.into()))
    }

    pub(super) fn weight(&self) -> usize {
        self.0.len()
    }
}
