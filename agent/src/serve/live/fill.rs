//! Pages of what the API server sends, into a store.

use std::sync::Arc;

use bytes::Bytes;
use kubeplex_proto::kind::KindInfo;
use parking_lot::RwLock;
use serde_json::Value;

use crate::api::{ApiError, Page, Representation};
use crate::cache::{KindShape, KindStore, Prepared, unused_revisions};
use crate::columns::table::{TableRow, from_table};
use crate::columns::{Cell, Columns};
use crate::config::Deny;
use crate::ingest::{prepare_shown, prepare_value};
use crate::redact::DigestKey;
use crate::watch::Intake;

/// Why an answer of the API server was not taken in.
#[derive(Debug, thiserror::Error)]
pub(super) enum FillError {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error("the API server's answer is no list of objects: {0}")]
    Malformed(String),
    #[error("the API server's answer was not taken in: {0}")]
    Lost(String),
}

/// A store that is being filled.
pub(super) struct Filling {
    info: KindInfo,
    deny: Deny,
    digest_key: DigestKey,
    reader: Reader,
    store: Option<KindStore>,
    pub(super) objects: usize,
    pub(super) bytes: usize,
}

enum Reader {
    /// The rows are to be those that the cache has.
    Known(Box<Intake>, Box<KindShape>),
    /// The columns are those of the first Table, or name and age where the server makes none.
    Served,
}

/// What a page says of those after it.
pub(super) struct Follows {
    pub(super) next: Option<String>,
    /// How many objects there are still, where the server says.
    pub(super) remaining: Option<u64>,
}

impl Filling {
    pub(super) fn new(
        info: KindInfo,
        shape: Option<Box<KindShape>>,
        deny: Deny,
        digest_key: DigestKey,
    ) -> Self {
        let reader = match shape {
            Some(shape) => Reader::Known(Box::new(Intake::of((*shape).clone(), None)), shape),
            None => Reader::Served,
        };
        Self { info, deny, digest_key, reader, store: None, objects: 0, bytes: 0 }
    }

    /// How to ask for pages, and for objects.
    pub(super) fn representation(&self) -> Representation {
        match &self.reader {
            Reader::Known(intake, _) => intake.representation(),
            Reader::Served => Representation::TableOfObjects,
        }
    }

    /// Takes in a page of a list, or one object in the same form. Hundreds of objects take longer than a task may keep its
    /// thread.
    pub(super) fn take_in(&mut self, body: &Bytes) -> Result<Follows, FillError> {
        self.bytes += body.len();
        match &self.reader {
            Reader::Known(intake, shape) => {
                let page = Page::parse(body)?;
                intake.note_columns(&page.columns);
                let mut prepared = Vec::with_capacity(page.items.len());
                for item in &page.items {
                    prepared.extend(intake.prepare(item).map_err(malformed)?);
                }
                let shape = (**shape).clone();
                self.keep(shape, prepared);
                Ok(Follows { next: page.next, remaining: page.remaining })
            }
            Reader::Served => self.take_in_table(body),
        }
    }

    /// Takes in one object that was asked for by its name.
    pub(super) fn take_in_object(&mut self, body: &Bytes) -> Result<(), FillError> {
        let Reader::Known(intake, shape) = &self.reader else { return self.take_in(body).map(drop) };
        if intake.representation() != Representation::Full {
            return self.take_in(body).map(drop);
        }
        let (prepared, shape) = (intake.prepare(body).map_err(malformed)?, (**shape).clone());
        self.bytes += body.len();
        self.keep(shape, prepared);
        Ok(())
    }

    /// What was taken in; nothing of it is left here.
    pub(super) fn finish(&mut self) -> Arc<RwLock<KindStore>> {
        let shape = match &self.reader {
            Reader::Known(_, shape) => (**shape).clone(),
            Reader::Served => shape_of(&self.info, Columns::generic(), self.digest_key.clone()),
        };
        let store = self.store.take().unwrap_or_else(|| empty(shape));
        Arc::new(RwLock::new(store))
    }

