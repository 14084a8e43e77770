//! Explains kinds by the API server's own documents, which are kept, compressed, by the hash that it gives each.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use kubeplex_proto::explain::{ExplainRequest, Field};
use kubeplex_proto::gather::{GatherEnd, GatherHead};
use kubeplex_proto::kind::KindInfo;
use kubeplex_proto::status::{AgentError, AgentErrorCode, LegStatus, Source};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::timeout_at;

use super::Service;
use super::body::{Ask, Failure};
use super::deadline::Deadline;
use super::gathering;
use super::opening::{NotRead, Nothing};
use crate::api::{Api, ApiError};
use crate::explain::{Document, NoField, explain as fields_of};
use crate::kinds::Known;
use crate::limits::{DOCUMENTS_BYTES, REPLY_BYTES};

const INDEX: &str = "/openapi/v3";

/// Documents that were read, the latest used first. What the server gave a name to with a hash in it never changes.
#[derive(Default)]
pub(super) struct Documents(Mutex<VecDeque<(String, Arc<[u8]>)>>);

#[derive(Deserialize)]
struct Index {
    paths: Map<String, Value>,
}

pub(super) async fn explain(
    State(service): State<Service>,
    Ask(request): Ask<ExplainRequest>,
) -> Result<Response, Failure> {
    let deadline = Deadline::after_ms(request.context.deadline_ms);
    match service.explained(&request, deadline).await {
        Ok((version, fields)) => {
            let head = service.head_of_fields(LegStatus::Ok, None, version, fields.len() as u64);
            Ok(gathering::reply(head, fields, GatherEnd { cut: None }))
        }
        Err(NotRead::Nothing(Nothing { status, message, .. })) => {
            let head = service.head_of_fields(status, message, String::new(), 0);
            Ok(gathering::reply(head, Vec::<Field>::new(), GatherEnd { cut: None }))
        }
        Err(NotRead::Refused(error)) => Err(error.into()),
    }
}

impl Service {
    /// The version that the fields are of, and they.
    async fn explained(
        &self,
        request: &ExplainRequest,
        deadline: Deadline,
    ) -> Result<(String, Vec<Field>), NotRead> {
        let known = self.0.kinds.known(&request.kind, request.version.as_deref());
        let info = match timeout_at(deadline.at(), known).await {
            Ok(Known::Kind(info, _)) => info,
            Ok(Known::Absent) => return Err(Nothing::without_words(LegStatus::Absent).into()),
            Ok(Known::Denied(reason)) => return Err(Nothing::new(LegStatus::Forbidden, reason).into()),
            Ok(Known::Failed(reason)) => return Err(Nothing::new(LegStatus::Error, reason).into()),
            Err(_) => {
                let message = "the agent is still finding out what the cluster serves";
                return Err(Nothing::new(LegStatus::Syncing, message).into());
            }
        };
        if !request.context.visibility.shows_kind(&info) {
            return Err(Nothing::without_words(LegStatus::Absent).into());
        }
        let version = request.version.clone().unwrap_or_else(|| info.version.clone());
        let api = self.0.rights.as_caller(&request.context.caller)?;
        let failed = |error: ApiError| {
            NotRead::from(self.0.rights.failure(&request.context.caller, "the schema of the kind", &error))
        };
        let path = document_path(&api, &info, &version, deadline).await.map_err(failed)?;
        let Some(path) = path else {
            let message = format!("the API server does not describe {} in {version}", info.id);
            return Err(Nothing::new(LegStatus::Error, message).into());
        };
        let packed = self.0.documents.get(&api, &path, deadline).await.map_err(failed)?;
        let (asked, depth, of) = (request.path.clone(), request.depth, info.clone());
        let found = self.0.scans.run(deadline, move |_| read(&packed, &of, &version, &asked, depth)).await?;
        Ok((info.api_version(), found))
    }

