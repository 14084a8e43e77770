//! The tools: one registry that feeds MCP, the command line and the documentation. A tool is one file that says its
//! schema, its plan and its rendering.

use serde_json::Value;

use crate::error::CallError;
use crate::merge::Merged;
use crate::render::{RenderContext, Rendered};
use crate::request::Request;
use crate::resolve::{Arguments, Scope};

/// One tool.
pub struct Tool {
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    pub annotations: Annotations,
    pub input_schema: Value,
    pub(crate) plan: fn(&Arguments, &Scope<'_>) -> Result<Request, CallError>,
    /// From the merged answers to the reply.
    pub(crate) render: fn(&Request, Merged, &RenderContext<'_>) -> Result<Rendered, CallError>,
}

/// MCP's hints about a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Annotations {
    pub read_only: bool,
    pub destructive: bool,
    pub idempotent: bool,
    pub open_world: bool,
}

/// All tools, in the order in which they are listed.
pub struct Registry {
    tools: Vec<Tool>,
}

/// The registry, built once.
pub fn registry() -> &'static Registry {
    unimplemented!()
}

/// What the server says of itself in `initialize`: how arguments and answers work, once for all tools.
pub fn instructions() -> &'static str {
    unimplemented!()
}

impl Registry {
    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    pub fn get(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.name == name)
    }
}

impl Tool {
    /// As `tools/list` sends it: name, title, description, inputSchema, annotations.
    pub fn descriptor(&self) -> Value {
        unimplemented!()
    }

    /// # Errors
    /// See [`GetMerge::into_page`](crate::merge::GetMerge::into_page); rendering itself does not fail.
    pub fn render(
        &self,
        request: &Request,
        merged: Merged,
        context: &RenderContext<'_>,
    ) -> Result<Rendered, CallError> {
        (self.render)(request, merged, context)
    }
}
