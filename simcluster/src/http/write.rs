//! Writes: create, replace, patch, delete.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde_json::{Value, json};

use super::list::selection;
use super::reply::Reply;
use super::route::{ResourcePath, Route};
use crate::admission::{Edit, Mode, Part, Preconditions, typed};
use crate::catalog::Resource;
use crate::cluster::Shared;
use crate::faults::Verb;
use crate::json::text;
use crate::names::{GroupResource, ObjectKey};
use crate::status::ApiError;
use crate::store::Scope;

/// Does what the verb says.
///
/// # Errors
/// As the server's.
pub(crate) fn write(
    shared: &Shared,
    resource: &Arc<Resource>,
    route: &Route,
    path: &ResourcePath,
    parts: &Parts,
    body: &Bytes,
) -> Result<Reply, ApiError> {
    let mode = if route.query.get("dryRun") == "All" { Mode::DryRun } else { Mode::Real };
    match route.call.verb {
        Verb::Create if path.subresource == "eviction" => evict(shared, resource, path, mode),
        Verb::Create => create(shared, resource, path, parse(body)?, mode),
        Verb::Update => update(shared, resource, path, parse(body)?, mode),
        Verb::Patch => patch(shared, resource, path, parts, body, mode),
        Verb::Delete => delete(shared, resource, path, body, mode),
        Verb::DeleteCollection => delete_collection(shared, resource, route, mode),
        Verb::Discovery | Verb::Get | Verb::List | Verb::Watch => Err(ApiError::method_not_allowed()),
    }
}

fn parse(body: &Bytes) -> Result<Value, ApiError> {
    let object: Value = serde_json::from_slice(body).map_err(|error| {
        ApiError::bad_request(format!("couldn't get version/kind; json parse error: {error}"))
    })?;
    if object.is_object() { Ok(object) } else { Err(ApiError::bad_request("the body is not a JSON object")) }
}

/// The object must be of the kind that the path is about, if it says a kind.
fn check_kind(resource: &Resource, path: &ResourcePath, object: &Value) -> Result<(), ApiError> {
    let (kind, version) = (text(object, "/kind"), text(object, "/apiVersion"));
    if !kind.is_empty()
        && path.subresource.is_empty()
        && (kind != resource.kind || version != resource.api_version())
    {
        return Err(ApiError::bad_request(format!(
            "{kind} in version \"{version}\" cannot be handled as a {}: no kind \"{kind}\" is registered for this path",
            resource.kind
        )));
    }
    let namespace = text(object, "/metadata/namespace");
    if !namespace.is_empty() && namespace != path.namespace {
        return Err(ApiError::bad_request(format!(
            "the namespace of the provided object does not match the namespace sent on the request ({namespace} != {})",
            path.namespace
        )));
    }
    let name = text(object, "/metadata/name");
    if !path.name.is_empty() && !name.is_empty() && name != path.name {
        return Err(ApiError::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            path.name
        )));
    }
    Ok(())
}

fn create(
    shared: &Shared,
    resource: &Resource,
    path: &ResourcePath,
    mut object: Value,
    mode: Mode,
) -> Result<Reply, ApiError> {
    check_kind(resource, path, &object)?;
    for field in ["uid", "creationTimestamp", "resourceVersion", "generation", "deletionTimestamp"] {
        crate::json::remove(&mut object, &format!("/metadata/{field}"));
    }
    let stored = shared.create(resource, &path.namespace, object, mode)?;
    Ok(Reply::json(201, &stored))
}

fn update(
    shared: &Shared,
    resource: &Resource,
    path: &ResourcePath,
    object: Value,
    mode: Mode,
) -> Result<Reply, ApiError> {
    check_kind(resource, path, &object)?;
    let (edit, part) = match &*path.subresource {
        "scale" => (Edit::Merge(scale_patch(&object)), Part::Main),
        subresource => (Edit::Replace(object), part_of(subresource)),
    };
    let stored = shared.edit(resource, &key(path), &edit, part, mode)?;
    Ok(Reply::json(200, &stored))
}

