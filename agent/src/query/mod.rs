//! Reads of a store: what a request may see of it, filtered, sorted, projected.
//!
//! Synchronous: a scan that decodes objects is work for a thread of its own. The visibility of a request comes before
//! everything else: what is hidden is neither counted, nor sorted, nor paged over.

mod budget;
mod default_class;
mod field;
mod filter;
mod get;
mod list;
mod scan;
mod top;

pub use budget::ScanBudget;
pub use get::{Found, get};
pub use list::{Listing, list};

#[cfg(test)]
mod tests;
