//! Faults on demand: what goes wrong, for which requests, how often. Deterministic: a fault applies by match and count, never by chance.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use parking_lot::Mutex;
use tokio::sync::watch;

/// What a request is, for matching faults and counting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What is asked.
    pub verb: Verb,
    /// The API group; empty for core and for paths that are no resources.
    pub group: String,
    /// The plural name; empty for paths that are no resources.
    pub resource: String,
    /// Empty for the cluster scope.
    pub namespace: String,
    /// The path without the query.
    pub path: String,
    /// The caller's `User-Agent`.
    pub user_agent: String,
    /// Which page of a paged list this is, from 1.
    pub page: u32,
}

/// The verb of a request as the server sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    missing_docs,
    reason = "the names are Kubernetes' own verbs; Discovery stands for every path that is no resource"
)]
pub enum Verb {
    Discovery,
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
}

impl Verb {
    /// As policies and messages write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Discovery | Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultAction {
    /// The answer begins this much later.
    Latency(Duration),
    /// There is never an answer.
    Hang,
    /// 429 with `Retry-After`.
    TooManyRequests {
        /// What the header says.
        retry_after_seconds: u32,
    },
    /// This status, with a `Status` body of this message.
    Status {
        /// The HTTP code.
        code: u16,
        /// The message of the body.
        message: String,
    },
    /// 410 as a status: an expired list, continue token or watch.
    Expired,
    /// The connection closes without an answer.
    Reset,
    /// The body ends after so many bytes, whatever was announced.
    Truncate {
        /// How much of the body is sent.
        after_bytes: usize,
        /// How it ends.
        end: StreamEnd,
    },
    /// 200 with a body that is not JSON; on an open watch, a line that is not JSON.
    Garbage,
    /// A watch falls silent after so many events: open, no events, no bookmarks, no deadline, until the fault is removed.
    Freeze {
        /// Events that still pass.
        after_events: u64,
    },
    /// A watch tells nothing of what happens from now on, until the fault is removed. One that is opened meanwhile still tells
    /// what happened before: clients take a watch that was opened for proof of that.
    Stall,
    /// Every n-th watch event is sent twice.
    Duplicate {
        /// 1 for all events, 2 for every other one, …
        every: u64,
    },
    /// Every n-th watch event is sent late, behind those that came after it.
    Delay {
        /// 1 for all events, 2 for every other one, …
        every: u64,
        /// How late.
        by: Duration,
    },
    /// The `Date` header is off by this much; see [`crate::SimClock::set_skew`] for the cluster's whole clock.
    DateSkew(SignedDuration),
}

/// How a truncated body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEnd {
    /// As if it were complete.
    Clean,
    /// The connection or stream is reset.
    Reset,
}

/// A fault: for which requests (all given conditions hold), how often, and what happens.
#[derive(Clone, Debug)]
pub struct Fault {
    action: FaultAction,
    verb: Option<Verb>,
    group: Option<String>,
    resource: Option<String>,
    namespace: Option<String>,
    path_contains: Option<String>,
    user_agent_contains: Option<String>,
    page: Option<u32>,
    skip: u64,
    times: Option<u64>,
}

impl Fault {
    /// Happens to every request until narrowed.
    pub fn new(action: FaultAction) -> Self {
        Self {
            action,
            verb: None,
            group: None,
            resource: None,
            namespace: None,
            path_contains: None,
            user_agent_contains: None,
            page: None,
            skip: 0,
            times: None,
        }
    }

    /// Only requests with this verb.
    #[must_use]
    pub fn verb(self, verb: Verb) -> Self {
        Self { verb: Some(verb), ..self }
    }

    /// Only this resource, by its plural.
    #[must_use]
    pub fn resource(self, plural: &str) -> Self {
        Self { resource: Some(plural.into()), ..self }
    }

    /// Only this API group (empty for core).
    #[must_use]
    pub fn group(self, group: &str) -> Self {
        Self { group: Some(group.into()), ..self }
    }

    /// Only this namespace.
    #[must_use]
    pub fn namespace(self, namespace: &str) -> Self {
        Self { namespace: Some(namespace.into()), ..self }
    }

    /// Only paths that contain this text.
    #[must_use]
    pub fn path(self, part: &str) -> Self {
        Self { path_contains: Some(part.into()), ..self }
    }

    /// Only callers whose `User-Agent` contains this text.
    #[must_use]
    pub fn user_agent(self, part: &str) -> Self {
        Self { user_agent_contains: Some(part.into()), ..self }
    }

    /// Only this page of a paged list, from 1.
    #[must_use]
    pub fn page(self, page: u32) -> Self {
        Self { page: Some(page), ..self }
    }

    /// Lets so many matching requests pass first.
    #[must_use]
    pub fn skip(self, requests: u64) -> Self {
        Self { skip: requests, ..self }
    }

    /// Happens so many times, then no more.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }

