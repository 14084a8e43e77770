//! `events_list`: what happened to objects, as the cluster's own components tell it.

use crate::error::CallError;
use crate::policy::Annotations;
use crate::request::Request;
use crate::resolve::{self, Arguments, Schema, Scope};

use super::schema::{clusters, listing, selectors, strict, text, times};
use super::{Class, Tool, render_list};

const NAME: &str = "events_list";

pub(super) fn tool() -> Tool {
    let objects = vec![("namespace", text()), ("kind", text()), ("name", text())];
    let arguments = [clusters(text()), objects, selectors(), times(), listing(text(), text())];
    Tool {
        name: NAME,
        title: "List events",
        description: "Events folded by reason and object, newest first. For objects take resources_list.",
        annotations: Annotations::READ,
        class: Class::Cached,
        schema: Schema::new(strict(arguments, &[])),
        plan,
        render: render_list,
    }
}

fn plan(arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    resolve::events(NAME, arguments, scope)
}
