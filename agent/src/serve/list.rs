//! Lists.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use kubeplex_proto::group::Group;
use kubeplex_proto::list::{Known, ListEnd, ListFrame, ListHead, ListRequest, Row, Unchanged};
use kubeplex_proto::status::AgentError;

use super::body::{Ask, Failure, line, lines, next_groups, next_rows};
use super::deadline::Deadline;
use super::opening::{NotRead, Nothing, Question, Readable};
use super::{Service, Shared};
use crate::query::{self, Listing};

/// The parts of a reply, in the order in which they are written.
pub(super) struct Reply {
    head: Option<Box<ListHead>>,
    rows: std::vec::IntoIter<Row>,
    groups: std::vec::IntoIter<Group>,
    end: Option<ListEnd>,
}

pub(super) async fn list(
    State(service): State<Service>,
    Ask(request): Ask<ListRequest>,
) -> Result<Response, Failure> {
    let patterns = (request.namespaces.as_slice(), request.names.as_slice());
    let question = Question::new(&request.kind, request.version.as_ref(), patterns, &request.context);
    let deadline = question.deadline;
    let reply = match service.open(&question).await {
        Ok(readable) if request.known.as_ref().is_some_and(|known| service.is_still(&readable, known)) => {
            return Ok(service.unchanged(&readable));
        }
        Ok(readable) => service.read_rows(readable, request, deadline).await?,
        Err(NotRead::Nothing(nothing)) => Reply::of_nothing(nothing, &service.0),
        Err(NotRead::Refused(error)) => return Err(error.into()),
    };
    Ok(reply.send())
}

impl Service {
    fn is_still(&self, readable: &Readable, known: &Known) -> bool {
        known.instance == self.0.instance && readable.is_still(known.revision)
    }

    /// Nothing is scanned for it.
    fn unchanged(&self, readable: &Readable) -> Response {
        let clock = self.0.api.clock();
        let unchanged = Unchanged {
            age_ms: readable.age_ms,
            cluster_now_ms: clock.cluster_now_ms(),
            clock_offset_ms: clock.offset_ms(),
        };
        lines(futures::stream::iter(line(&ListFrame::Unchanged(unchanged))))
    }

    async fn read_rows(
        &self,
        readable: Readable,
        request: ListRequest,
        deadline: Deadline,
    ) -> Result<Reply, AgentError> {
        let rows = readable.rows.clone();
        let now_ms = self.0.api.clock().cluster_now_ms();
        let scan = move |budget: &query::ScanBudget| query::list(rows.store(), &request, now_ms, budget);
        let listing = self.0.scans.run(deadline, scan).await?;
        Ok(Reply::of_listing(readable, listing, &self.0))
    }
}

impl Reply {
    pub(super) fn of_listing(readable: Readable, listing: Listing, shared: &Shared) -> Self {
        let clock = shared.api.clock();
        let head = ListHead {
            status: readable.status,
            message: readable.message,
            source: readable.source,
            api_version: readable.info.api_version(),
            scope: Some(readable.info.scope),
            columns: listing.columns,
            total: listing.total,
            status_counts: listing.status_counts,
            age_ms: readable.age_ms,
            cluster_now_ms: clock.cluster_now_ms(),
            clock_offset_ms: clock.offset_ms(),
            revision: listing.revision,
            search: None,
        };
        let end = ListEnd { more: listing.more, cut: listing.cut };
        Self::new(head, listing.rows, listing.groups, end)
    }

    pub(super) fn new(head: ListHead, rows: Vec<Row>, groups: Vec<Group>, end: ListEnd) -> Self {
        Self {
            head: Some(Box::new(head)),
            rows: rows.into_iter(),
            groups: groups.into_iter(),
            end: Some(end),
        }
    }

    pub(super) fn send(self) -> Response {
        lines(futures::stream::unfold(self, |mut reply| async move { Some((reply.next_line()?, reply)) }))
    }

    pub(super) fn of_nothing(nothing: Nothing, shared: &Shared) -> Self {
        let clock = shared.api.clock();
        let info = nothing.info;
        let head = ListHead {
            status: nothing.status,
            message: nothing.message,
            source: nothing.source,
            api_version: info.as_ref().map(|info| info.api_version()).unwrap_or_default(),
            scope: info.map(|info| info.scope),
            columns: Vec::new(),
            total: 0,
            status_counts: BTreeMap::new(),
            age_ms: 0,
            cluster_now_ms: clock.cluster_now_ms(),
            clock_offset_ms: clock.offset_ms(),
            revision: 0,
            search: None,
        };
        Self::new(head, Vec::new(), Vec::new(), ListEnd { more: false, cut: None })
    }

    fn next_line(&mut self) -> Option<Bytes> {
        if let Some(head) = self.head.take() {
            return line(&ListFrame::Head(head));
        }
        if self.rows.len() > 0 {
            return next_rows(&mut self.rows);
        }
        if self.groups.len() > 0 {
            return next_groups(&mut self.groups);
        }
        line(&ListFrame::End(self.end.take()?))
    }
}
