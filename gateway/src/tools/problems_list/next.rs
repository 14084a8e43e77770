//! The call that says more of a problem, ready to be made.

use serde_json::{Map, Value, json};

use super::columns::named;
use crate::escape::escaped;
use crate::merge::FleetProblem;
use crate::request::ProblemsQuery;
use crate::tools::catalogue;

/// For problems of which their agent names no tool that this gateway has: the first of these that it has.
const USUAL: [&str; 2] = ["resources_describe", "resources_get"];

/// For the first example, where the problem is gravest.
pub(super) fn call(query: &ProblemsQuery, problem: &FleetProblem<'_>) -> Value {
    let (leg, first) = problem.first();
    let object = first.examples.first().unwrap_or(&first.subject);
    let known = |tool: &str| catalogue().get(tool);
    let told = first.next.as_ref().filter(|next| known(&next.tool).is_some());
    let usual = || USUAL.into_iter().find(|tool| known(tool).is_some()).unwrap_or_default();
    let tool = told.map_or_else(usual, |next| next.tool.as_str());
    let mut arguments = Map::new();
    if let Some(target) = query.targets.get(leg.0) {
        arguments.insert("cluster".to_owned(), target.cluster.id.as_str().into());
    }
    if let Some(namespace) = &object.namespace {
        arguments.insert("namespace".to_owned(), namespace.as_str().into());
    }
    let own = told.map(|next| next.arguments.clone()).unwrap_or_default();
    if !own.contains_key("kind") && !own.contains_key("name") {
        arguments.insert("name".to_owned(), named(object).into());
    }
    arguments.extend(own);
    escaped(json!({ "tool": tool, "arguments": arguments }))
}
