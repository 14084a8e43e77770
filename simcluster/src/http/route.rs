//! From a request's path and query to what it is about.

use http::request::Parts;
use http::{Method, header};

use super::cursor;
use super::query::Query;
use crate::faults::{Call, Verb};

/// What a request asks for.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) call: Call,
    pub(crate) target: Target,
    pub(crate) query: Query,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Version, health, discovery, or nothing that exists.
    Path,
    Resource(ResourcePath),
}

/// The parts of a resource path; what is not in the path is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResourcePath {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) namespace: String,
    pub(crate) plural: String,
    pub(crate) name: String,
    pub(crate) subresource: String,
}

impl Route {
    pub(crate) fn parse(parts: &Parts) -> Self {
        let query = Query::parse(parts.uri.query().unwrap_or(""));
        let path = parts.uri.path();
        let target = parse_path(path).map_or(Target::Path, Target::Resource);
        let user_agent =
            parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("");
        let resource = match &target {
            Target::Path => ResourcePath::default(),
            Target::Resource(resource) => resource.clone(),
        };
        let call = Call {
            verb: verb(&parts.method, &target, &query),
            group: resource.group,
            resource: resource.plural,
            namespace: resource.namespace,
            path: path.to_owned(),
            user_agent: user_agent.to_owned(),
            page: cursor::page(query.get("continue")),
        };
        Self { call, target, query }
    }

    /// The one name that a list, a watch or a deletion of many selects: rights to that name alone are enough for them.
    pub(crate) fn selected_name(&self) -> Option<&str> {
        let of_many = matches!(self.call.verb, Verb::List | Verb::Watch | Verb::DeleteCollection);
        of_many.then(|| self.query.get("fieldSelector").strip_prefix("metadata.name=")).flatten()
    }
}

fn parse_path(path: &str) -> Option<ResourcePath> {
    let parts: Vec<String> =
        path.split('/').filter(|part| !part.is_empty()).map(super::query::decode).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (group, version, rest) = match &*parts {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return None,
    };
    let (namespace, rest) = match rest {
        // `namespaces/x/status` is about the namespace itself.
        ["namespaces", _, "status" | "finalize"] | ["namespaces"] | ["namespaces", _] => ("", rest),
        ["namespaces", namespace, rest @ ..] => (*namespace, rest),
        rest => ("", rest),
    };
    let (plural, name, subresource) = match rest {
        [plural] => (*plural, "", ""),
        [plural, name] => (*plural, *name, ""),
        [plural, name, subresource, ..] => (*plural, *name, *subresource),
        [] => return None,
    };
    let own = str::to_owned;
    Some(ResourcePath {
        group: own(group),
        version: own(version),
        namespace: own(namespace),
        plural: own(plural),
        name: own(name),
        subresource: own(subresource),
    })
}

fn verb(method: &Method, target: &Target, query: &Query) -> Verb {
    let Target::Resource(resource) = target else { return Verb::Discovery };
    let is_collection = resource.name.is_empty();
    match *method {
        Method::POST => Verb::Create,
        Method::PUT => Verb::Update,
        Method::PATCH => Verb::Patch,
        Method::DELETE if is_collection => Verb::DeleteCollection,
        Method::DELETE => Verb::Delete,
        _ if is_collection && query.flag("watch") => Verb::Watch,
        _ if is_collection => Verb::List,
        _ => Verb::Get,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: Method, uri: &str) -> Route {
        let (parts, ()) = http::Request::builder().method(method).uri(uri).body(()).unwrap().into_parts();
        Route::parse(&parts)
    }

    #[test]
    fn paths_are_read_as_the_server_reads_them() {
        let cases = [
            ("/api/v1/pods", ("", "", "pods", "", "")),
            ("/api/v1/namespaces/shop/pods/a/log", ("", "shop", "pods", "a", "log")),
            ("/api/v1/namespaces/shop", ("", "", "namespaces", "shop", "")),
            ("/api/v1/namespaces/shop/status", ("", "", "namespaces", "shop", "status")),
            ("/apis/apps/v1/namespaces/shop/deployments", ("apps", "shop", "deployments", "", "")),
        ];
        for (path, (group, namespace, plural, name, subresource)) in cases {
            let Target::Resource(found) = route(Method::GET, path).target else { panic!("{path}") };
            assert_eq!(
                (&*found.group, &*found.namespace, &*found.plural, &*found.name, &*found.subresource),
                (group, namespace, plural, name, subresource),
                "{path}"
            );
        }
        for path in ["/", "/api", "/api/v1", "/apis/apps/v1", "/version"] {
            assert_eq!(route(Method::GET, path).target, Target::Path, "{path}");
        }
    }

    #[test]
    fn verbs_follow_method_and_query() {
        let cases = [
            (Method::GET, "/api/v1/pods", Verb::List),
            (Method::GET, "/api/v1/pods?watch=true", Verb::Watch),
            (Method::GET, "/api/v1/pods?watch=1", Verb::Watch),
            (Method::GET, "/api/v1/namespaces/a/pods/b?watch=true", Verb::Get),
            (Method::DELETE, "/api/v1/namespaces/a/pods", Verb::DeleteCollection),
            (Method::GET, "/version", Verb::Discovery),
        ];
        for (method, uri, expected) in cases {
            assert_eq!(route(method, uri).call.verb, expected, "{uri}");
        }
    }
}
