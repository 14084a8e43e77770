//! Searches: the kinds that are looked through, and what is said of the others.
//!
//! Looked through is what the agent watches. A kind that the question names is opened as a list of it would be; of one that
//! it only may mean, an answer says that it was not looked through.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use kubeplex_proto::control::SyncState;
use kubeplex_proto::kind::{GroupResource, KindInfo, Scope};
use kubeplex_proto::list::{ListEnd, ListHead, ListRequest};
use kubeplex_proto::search::{NotSearched, Search, SearchHead};
use kubeplex_proto::status::{AgentError, AgentErrorCode, LegStatus, Source};
use tokio::time::{Instant, timeout_at};

use super::Service;
use super::body::{Ask, Failure};
use super::deadline::Deadline;
use super::list::Reply;
use super::opening::Question;
use super::sight::{Sight, sight};
use crate::kinds::{KindHandle, KindStatus, Opened};
use crate::limits::{SEARCH_OPENED, SEARCH_SYNC};
use crate::query::{self, Finds};

/// What a search looks through, and what there is to say of it.
struct Searched {
    handles: Vec<Arc<KindHandle>>,
    /// Kinds, by why they are not looked through.
    not: BTreeMap<NotSearched, Vec<String>>,
    /// What rows are old or missing for, a sentence each.
    stale: Vec<String>,
    missing: Vec<String>,
    age_ms: u64,
}

pub(super) async fn search(
    State(service): State<Service>,
    Ask(request): Ask<ListRequest>,
) -> Result<Response, Failure> {
    let Some(search) = request.search.clone() else {
        let message = "a search without a question";
        return Err(AgentError::new(AgentErrorCode::InvalidArgument, message).into());
    };
    let deadline = Deadline::after_ms(request.context.deadline_ms);
    let mut searched = service.searched(&search, &request, deadline).await;
    let (handles, now_ms) = (std::mem::take(&mut searched.handles), service.0.api.clock().cluster_now_ms());
    let scan = move |budget: &query::ScanBudget| {
        let stores: Vec<_> = handles.iter().map(|handle| &handle.store).collect();
        query::search(&stores, &request, now_ms, budget)
    };
    let finds = service.0.scans.run(deadline, scan).await?;
    Ok(service.found(searched, finds).send())
}

impl Service {
    async fn searched(&self, search: &Search, request: &ListRequest, deadline: Deadline) -> Searched {
        let mut searched = Searched {
            handles: Vec::new(),
            not: BTreeMap::new(),
            stale: Vec::new(),
            missing: Vec::new(),
            age_ms: 0,
        };
        let by = deadline.at().min(Instant::now() + SEARCH_SYNC);
        let denied = self.open_named(search, by).await;
        let Ok(discovered) = timeout_at(by, self.0.kinds.discovered()).await else {
            searched.missing.push(self.undiscovered().message.unwrap_or_default());
            return searched;
        };
        let watched = self.0.kinds.all_watched();
        let visible = |info: &KindInfo| request.context.visibility.shows_kind(info);
        // A question about a namespace is none about what is in none.
        let in_scope = |info: &KindInfo| request.namespaces.is_empty() || info.scope == Scope::Namespaced;
        let meant = |info: &KindInfo| visible(info) && in_scope(info) && search.may_mean(&info.id);
        for info in &discovered.kinds {
            let is_watched = watched.binary_search_by(|handle| handle.info.id.cmp(&info.id)).is_ok();
            let twin = info.id.group == "events.k8s.io" && info.id.resource == "events";
            if !is_watched && !twin && info.has_verb("list") && meant(info) {
                let why =
                    if denied.contains(&info.id) { NotSearched::Forbidden } else { NotSearched::NotWatched };
                searched.leave_out(why, &info.id);
            }
        }
        for handle in watched.into_iter().filter(|handle| meant(&handle.info)) {
            if is_said_by_name(&handle.info.id) && !search.names(&handle.info.id) {
                searched.leave_out(NotSearched::OnlyByName, &handle.info.id);
                continue;
            }
            let status = handle.synced(by).await;
            searched.take(handle, status, request);
        }
        searched
    }

