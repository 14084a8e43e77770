//! The storage of one kind: compact rows, whole objects as compressed JSON, readers that never wait for the network.
//!
//! A plain synchronous struct. One writer feeds it (the watch of the kind); the lock around it is the owner's. An object
//! becomes a row of fixed size ([`rows`]), whose strings are interned with counted references ([`strings`],
//! [`label_sets`]), and a record of varying size ([`records`]): its name and its compressed JSON ([`codec`]).

mod ahead;
mod before;
mod bounds;
mod cell;
mod codec;
mod label_sets;
mod memory;
mod order;
mod part;
mod prepared;
mod press;
mod records;
mod row;
mod rows;
mod shape;
mod store;
mod strings;
mod tend;
mod training;
pub(crate) mod version;
mod write;

pub(crate) use before::Before;
pub use cell::CellRef;
pub use memory::MemoryReport;
pub use part::{Part, Relist, Types};
pub use prepared::Prepared;
pub(crate) use prepared::{Area, Areas, LastWriter, Writer};
pub use press::press;
pub use row::{Manager, RowRef};
pub use shape::{Bound, KindShape, is_secrets};
pub use store::{Applied, KindStore, unused_revisions};
pub(crate) use strings::TextRef;
pub use tend::{rest, tend};

#[cfg(test)]
mod tests;
