//! The tools: one catalogue that feeds MCP, the command line and the documentation. A tool is one file that says its
//! schema, its plan and its rendering.
//!
//! Models pay for every word here before their first question, whatever the number of clusters; a test counts them.

mod api_resources_list;
mod changes_list;
mod cluster_health;
mod clusters_list;
mod events_list;
mod fleet_diff;
mod fleet_search;
mod instructions;
mod no_column;
mod pods_list;
mod pods_log;
mod problems_list;
mod resource_explain;
mod resources_describe;
mod resources_get;
mod resources_list;
mod schema;
mod top;

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::error::CallError;
use crate::merge::{Answered, GroupsPage, Merged};
use crate::policy::{Annotations, Deed};
use crate::render::{Groups, Nouns, RenderContext, Rendered};
use crate::request::{ListQuery, Request};
use crate::resolve::{self, Arguments, Schema, Scope};

pub use instructions::instructions;

/// One tool.
pub struct Tool {
    pub name: &'static str,
    pub title: &'static str,
    /// One or two sentences, that also say when to take another tool.
    pub description: &'static str,
    pub annotations: Annotations,
    pub class: Class,
    schema: Schema,
    plan: fn(&Arguments, &Scope<'_>) -> Result<Request, CallError>,
    /// From the merged answers to the reply.
    render: fn(Merged<'_>, &RenderContext<'_>) -> Result<Rendered, CallError>,
}

/// What a call of a tool uses up, for its caller's rates. A closed set: tools that write will have a class of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// What the gateway knows by itself.
    Fleet,
    /// What agents hold; where one does not, or the caller wants it fresh, a call is [`Live`](Self::Live).
    Cached,
    /// What reaches an API server.
    Live,
}

impl Class {
    pub const ALL: [Self; 3] = [Self::Fleet, Self::Cached, Self::Live];

    /// Its place among all.
    pub fn index(self) -> usize {
        self as usize
    }

    /// In messages, and as a label of metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fleet => "fleet",
            Self::Cached => "cached",
            Self::Live => "live",
        }
    }
}

/// All tools, in the order in which they are listed.
pub struct Catalogue {
    tools: Vec<Tool>,
}

/// The catalogue, built once.
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue {
        tools: vec![
            clusters_list::tool(),
            problems_list::tool(),
            cluster_health::tool(),
            fleet_search::tool(),
            fleet_diff::tool(),
            api_resources_list::tool(),
            resource_explain::tool(),
            resources_list::tool(),
            resources_get::tool(),
            resources_describe::tool(),
            pods_list::tool(),
            pods_log::tool(),
            top::tool(),
            events_list::tool(),
            changes_list::tool(),
        ],
    });
    &CATALOGUE
}

impl Catalogue {
    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    pub fn get(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.name == name)
    }
}

impl Tool {
    /// What policy judges.
    pub fn deed(&self) -> Deed {
        Deed { tool: self.name, annotations: self.annotations }
    }

    /// The JSON schema of the arguments.
    pub fn input_schema(&self) -> &Value {
        self.schema.source()
    }

    /// As `tools/list` sends it: name, title, description, inputSchema, annotations.
    pub fn descriptor(&self) -> Value {
        json!({
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": self.input_schema(),
            "annotations": {
                "readOnlyHint": self.annotations.read_only,
                "destructiveHint": self.annotations.destructive,
                "idempotentHint": self.annotations.idempotent,
                "openWorldHint": self.annotations.open_world,
            },
        })
    }

    /// What a call with these arguments asks.
    ///
    /// # Errors
    /// `invalid_argument` naming the argument, its value and what is right; `not_found` for clusters and kinds that are
    /// not there; `unavailable` while no cluster has said which kinds it has.
    pub fn resolve(&self, arguments: &Map<String, Value>, scope: &Scope<'_>) -> Result<Request, CallError> {
        (self.plan)(&resolve::arguments(&self.schema, arguments)?, scope)
    }

    /// # Errors
    /// `internal`, when another tool's request was answered: a defect of the caller.
    pub fn render(&self, merged: Merged<'_>, context: &RenderContext<'_>) -> Result<Rendered, CallError> {
        (self.render)(merged, context)
    }
}

/// The rendering of every tool that lists objects.
fn render_list(merged: Merged<'_>, context: &RenderContext<'_>) -> Result<Rendered, CallError> {
    match merged.into_answered() {
        Answered::List(query, page) => Ok(crate::render::list(query, &page, context)),
        Answered::Groups(query, page) => render_groups(query, page, context),
        _ => Err(mismatch()),
    }
}

fn render_groups(
    query: &ListQuery,
    answer: GroupsPage,
    context: &RenderContext<'_>,
) -> Result<Rendered, CallError> {
    let Some(by) = &query.page.group else { return Err(mismatch()) };
    let nouns = Nouns::of_list(query);
    let GroupsPage { page: groups, coverage, search } = answer;
    let (page, options) = (&query.page, &query.options);
    Ok(Groups { by, page, options, groups, search: search.as_ref(), coverage: &coverage, nouns }
        .render(context))
}

/// Answers to what another tool asks; the stages' types leave only this to check.
fn mismatch() -> CallError {
    CallError::new(
        crate::error::ErrorCode::Internal,
        "the answers are not to what this tool asks; nothing is shown",
    )
}

#[cfg(test)]
mod docs;
#[cfg(test)]
mod tests;