    /// Kinds that the question names are watched from now on. Those that the agent's configuration keeps out are told.
    async fn open_named(&self, search: &Search, by: Instant) -> Vec<GroupResource> {
        let mut denied = Vec::new();
        let named: Vec<GroupResource> =
            search.named().filter_map(|name| name.parse().ok()).take(SEARCH_OPENED).collect();
        for id in named {
            if let Ok(Opened::Denied(_)) = timeout_at(by, self.0.kinds.open(&id, None)).await {
                denied.push(id);
            }
        }
        denied
    }

    fn found(&self, searched: Searched, finds: Finds) -> Reply {
        let Finds { listing, kinds } = finds;
        let clock = self.0.api.clock();
        let (status, message) = searched.said();
        let head = ListHead {
            status,
            message,
            source: Source::Cache,
            api_version: String::new(),
            scope: Some(Scope::Namespaced),
            columns: listing.columns,
            total: listing.total,
            status_counts: BTreeMap::new(),
            age_ms: searched.age_ms,
            cluster_now_ms: clock.cluster_now_ms(),
            clock_offset_ms: clock.offset_ms(),
            revision: 0,
            search: Some(SearchHead { kinds, not_searched: searched.not }),
        };
        let end = ListEnd { more: listing.more, cut: listing.cut };
        Reply::new(head, listing.rows, listing.groups, end)
    }
}

impl Searched {
    fn leave_out(&mut self, why: NotSearched, kind: &GroupResource) {
        self.not.entry(why).or_default().push(kind.to_string());
    }

    fn take(&mut self, handle: Arc<KindHandle>, status: KindStatus, request: &ListRequest) {
        let id = &handle.info.id;
        match status.state {
            SyncState::Synced => {}
            SyncState::Stale => {
                let why =
                    status.message.unwrap_or_else(|| "no recent proof that they are current".to_owned());
                self.stale.push(format!("{id}: {why}"));
            }
            SyncState::Absent => return,
            SyncState::Forbidden => return self.leave_out(NotSearched::Forbidden, id),
            SyncState::Syncing => {
                self.missing.push(format!("{id}: the first list is not there yet"));
                return self.leave_out(NotSearched::Syncing, id);
            }
            SyncState::Error => {
                let why = status.message.unwrap_or_else(|| "the watch fails".to_owned());
                self.missing.push(format!("{id}: {why}"));
                return self.leave_out(NotSearched::Error, id);
            }
        }
        let patterns = (request.namespaces.as_slice(), request.names.as_slice());
        let question = Question::new(id, None, patterns, &request.context);
        match sight(&status.seen, &question, &handle.info) {
            Sight::Whole => {}
            Sight::Partial(limit) => self.missing.push(limit),
            Sight::None(_) => return self.leave_out(NotSearched::Forbidden, id),
        }
        let age_ms = status.as_of.map_or(0, |as_of| as_of.elapsed().as_millis() as u64);
        self.age_ms = self.age_ms.max(age_ms);
        self.handles.push(handle);
    }

    /// Whether the rows are all there as they are now, and what to say where not.
    fn said(&self) -> (LegStatus, Option<String>) {
        let status = if self.stale.is_empty() { LegStatus::Ok } else { LegStatus::Stale };
        let said: Vec<&str> = self.missing.iter().chain(&self.stale).map(String::as_str).collect();
        let more = match said.len() {
            0 => return (status, None),
            1 => String::new(),
            all => format!("; and {} more kinds", all - 1),
        };
        (status, Some(format!("{}{more}", said[0])))
    }
}

/// Each object makes many of them, whose names begin with its own.
fn is_said_by_name(id: &GroupResource) -> bool {
    id.group.is_empty() && id.resource == "events"
}
