//! Comparing: digests of objects, and what those are made of that differ.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use kubeplex_proto::control::SyncState;
use kubeplex_proto::digest::{
    DigestItem, DigestRequest, IntentRequest, KindLook, Look, ObjectDigest, ObjectIntent, ObjectRef,
};
use kubeplex_proto::gather::{GatherEnd, GatherHead};
use kubeplex_proto::kind::{GroupResource, KindInfo, Scope};
use kubeplex_proto::list::Cut;
use kubeplex_proto::status::{AgentError, LegStatus, Source};
use tokio::time::{Instant, timeout_at};

use super::Service;
use super::body::{Ask, Failure};
use super::deadline::Deadline;
use super::gathering::reply;
use super::opening::Question;
use super::sight::{Sight, sight};
use crate::kinds::{self, KindHandle, Opened};
use crate::limits::{ANSWER_BYTES, COMPARED_OBJECTS};
use crate::query::{self, ScanBudget};

/// Kinds of which nobody makes objects for their own sake: what controllers and the API server keep, and what is over soon.
const NOT_INTENDED: [(&str, &[&str]); 8] = [
    ("", &["pods", "events", "endpoints", "replicationcontrollers", "podtemplates", "secrets"]),
    ("apps", &["replicasets", "controllerrevisions"]),
    ("discovery.k8s.io", &["endpointslices"]),
    ("events.k8s.io", &["events"]),
    ("coordination.k8s.io", &["leases"]),
    ("metrics.k8s.io", &["pods"]),
    ("storage.k8s.io", &["csistoragecapacities"]),
    ("certificates.k8s.io", &["podcertificaterequests"]),
];

/// The kinds of a question that can be read, and what there is to say of all of them.
struct Looked {
    handles: Vec<Arc<KindHandle>>,
    kinds: Vec<KindLook>,
    stale: Option<String>,
    partial: Option<String>,
    age_ms: u64,
    first: Option<KindInfo>,
}

pub(super) async fn digests(
    State(service): State<Service>,
    Ask(request): Ask<DigestRequest>,
) -> Result<Response, Failure> {
    let deadline = Deadline::after_ms(request.context.deadline_ms);
    let mut looked = service.looked_at(&request, deadline).await;
    let handles = std::mem::take(&mut looked.handles);
    let scan = move |budget: &ScanBudget| {
        let limit = (request.limit as usize).min(COMPARED_OBJECTS);
        let mut found: Vec<ObjectDigest> = Vec::new();
        for handle in &handles {
            let room = limit - found.len();
            found.extend(query::digests(&handle.store, &request, room, budget)?);
        }
        Ok::<_, AgentError>(found)
    };
    let found = service.0.scans.run(deadline, scan).await?;
    let head = service.head_of(&looked, found.len());
    let items =
        looked.kinds.into_iter().map(DigestItem::Kind).chain(found.into_iter().map(DigestItem::Object));
    Ok(reply(head, items.collect(), GatherEnd { cut: None }))
}

pub(super) async fn intents(
    State(service): State<Service>,
    Ask(request): Ask<IntentRequest>,
) -> Result<Response, Failure> {
    let deadline = Deadline::after_ms(request.context.deadline_ms);
    let watched = service.0.kinds.all_watched();
    let mut age_ms = 0;
    let mut objects: Vec<(Arc<KindHandle>, ObjectRef)> = Vec::new();
    for object in request.objects.iter().take(COMPARED_OBJECTS) {
        if let Some(handle) = watched.iter().find(|handle| handle.info.id == object.kind) {
            age_ms = age_ms.max(handle.age().map_or(0, |age| age.as_millis() as u64));
            objects.push((Arc::clone(handle), object.clone()));
        }
    }
    let scan = move |budget: &ScanBudget| {
        let mut found: Vec<ObjectIntent> = Vec::new();
        let mut left = request.context.max_bytes.min(ANSWER_BYTES);
        for (handle, object) in &objects {
            let Some(intent) = query::intent(&handle.store, &request, object, budget)? else { continue };
            let bytes = intent.intent.to_string().len() as u64;
            if bytes > left {
                let message = format!("what differs after {} objects did not fit", found.len());
                return Ok::<_, AgentError>((found, Some(Cut { status: LegStatus::Ok, message })));
            }
            left -= bytes;
            found.push(intent);
        }
        Ok((found, None))
    };
    let (found, cut) = service.0.scans.run(deadline, scan).await?;
    let looked =
        Looked { handles: Vec::new(), kinds: Vec::new(), stale: None, partial: None, age_ms, first: None };
    Ok(reply(service.head_of(&looked, found.len()), found, GatherEnd { cut }))
}

