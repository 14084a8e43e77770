//! GET of one object and LIST: selection, paging, and what a resource version means there.

use std::sync::Arc;

use serde_json::{Value, json};

use super::accept::Form;
use super::cursor::Cursor;
use super::query::Query;
use super::render::{Include, ListMeta, Renderer};
use super::reply::Reply;
use super::route::{ResourcePath, Route};
use crate::catalog::Resource;
use crate::cluster::Shared;
use crate::config::WatchList;
use crate::json::{int, text};
use crate::names::ObjectKey;
use crate::select::{FieldSelector, LabelSelector, Selection};
use crate::status::ApiError;
use crate::store::{ListError, Object, Page, Scope};

/// Reads one object or a subresource of it.
///
/// # Errors
/// 404 where there is none.
pub(crate) fn get(
    shared: &Arc<Shared>,
    resource: &Arc<Resource>,
    route: &Route,
    path: &ResourcePath,
    form: Form,
) -> Result<Reply, ApiError> {
    let kind = resource.group_resource();
    let object = shared.store.get(&kind, &ObjectKey::new(&path.namespace, &path.name));
    let object = object.ok_or_else(|| ApiError::not_found(&kind, &path.name))?;
    match &*path.subresource {
        "" | "status" => {
            let renderer = renderer(shared, resource, &route.query, form)?;
            Ok(Reply::bytes(200, "application/json", renderer.object(&object)))
        }
        "scale" => Ok(Reply::json(200, &scale(&object.value()))),
        "log" => crate::logs::read(shared, &object.value(), &route.query),
        _ => Err(ApiError::method_not_allowed()),
    }
}

/// Lists.
///
/// # Errors
/// As the server's: bad selectors and options (400, 422), expired revisions and tokens (410), revisions of the future (504).
pub(crate) fn list(
    shared: &Shared,
    resource: &Arc<Resource>,
    route: &Route,
    form: Form,
) -> Result<Reply, ApiError> {
    let query = &route.query;
    check_options(query)?;
    let selection = selection(resource, query, &route.call.namespace)?;
    let renderer = renderer(shared, resource, query, form)?;
    let plan = Plan::read(query)?;
    if plan.is_consistent(query) && shared.watch_list() == WatchList::Supported {
        shared.store.note_progress(&resource.group_resource());
    }
    let (page, scanned_all) = read(shared, resource, &selection, &plan)?;
    let continues = page.remaining > 0;
    let last_key = page.objects.last().map_or("", |object| object.key().as_str());
    let token =
        continues.then(|| Cursor::new(plan.token_revision(page.revision), last_key, plan.page + 1).encode());
    // With a selector the server does not know how many of the rest match.
    let remaining = (continues && scanned_all).then_some(page.remaining);
    let meta = ListMeta { revision: page.revision, continue_token: token, remaining };
    Ok(Reply::bytes(200, "application/json", renderer.list(&page.objects, &meta)))
}

/// What the query says about which objects.
///
/// # Errors
/// 400 for what is no selector.
pub(crate) fn selection(resource: &Resource, query: &Query, namespace: &str) -> Result<Selection, ApiError> {
    let labels = LabelSelector::parse(query.get("labelSelector"));
    let fields = FieldSelector::parse(query.get("fieldSelector"), resource);
    Ok(Selection {
        namespace: namespace.to_owned(),
        labels: labels.map_err(|error| ApiError::bad_request(error.to_string()))?,
        fields: fields.map_err(|error| ApiError::bad_request(error.to_string()))?,
    })
}

/// The renderer that form and `includeObject` ask for.
///
/// # Errors
/// 400 for an unknown `includeObject`.
pub(crate) fn renderer(
    shared: &Shared,
    resource: &Arc<Resource>,
    query: &Query,
    form: Form,
) -> Result<Renderer, ApiError> {
    let asked = query.get("includeObject");
    let include = Include::parse(asked).ok_or_else(|| {
        ApiError::bad_request(format!("Unable to convert to Table as requested: includeObject: Invalid value: \"{asked}\": must be 'Metadata', 'Object', 'None', or empty"))
    })?;
    Ok(Renderer::new(resource.clone(), form, include, shared.clock().clone()))
}

/// A resource version as a number; nothing where it is not given.
///
/// # Errors
/// 400 where it is not a number.
pub(crate) fn revision_of(query: &Query) -> Result<Option<u64>, ApiError> {
    match query.get("resourceVersion") {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| {
            ApiError::bad_request(format!(
                "resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax"
            ))
        }),
    }
}