fn patch(
    shared: &Shared,
    resource: &Resource,
    path: &ResourcePath,
    parts: &Parts,
    body: &Bytes,
    mode: Mode,
) -> Result<Reply, ApiError> {
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media_type = content_type.split(';').next().unwrap_or("").trim();
    let is_apply = media_type == "application/apply-patch+yaml";
    // Lists in a strategic patch replace the old ones here: merging them needs the schema of every kind.
    if !is_apply
        && !matches!(media_type, "application/merge-patch+json" | "application/strategic-merge-patch+json")
    {
        return Err(ApiError::unsupported_media_type(content_type));
    }
    let change = parse(body)?;
    check_kind(resource, path, &change)?;
    let edit = match &*path.subresource {
        "scale" => Edit::Merge(scale_patch(&change)),
        _ => Edit::Merge(change.clone()),
    };
    match shared.edit(resource, &key(path), &edit, part_of(&path.subresource), mode) {
        // Server-side apply creates what is not there.
        Err(error) if error.code == 404 && is_apply && path.subresource.is_empty() => {
            create(shared, resource, path, change, mode)
        }
        stored => Ok(Reply::json(200, &stored?)),
    }
}

fn delete(
    shared: &Shared,
    resource: &Resource,
    path: &ResourcePath,
    body: &Bytes,
    mode: Mode,
) -> Result<Reply, ApiError> {
    let options = if body.is_empty() { Value::Null } else { parse(body)? };
    let preconditions = Preconditions {
        uid: text(&options, "/preconditions/uid").into(),
        resource_version: text(&options, "/preconditions/resourceVersion").into(),
    };
    let last = shared.remove(resource, &key(path), &preconditions, mode)?;
    let is_held = !text(&last, "/metadata/deletionTimestamp").is_empty();
    // Pods, and objects that finalizers hold, are answered with the object; anything else with a Status.
    if is_held || resource.plural == "pods" {
        return Ok(Reply::json(200, &last));
    }
    let mut details =
        json!({"name": path.name, "kind": resource.plural, "uid": text(&last, "/metadata/uid")});
    if !resource.group.is_empty() {
        details["group"] = resource.group.as_str().into();
    }
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
    Ok(Reply::json(200, &status))
}

fn delete_collection(
    shared: &Shared,
    resource: &Resource,
    route: &Route,
    mode: Mode,
) -> Result<Reply, ApiError> {
    let selection = selection(resource, &route.query, &route.call.namespace)?;
    let scope = Scope { namespace: &selection.namespace, ..Scope::default() };
    let page = shared.store.list(&resource.group_resource(), scope);
    let objects = page.map(|page| page.objects).unwrap_or_default();
    let mut deleted = Vec::new();
    for object in objects.iter().filter(|object| selection.matches(&object.value())) {
        match shared.remove(resource, object.key(), &Preconditions::default(), mode) {
            Ok(last) => deleted.push(typed(resource, last)),
            Err(gone) if gone.code == 404 => {}
            Err(error) => return Err(error),
        }
    }
    let list = json!({
        "kind": format!("{}List", resource.kind), "apiVersion": resource.api_version(),
        "metadata": {"resourceVersion": shared.store.revision().to_string()}, "items": deleted,
    });
    Ok(Reply::json(200, &list))
}

fn evict(shared: &Shared, resource: &Resource, path: &ResourcePath, mode: Mode) -> Result<Reply, ApiError> {
    if resource.group_resource() != GroupResource::new("", "pods") {
        return Err(ApiError::no_such_path());
    }
    shared.remove(resource, &key(path), &Preconditions::default(), mode)?;
    let status =
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    Ok(Reply::json(201, &status))
}

fn key(path: &ResourcePath) -> ObjectKey {
    ObjectKey::new(&path.namespace, &path.name)
}

fn part_of(subresource: &str) -> Part {
    if subresource == "status" { Part::Status } else { Part::Main }
}

/// A change of a `Scale` as a change of its workload.
fn scale_patch(scale: &Value) -> Value {
    json!({"spec": {"replicas": scale.pointer("/spec/replicas")}})
}
