//! Groups of many legs: those with the same keys are one.
//!
//! Which group comes first may depend on all of them, so every leg sends all of its own, and is read to its end.

mod leg;
mod table;

use kubeplex_proto::group::Group;
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::list::{ListEnd, ListHead};

use crate::error::CallError;
use crate::fleet::ClusterView;
use crate::request::{Field, GroupBy, LegId, ListQuery};

use super::{Coverage, Heard, LegFailure, SearchNotes};

use leg::Leg;
pub(crate) use table::{GroupPage, GroupTable};

/// Feed every leg once, whole or with its failure.
pub struct GroupsMerge<'q> {
    query: &'q ListQuery,
    by: &'q GroupBy,
    legs: Vec<Leg>,
    table: GroupTable<'q>,
}

/// What one leg answered.
#[derive(Debug)]
pub struct GroupsAnswer {
    pub heard: Heard<ListHead>,
    pub groups: Vec<Group>,
    pub end: ListEnd,
}

/// The groups of all legs, and what every leg said.
#[derive(Debug)]
pub struct GroupsPage {
    pub(crate) page: GroupPage,
    pub(crate) coverage: Coverage,
    /// Where a search is answered.
    pub(crate) search: Option<SearchNotes>,
}

impl<'q> GroupsMerge<'q> {
    pub fn new(query: &'q ListQuery, by: &'q GroupBy) -> Self {
        let legs = query.targets.iter().map(Leg::new).collect();
        Self { query, by, legs, table: GroupTable::new(by).showing(query.sum_formats(by)) }
    }

    pub fn answer(&mut self, id: LegId, answer: Result<GroupsAnswer, LegFailure>) {
        let Some(leg) = self.legs.get_mut(id.0) else { return };
        let groups = leg.over(answer, self.by);
        let cluster = &self.query.targets[id.0].cluster;
        for group in groups {
            self.table.add(keys(self.by, cluster, group.keys), group.count, &group.sums);
        }
    }

    /// # Errors
    /// Every leg failed; more groups over all clusters than are kept (`too_large`).
    pub fn into_page(self) -> Result<GroupsPage, CallError> {
        let kind: &GroupResource = &self.query.kind;
        let coverage = Coverage { legs: self.legs.iter().map(|leg| leg.outcome(kind)).collect() };
        match coverage.failure() {
            Some(error) => Err(error),
            None => {
                let heads = self.legs.iter().enumerate();
                let search = SearchNotes::of(heads.filter_map(|(at, leg)| Some((LegId(at), leg.head()?))));
                Ok(GroupsPage { page: self.table.into_page(&self.query.page)?, coverage, search })
            }
        }
    }
}

/// What belongs to the cluster, put between what its agent said.
fn keys(by: &GroupBy, cluster: &ClusterView, of_objects: Vec<serde_json::Value>) -> Vec<serde_json::Value> {
    let mut of_objects = of_objects.into_iter();
    let key = |field: &Field| match field {
        Field::Cluster => cluster.id.as_str().into(),
        Field::ClusterLabel(label) => cluster.labels.get(label).map(String::as_str).into(),
        Field::Namespace | Field::Object(_) => of_objects.next().unwrap_or_default(),
    };
    by.keys.iter().map(key).collect()
}

#[cfg(test)]
mod tests;
