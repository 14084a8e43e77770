//! `resources_get`: one object, or the same object everywhere.

use crate::error::CallError;
use crate::merge::{Answered, Merged};
use crate::policy::Annotations;
use crate::render::{RenderContext, Rendered};
use crate::resolve::{self, Schema};

use super::schema::{bounds, clusters, freshness, strict, text};
use super::{Class, Tool, mismatch};

pub(super) fn tool() -> Tool {
    let arguments = [
        clusters(text()),
        vec![("namespace", text()), ("kind", text()), ("name", text()), ("fields", text()), freshness()],
        bounds(),
    ];
    Tool {
        name: "resources_get",
        title: "Get resources",
        description: "Whole objects by name, equal ones once. For tables take resources_list.",
        annotations: Annotations::READ,
        class: Class::Cached,
        schema: Schema::new(strict(arguments, &["name"])),
        plan: resolve::get,
        render,
    }
}

fn render(merged: Merged<'_>, context: &RenderContext<'_>) -> Result<Rendered, CallError> {
    match merged.into_answered() {
        Answered::Get(query, page) => Ok(crate::render::get(query, page, context)),
        _ => Err(mismatch()),
    }
}
