//! A question about the clusters themselves.

use crate::cursor::{Fingerprint, Resume};

use super::list::{Field, Order};
use super::{CallOptions, Target};

/// A page of clusters.
#[derive(Debug, Clone)]
pub struct ClustersQuery {
    pub targets: Vec<Target>,
    /// Empty: the usual columns.
    pub fields: Vec<Field>,
    pub order: Order,
    pub limit: u32,
    pub resume: Option<Resume>,
    pub fingerprint: Fingerprint,
    pub options: CallOptions,
}
