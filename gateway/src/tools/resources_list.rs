//! `resources_list`: any kind, custom resources with their own columns.

use crate::error::CallError;
use crate::policy::Annotations;
use crate::request::Request;
use crate::resolve::{self, Arguments, AskedKind, ListQuestion, Schema, Scope};

use super::schema::{clusters, listing, phrased, selectors, strict, text};
use super::{Class, Tool, render_list};

const NAME: &str = "resources_list";

pub(super) fn tool() -> Tool {
    let arguments = [
        clusters(phrased("name, comma list or glob (prod-*); default all")),
        vec![("namespace", text()), ("kind", text())],
        selectors(),
        listing(
            phrased("counts instead of rows: namespace,sum(restarts)"),
            phrased("cursor of the page before"),
        ),
    ];
    Tool {
        name: NAME,
        title: "List resources",
        description: "Objects of any kind, CRDs too, of all clusters. For whole ones take resources_get.",
        annotations: Annotations::READ,
        class: Class::Cached,
        schema: Schema::new(strict(arguments, &["kind"])),
        plan,
        render: render_list,
    }
}

fn plan(arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    let kind = AskedKind::Named(arguments.text("kind").unwrap_or_default());
    resolve::list(ListQuestion { tool: NAME, kind }, arguments, scope)
}