    fn matches(&self, call: &Call) -> bool {
        let same =
            |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted == value);
        let within =
            |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|part| value.contains(&**part));
        self.verb.is_none_or(|verb| verb == call.verb)
            && same(&self.group, &call.group)
            && same(&self.resource, &call.resource)
            && same(&self.namespace, &call.namespace)
            && within(&self.path_contains, &call.path)
            && within(&self.user_agent_contains, &call.user_agent)
            && self.page.is_none_or(|page| page == call.page)
    }

    fn is_about_streams(&self) -> bool {
        matches!(
            self.action,
            FaultAction::Freeze { .. }
                | FaultAction::Stall
                | FaultAction::Duplicate { .. }
                | FaultAction::Delay { .. }
        )
    }
}

/// Names one added fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FaultId(u64);

/// The faults of one cluster. Clones are handles of the same plan.
#[derive(Clone, Debug)]
pub struct FaultPlan {
    entries: Arc<Mutex<Vec<Entry>>>,
    changed: watch::Sender<u64>,
}

#[derive(Debug)]
struct Entry {
    id: FaultId,
    fault: Fault,
    matched: u64,
    applied: u64,
}

impl Entry {
    /// Counts a match and says whether the fault happens to it.
    fn applies(&mut self) -> bool {
        self.matched += 1;
        let happens =
            self.matched > self.fault.skip && self.fault.times.is_none_or(|times| self.applied < times);
        self.applied += u64::from(happens);
        happens
    }
}

impl FaultPlan {
    pub(crate) fn new() -> Self {
        Self { entries: Arc::default(), changed: watch::Sender::new(0) }
    }

    /// Adds a fault, from now on. Stream faults (freeze, stall, duplicate, delay) also reach watches that are already open.
    pub fn add(&self, fault: Fault) -> FaultId {
        let mut id = FaultId(0);
        self.changed.send_modify(|next| {
            *next += 1;
            id = FaultId(*next);
            self.entries.lock().push(Entry { id, fault, matched: 0, applied: 0 });
        });
        id
    }

    /// Removes one fault; what it froze goes on.
    pub fn remove(&self, id: FaultId) {
        self.entries.lock().retain(|entry| entry.id != id);
        self.changed.send_modify(|next| *next += 1);
    }

    /// Removes all faults.
    pub fn clear(&self) {
        self.entries.lock().clear();
        self.changed.send_modify(|next| *next += 1);
    }

    /// How often a fault happened so far; zero for one that was removed.
    pub fn applied(&self, id: FaultId) -> u64 {
        self.entries.lock().iter().find(|entry| entry.id == id).map_or(0, |entry| entry.applied)
    }

    /// What happens to this request, in the order in which the faults were added; stream faults are not among it.
    pub(crate) fn take(&self, call: &Call) -> Vec<FaultAction> {
        let mut entries = self.entries.lock();
        let matching =
            entries.iter_mut().filter(|entry| !entry.fault.is_about_streams() && entry.fault.matches(call));
        matching.filter_map(|entry| entry.applies().then(|| entry.fault.action.clone())).collect()
    }

    /// Brings the stream faults of one watch up to date: gone ones leave, new ones come and are counted once a stream.
    pub(crate) fn update_stream(
        &self,
        call: &Call,
        seen: &mut Vec<FaultId>,
        active: &mut Vec<(FaultId, FaultAction)>,
    ) {
        let mut entries = self.entries.lock();
        active.retain(|(id, _)| entries.iter().any(|entry| entry.id == *id));
        for entry in
            entries.iter_mut().filter(|entry| entry.fault.is_about_streams() && entry.fault.matches(call))
        {
            if seen.contains(&entry.id) {
                continue;
            }
            seen.push(entry.id);
            if entry.applies() {
                active.push((entry.id, entry.fault.action.clone()));
            }
        }
    }

    /// Tells of every change of the plan.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(verb: Verb, resource: &str, page: u32) -> Call {
        let text = String::new;
        Call {
            verb,
            group: text(),
            resource: resource.into(),
            namespace: text(),
            path: "/api/v1/x".into(),
            user_agent: "kubectl/1".into(),
            page,
        }
    }

    #[test]
    fn applies_by_match_and_count() {
        let plan = FaultPlan::new();
        let id = plan
            .add(Fault::new(FaultAction::Hang).verb(Verb::List).resource("pods").page(2).skip(1).times(2));
        assert!(plan.take(&call(Verb::List, "pods", 1)).is_empty());
        assert!(plan.take(&call(Verb::List, "nodes", 2)).is_empty());
        let hits: Vec<usize> = (0..5).map(|_| plan.take(&call(Verb::List, "pods", 2)).len()).collect();
        assert_eq!(hits, [0, 1, 1, 0, 0]);
        assert_eq!(plan.applied(id), 2);
        plan.clear();
        assert_eq!(plan.applied(id), 0);
    }

    #[test]
    fn stream_faults_come_to_open_streams_once_and_leave() {
        let plan = FaultPlan::new();
        let watch = call(Verb::Watch, "pods", 1);
        let (mut seen, mut active) = (Vec::new(), Vec::new());
        let id = plan.add(Fault::new(FaultAction::Freeze { after_events: 0 }).user_agent("kubectl"));
        plan.update_stream(&watch, &mut seen, &mut active);
        plan.update_stream(&watch, &mut seen, &mut active);
        assert_eq!((active.len(), plan.applied(id)), (1, 1));
        plan.remove(id);
        plan.update_stream(&watch, &mut seen, &mut active);
        assert!(active.is_empty());
    }
}
