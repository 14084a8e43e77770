//! What `top` asks: what pods or nodes use, beside what they asked for.

use kubeplex_proto::kind::{GroupResource, Scope as KindScope};
use kubeplex_proto::sort::Direction;

use crate::error::CallError;
use crate::request::{Field, ListQuery, Order, OrderTerm, Request};

use super::kinds::ResolvedKind;
use super::plan::{Rows, namespaces, rows, some_clusters};
use super::{Arguments, Scope};

/// A page of usage. `check` refuses columns that there are not.
///
/// # Errors
/// Whatever is wrong with the arguments.
pub(crate) fn usage(
    tool: &str,
    arguments: &Arguments,
    scope: &Scope<'_>,
    check: &dyn Fn(&ListQuery) -> Result<(), CallError>,
) -> Result<Request, CallError> {
    let clusters = some_clusters(arguments, scope)?;
    let kind = measured(arguments.text("kind"));
    let namespaces = namespaces(arguments, &kind)?;
    let asked = Rows {
        tool,
        clusters,
        kind,
        namespaces,
        events: None,
        search: None,
        usage: true,
        usual: busiest_first(),
    };
    let request = rows(asked, arguments, scope)?;
    if let Request::List(query) = &request {
        check(query)?;
    }
    Ok(request)
}

/// Every cluster has both.
fn measured(kind: Option<&str>) -> ResolvedKind {
    let (resource, kind, scope) = match kind {
        Some("nodes") => ("nodes", "Node", KindScope::Cluster),
        _ => ("pods", "Pod", KindScope::Namespaced),
    };
    ResolvedKind {
        id: GroupResource::new("", resource),
        kind: kind.to_owned(),
        version: None,
        scope: Some(scope),
    }
}

fn busiest_first() -> Order {
    let field = Field::Object("cpu".to_owned());
    Order::By(vec![OrderTerm { field, direction: Direction::Descending }])
}
