//! Reads of a store: what a request may see of it, filtered, sorted, projected.

use std::collections::BTreeMap;
use std::time::Instant;

use kubeplex_proto::column::Column;
use kubeplex_proto::get::{FoundObject, GetRequest};
use kubeplex_proto::list::{Cut, ListRequest, Row};
use kubeplex_proto::status::AgentError;
use parking_lot::RwLock;
use tokio_util::sync::CancellationToken;

use crate::cache::KindStore;

/// When a scan must stop. It asks every thousand objects.
#[derive(Debug, Clone)]
pub struct ScanBudget {
    deadline: Instant,
    cancelled: CancellationToken,
}

impl ScanBudget {
    pub fn new(deadline: Instant, cancelled: CancellationToken) -> Self { Self { deadline, cancelled } }
}

/// The rows of one page, and what is known of the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    pub columns: Vec<Column>,
    pub total: u64,
    pub status_counts: BTreeMap<String, u64>,
    pub revision: u64,
    pub rows: Vec<Row>,
    /// Whether rows follow after the last one.
    pub more: bool,
    pub cut: Option<Cut>,
}

/// Whole objects.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Objects that match, here or not.
    pub total: u64,
    pub revision: u64,
    pub objects: Vec<FoundObject>,
    pub cut: Option<Cut>,
}

pub fn list(_store: &RwLock<KindStore>, _request: &ListRequest, budget: &ScanBudget) -> Result<Listing, AgentError> { let _ = (&budget.deadline, &budget.cancelled); unimplemented!() }

pub fn get(_store: &RwLock<KindStore>, _request: &GetRequest, _budget: &ScanBudget) -> Result<Found, AgentError> { unimplemented!() }
