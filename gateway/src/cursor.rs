//! The cursor of a page: where the one global order was left, sealed so that nobody else can read or make one.
//!
//! It carries the key of the last row shown, not a position in any cluster, so it stays right while rows come and go. It
//! is bound to the caller, the question and the expected clusters, and names the clusters that were missing when it was
//! made: they stay out for its life, because their first rows were never shown.

use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::sort::RowKey;

use crate::error::CallError;

/// Where an earlier page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resume {
    /// The key of the last row shown.
    pub after: RowKey,
    /// Clusters that were missing on that page or an earlier one.
    pub missing: Vec<ClusterId>,
}

/// What a cursor is bound to, as hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    caller: [u8; 8],
    question: [u8; 8],
    expected: [u8; 8],
}

/// Seals and opens cursors. Made once per gateway.
pub struct CursorSealer {
    _key: [u8; 32],
    _life_ms: i64,
}

impl CursorSealer {
    /// `key` is random per start, or from the configuration so that replicas share it; a cursor holds for `life_ms`.
    pub fn new(key: [u8; 32], life_ms: u64) -> Self {
        Self { _key: key, _life_ms: life_ms as i64 }
    }

    /// `nonce` must be random and fresh; `now_ms` is the time since 1970.
    pub fn seal(&self, _resume: &Resume, _fingerprint: &Fingerprint, _nonce: [u8; 24], _now_ms: i64) -> String {
        unimplemented!()
    }

    /// # Errors
    /// `invalid_argument` that says which it is: malformed, expired, of another caller, question or set of clusters.
    pub fn open(&self, _text: &str, _fingerprint: &Fingerprint, _now_ms: i64) -> Result<Resume, CallError> {
        unimplemented!()
    }
}
