//! Objects as they were, for those who compare.

use super::prepared::{LastWriter, Prepared};
use super::row::RowRef;
use super::store::KindStore;

/// A state of an object that another has replaced, or that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Before {
    pub(crate) uid: String,
    pub(crate) last_writer: Option<LastWriter>,
    /// The whole object, compact.
    pub(crate) json: Vec<u8>,
}

impl Before {
    /// `None` where only the row was kept.
    pub(crate) fn of_row(row: RowRef<'_>) -> Option<Self> {
        let mut json = Vec::new();
        let last_writer = row.last_manager().map(|writer| LastWriter {
            manager: writer.manager.to_owned(),
            operation: writer.operation.to_owned(),
            api_version: writer.api_version.to_owned(),
            time_ms: writer.time_ms,
        });
        row.object(&mut json).then(|| Self { uid: row.uid().into_owned(), last_writer, json })
    }

    pub(crate) fn of(object: &Prepared) -> Self {
        let Prepared { uid, last_writer, json, .. } = object;
        Self { uid: uid.clone(), last_writer: last_writer.clone(), json: json.clone() }
    }
}

impl KindStore {
    /// What an object that is about to be applied will replace, where it is news.
    pub(crate) fn before(&self, object: &Prepared) -> Option<Before> {
        let row = self.get(object.namespace(), object.name())?;
        if self.is_news(object) { Before::of_row(row) } else { None }
    }
}
