//! A question about the clusters themselves.

use super::{CallOptions, PageQuery, Target};
use crate::resolve::Understood;

/// A page of clusters.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct ClustersQuery {
    pub targets: Vec<Target>,
    pub page: PageQuery,
    pub options: CallOptions,
    pub understood: Understood,
}
