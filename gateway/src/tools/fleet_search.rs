//! `fleet_search`: what matches, of all kinds and clusters.

use crate::error::CallError;
use crate::policy::Annotations;
use crate::request::Request;
use crate::resolve::{self, Arguments, Schema, Scope};

use super::schema::{clusters, listing, strict, text};
use super::{Class, Tool, render_list};

const NAME: &str = "fleet_search";

pub(super) fn tool() -> Tool {
    let about = vec![("query", text())];
    let arguments = [about, clusters(text()), vec![("namespace", text())], listing(text(), text())];
    Tool {
        name: NAME,
        title: "Search",
        description: "Words and key:value (image:, status:, restarts>5) over all kinds. For a known kind take resources_list.",
        annotations: Annotations::READ,
        class: Class::Cached,
        schema: Schema::new(strict(arguments, &["query"])),
        plan,
        render: render_list,
    }
}

fn plan(arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    resolve::search(NAME, arguments, scope)
}
