//! What an agent says of its rows is true of the moment that it is heard, and an answer is rendered later: other clusters may
//! hold it up. So a head is kept with its moments, and an age is counted when it is shown.

use kubeplex_proto::gather::GatherHead;
use kubeplex_proto::get::GetHead;
use kubeplex_proto::list::ListHead;

use crate::clock::Steady;

/// The beginning of a cluster's answer, and the moments that it is about.
#[derive(Debug, Clone)]
pub struct Heard<H> {
    pub head: H,
    /// When it came. The cluster's time in it is of then.
    pub at: Steady,
    /// When the rows were last known to be current: so long before as the head says their age is, or later where the cluster
    /// has vouched for them since.
    pub as_of: Steady,
}

impl<H: Aged> Heard<H> {
    pub fn new(head: H, at: Steady) -> Self {
        let as_of = at.ago_ms(head.age_ms());
        Self { head, at, as_of }
    }
}

/// What says how old its rows are as it is sent.
pub trait Aged {
    fn age_ms(&self) -> u64;
}

impl Aged for ListHead {
    fn age_ms(&self) -> u64 {
        self.age_ms
    }
}

impl Aged for GetHead {
    fn age_ms(&self) -> u64 {
        self.age_ms
    }
}

impl Aged for GatherHead {
    fn age_ms(&self) -> u64 {
        self.age_ms
    }
}