    fn take_in_table(&mut self, body: &Bytes) -> Result<Follows, FillError> {
        let mut answer: Value = serde_json::from_slice(body).map_err(malformed)?;
        let metadata = &answer["metadata"];
        let follows = Follows {
            next: metadata["continue"].as_str().filter(|next| !next.is_empty()).map(str::to_owned),
            remaining: metadata["remainingItemCount"].as_u64(),
        };
        let (columns, rows) = rows_of(&mut answer)?;
        let shape = match &self.store {
            Some(store) => Arc::clone(store.shape()),
            None => Arc::new(shape_of(&self.info, columns, self.digest_key.clone())),
        };
        let mut prepared = Vec::with_capacity(rows.len());
        for (object, cells) in rows {
            let object = match cells {
                Some(cells) => prepare_shown(&shape, object, cells),
                None => prepare_value(&shape, object),
            };
            prepared.push(object.map_err(malformed)?);
        }
        self.keep(shape, prepared);
        Ok(follows)
    }

    fn keep(&mut self, shape: impl Into<Arc<KindShape>>, prepared: Vec<Prepared>) {
        self.objects += prepared.len();
        let store = self.store.get_or_insert_with(|| empty(shape));
        for object in prepared {
            if !self.deny.object(&self.info.id, object.namespace(), object.name()) {
                store.apply(object);
            }
        }
    }
}

fn empty(shape: impl Into<Arc<KindShape>>) -> KindStore {
    KindStore::counting_from(shape, unused_revisions())
}

fn shape_of(info: &KindInfo, columns: Columns, digest_key: DigestKey) -> KindShape {
    KindShape {
        id: info.id.clone(),
        api_version: info.api_version(),
        kind: info.kind.clone(),
        scope: info.scope,
        columns: Arc::new(columns),
        digest_key,
    }
}

/// An object, and its cells where the server computed them.
type LiveRow = (Value, Option<Vec<Cell>>);

/// The rows of a Table; or the objects of a list, or a single one, from a server that does not care what it was asked for.
fn rows_of(answer: &mut Value) -> Result<(Columns, Vec<LiveRow>), FillError> {
    if answer["kind"] != "Table" {
        let objects = match answer.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => Some(items),
            Some(_) => None,
            None => answer["metadata"]["name"].is_string().then(|| vec![answer.take()]),
        };
        if let Some(objects) = objects {
            return Ok((Columns::generic(), objects.into_iter().map(|object| (object, None)).collect()));
        }
    }
    let table = from_table(answer).map_err(malformed)?;
    let narrow = |row: TableRow| {
        let shown = table.columns.iter().zip(row.cells).filter(|(def, _)| !def.wide);
        (row.object, Some(shown.map(|(_, cell)| cell).collect()))
    };
    let columns = Columns::served(&table.columns);
    Ok((columns, table.rows.into_iter().map(narrow).collect()))
}

fn malformed(error: impl std::error::Error) -> FillError {
    FillError::Malformed(error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_come_from_a_table_or_from_a_list() {
        let object = json!({"metadata": {"name": "n1", "creationTimestamp": "1970-01-01T00:00:01Z"}});
        let mut table = json!({
            "kind": "Table",
            "columnDefinitions": [{"name": "Name"}, {"name": "CPU"}, {"name": "Window", "priority": 1}, {"name": "Age"}],
            "rows": [{"cells": ["n1", "250m", "30s", "5m"], "object": object}],
        });
        let names =
            |columns: &Columns| columns.defs().iter().map(|def| def.column.name.clone()).collect::<Vec<_>>();
        let (columns, rows) = rows_of(&mut table).unwrap();
        assert_eq!(names(&columns), ["name", "cpu", "age"]);
        assert_eq!(rows[0].1.as_deref().unwrap(), ["n1".into(), "250m".into(), Cell::Time(1_000)]);

        for mut plain in [json!({"kind": "NodeMetricsList", "items": [object]}), object.clone()] {
            let (columns, rows) = rows_of(&mut plain).unwrap();
            assert_eq!(names(&columns), ["name", "age"]);
            assert_eq!(rows, [(object.clone(), None)]);
        }

        for mut nonsense in
            [json!({}), json!([]), json!({"items": 7}), json!({"kind": "Table", "rows": [{}]})]
        {
            assert!(matches!(rows_of(&mut nonsense), Err(FillError::Malformed(_))), "{nonsense}");
        }
    }
}
