//! `resources_describe`: everything about an object.

use crate::error::CallError;
use crate::merge::{Answered, Merged};
use crate::policy::Annotations;
use crate::render::{RenderContext, Rendered};
use crate::resolve::{self, Schema};

use super::schema::{bounds, clusters, strict, switch, text};
use super::{Class, Tool, mismatch};

pub(super) fn tool() -> Tool {
    let arguments = [
        clusters(text()),
        vec![("namespace", text()), ("kind", text()), ("name", text()), ("logs", switch())],
        bounds(),
    ];
    Tool {
        name: "resources_describe",
        title: "Describe",
        description: "Object with events, owners, problems, changes. For its text take resources_get.",
        annotations: Annotations::READ,
        class: Class::Cached,
        schema: Schema::new(strict(arguments, &["name"])),
        plan: resolve::describe,
        render,
    }
}

fn render(merged: Merged<'_>, context: &RenderContext<'_>) -> Result<Rendered, CallError> {
    match merged.into_answered() {
        Answered::Sheets(query, gathered) => Ok(crate::render::sheets(query, &gathered, context)),
        _ => Err(mismatch()),
    }
}
