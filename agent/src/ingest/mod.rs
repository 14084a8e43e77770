//! Raw objects into what a store keeps.

use crate::cache::{KindShape, Prepared};

/// Why an object can't be taken in.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error("an object that the API server sent is not JSON")]
    Malformed(#[from] serde_json::Error),
    #[error("an object that the API server sent has no {0}")]
    Incomplete(&'static str),
}

/// Parses, redacts and strips an object, and computes its cells.
pub fn prepare(_shape: &KindShape, _raw: &[u8]) -> Result<Prepared, IngestError> { unimplemented!() }

/// The same for an object that is parsed already.
pub fn prepare_value(_shape: &KindShape, _object: serde_json::Value) -> Result<Prepared, IngestError> { unimplemented!() }
