//! Problems: what is wrong, as far as the caller may see it, and how far that can be believed.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use kubeplex_proto::control::SyncState;
use kubeplex_proto::gather::{GatherEnd, GatherHead};
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::problems::{Problem, ProblemsRequest};
use kubeplex_proto::status::{AgentError, LegStatus, Source};
use tokio::time::Instant;

use super::Service;
use super::body::{Ask, Failure};
use super::deadline::Deadline;
use super::gathering::reply;
use crate::history::neighbours;
use crate::kinds::{KindStatus, Kinds, Opened, Seen};
use crate::limits::PROBLEMS_TOLD;
use crate::problems::{Looked, ObjectRef, Problems, Wanted, is_asked, shows};
use crate::query::ScanBudget;

/// Kinds that are named where something is to be said of them; of more the number.
const NAMED: usize = 5;

pub(super) async fn problems(
    State(service): State<Service>,
    Ask(request): Ask<ProblemsRequest>,
) -> Result<Response, Failure> {
    let deadline = Deadline::after_ms(request.context.deadline_ms);
    let until = deadline.with_time_to_tell().at();
    let looked = Arc::new(service.0.problems.look(until, request.kind.as_ref()).await);
    let standing = Standing::of(&looked, &request);
    let clock = service.0.api.clock();
    let limit = PROBLEMS_TOLD.min(request.limit as usize);
    let mut found: Vec<Problem> = Vec::new();
    if standing.status.answered() {
        found = service.fold_problems(&looked, request, deadline).await?;
    }
    let total = found.len() as u64;
    found.truncate(limit);
    let problems = found;
    let head = GatherHead {
        status: standing.status,
        message: standing.message(total.saturating_sub(problems.len() as u64)),
        source: Source::Cache,
        api_version: String::new(),
        total,
        age_ms: standing.age_ms,
        cluster_now_ms: clock.cluster_now_ms(),
        clock_offset_ms: clock.offset_ms(),
    };
    Ok(reply(head, problems, GatherEnd { cut: None }))
}

impl Service {
    /// What is known to be wrong with the objects that a request means: those that it names, what descends from them, and
    /// what is there for them, such as their autoscalers.
    pub(super) async fn fold_problems(
        &self,
        looked: &Arc<Looked>,
        request: ProblemsRequest,
        deadline: Deadline,
    ) -> Result<Vec<Problem>, AgentError> {
        let (looked, kinds) = (Arc::clone(looked), self.0.kinds.clone());
        let now_ms = self.0.api.clock().cluster_now_ms();
        let fold = move |_: &ScanBudget| {
            let visibility = &request.context.visibility;
            let beside = beside(&kinds, &request);
            let wanted = Wanted { visibility, request: Some(&request), beside: &beside, now_ms };
            Ok(Problems::fold(&looked, &wanted))
        };
        self.0.scans.run(deadline, fold).await
    }
}

/// Without a name, nothing but what is asked for is meant.
fn beside(kinds: &Kinds, request: &ProblemsRequest) -> BTreeSet<ObjectRef> {
    if request.names.is_empty() {
        return BTreeSet::new();
    }
    let object =
        |kind: GroupResource, namespace: Option<String>, name: String| ObjectRef { kind, namespace, name };
    let is_asked = |kind: &GroupResource, namespace: Option<&str>, name: &str| {
        let object = object(kind.clone(), namespace.map(str::to_owned), name.to_owned());
        is_asked(request, &object) && shows(&request.context.visibility, &object)
    };
    let found = neighbours(kinds, request.kind.as_ref(), &is_asked, &request.namespaces);
    found.map(|(kind, namespace, name)| object(kind, namespace, name)).collect()
}

/// How far all kinds that verdicts hang on can be believed together.
#[derive(Debug, PartialEq, Eq)]
struct Standing {
    status: LegStatus,
    /// What is to be said, in clauses.
    said: Vec<String>,
    age_ms: u64,
}

/// What is to be said of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lack {
    Syncing,
    Forbidden,
    Failed,
    Stale,
}

impl Standing {
    /// Of kinds that are hidden from the caller nothing is said.
    fn of(looked: &Looked, request: &ProblemsRequest) -> Self {
        let seen = |kind: &GroupResource| !request.context.visibility.for_kind(kind).is_empty();
        let kinds = looked.kinds.iter().filter(|(kind, _)| seen(kind)).filter_map(|(kind, opened)| {
            match opened {
                Opened::Handle(handle) => Some((kind, handle.status())),
                // What the operator keeps out of the agent's reach is no news.
                Opened::Absent | Opened::Unwatchable(_) | Opened::Denied(_) => None,
                Opened::Failed(reason) => Some((kind, unseen(SyncState::Syncing, reason))),
            }
        });
        let mut standing = Self::of_kinds(&kinds.collect::<Vec<_>>());
        if looked.left_out > 0 {
            let left_out = looked.left_out;
            standing.said.push(format!("{left_out} objects are not judged: more are not followed at once"));
        }
        standing
    }

