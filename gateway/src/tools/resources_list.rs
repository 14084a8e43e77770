//! `resources_list`: any kind, custom resources with their own columns.

use crate::error::CallError;
use crate::merge::Merged;
use crate::render::{RenderContext, Rendered};
use crate::request::Request;
use crate::resolve::{self, Arguments, ListQuestion, Schema, Scope};

use super::schema::{limit, max_bytes, output, phrased, strict, text, timeout};
use super::{Annotations, Tool, mismatch};

const NAME: &str = "resources_list";

pub(super) fn tool() -> Tool {
    let arguments = [
        ("cluster", phrased("name, comma list or glob (prod-*); default all")),
        ("clusterSelector", text()),
        ("namespace", text()),
        ("kind", text()),
        ("labelSelector", text()),
        ("fieldSelector", text()),
        ("fields", text()),
        ("sortBy", text()),
        limit(),
        ("continue", phrased("cursor of the page before")),
        max_bytes(),
        timeout(),
        output(),
    ];
    Tool {
        name: NAME,
        title: "List resources",
        description: "Objects of any kind, CRDs too, of all clusters in one table. For whole objects take resources_get.",
        annotations: Annotations::READ,
        schema: Schema::new(strict(&arguments, &["kind"])),
        plan,
        render,
    }
}

fn plan(arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    let kind = resolve::kind_of(arguments.text("kind").unwrap_or_default(), scope)?;
    resolve::list(ListQuestion { tool: NAME, kind }, arguments, scope)
}

fn render(request: &Request, merged: Merged, context: &RenderContext<'_>) -> Result<Rendered, CallError> {
    match (request, merged) {
        (Request::List(query), Merged::List(page)) => Ok(crate::render::list(query, &page, context)),
        _ => Err(mismatch()),
    }
}
