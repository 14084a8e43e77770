//! Reads of a store: what a request may see of it, filtered, sorted, projected.
//!
//! Synchronous: a scan that decodes objects is work for a thread of its own. The visibility of a request comes before
//! everything else: what is hidden is neither counted, nor sorted, nor paged over.

mod budget;
mod default_class;
mod digest;
mod events;
mod field;
mod filter;
mod get;
mod group;
mod list;
mod pods_of;
mod rows;
mod scan;
mod search;
mod top;
mod visit;

pub use budget::ScanBudget;
pub use digest::{digests, intent};
pub use get::{Found, get};
pub use list::{Listing, list};
pub use pods_of::{PodsFound, Workload, owned, pods, pods_named, pods_of, workloads};
pub use search::{Finds, search};
pub use visit::visit;

#[cfg(test)]
pub(crate) mod tests;
