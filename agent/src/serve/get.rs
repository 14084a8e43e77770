//! Whole objects.

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use kubeplex_proto::call::Freshness;
use kubeplex_proto::get::{FoundObject, GetEnd, GetFrame, GetHead, GetRequest};
use kubeplex_proto::status::{AgentError, Source};

use super::Service;
use super::body::{Ask, Failure, line, lines};
use super::config_maps;
use super::deadline::Deadline;
use super::live::not_offered;
use super::opening::{Nothing, Readable};
use crate::limits::ANSWER_BYTES;
use crate::query::{self, Found};

/// The parts of a reply, in the order in which they are written.
struct Reply {
    head: Option<Box<GetHead>>,
    objects: std::vec::IntoIter<FoundObject>,
    end: Option<GetEnd>,
}

pub(super) async fn get(
    State(service): State<Service>,
    Ask(request): Ask<GetRequest>,
) -> Result<Response, Failure> {
    let deadline = Deadline::after_ms(request.context.deadline_ms);
    // The values of ConfigMaps are read live in any case.
    let opened = if request.context.freshness == Freshness::Live && !config_maps::is_kind(&request.kind) {
        Err(not_offered())
    } else {
        service.open(&request.kind, request.version.as_deref(), deadline).await
    };
    let reply = match opened {
        Ok(readable) => service.read_objects(readable, request, deadline).await?,
        Err(nothing) => Reply::of_nothing(nothing),
    };
    Ok(lines(futures::stream::unfold(reply, |mut reply| async move { Some((reply.next_line()?, reply)) })))
}

impl Service {
    async fn read_objects(
        &self,
        mut readable: Readable,
        request: GetRequest,
        deadline: Deadline,
    ) -> Result<Reply, AgentError> {
        let (rows, fields, max_bytes) =
            (readable.rows.clone(), request.fields.clone(), request.context.max_bytes);
        let scan = move |budget: &query::ScanBudget| query::get(rows.store(), &request, budget);
        let mut found = self.0.scans.run(deadline, scan).await?;
        if config_maps::is_kind(&readable.info.id) && !found.objects.is_empty() {
            let max_bytes = max_bytes.min(ANSWER_BYTES);
            let wanted = config_maps::Wanted { fields: &fields, max_bytes, deadline };
            found = config_maps::with_values(&self.0.api, &readable.info, found, wanted).await?;
            readable.source = Source::Live;
            readable.age_ms = 0;
        }
        Ok(Reply::of_found(readable, found))
    }
}

impl Reply {
    fn of_found(readable: Readable, found: Found) -> Self {
        let head = GetHead {
            status: readable.status,
            message: readable.message,
            source: readable.source,
            api_version: readable.info.api_version(),
            total: found.total,
            age_ms: readable.age_ms,
            revision: found.revision,
        };
        Self {
            head: Some(Box::new(head)),
            objects: found.objects.into_iter(),
            end: Some(GetEnd { cut: found.cut }),
        }
    }

    fn of_nothing(nothing: Nothing) -> Self {
        let head = GetHead {
            status: nothing.status,
            message: nothing.message,
            source: nothing.source,
            api_version: nothing.info.map(|info| info.api_version()).unwrap_or_default(),
            total: 0,
            age_ms: 0,
            revision: 0,
        };
        Self { head: Some(Box::new(head)), objects: Vec::new().into_iter(), end: Some(GetEnd { cut: None }) }
    }

    fn next_line(&mut self) -> Option<Bytes> {
        if let Some(head) = self.head.take() {
            return line(&GetFrame::Head(head));
        }
        if let Some(object) = self.objects.next() {
            return line(&GetFrame::Object(Box::new(object)));
        }
        line(&GetFrame::End(self.end.take()?))
    }
}
