//! A question about the clusters themselves.

use super::{CallOptions, PageQuery, Target};

/// A page of clusters.
#[derive(Debug, Clone)]
pub struct ClustersQuery {
    pub targets: Vec<Target>,
    pub page: PageQuery,
    pub options: CallOptions,
}
