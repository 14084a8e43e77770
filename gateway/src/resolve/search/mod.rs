//! What `fleet_search` asks: a query, parsed once for all clusters.

mod query;
mod scanner;

use std::sync::Arc;

use kubeplex_proto::call::Freshness;
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::nearest::nearest;
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::search::{Condition, Search, Term};
use kubeplex_proto::sort::Direction;

use crate::error::{CallError, ErrorCode};
use crate::fleet::ClusterView;
use crate::request::{Field, Order, OrderTerm, Request};

use super::guard::short;
use super::kinds::{self, ResolvedKind};
use super::plan::{Rows, options, rows, some_clusters};
use super::{Arguments, Scope, lists};

use query::Named;
use scanner::wrong;

/// The column that says where a row matches; an order by it begins with the best.
const MATCH: &str = "match";
/// The column without which no row of a search can be found again.
const KIND: &str = "kind";

/// A page of what matches.
///
/// # Errors
/// Whatever is wrong with the arguments; of the query, with the column of the mistake.
pub(crate) fn search(tool: &str, arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    if options(arguments).freshness == Freshness::Live {
        return Err(CallError::invalid(
            "freshness: \"live\" is for one kind, as in resources_list; a search looks through what agents hold of all kinds",
        ));
    }
    let query = query::parse(arguments.text("query").unwrap_or_default())?;
    let clusters = meant(some_clusters(arguments, scope)?, &query.clusters)?;
    let mut terms = query.terms;
    for named in &query.kinds {
        terms.push(kind(named, scope, &clusters)?);
    }
    let namespaces = lists::name_patterns("namespace", arguments.text("namespace"))?;
    let kind = any_kind();
    let search = Some(Search { terms });
    rows(
        Rows { tool, clusters, kind, namespaces, events: None, search, usage: false, usual: best_first() },
        arguments,
        scope,
    )
}

/// Rows of several kinds are told apart by their kind, whatever they are ordered by.
pub(super) fn with_kind(order: Order) -> Order {
    let mut terms = match order {
        Order::Usual => return best_first(),
        Order::By(terms) => terms,
    };
    if terms.iter().all(|term| term.field != Field::Object(KIND.to_owned())) {
        terms.push(ascending(KIND));
    }
    Order::By(terms)
}

fn best_first() -> Order {
    Order::By(vec![ascending(MATCH), ascending(KIND)])
}

fn ascending(column: &str) -> OrderTerm {
    OrderTerm { field: Field::Object(column.to_owned()), direction: Direction::Ascending }
}

/// A search is of no kind: what it says instead is no kind of any cluster.
fn any_kind() -> ResolvedKind {
    ResolvedKind { id: GroupResource::new("", "objects"), kind: String::new(), version: None, scope: None }
}

/// The clusters that the query leaves of those asked for.
fn meant(mut clusters: Vec<Arc<ClusterView>>, named: &[Named]) -> Result<Vec<Arc<ClusterView>>, CallError> {
    for Named { negated, names } in named {
        let patterns: Vec<_> = names.iter().map(|name| Pattern::new(name.text.as_str())).collect();
        let known: Vec<String> = clusters.iter().map(|cluster| cluster.id.to_string()).collect();
        // A glob that leaves nothing out is no mistake.
        let nowhere = |pattern: &Pattern| {
            (!negated || pattern.literal().is_some()) && !known.iter().any(|name| pattern.matches(name))
        };
        if let Some(at) = patterns.iter().position(nowhere) {
            let near = nearest(&names[at].text, known.iter().map(String::as_str));
            let meant = near.first().map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            let text = short(&names[at].text, 60);
            let problem = format!("there is no cluster \"{text}\" among those asked{meant}");
            return Err(CallError { code: ErrorCode::NotFound, ..wrong(names[at].column, &problem) });
        }
        clusters.retain(|cluster| {
            patterns.iter().any(|pattern| pattern.matches(cluster.id.as_str())) != *negated
        });
    }
    if clusters.is_empty() {
        return Err(CallError::new(ErrorCode::NotFound, "query: its cluster terms leave no cluster to ask"));
    }
    Ok(clusters)
}

/// Names as kubectl knows them become the kinds that they mean.
fn kind(named: &Named, scope: &Scope<'_>, clusters: &[Arc<ClusterView>]) -> Result<Term, CallError> {
    let resolved = named.names.iter().map(|name| {
        if name.text.contains('*') {
            return Ok(Pattern::new(name.text.to_lowercase()));
        }
        let found = kinds::find(&name.text, scope, clusters);
        found.map(|kind| Pattern::new(kind.id.to_string())).map_err(|error| {
            let message = format!("query, column {}: {}", name.column, error.message);
            CallError { message, ..error }
        })
    });
    Ok(Term { negated: named.negated, condition: Condition::Kind(resolved.collect::<Result<_, _>>()?) })
}

#[cfg(test)]
mod tests;
