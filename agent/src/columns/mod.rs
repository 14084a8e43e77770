//! Columns: what a row of a kind shows, computed from the whole object.
//!
//! Built-in kinds follow the printers of the API server (`k8s.io/kubernetes/pkg/printers/internalversion`), so that a
//! row says what `kubectl get` says; kinds of a CRD follow its `additionalPrinterColumns`; what has neither is
//! watched as the server's Table ([`table`]), and shows name and age where the server has none. Instants stay instants:
//! where the server prints "5m" a cell here holds the time, so that it neither ages in a cache nor sorts as text; a date
//! that only a server's Table tells, and only as an age, is no column of what is cached.

use kubeplex_proto::column::{Column, column_name, same_column};
use kubeplex_proto::kind::GroupResource;
use serde_json::Value;

mod builtin;
mod printer;
pub mod table;

pub(crate) use builtin::field;
pub use kubeplex_proto::duration::human_duration;
pub use printer::PrinterColumn;

use builtin::Entry;
use printer::PrinterCell;

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Cell {
    #[default]
    Null,
    Text(String),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    /// Milliseconds since 1970, by the cluster's clock.
    Time(i64),
    Json(Box<Value>),
}

/// One column of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDef {
    pub column: Column,
    /// Whether only `-o wide` shows it.
    pub wide: bool,
}

/// The columns of one kind in one cluster, in the order in which they are shown.
#[derive(Debug, Clone)]
pub struct Columns {
    defs: Vec<ColumnDef>,
    /// One for each def.
    readers: Vec<Reader>,
}

/// How a cell is found in the object.
#[derive(Debug, Clone)]
enum Reader {
    Builtin(fn(&Value) -> Cell),
    Printer(PrinterCell),
    /// Only the server knows.
    Served,
}

impl Columns {
    /// The columns of a kind that the API server itself knows; `None` for any other.
    pub fn builtin(kind: &GroupResource) -> Option<Self> {
        builtin::entries(kind).map(Self::from_entries)
    }

    /// The columns of a version of a CRD: name, then its own; age alone where it has none.
    pub fn from_printer_columns(columns: &[PrinterColumn]) -> Self {
        printer::columns(columns)
    }

    /// What pods or nodes use, beside what they asked for; `None` for any other kind.
    pub(crate) fn of_usage(kind: &GroupResource) -> Option<Self> {
        builtin::usage::entries(kind).map(Self::from_entries)
    }

    /// Name and age: what every object has.
    pub fn generic() -> Self {
        Self::from_entries(builtin::GENERIC)
    }

    /// The columns of a server's Table that are not wide. Their cells come with the Table's rows; no object tells them, so
    /// [`narrow`](Self::narrow) finds only nulls.
    pub fn served(defs: &[ColumnDef]) -> Self {
        let defs: Vec<_> = defs.iter().filter(|def| !def.wide).cloned().collect();
        Self { readers: vec![Reader::Served; defs.len()], defs }
    }

    /// Whether the cells are those of a server's Table.
    pub(crate) fn is_served(&self) -> bool {
        self.readers.iter().any(|reader| matches!(reader, Reader::Served))
    }

    pub fn defs(&self) -> &[ColumnDef] {
        &self.defs
    }

    /// The cells of the columns that are not wide, in their order: what a cached row stores. The first column of almost
    /// every kind is the object's name.
    pub fn narrow(&self, object: &Value) -> Vec<Cell> {
        let narrow = |(def, reader): (&ColumnDef, &Reader)| (!def.wide).then(|| reader.read(object));
        self.defs.iter().zip(&self.readers).filter_map(narrow).collect()
    }

    /// The cells of all columns, wide ones included: one for each of [`defs`](Self::defs).
    pub fn all(&self, object: &Value) -> Vec<Cell> {
        self.readers.iter().map(|reader| reader.read(object)).collect()
    }

    /// The cell of one column; null where there is no such column.
    pub fn cell(&self, index: usize, object: &Value) -> Cell {
        self.readers.get(index).map_or(Cell::Null, |reader| reader.read(object))
    }

    /// The place of a column among [`defs`](Self::defs), in any of the spellings that mean the same.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.defs.iter().position(|def| same_column(&def.column.name, name))
    }

    fn from_entries(entries: &[Entry]) -> Self {
        let def = |entry: &Entry| ColumnDef {
            column: Column { name: column_name(entry.name), format: entry.format },
            wide: entry.wide,
        };
        Self {
            defs: entries.iter().map(def).collect(),
            readers: entries.iter().map(|entry| Reader::Builtin(entry.read)).collect(),
        }
    }
}

impl Reader {
    fn read(&self, object: &Value) -> Cell {
        match self {
            Self::Builtin(read) => read(object),
            Self::Printer(cell) => cell.read(object),
            Self::Served => Cell::Null,
        }
    }
}

impl From<Cell> for Value {
    fn from(cell: Cell) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Text(text) => Self::String(text),
            Cell::Integer(integer) | Cell::Time(integer) => integer.into(),
            Cell::Number(number) => number.into(),
            Cell::Boolean(flag) => flag.into(),
            Cell::Json(value) => *value,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Cell {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Boolean(flag)
    }
}
