//! Placeholder replaced below.
use std::sync::Arc;
use crate::cluster::Shared;
/// Workloads.
#[derive(Clone, Debug)]
pub struct Workloads { shared: Arc<Shared> }
impl Workloads { pub(crate) fn new(shared: Arc<Shared>) -> Self { Self { shared } } }