    fn head_of_fields(
        &self,
        status: LegStatus,
        message: Option<String>,
        api_version: String,
        total: u64,
    ) -> GatherHead {
        let clock = self.0.api.clock();
        GatherHead {
            status,
            message,
            source: Source::Live,
            api_version,
            total,
            age_ms: 0,
            cluster_now_ms: clock.cluster_now_ms(),
            clock_offset_ms: clock.offset_ms(),
        }
    }
}

/// Where the document of a group and version is now.
async fn document_path(
    api: &Api,
    info: &KindInfo,
    version: &str,
    deadline: Deadline,
) -> Result<Option<String>, ApiError> {
    let body = api.get_bytes(INDEX, deadline.remaining()).await?;
    let index: Index = serde_json::from_slice(&body)
        .map_err(|source| ApiError::Decode { what: "the index of its schemas", source })?;
    let group = &info.id.group;
    let name = if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") };
    let path = index.paths.get(&name).and_then(|path| path["serverRelativeURL"].as_str());
    // It is the server's word where it is, but it is asked of the server alone.
    Ok(path.filter(|path| path.starts_with('/')).map(str::to_owned))
}

impl Documents {
    async fn get(&self, api: &Api, path: &str, deadline: Deadline) -> Result<Arc<[u8]>, ApiError> {
        if let Some(known) = self.known(path) {
            return Ok(known);
        }
        let body = api.get_bytes(path, deadline.remaining()).await?;
        let packed = pack(&body);
        // Without a hash the same path may lead to another document tomorrow.
        if path.contains("hash=") {
            self.keep(path, &packed);
        }
        Ok(packed)
    }

    fn known(&self, path: &str) -> Option<Arc<[u8]>> {
        let mut documents = self.0.lock();
        let at = documents.iter().position(|(known, _)| known == path)?;
        let found = documents.remove(at)?;
        let packed = Arc::clone(&found.1);
        documents.push_front(found);
        Some(packed)
    }

    fn keep(&self, path: &str, packed: &Arc<[u8]>) {
        let mut documents = self.0.lock();
        documents.push_front((path.to_owned(), Arc::clone(packed)));
        let mut bytes = 0;
        let fit = documents.iter().take_while(|(_, packed)| {
            bytes += packed.len();
            bytes <= DOCUMENTS_BYTES
        });
        let fit = fit.count();
        documents.truncate(fit);
    }
}

/// Documents are words repeated: a tenth is left of them.
fn pack(document: &Bytes) -> Arc<[u8]> {
    // Compressing into memory can't fail.
    zstd::bulk::compress(document, zstd::DEFAULT_COMPRESSION_LEVEL).unwrap_or_default().into()
}

fn read(
    packed: &[u8],
    info: &KindInfo,
    version: &str,
    path: &[String],
    depth: u32,
) -> Result<Vec<Field>, AgentError> {
    let refuse = |message: String| AgentError::new(AgentErrorCode::InvalidArgument, message);
    let broken = |what: String| AgentError::new(AgentErrorCode::Internal, what);
    let json = zstd::bulk::decompress(packed, REPLY_BYTES)
        .map_err(|error| broken(format!("the schema of {} can't be unpacked: {error}", info.id)))?;
    let document = Document::parse(&json)
        .map_err(|error| broken(format!("the API server's schema of {} can't be read: {error}", info.id)))?;
    fields_of(&document, info, version, path, depth).map_err(|problem| match problem {
        NoField::Kind => broken(format!("the API server does not describe {} in {version}", info.id)),
        NoField::Path(message, hint) => refuse(format!("path: {message}")).with_hint(hint),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_kept_within_their_room_the_latest_first() {
        let documents = Documents::default();
        let packed: Arc<[u8]> = vec![0; DOCUMENTS_BYTES / 2].into();
        for path in ["a", "b"] {
            documents.keep(path, &packed);
        }
        assert!(documents.known("a").is_some());
        documents.keep("c", &packed);
        let known: Vec<_> = ["a", "b", "c"].iter().filter(|path| documents.known(path).is_some()).collect();
        assert_eq!(known, [&"a", &"c"], "the one that was used longest ago went");
    }
}
