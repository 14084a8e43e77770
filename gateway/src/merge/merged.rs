//! What is rendered: the answers of all legs, put together, beside the question that they answer.

use kubeplex_proto::visibility::Visibility;

use crate::clock::Steady;
use crate::merge::{GetPage, GroupsPage, ListPage};
use crate::render::Again;
use crate::request::{ClustersQuery, GetQuery, KindsQuery, ListQuery};

/// The answers to an admitted request. Only [`Answers::merge`](super::Answers::merge) makes one.
#[derive(Debug)]
pub struct Merged<'a>(Answered<'a>);

/// A question and what was answered.
#[derive(Debug)]
pub(crate) enum Answered<'a> {
    /// No leg was sent: the answer is in the request's own snapshot of the fleet.
    Clusters(&'a ClustersQuery),
    /// So it is here, but for what of it the caller may see.
    Kinds(&'a KindsQuery, &'a Visibility),
    List(&'a ListQuery, ListPage),
    /// To a [`ListQuery`] that wants groups.
    Groups(&'a ListQuery, GroupsPage),
    Get(&'a GetQuery, GetPage),
}

impl<'a> Merged<'a> {
    pub(super) fn new(answered: Answered<'a>) -> Self {
        Self(answered)
    }

    /// For tests of rendering, which have no clusters to ask.
    #[cfg(test)]
    pub(crate) fn by_hand(answered: Answered<'a>) -> Self {
        Self(answered)
    }

    /// How the answer may be given again as it is rendered now; `None` where it may not.
    pub(crate) fn again(&self, now: Steady) -> Option<Again> {
        match &self.0 {
            Answered::List(query, page) => Again::of(query, page, now),
            Answered::Clusters(_) | Answered::Kinds(..) | Answered::Groups(..) | Answered::Get(..) => None,
        }
    }

    pub(crate) fn into_answered(self) -> Answered<'a> {
        self.0
    }
}