/// Refusals of `ListOptions`, as the server validates them.
fn check_options(query: &Query) -> Result<(), ApiError> {
    let mut causes = Vec::new();
    let mut forbid = |field: &str, why: &str| {
        causes.push((field.to_owned(), "FieldValueForbidden", format!("Forbidden: {why}")));
    };
    let (version, how) = (query.get("resourceVersion"), query.get("resourceVersionMatch"));
    if !how.is_empty() {
        if version.is_empty() {
            forbid(
                "resourceVersionMatch",
                "resourceVersionMatch is forbidden unless resourceVersion is provided",
            );
        }
        if query.has("continue") {
            forbid("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
        }
        if how == "Exact" && version == "0" {
            forbid(
                "resourceVersionMatch",
                "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
            );
        }
    }
    if query.has("sendInitialEvents") {
        forbid("sendInitialEvents", "sendInitialEvents is forbidden for list");
    }
    if !matches!(how, "" | "Exact" | "NotOlderThan") {
        let why =
            format!("Unsupported value: \"{how}\": supported values: \"Exact\", \"NotOlderThan\", \"\"");
        causes.push(("resourceVersionMatch".to_owned(), "FieldValueNotSupported", why));
    }
    if causes.is_empty() { Ok(()) } else { Err(ApiError::invalid("meta.k8s.io", "ListOptions", "", &causes)) }
}

/// How a list is read.
#[derive(Debug)]
struct Plan {
    /// The revision to show; nothing for now.
    revision: Option<u64>,
    /// The oldest revision the caller puts up with.
    not_older_than: u64,
    limit: Option<usize>,
    cursor: Option<Cursor>,
    page: u32,
}

impl Plan {
    fn read(query: &Query) -> Result<Self, ApiError> {
        let limit = query.number("limit")?.filter(|limit| *limit > 0).map(|limit| limit as usize);
        let asked = revision_of(query)?;
        if query.get("continue").is_empty() {
            let is_exact = match query.get("resourceVersionMatch") {
                "Exact" => true,
                // A limit with a revision and nothing else means exactly that revision, for the sake of old clients.
                "" => limit.is_some() && asked.is_some_and(|revision| revision > 0),
                _ => false,
            };
            return Ok(Self {
                revision: asked.filter(|_| is_exact),
                not_older_than: asked.unwrap_or(0),
                // "Any" version is served from the server's own cache, which does not page.
                limit: limit.filter(|_| asked != Some(0)),
                cursor: None,
                page: 1,
            });
        }
        if asked.is_some_and(|revision| revision > 0) {
            return Err(ApiError::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        let cursor = Cursor::decode(query.get("continue"))?;
        Ok(Self {
            revision: cursor.revision(),
            not_older_than: 0,
            limit,
            page: cursor.page(),
            cursor: Some(cursor),
        })
    }

    /// Whether the server must know the newest state to answer. Servers with streamed lists find that out for their cache;
    /// older ones ask their storage for the list itself, and their cache learns nothing.
    fn is_consistent(&self, query: &Query) -> bool {
        self.cursor.is_none() && query.get("resourceVersion").is_empty()
    }

    /// A list that went on inconsistently is consistent from there.
    fn token_revision(&self, shown: u64) -> u64 {
        self.revision.unwrap_or(shown)
    }

    fn expired(&self) -> ApiError {
        match &self.cursor {
            Some(cursor) => ApiError::continue_expired(cursor.inconsistent().encode()),
            None => ApiError::list_too_old(),
        }
    }
}

/// The page, and whether its count of what remains is exact.
fn read(
    shared: &Shared,
    resource: &Resource,
    selection: &Selection,
    plan: &Plan,
) -> Result<(Page, bool), ApiError> {
    let current = shared.store.revision();
    if plan.not_older_than > current {
        return Err(ApiError::future_version(plan.not_older_than, current));
    }
    let is_filtered = selection.needs_content();
    let scope = Scope {
        namespace: &selection.namespace,
        after: plan.cursor.as_ref().map(Cursor::after),
        limit: if is_filtered { None } else { plan.limit },
        revision: plan.revision,
    };
    let page = shared.store.list(&resource.group_resource(), scope).map_err(|error| match error {
        ListError::Expired => plan.expired(),
        ListError::Future { current } => ApiError::future_version(plan.revision.unwrap_or(0), current),
    })?;
    if !is_filtered {
        return Ok((page, true));
    }
    Ok((filtered(page, selection, plan.limit), false))
}

fn filtered(page: Page, selection: &Selection, limit: Option<usize>) -> Page {
    let wanted = limit.unwrap_or(usize::MAX);
    // One more than wanted tells whether there is a next page.
    let mut objects: Vec<Arc<Object>> = page
        .objects
        .into_iter()
        .filter(|object| selection.fields.name().is_none_or(|name| name == object.key().name()))
        .filter(|object| selection.matches(&object.value()))
        .take(wanted.saturating_add(1))
        .collect();
    let remaining = objects.len().saturating_sub(wanted);
    objects.truncate(wanted);
    Page { objects, revision: page.revision, remaining }
}

/// The scale of a workload.
fn scale(object: &Value) -> Value {
    let labels = object.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let selector =
        labels.into_iter().flatten().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or("")));
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": text(object, "/metadata/name"), "namespace": text(object, "/metadata/namespace"),
            "uid": text(object, "/metadata/uid"), "resourceVersion": text(object, "/metadata/resourceVersion"),
            "creationTimestamp": text(object, "/metadata/creationTimestamp"),
        },
        "spec": {"replicas": int(object, "/spec/replicas")},
        "status": {"replicas": int(object, "/status/replicas"), "selector": selector.collect::<Vec<_>>().join(",")},
    })
}
