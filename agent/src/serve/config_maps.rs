//! The values of ConfigMaps: the cache knows their keys, hashes and sizes, the API server the rest.

use futures::StreamExt;
use kubeplex_proto::call::Identity;
use kubeplex_proto::get::FoundObject;
use kubeplex_proto::kind::{GroupResource, KindInfo};
use kubeplex_proto::list::Cut;
use kubeplex_proto::status::{AgentError, AgentErrorCode, LegStatus};
use serde_json::Value;
use tokio::time::timeout_at;

use super::deadline::Deadline;
use super::opening::Nothing;
use super::rights::{Access, Rights, Verb};
use crate::api::{ApiError, object_path};
use crate::limits::LIVE_OBJECTS_AT_ONCE;
use crate::path::{self, Path};
use crate::query::Found;
use crate::redact;

/// What stays of an object whatever fields are asked for.
const IDENTITY: [&str; 4] = ["apiVersion", "kind", "metadata.name", "metadata.namespace"];

/// What a call wants of the objects.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) caller: &'a Identity,
    pub(super) fields: &'a [String],
    pub(super) max_bytes: u64,
    pub(super) deadline: Deadline,
}

pub(super) fn is_kind(id: &GroupResource) -> bool {
    id.group.is_empty() && id.resource == "configmaps"
}

/// What became of the objects whose values were to be read.
pub(super) enum Values {
    /// Without those that the caller may not read, and why they are missing.
    Read { found: Found, refused: Option<String> },
    /// The caller may read none of them.
    Refused(Nothing),
}

/// The same objects as the API server has them now and the caller may read them, redacted. One that was deleted meanwhile is
/// left out; the answer is cut where the server does not give one, or where the values are more than was asked for.
///
/// # Errors
/// `InvalidArgument` for a field that is no path.
pub(super) async fn with_values(
    rights: &Rights,
    info: &KindInfo,
    found: Found,
    wanted: Wanted<'_>,
) -> Result<Values, AgentError> {
    let paths = projection(wanted.fields)?;
    let Found { mut total, revision, objects, mut cut } = found;
    let reads = objects.into_iter().map(|object| read(rights, info, object, wanted));
    let mut reads = futures::stream::iter(reads).buffered(LIVE_OBJECTS_AT_ONCE);
    let (mut kept, mut bytes_left) = (Vec::new(), wanted.max_bytes);
    let mut refused: Option<Nothing> = None;
    loop {
        // The budget may hold a read back for longer than the call has.
        let Ok(next) = timeout_at(wanted.deadline.at(), reads.next()).await else {
            let message = format!("the values of the ConfigMaps after {} were not read in time", kept.len());
            cut = Some(Cut { status: LegStatus::Timeout, message });
            break;
        };
        let Some((object, result)) = next else { break };
        let value = match result {
            Ok(value) => value,
            Err(nothing) if nothing.status == LegStatus::Absent => {
                total = total.saturating_sub(1);
                continue;
            }
            Err(nothing) if nothing.status == LegStatus::Forbidden => {
                refused = refused.or(Some(nothing));
                continue;
            }
            Err(nothing) => {
                cut = Some(Cut { status: nothing.status, message: nothing.message.unwrap_or_default() });
                break;
            }
        };
        let object = FoundObject { object: shown(value, &paths), ..object };
        let bytes = object.object.to_string().len() as u64;
        if bytes > bytes_left && !kept.is_empty() {
            let message =
                format!("the values of the ConfigMaps from {} on do not fit into the reply", object.name);
            cut = Some(Cut { status: LegStatus::Ok, message });
            break;
        }
        bytes_left = bytes_left.saturating_sub(bytes);
        kept.push(object);
    }
    if kept.is_empty()
        && cut.is_none()
        && let Some(nothing) = refused
    {
        return Ok(Values::Refused(nothing));
    }
    let refused = refused.and_then(|nothing| nothing.message);
    Ok(Values::Read { found: Found { total, revision, objects: kept, cut }, refused })
}

/// `Absent` where it is gone.
async fn read(
    rights: &Rights,
    info: &KindInfo,
    object: FoundObject,
    wanted: Wanted<'_>,
) -> (FoundObject, Result<Value, Nothing>) {
    let read = read_value(rights, info, &object, wanted).await;
    (object, read)
}

async fn read_value(
    rights: &Rights,
    info: &KindInfo,
    object: &FoundObject,
    wanted: Wanted<'_>,
) -> Result<Value, Nothing> {
    let (namespace, name) = (object.namespace.as_deref(), object.name.as_str());
    let access = Access::to(Verb::Get, info, namespace, Some(name));
    let api = rights.allow_object(wanted.caller, access, wanted.deadline).await?;
    let body = api.get_bytes(&object_path(info, namespace, name), wanted.deadline.remaining()).await;
    let value = body.and_then(|body| {
        serde_json::from_slice(&body).map_err(|source| ApiError::Decode { what: "a ConfigMap", source })
    });
    let mut value = value.map_err(|error| {
        let place = namespace.map(|namespace| format!("{namespace}/")).unwrap_or_default();
        rights.failure(wanted.caller, &format!("the values of the ConfigMap {place}{name}"), &error)
    })?;
    redact::object(&info.id, &mut value);
    Ok(value)
}

/// No paths where the whole object is wanted.
fn projection(fields: &[String]) -> Result<Vec<Path>, AgentError> {
    if fields.is_empty() {
        return Ok(Vec::new());
    }
    let parse = |field: &str| {
        Path::of_caller(field)
            .map_err(|error| AgentError::new(AgentErrorCode::InvalidArgument, error.to_string()))
    };
    IDENTITY.into_iter().chain(fields.iter().map(String::as_str)).map(parse).collect()
}

fn shown(mut value: Value, paths: &[Path]) -> Value {
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.shift_remove("managedFields");
    }
    if paths.is_empty() { value } else { path::project(paths, &value) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_kept_with_the_identity() {
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1", "b": "2"},
            "metadata": {"name": "m", "namespace": "shop", "managedFields": [{}], "labels": {}},
        });
        let fields =
            |fields: &[&str]| projection(&fields.iter().map(ToString::to_string).collect::<Vec<_>>());
        let whole = shown(map.clone(), &fields(&[]).unwrap());
        assert_eq!(whole["data"], json!({"a": "1", "b": "2"}));
        assert_eq!(whole["metadata"].get("managedFields"), None);
        let part = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"b": "2"},
                          "metadata": {"name": "m", "namespace": "shop"}});
        assert_eq!(shown(map, &fields(&["data.b"]).unwrap()), part);
        assert_eq!(fields(&["data["]).unwrap_err().code, AgentErrorCode::InvalidArgument);
    }
}
