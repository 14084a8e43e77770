//! Whole objects.

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use kubeplex_proto::get::{FoundObject, GetEnd, GetFrame, GetHead, GetRequest};
use kubeplex_proto::status::{AgentError, Source};

use super::Service;
use super::body::{Ask, Failure, line, lines};
use super::config_maps::{self, Values};
use super::deadline::Deadline;
use super::opening::{NotRead, Nothing, Question, Readable};
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
    let patterns = (request.namespaces.as_slice(), request.names.as_slice());
    let question = Question::new(&request.kind, request.version.as_ref(), patterns, &request.context);
    let deadline = question.deadline;
    let reply = match service.open(&question).await {
        Ok(readable) => service.read_objects(readable, request, deadline).await?,
        Err(NotRead::Nothing(nothing)) => Reply::of_nothing(nothing),
        Err(NotRead::Refused(error)) => return Err(error.into()),
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
        let (rows, fields, context) =
            (readable.rows.clone(), request.fields.clone(), request.context.clone());
        let scan = move |budget: &query::ScanBudget| query::get(rows.store(), &request, budget);
        let mut found = self.0.scans.run(deadline, scan).await?;
        if config_maps::is_kind(&readable.info.id) && !found.objects.is_empty() {
            let wanted = config_maps::Wanted {
                caller: &context.caller,
                fields: &fields,
                max_bytes: context.max_bytes.min(ANSWER_BYTES),
                deadline,
            };
            match config_maps::with_values(&self.0.rights, &readable.info, found, wanted).await? {
                Values::Read { found: read, refused } => {
                    found = read;
                    readable.message = readable.message.or(refused);
                }
                Values::Refused(nothing) => {
                    return Ok(Reply::of_nothing(nothing.looked_for_live(&readable.info)));
                }
            }
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