impl Service {
    async fn looked_at(&self, request: &DigestRequest, deadline: Deadline) -> Looked {
        let mut looked = Looked {
            handles: Vec::new(),
            kinds: Vec::new(),
            stale: None,
            partial: None,
            age_ms: 0,
            first: None,
        };
        let by = deadline.with_time_to_tell().at();
        if request.kinds.is_empty() {
            let meant = |info: &KindInfo| {
                let visible = request.context.visibility.shows_kind(info);
                info.scope == Scope::Namespaced && is_intended(&info.id) && visible
            };
            let served = self.begin_to_watch(meant, by).await;
            for handle in self.0.kinds.all_watched().into_iter().filter(|handle| meant(&handle.info)) {
                looked.take(handle, request, by).await;
            }
            looked.leave_out(served);
            return looked;
        }
        for kind in &request.kinds {
            let opened = timeout_at(by, self.0.kinds.open(kind, None)).await;
            let (state, message) = match opened {
                Ok(Opened::Handle(handle)) => {
                    looked.take(handle, request, by).await;
                    continue;
                }
                Ok(Opened::Absent) => (Look::Absent, None),
                Ok(Opened::Denied(reason)) => (Look::Forbidden, Some(reason)),
                Ok(Opened::Unwatchable(_)) => (Look::Unknown, Some("it can't be watched".to_owned())),
                Ok(Opened::Failed(reason)) => (Look::Unknown, Some(reason)),
                Err(_) => (Look::Unknown, self.undiscovered().message),
            };
            looked.kinds.push(KindLook { kind: kind.clone(), state, message });
        }
        looked
    }

    /// Of Kubernetes' own kinds those that are meant: an agent that watches on demand may know none of them yet. Returns all
    /// that are meant and can be watched.
    async fn begin_to_watch(&self, meant: impl Fn(&KindInfo) -> bool, by: Instant) -> Vec<GroupResource> {
        let own = kinds::of_kubernetes();
        let Ok(table) = timeout_at(by, self.0.kinds.discovered()).await else { return Vec::new() };
        let served = table.kinds.iter().filter(|info| meant(info) && info.has_verb("watch"));
        let served: Vec<GroupResource> = served.map(|info| info.id.clone()).collect();
        for id in served.iter().filter(|id| own.contains(id)) {
            let _ = timeout_at(by, self.0.kinds.open(id, None)).await;
        }
        served
    }

    fn head_of(&self, looked: &Looked, total: usize) -> GatherHead {
        let clock = self.0.api.clock();
        let all =
            |state: Look| !looked.kinds.is_empty() && looked.kinds.iter().all(|kind| kind.state == state);
        let unknown = looked.kinds.iter().find(|kind| kind.state == Look::Unknown);
        let said = |kind: &KindLook| {
            let why = kind.message.as_deref().unwrap_or("it is not known yet");
            format!("{}: {why}", kind.kind)
        };
        let (status, message) = match () {
            () if all(Look::Absent) => (LegStatus::Absent, None),
            () if all(Look::Forbidden) => (LegStatus::Forbidden, looked.kinds.first().map(said)),
            () if all(Look::Unknown) => (LegStatus::Syncing, unknown.map(said)),
            () if looked.stale.is_some() => (LegStatus::Stale, looked.stale.clone()),
            () => (LegStatus::Ok, unknown.map(said).or_else(|| looked.partial.clone())),
        };
        GatherHead {
            status,
            message,
            source: Source::Cache,
            api_version: looked.first.as_ref().map(KindInfo::api_version).unwrap_or_default(),
            total: total as u64,
            age_ms: looked.age_ms,
            cluster_now_ms: clock.cluster_now_ms(),
            clock_offset_ms: clock.offset_ms(),
        }
    }
}

impl Looked {
    async fn take(&mut self, handle: Arc<KindHandle>, request: &DigestRequest, by: Instant) {
        let status = handle.synced(by).await;
        let id = handle.info.id.clone();
        let patterns = (request.namespaces.as_slice(), request.names.as_slice());
        let question = Question::new(&id, None, patterns, &request.context);
        let sight = sight(&status.seen, &question, &handle.info);
        let (state, message) = match (status.state, sight) {
            (SyncState::Synced | SyncState::Stale, Sight::None(limit)) => (Look::Forbidden, Some(limit)),
            (SyncState::Synced, Sight::Whole) => (Look::Taken, None),
            (SyncState::Synced, Sight::Partial(limit)) => {
                self.partial.get_or_insert(limit);
                (Look::Taken, None)
            }
            (SyncState::Stale, _) => {
                let why = status.message.unwrap_or_else(|| "no recent proof that it is current".to_owned());
                self.stale.get_or_insert(format!("{id}: {why}"));
                (Look::Taken, None)
            }
            (SyncState::Forbidden, _) => (Look::Forbidden, status.message),
            (SyncState::Absent, _) => (Look::Absent, None),
            (SyncState::Syncing | SyncState::Error, _) => (Look::Unknown, status.message),
        };
        if state == Look::Taken {
            let age_ms = status.as_of.map_or(0, |as_of| as_of.elapsed().as_millis() as u64);
            self.age_ms = self.age_ms.max(age_ms);
            if request.kinds.len() == 1 {
                self.first = Some(handle.info.clone());
            }
            self.handles.push(handle);
        }
        self.kinds.push(KindLook { kind: id, state, message });
    }

    /// What is served and not watched: a namespace may have objects of it all the same.
    fn leave_out(&mut self, served: Vec<GroupResource>) {
        let unwatched = served.into_iter().filter(|id| !self.kinds.iter().any(|look| look.kind == *id));
        let looks = unwatched.map(|kind| KindLook { kind, state: Look::NotWatched, message: None });
        let looks: Vec<_> = looks.collect();
        self.kinds.extend(looks);
    }
}

fn is_intended(id: &GroupResource) -> bool {
    !NOT_INTENDED.iter().any(|(group, kinds)| *group == id.group && kinds.contains(&id.resource.as_str()))
}
