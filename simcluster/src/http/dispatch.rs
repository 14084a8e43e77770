//! Identify, authorise, find the resource, and hand over to the verb.

use bytes::Bytes;
use http::header;
use http::request::Parts;

use super::accept;
use super::reply::Reply;
use super::route::{ResourcePath, Route, Target};
use super::{discovery, list, review, watch, write};
use crate::catalog::{Origin, Resource};
use crate::cluster::Shared;
use crate::config::MetricsApi;
use crate::faults::Verb;
use crate::metrics;
use crate::policy::{Attributes, User, authenticated};
use crate::status::ApiError;

pub(crate) async fn dispatch(
    shared: &std::sync::Arc<Shared>,
    route: &Route,
    parts: &Parts,
    body: Bytes,
) -> Result<Reply, ApiError> {
    let caller = identify(shared, parts)?;
    let Target::Resource(path) = &route.target else {
        return discovery::answer(shared, &caller, parts);
    };
    if !review::is_open_to_all(path) {
        authorize(shared, &caller, path, route)?;
    }
    if path.group == metrics::GROUP && shared.metrics_api() == MetricsApi::Failing {
        return Ok(Reply::bytes(503, "text/plain; charset=utf-8", "service unavailable\n"));
    }
    let catalog = shared.catalog();
    let resource =
        catalog.find(&path.group, &path.version, &path.plural).ok_or_else(ApiError::no_such_path)?.clone();
    check_shape(&resource, path, route.call.verb)?;
    if let Some(review) = review::Review::of(path) {
        return review::answer(shared, review, &caller, &body);
    }
    let form = accept::negotiate(&parts.headers)?;
    match route.call.verb {
        Verb::List if resource.origin == Origin::Aggregated => {
            metrics::list(shared, &resource, &path.namespace)
        }
        Verb::Get if resource.origin == Origin::Aggregated => {
            metrics::get(shared, &resource, &path.namespace, &path.name)
        }
        Verb::List => list::list(shared, &resource, route, form),
        Verb::Watch => watch::watch(shared, &resource, route, form),
        Verb::Get => list::get(shared, &resource, route, path, form),
        _ => write::write(shared, &resource, route, path, parts, &body),
    }
}

/// The caller by bearer token, or whom it impersonates.
fn identify(shared: &Shared, parts: &Parts) -> Result<User, ApiError> {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let token = header(header::AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
    let policy = shared.policy();
    let caller = policy.authenticate(token).ok_or_else(ApiError::unauthorized)?;
    let Some(name) = header("impersonate-user") else { return Ok(caller) };
    let groups: Vec<&str> =
        parts.headers.get_all("impersonate-group").iter().filter_map(|value| value.to_str().ok()).collect();
    let wanted = std::iter::once(("users", name)).chain(groups.iter().map(|group| ("groups", *group)));
    for (resource, name) in wanted {
        let asked = Attributes { verb: "impersonate", resource, name, ..Attributes::default() };
        if !policy.allows(&caller, &asked) {
            let kind = crate::names::GroupResource::new("", resource);
            return Err(ApiError::forbidden(&kind, name, &sentence(&caller, &asked)));
        }
    }
    Ok(authenticated(User::new(name, &groups)))
}

fn authorize(shared: &Shared, caller: &User, path: &ResourcePath, route: &Route) -> Result<(), ApiError> {
    let name = match path.name.as_str() {
        "" => route.selected_name().unwrap_or_default(),
        name => name,
    };
    let asked = Attributes {
        verb: route.call.verb.as_str(),
        group: &path.group,
        resource: &path.plural,
        subresource: &path.subresource,
        namespace: &path.namespace,
        name,
    };
    if shared.policy().allows(caller, &asked) {
        return Ok(());
    }
    let kind = crate::names::GroupResource::new(&*path.group, &*path.plural);
    Err(ApiError::forbidden(&kind, name, &sentence(caller, &asked)))
}

fn sentence(caller: &User, asked: &Attributes<'_>) -> String {
    let resource = match asked.subresource {
        "" => asked.resource.to_owned(),
        subresource => format!("{}/{subresource}", asked.resource),
    };
    let place = match asked.namespace {
        "" => "at the cluster scope".to_owned(),
        namespace => format!("in the namespace \"{namespace}\""),
    };
    let (user, verb, group) = (&caller.name, asked.verb, asked.group);
    format!("User \"{user}\" cannot {verb} resource \"{resource}\" in API group \"{group}\" {place}")
}

/// A path that does not fit the resource does not exist; a verb that the resource lacks is not allowed.
fn check_shape(resource: &Resource, path: &ResourcePath, verb: Verb) -> Result<(), ApiError> {
    let is_across_namespaces = path.namespace.is_empty();
    let needs_namespace = !path.name.is_empty() || verb == Verb::Create || verb == Verb::DeleteCollection;
    if resource.is_namespaced() && is_across_namespaces && needs_namespace {
        return Err(ApiError::no_such_path());
    }
    if !resource.is_namespaced() && !is_across_namespaces {
        return Err(ApiError::no_such_path());
    }
    if !path.subresource.is_empty() {
        let known = resource.subresources.contains(&path.subresource);
        return if known { Ok(()) } else { Err(ApiError::no_such_path()) };
    }
    let allowed = resource.verbs.names().contains(&verb.as_str());
    if allowed { Ok(()) } else { Err(ApiError::method_not_allowed()) }
}
