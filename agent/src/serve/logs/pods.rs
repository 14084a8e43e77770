//! Which pods a question about logs means.

use std::sync::Arc;

use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::log::LogPodsRequest;
use kubeplex_proto::status::LegStatus;

use crate::query::{self, PodsFound, Workload};
use crate::serve::Service;
use crate::serve::opening::{NotRead, Nothing, Question, Readable};

impl Service {
    /// The pods that are meant, and what they were found in.
    pub(super) async fn find_pods(&self, request: &LogPodsRequest) -> Result<(Readable, PodsFound), NotRead> {
        let patterns = (request.namespaces.as_slice(), request.names.as_slice());
        let question = Question::new(&request.kind, request.version.as_ref(), patterns, &request.context);
        let named = self.open(&question).await?;
        let pods = GroupResource::new("", "pods");
        let (rows, asked) = (named.rows.clone(), request.clone());
        if request.kind == pods {
            let found = move |budget: &query::ScanBudget| query::pods_named(rows.store(), &asked, budget);
            return Ok((named, self.0.scans.run(question.deadline, found).await?));
        }
        let found = move |budget: &query::ScanBudget| query::workloads(rows.store(), &asked, budget);
        let workloads = self.0.scans.run(question.deadline, found).await?;
        let workloads = Arc::new(self.with_owned(workloads, &question).await?);
        let pods = self.open(&Question { kind: &pods, version: None, names: &[], ..question }).await?;
        let (rows, visibility, limit) =
            (pods.rows.clone(), request.context.visibility.clone(), request.limit);
        let find = move |budget: &query::ScanBudget| {
            query::pods_of(rows.store(), &visibility, &workloads, limit, budget)
        };
        let found = self.0.scans.run(question.deadline, find).await?;
        Ok((both(pods, named), found))
    }

    /// With what those own that do not say themselves which pods are theirs.
    async fn with_owned(
        &self,
        mut workloads: Vec<Workload>,
        question: &Question<'_>,
    ) -> Result<Vec<Workload>, NotRead> {
        let owners: Vec<_> = workloads.iter().filter(|workload| !workload.selects()).cloned().collect();
        if owners.is_empty() {
            return Ok(workloads);
        }
        for kind in [GroupResource::new("batch", "jobs"), GroupResource::new("apps", "replicasets")] {
            let between = Question { kind: &kind, version: None, names: &[], ..*question };
            let readable = match self.open(&between).await {
                Ok(readable) => readable,
                Err(NotRead::Nothing(Nothing { status: LegStatus::Absent, .. })) => continue,
                Err(not_read) => return Err(not_read),
            };
            let (rows, visibility, by) = (readable.rows, question.visibility.clone(), owners.clone());
            let find = move |budget: &query::ScanBudget| query::owned(rows.store(), &visibility, &by, budget);
            workloads.extend(self.0.scans.run(question.deadline, find).await?);
        }
        Ok(workloads)
    }
}

/// What is found in one kind by what was found in another is as good as the worse of them.
fn both(pods: Readable, named: Readable) -> Readable {
    Readable {
        status: if named.status == LegStatus::Ok { pods.status } else { named.status },
        message: pods.message.or(named.message),
        age_ms: pods.age_ms.max(named.age_ms),
        ..pods
    }
}
