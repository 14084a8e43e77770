//! Objects of many legs, equal ones once.

use kubeplex_proto::get::{FoundObject, GetEnd, GetHead};

use crate::error::CallError;
use crate::request::{GetQuery, LegId};

use super::LegFailure;

/// Feeds in any order: `head` once a leg, then `object` as they come, then `finish`. Every leg is needed to its end.
pub struct GetMerge {}

/// Distinct objects with their clusters, and what every leg said.
#[derive(Debug, Clone)]
pub struct GetPage {}

impl GetMerge {
    pub fn new(_query: &GetQuery) -> Self {
        unimplemented!()
    }

    pub fn head(&mut self, _leg: LegId, _head: GetHead) {
        unimplemented!()
    }

    pub fn object(&mut self, _leg: LegId, _object: FoundObject) {
        unimplemented!()
    }

    pub fn finish(&mut self, _leg: LegId, _end: Result<GetEnd, LegFailure>) {
        unimplemented!()
    }

    /// # Errors
    /// Every leg failed; nothing found in any (`not_found`); more distinct objects than may be shown (`too_large`).
    pub fn into_page(self) -> Result<GetPage, CallError> {
        unimplemented!()
    }
}