    fn of_kinds(kinds: &[(&GroupResource, KindStatus)]) -> Self {
        let lacks: Vec<_> =
            kinds.iter().filter_map(|(kind, status)| Some((*kind, status, lack(status.state)?))).collect();
        let knows = |status: &KindStatus| matches!(status.state, SyncState::Synced | SyncState::Stale);
        let known = || kinds.iter().filter(|(_, status)| knows(status));
        let any = |lack| lacks.iter().any(|(.., of)| *of == lack);
        let status = match () {
            () if known().next().is_some() && any(Lack::Stale) => LegStatus::Stale,
            () if known().next().is_some() => LegStatus::Ok,
            () if any(Lack::Failed) => LegStatus::Error,
            () if any(Lack::Syncing) => LegStatus::Syncing,
            () if any(Lack::Forbidden) => LegStatus::Forbidden,
            // Nothing that the caller may see is looked at.
            () => LegStatus::Ok,
        };
        let mut said = Vec::new();
        for (lack, words) in [
            (Lack::Syncing, "not known yet"),
            (Lack::Failed, "can't be read"),
            (Lack::Forbidden, "not seen by the agent"),
            (Lack::Stale, "as they were when last heard of"),
        ] {
            let of: Vec<_> = lacks.iter().filter(|(.., of)| *of == lack).collect();
            if let Some((_, first, _)) = of.first() {
                let names: Vec<String> = of.iter().map(|(kind, ..)| kind.to_string()).collect();
                let why = first.message.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
                said.push(format!("{words}: {}{why}", listed(&names)));
            }
        }
        let limited = known().find_map(|(_, status)| match &status.seen {
            Seen::Only(namespaces) => Some(namespaces),
            Seen::All => None,
        });
        said.extend(
            limited.map(|namespaces| format!("only the namespaces {} are seen", namespaces.join(", "))),
        );
        let oldest = known().filter_map(|(_, status)| status.as_of).min();
        Self { status, said, age_ms: oldest.map_or(0, |as_of: Instant| as_of.elapsed().as_millis() as u64) }
    }

    /// `cut` problems are not told.
    fn message(&self, cut: u64) -> Option<String> {
        let mut said = self.said.clone();
        if cut > 0 {
            said.push(format!(
                "{cut} problems more than are told at once are left out, the least grave ones"
            ));
        }
        (!said.is_empty()).then(|| said.join("; "))
    }
}

fn unseen(state: SyncState, reason: &str) -> KindStatus {
    KindStatus { state, as_of: None, message: Some(reason.to_owned()), seen: Seen::All }
}

fn lack(state: SyncState) -> Option<Lack> {
    match state {
        SyncState::Synced | SyncState::Absent => None,
        SyncState::Syncing => Some(Lack::Syncing),
        SyncState::Forbidden => Some(Lack::Forbidden),
        SyncState::Error => Some(Lack::Failed),
        SyncState::Stale => Some(Lack::Stale),
    }
}

fn listed(names: &[String]) -> String {
    let mut listed = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > NAMED {
        listed.push_str(&format!(" and {} more kinds", names.len() - NAMED));
    }
    listed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(states: &[SyncState], status: LegStatus, said: &[&str]) {
        let names: Vec<_> = (0..states.len()).map(|at| GroupResource::new("", format!("k{at}"))).collect();
        let of = |state: &SyncState| KindStatus { message: None, ..unseen(*state, "") };
        let kinds: Vec<_> = names.iter().zip(states.iter().map(of)).collect();
        let standing = Standing::of_kinds(&kinds);
        assert_eq!(
            (standing.status, standing.said.as_slice()),
            (status, &said.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()[..]),
            "{states:?}"
        );
    }

    #[test]
    fn an_answer_says_which_kinds_it_lacks() {
        use SyncState::{Absent, Error, Forbidden, Stale, Synced, Syncing};
        check(&[Synced, Absent], LegStatus::Ok, &[]);
        check(&[Synced, Syncing, Syncing], LegStatus::Ok, &["not known yet: k1, k2"]);
        check(&[Synced, Stale], LegStatus::Stale, &["as they were when last heard of: k1"]);
        check(&[Syncing, Forbidden], LegStatus::Syncing, &["not known yet: k0", "not seen by the agent: k1"]);
        check(&[Forbidden], LegStatus::Forbidden, &["not seen by the agent: k0"]);
        check(&[Error, Syncing], LegStatus::Error, &["not known yet: k1", "can't be read: k0"]);
        check(&[], LegStatus::Ok, &[]);
        let many = [&[Synced][..], &[Forbidden; 7]].concat();
        check(&many, LegStatus::Ok, &["not seen by the agent: k1, k2, k3, k4, k5 and 2 more kinds"]);
    }
}
