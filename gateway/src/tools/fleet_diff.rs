//! `fleet_diff`: how objects that are called alike differ.

use crate::error::CallError;
use crate::merge::{Answered, Merged};
use crate::policy::Annotations;
use crate::render::{RenderContext, Rendered};
use crate::resolve::{self, Schema};

use super::schema::{bounds, clusters, strict, text};
use super::{Class, Tool, mismatch};

pub(super) fn tool() -> Tool {
    let objects = ["namespace", "kind", "name", "labelSelector"].map(|name| (name, text())).to_vec();
    let with = ["baseline", "toNamespace", "manifest", "ignore"].map(|name| (name, text())).to_vec();
    Tool {
        name: "fleet_diff",
        title: "Compare clusters",
        description: "How an object or namespace differs across clusters or from a manifest. For its text take resources_get.",
        annotations: Annotations::READ,
        class: Class::Cached,
        schema: Schema::new(strict([clusters(text()), objects, with, bounds()], &[])),
        plan: resolve::diff,
        render,
    }
}

fn render(merged: Merged<'_>, context: &RenderContext<'_>) -> Result<Rendered, CallError> {
    match merged.into_answered() {
        Answered::Diff(query, page) => Ok(crate::render::diff(query, &page, context)),
        _ => Err(mismatch()),
    }
}
