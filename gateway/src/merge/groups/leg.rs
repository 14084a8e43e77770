//! One cluster's part of an answer in groups.

use std::sync::Arc;

use kubeplex_proto::group::Group;
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::list::ListHead;
use kubeplex_proto::status::LegStatus;

use super::GroupsAnswer;
use crate::fleet::ClusterView;
use crate::merge::{Heard, LegFailure, LegOutcome, RowsShown};
use crate::request::{GroupBy, Standing, Target};

pub(super) struct Leg {
    cluster: Arc<ClusterView>,
    progress: Progress,
}

enum Progress {
    /// Out since an earlier page.
    Out,
    Open,
    Answered(Heard<ListHead>),
    Failed(LegFailure),
}

impl Leg {
    pub(super) fn new(target: &Target) -> Self {
        let progress = match target.standing {
            Standing::Asked => Progress::Open,
            Standing::Out => Progress::Out,
        };
        Self { cluster: Arc::clone(&target.cluster), progress }
    }

    /// Its groups, all or none: of half a cluster every count would be wrong.
    pub(super) fn over(&mut self, answer: Result<GroupsAnswer, LegFailure>, by: &GroupBy) -> Vec<Group> {
        if !matches!(self.progress, Progress::Open) {
            return Vec::new();
        }
        match answer.and_then(|answer| whole(answer, by)) {
            Ok((heard, groups)) => {
                self.progress = Progress::Answered(heard);
                groups
            }
            Err(failure) => {
                self.progress = Progress::Failed(failure);
                Vec::new()
            }
        }
    }

    /// What it said, where it can be counted on.
    pub(super) fn head(&self) -> Option<&ListHead> {
        match &self.progress {
            Progress::Answered(heard) => Some(&heard.head),
            Progress::Out | Progress::Open | Progress::Failed(_) => None,
        }
    }

    pub(super) fn outcome(&self, kind: &GroupResource) -> LegOutcome {
        let mut outcome = match &self.progress {
            Progress::Out => LegOutcome::out(&self.cluster),
            Progress::Failed(failure) => LegOutcome::failed(&self.cluster, failure.clone(), RowsShown::None),
            Progress::Open => {
                let failure = LegFailure::new(LegStatus::Timeout, "its answer was not waited for");
                LegOutcome::failed(&self.cluster, failure, RowsShown::None)
            }
            Progress::Answered(heard) => {
                LegOutcome::answered(self.cluster.id.clone(), heard.head.status).with_head(Some(heard.into()))
            }
        };
        outcome.last_known = self.cluster.last_known_objects(kind);
        outcome
    }
}

/// An answer that can be counted on.
fn whole(answer: GroupsAnswer, by: &GroupBy) -> Result<(Heard<ListHead>, Vec<Group>), LegFailure> {
    let GroupsAnswer { heard, groups, end } = answer;
    let head = &heard.head;
    if !head.status.answered() {
        let message = head.message.clone().unwrap_or_else(|| "its agent gave no reason".to_owned());
        return Err(LegFailure::new(head.status, message));
    }
    if let Some(cut) = end.cut {
        let status = if cut.status.answered() { LegStatus::Error } else { cut.status };
        return Err(LegFailure::new(status, cut.message));
    }
    let asked = by.at_the_edge("");
    let fits = |group: &Group| group.keys.len() == asked.keys.len() && group.sums.len() == asked.sums.len();
    if !groups.iter().all(fits) || groups.iter().map(|group| group.count).sum::<u64>() != head.total {
        return Err(LegFailure::new(LegStatus::Error, "its agent did not group its rows as it was asked to"));
    }
    Ok((heard, groups))
}
