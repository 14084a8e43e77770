//! Reading one row.

/// A row of a store, as a reader sees it.
#[derive(Clone, Copy)]
pub struct RowRef<'a> {
    store: &'a super::KindStore,
}

/// One stored cell.
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

/// Who wrote an object last, from its managedFields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manager<'a> {
    pub manager: &'a str,
    /// `Apply` or `Update`.
    pub operation: &'a str,
    pub api_version: &'a str,
    pub time_ms: i64,
}

impl<'a> RowRef<'a> {
    pub fn namespace(&self) -> Option<&'a str> { let _ = self.store; unimplemented!() }
    pub fn name(&self) -> &'a str { unimplemented!() }
    pub fn uid(&self) -> std::borrow::Cow<'a, str> { unimplemented!() }
    pub fn created_ms(&self) -> Option<i64> { unimplemented!() }
    pub fn resource_version(&self) -> std::borrow::Cow<'a, str> { unimplemented!() }
    pub fn label(&self, _key: &str) -> Option<&'a str> { unimplemented!() }
    pub fn labels(&self) -> std::vec::IntoIter<(&'a str, &'a str)> { unimplemented!() }
    /// Narrow columns first, then the indexed paths of the kind's shape.
    pub fn cell(&self, _index: usize) -> CellRef<'a> { unimplemented!() }
    pub fn last_manager(&self) -> Option<Manager<'a>> { unimplemented!() }
    /// The whole object's JSON into `into`, replacing what it held. False where only the row was kept.
    pub fn object(&self, _into: &mut Vec<u8>) -> bool { unimplemented!() }
}
