//! From what the API server sends of a kind to what a store keeps of it.

use bytes::Bytes;
use parking_lot::Mutex;

use super::table_rows::{self, Rows, SecretColumns, ShownRow};
use crate::api::Representation;
use crate::cache::{KindShape, Prepared};
use crate::columns::table::ServedCells;
use crate::ingest::{self, IngestError};
use crate::secrets::Told;

/// Reads the items of one kind, in the form in which they are asked for.
pub(crate) struct Intake {
    shape: KindShape,
    form: Form,
}

/// What the items look like when they arrive.
enum Form {
    Objects,
    /// Secrets with their data, which is dropped here.
    SecretData(Told),
    /// Rows of Tables with metadata.
    SecretRows(Mutex<SecretColumns>),
    /// Rows of Tables with whole objects, where only the server knows the kind's columns.
    ShownRows(Mutex<ServedCells>),
}

impl Intake {
    /// Of the whole kind, or of a part whose data tells something.
    pub(crate) fn of(shape: KindShape, told: Option<Told>) -> Self {
        let form = match told {
            Some(told) => Form::SecretData(told),
            None if shape.is_secrets() => Form::SecretRows(Mutex::default()),
            None if shape.columns.is_served() => {
                Form::ShownRows(Mutex::new(ServedCells::of(shape.columns.defs(), &[])))
            }
            None => Form::Objects,
        };
        Self { shape, form }
    }

    /// In which form to ask for the items. Never the data of Secrets, but for those of which something is told.
    pub(crate) fn representation(&self) -> Representation {
        match self.form {
            Form::Objects | Form::SecretData(_) => Representation::Full,
            Form::SecretRows(_) => Representation::TableOfMetadata,
            Form::ShownRows(_) => Representation::TableOfObjects,
        }
    }

    /// The names of the columns of a Table, where it tells them. Whatever comes after it has its cells in this order.
    pub(crate) fn note_columns(&self, names: &[String]) {
        match &self.form {
            _ if names.is_empty() => {}
            Form::Objects | Form::SecretData(_) => {}
            Form::SecretRows(columns) => *columns.lock() = SecretColumns::named(names),
            Form::ShownRows(cells) => *cells.lock() = ServedCells::of(self.shape.columns.defs(), names),
        }
    }

    /// An item of a list, or the object of a watch event.
    ///
    /// # Errors
    /// What is no object with a name.
    pub(crate) fn prepare(&self, raw: &Bytes) -> Result<Vec<Prepared>, IngestError> {
        match &self.form {
            Form::Objects => Ok(vec![ingest::prepare(&self.shape, raw)?]),
            Form::SecretData(told) => Ok(vec![ingest::prepare_value(&self.shape, told.without_data(raw)?)?]),
            Form::SecretRows(columns) => {
                let rows = self.rows_of(raw)?;
                let columns = *columns.lock();
                rows.iter().map(|row| ingest::prepare_value(&self.shape, columns.object(row)?)).collect()
            }
            Form::ShownRows(cells) => {
                let rows = self.rows_of(raw)?;
                let served = cells.lock().clone();
                let shown = |row: &Bytes| {
                    let ShownRow { cells, object } = serde_json::from_slice(row)?;
                    let cells = served.read(&cells, &object);
                    ingest::prepare_shown(&self.shape, object, cells)
                };
                rows.iter().map(shown).collect()
            }
        }
    }

    /// The rows of a Table, whose columns are noted first.
    fn rows_of(&self, raw: &Bytes) -> serde_json::Result<Vec<Bytes>> {
        let Rows { columns, rows } = table_rows::rows(raw)?;
        self.note_columns(&columns);
        Ok(rows)
    }
}
