//! The storage of one kind: compact rows, whole objects as compressed JSON, readers that never wait for the network.
//!
//! A plain synchronous struct. One writer feeds it (the watch of the kind); a lock around it is the owner's affair.
//! Strings that repeat are interned with counted references, so that what a dead ReplicaSet leaves behind is freed.

mod memory;
mod prepared;
mod row;
mod shape;
mod store;
mod tend;

pub use memory::MemoryReport;
pub(crate) use prepared::LastWriter;
pub use prepared::Prepared;
pub use row::{CellRef, Manager, RowRef};
pub use shape::{Bound, KindShape};
pub use store::{Applied, KindStore};
pub use tend::tend;
