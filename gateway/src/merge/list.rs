//! Rows of many legs in one order.

use kubeplex_proto::list::{ListEnd, ListHead, Row};

use crate::error::CallError;
use crate::request::{LegId, ListQuery};

use super::{LegFailure, Step};

/// Feeds: `head` once a leg, then `rows` as they come, then `finish`; asks by [`next`](Self::next).
pub struct ListMerge {}

/// A page of rows, and what every leg said.
#[derive(Debug, Clone)]
pub struct ListPage {}

impl ListMerge {
    pub fn new(_query: &ListQuery) -> Self {
        unimplemented!()
    }

    /// `now_ms` is the gateway's time since 1970 at arrival; ages are counted on from it.
    pub fn head(&mut self, _leg: LegId, _head: ListHead, _now_ms: i64) {
        unimplemented!()
    }

    pub fn rows(&mut self, _leg: LegId, _rows: Vec<Row>) {
        unimplemented!()
    }

    /// The leg is over. A leg that ends before its head has failed.
    pub fn finish(&mut self, _leg: LegId, _end: Result<ListEnd, LegFailure>) {
        unimplemented!()
    }

    /// Call until [`Step::Done`]; on [`Step::Need`] feed that leg first.
    pub fn next(&mut self) -> Step {
        unimplemented!()
    }

    /// # Errors
    /// Every leg failed.
    pub fn into_page(self) -> Result<ListPage, CallError> {
        unimplemented!()
    }
}
