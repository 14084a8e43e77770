//! What is rendered: the answers of all legs, put together, beside the question that they answer.

use kubeplex_proto::changes::ChangesItem;
use kubeplex_proto::explain::Field;
use kubeplex_proto::health::HealthFacts;
use kubeplex_proto::problems::Problem;
use kubeplex_proto::sheet::Sheet;
use kubeplex_proto::visibility::Visibility;

use super::{DiffPage, Gathered, GetPage, GroupsPage, ListPage, LogPage};
use crate::health::HealthThresholds;
use crate::policy::Permit;
use crate::request::{
    ChangesQuery, ClustersQuery, DiffQuery, ExplainQuery, GetQuery, HealthQuery, KindsQuery, ListQuery,
    LogsQuery, ProblemsQuery, SheetsQuery,
};

/// The answers to a request that its caller may make.
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
    Diff(&'a DiffQuery, DiffPage),
    Changes(&'a ChangesQuery, Gathered<ChangesItem>),
    Problems(&'a ProblemsQuery, Gathered<Problem>),
    Logs(&'a LogsQuery, LogPage),
    Sheets(&'a SheetsQuery, Gathered<Sheet>),
    /// To be judged by these thresholds.
    Health(&'a HealthQuery, Gathered<HealthFacts>, HealthThresholds),
    Explain(&'a ExplainQuery, Gathered<Field>),
}

impl<'a> Merged<'a> {
    /// The permit is what lets anybody see it.
    pub(crate) fn new(_permit: &'a Permit, answered: Answered<'a>) -> Self {
        Self(answered)
    }

    /// For tests of rendering, which have no clusters to ask.
    #[cfg(test)]
    pub(crate) fn by_hand(answered: Answered<'a>) -> Self {
        Self(answered)
    }

    pub(crate) fn answered(&self) -> &Answered<'a> {
        &self.0
    }

    pub(crate) fn into_answered(self) -> Answered<'a> {
        self.0
    }
}
