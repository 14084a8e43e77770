//! `resource_explain`: the fields of a kind.

use serde_json::json;

use crate::error::CallError;
use crate::limits::MAX_EXPLAINED_DEPTH;
use crate::merge::{Answered, Merged};
use crate::policy::Annotations;
use crate::render::{RenderContext, Rendered};
use crate::resolve::{self, Schema};

use super::schema::{bounds, strict, text};
use super::{Class, Tool, mismatch};

pub(super) fn tool() -> Tool {
    let depth = json!({ "type": "integer", "minimum": 1, "maximum": MAX_EXPLAINED_DEPTH });
    let arguments =
        [vec![("cluster", text()), ("kind", text()), ("path", text()), ("depth", depth)], bounds()];
    Tool {
        name: "resource_explain",
        title: "Explain kind",
        description: "Fields of a kind. For kinds take api_resources_list.",
        annotations: Annotations::READ,
        class: Class::Live,
        schema: Schema::new(strict(arguments, &["kind"])),
        plan: resolve::explain,
        render,
    }
}

fn render(merged: Merged<'_>, context: &RenderContext<'_>) -> Result<Rendered, CallError> {
    match merged.into_answered() {
        Answered::Explain(query, answer) => Ok(crate::render::explain(query, &answer, context)),
        _ => Err(mismatch()),
    }
}
