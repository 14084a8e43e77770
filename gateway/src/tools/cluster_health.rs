//! `cluster_health`: one verdict a cluster.

use crate::error::CallError;
use crate::merge::{Answered, Merged};
use crate::policy::Annotations;
use crate::render::{RenderContext, Rendered};
use crate::resolve::{self, Schema};

use super::schema::{bounds, clusters, strict, text};
use super::{Class, Tool, mismatch};

pub(super) fn tool() -> Tool {
    Tool {
        name: "cluster_health",
        title: "Cluster health",
        description: "A verdict a cluster, with reasons. For workloads take problems_list.",
        annotations: Annotations::READ,
        class: Class::Cached,
        schema: Schema::new(strict([clusters(text()), bounds()], &[])),
        plan: resolve::health,
        render,
    }
}

fn render(merged: Merged<'_>, context: &RenderContext<'_>) -> Result<Rendered, CallError> {
    match merged.into_answered() {
        Answered::Health(query, gathered, thresholds) => {
            Ok(crate::render::health(query, &gathered, &thresholds, context))
        }
        _ => Err(mismatch()),
    }
}
