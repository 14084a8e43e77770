//! `pods_list`: pods, by far the commonest question, without having to name the kind.

use kubeplex_proto::kind::{GroupResource, Scope as KindScope};

use crate::error::CallError;
use crate::merge::Merged;
use crate::render::{RenderContext, Rendered};
use crate::request::Request;
use crate::resolve::{self, Arguments, ListQuestion, ResolvedKind, Schema, Scope};

use super::schema::{limit, max_bytes, output, strict, text, timeout};
use super::{Annotations, Tool, mismatch};

const NAME: &str = "pods_list";

pub(super) fn tool() -> Tool {
    let arguments = [
        ("cluster", text()),
        ("clusterSelector", text()),
        ("namespace", text()),
        ("labelSelector", text()),
        ("fieldSelector", text()),
        ("fields", text()),
        ("sortBy", text()),
        limit(),
        ("continue", text()),
        max_bytes(),
        timeout(),
        output(),
    ];
    Tool {
        name: NAME,
        title: "List pods",
        description: "Pods of all clusters in one table. For other kinds take resources_list.",
        annotations: Annotations::READ,
        schema: Schema::new(strict(&arguments, &[])),
        plan,
        render,
    }
}

/// The kind needs no looking up, so pods can be listed before any cluster has reported its kinds.
fn plan(arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    let kind = ResolvedKind {
        id: GroupResource::new("", "pods"),
        version: None,
        scope: Some(KindScope::Namespaced),
    };
    resolve::list(ListQuestion { tool: NAME, kind }, arguments, scope)
}

fn render(request: &Request, merged: Merged, context: &RenderContext<'_>) -> Result<Rendered, CallError> {
    match (request, merged) {
        (Request::List(query), Merged::List(page)) => Ok(crate::render::list(query, &page, context)),
        _ => Err(mismatch()),
    }
}
