//! Where a page ended, and what question it belongs to: what a cursor seals.

use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::sort::RowKey;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::LegId;

/// Where an earlier page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resume {
    /// The key of the last row shown.
    pub after: RowKey,
    /// Clusters that were missing on that page or an earlier one, as places among the expected ones.
    pub missing: Vec<LegId>,
}

/// What a cursor is bound to, as hashes: the start of a SHA-256 each, enough because they are only ever compared inside
/// a text that the caller can't make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    pub(crate) caller: [u8; 8],
    pub(crate) question: [u8; 8],
    pub(crate) expected: [u8; 8],
}

impl Fingerprint {
    /// `question` is everything that decides which rows there are and in which order; not the size of a page.
    pub fn new<'a>(
        caller: &str,
        question: &impl Serialize,
        expected: impl IntoIterator<Item = &'a ClusterId>,
    ) -> Self {
        let names: Vec<&str> = expected.into_iter().map(ClusterId::as_str).collect();
        Self { caller: hash(&caller), question: hash(question), expected: hash(&names) }
    }
}

/// JSON separates what is hashed, so that no two different values run into the same bytes.
fn hash(value: &impl Serialize) -> [u8; 8] {
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    let digest = Sha256::digest(bytes);
    std::array::from_fn(|at| digest[at])
}
