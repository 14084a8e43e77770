//! `pods_log`: what pods wrote, over replicas, containers and clusters.

use serde_json::json;

use crate::error::CallError;
use crate::limits::{MAX_CONTEXT_LINES, MAX_FOLLOW_S, MAX_TAIL};
use crate::merge::{Answered, Merged};
use crate::policy::Annotations;
use crate::render::{RenderContext, Rendered};
use crate::resolve::{self, Schema};

use super::schema::{bounds, clusters, strict, switch, text, times};
use super::{Class, Tool, mismatch};

pub(super) fn tool() -> Tool {
    let integer = |least: u32, most: u32| json!({ "type": "integer", "minimum": least, "maximum": most });
    let arguments = [
        clusters(text()),
        vec![("namespace", text()), ("kind", text()), ("name", text()), ("labelSelector", text())],
        vec![
            ("container", text()),
            ("tail", integer(1, MAX_TAIL)),
            ("previous", switch()),
            ("grep", text()),
            ("contextLines", integer(0, MAX_CONTEXT_LINES)),
            ("followSeconds", integer(1, MAX_FOLLOW_S as u32)),
            ("patterns", switch()),
        ],
        times(),
        bounds(),
    ];
    Tool {
        name: "pods_log",
        title: "Read logs",
        description: "Logs of pods or workloads, merged by time. For causes take problems_list.",
        annotations: Annotations::READ,
        class: Class::Live,
        schema: Schema::new(strict(arguments, &[])),
        plan: resolve::logs,
        render,
    }
}

fn render(merged: Merged<'_>, context: &RenderContext<'_>) -> Result<Rendered, CallError> {
    match merged.into_answered() {
        Answered::Logs(query, page) => Ok(crate::render::logs(query, &page, context)),
        _ => Err(mismatch()),
    }
}
