//! What clusters hold as the protocol's resources: single objects and lists by their identities, and the clusters.
//!
//! A read is a call of the tool that answers the same, through the same stages: nobody reads here what no tool shows them.

use rmcp::model::{
    ListResourceTemplatesResult, ListResourcesResult, ReadResourceResponse, ReadResourceResult, Resource,
    ResourceTemplate,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde_json::{Map, Value, json};

use super::call;
use crate::error::{CallError, ErrorCode};
use crate::limits::{MAX_LIMIT, MAX_MAX_BYTES};
use crate::pipeline::Pipeline;
use crate::request::ObjectUri;

const CLUSTERS: &str = "fleet://clusters";
const JSON: &str = "application/json";

/// The resources that can be named beforehand.
pub(super) fn list() -> Result<ListResourcesResult, ErrorData> {
    let resources: Vec<Resource> =
        from_json(json!([{"uri": CLUSTERS, "name": "Clusters", "mimeType": JSON}]))?;
    Ok(ListResourcesResult::with_all_items(resources))
}

pub(super) fn templates() -> Result<ListResourceTemplatesResult, ErrorData> {
    let templates: Vec<ResourceTemplate> = from_json(json!([
        {
            "uriTemplate": "k8s://{cluster}/{namespace}/{group}/{resource}/{name}", "name": "An object", "mimeType": JSON,
            "description": "namespace - for none, group core for none",
        },
        {"uriTemplate": "k8s://{cluster}/{namespace}/{group}/{resource}", "name": "A list of objects", "mimeType": JSON},
    ]))?;
    Ok(ListResourceTemplatesResult::with_all_items(templates))
}

/// The structured answer of the tool that says what the resource is.
pub(super) async fn read(
    pipeline: &Pipeline,
    uri: &str,
    context: &RequestContext<RoleServer>,
) -> Result<ReadResourceResponse, ErrorData> {
    let (tool, arguments) = question(uri)?;
    let answer = call::answer(pipeline, tool, &arguments, context).await?;
    let structured = answer.map_err(|error| failed(uri, &error))?.into_rendered().structured;
    let contents = json!({"uri": uri, "mimeType": JSON, "text": structured.to_string()});
    from_json::<ReadResourceResult>(json!({"resultType": "complete", "contents": [contents]})).map(Into::into)
}

/// Which tool answers, and what it is asked.
fn question(uri: &str) -> Result<(&'static str, Map<String, Value>), ErrorData> {
    if uri == CLUSTERS {
        return Ok(("clusters_list", arguments(json!({"limit": MAX_LIMIT, "maxBytes": MAX_MAX_BYTES}))));
    }
    let identity: ObjectUri = uri.parse().map_err(|error| {
        ErrorData::resource_not_found(
            format!("there is no such resource: {error}"),
            Some(json!({"uri": uri})),
        )
    })?;
    if identity.name.is_some() {
        return Ok(("resources_get", arguments(json!({"name": uri, "maxBytes": MAX_MAX_BYTES}))));
    }
    let asked = json!({
        "cluster": identity.cluster, "namespace": identity.namespace, "kind": identity.kind.to_string(),
        "limit": MAX_LIMIT, "maxBytes": MAX_MAX_BYTES,
    });
    Ok(("resources_list", arguments(asked)))
}

fn arguments(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(arguments) => arguments,
        _ => Map::new(),
    }
}

fn failed(uri: &str, error: &CallError) -> ErrorData {
    let mut data = serde_json::to_value(error).unwrap_or_default();
    data["uri"] = uri.into();
    let message = data["message"].as_str().unwrap_or_default().to_owned();
    match error.code {
        ErrorCode::NotFound => ErrorData::resource_not_found(message, Some(data)),
        ErrorCode::InvalidArgument => ErrorData::invalid_params(message, Some(data)),
        _ => ErrorData::internal_error(message, Some(data)),
    }
}

fn from_json<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_what_a_tool_answers() {
        assert!(list().is_ok() && templates().is_ok());
        for (uri, tool, asked) in [
            ("fleet://clusters", "clusters_list", json!({"limit": 1_000})),
            (
                "k8s://eu/shop/apps/deployments/cart",
                "resources_get",
                json!({"name": "k8s://eu/shop/apps/deployments/cart"}),
            ),
            (
                "k8s://eu/-/core/nodes",
                "resources_list",
                json!({"cluster": "eu", "namespace": null, "kind": "nodes", "limit": 1_000}),
            ),
        ] {
            let (answering, arguments) = question(uri).unwrap();
            let mut asked = asked;
            asked["maxBytes"] = json!(MAX_MAX_BYTES);
            assert_eq!((answering, Value::Object(arguments)), (tool, asked), "{uri}");
        }
        let error = question("fleet://problems").unwrap_err();
        assert!(error.message.contains("k8s://CLUSTER/NAMESPACE"), "{}", error.message);
    }
}
