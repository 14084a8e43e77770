//! What became of objects, for those who follow a cluster: told by whoever writes a store, once it is written.

use std::sync::Arc;

use kubeplex_proto::kind::KindInfo;
use tokio::time::Instant;

use crate::cache::{Before, Prepared};

/// Follows what becomes of the cluster's objects.
///
/// It is told on the thread that writes, outside the store's lock, and in order for each object: a part of a kind has one
/// writer. So it should be quick.
pub(crate) trait Witness: Send + Sync {
    /// Whether it wants to see what objects of a kind were before.
    fn compares(&self, kind: &KindInfo) -> bool;

    fn saw(&self, kind: &KindInfo, way: Way, sightings: &[Sighting<'_>]);

    /// A whole list was taken in: what it did not mention was told as deleted.
    fn listed(&self, kind: &KindInfo, way: Way);
}

/// How news of a kind came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// A watch told it, as it happened or soon after.
    Watch,
    /// A list from which the kind, or its part, came to be known: of what was before, nothing is.
    FirstList,
    /// A list after watches that could not go on: what it tells has happened since the kind was last known to be current,
    /// perhaps by more than one change.
    ListAfterGap { since: Option<Instant> },
}

/// One object, and what became of it.
#[derive(Debug, Clone)]
pub(crate) struct Sighting<'a> {
    /// `None` for a cluster-scoped object.
    pub(crate) namespace: Option<&'a str>,
    pub(crate) name: &'a str,
    pub(crate) fate: Fate<'a>,
}

/// What became of an object. What it was before is there where a witness compares its kind, and it was kept whole.
#[derive(Debug, Clone)]
pub(crate) enum Fate<'a> {
    Created(&'a Prepared),
    Updated {
        before: Option<&'a Before>,
        after: &'a Prepared,
    },
    /// Another object has its name now.
    Replaced {
        before: Option<&'a Before>,
        after: &'a Prepared,
    },
    Deleted {
        before: Option<&'a Before>,
    },
    /// It is there, in a state that can't be read.
    Unreadable,
    /// It is not kept any more: newer ones of its kind want the room, or its kind is not seen any more. It may well be there.
    Forgotten,
}

/// All witnesses of a cluster. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Witnesses(Arc<[Arc<dyn Witness>]>);

impl Witnesses {
    pub(crate) fn new(witnesses: Vec<Arc<dyn Witness>>) -> Self {
        Self(witnesses.into())
    }

    pub(super) fn compare(&self, kind: &KindInfo) -> bool {
        self.0.iter().any(|witness| witness.compares(kind))
    }

    pub(super) fn see(&self, kind: &KindInfo, way: Way, sightings: &[Sighting<'_>]) {
        if !sightings.is_empty() {
            self.0.iter().for_each(|witness| witness.saw(kind, way, sightings));
        }
    }

    pub(super) fn list(&self, kind: &KindInfo, way: Way) {
        self.0.iter().for_each(|witness| witness.listed(kind, way));
    }
}
