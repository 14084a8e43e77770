//! `pods_list`: pods, by far the commonest question, without having to name the kind.

use kubeplex_proto::kind::{GroupResource, Scope as KindScope};

use crate::error::CallError;
use crate::policy::Annotations;
use crate::request::Request;
use crate::resolve::{self, Arguments, AskedKind, ListQuestion, ResolvedKind, Schema, Scope};

use super::schema::{clusters, listing, selectors, strict, text};
use super::{Class, Tool, render_list};

const NAME: &str = "pods_list";

pub(super) fn tool() -> Tool {
    let arguments = [clusters(text()), vec![("namespace", text())], selectors(), listing(text(), text())];
    Tool {
        name: NAME,
        title: "List pods",
        description: "Pods of all clusters. For other kinds take resources_list.",
        annotations: Annotations::READ,
        class: Class::Cached,
        schema: Schema::new(strict(arguments, &[])),
        plan,
        render: render_list,
    }
}

/// Pods need no looking up.
fn plan(arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    let kind = ResolvedKind {
        id: GroupResource::new("", "pods"),
        kind: "Pod".to_owned(),
        version: None,
        scope: Some(KindScope::Namespaced),
    };
    resolve::list(ListQuestion { tool: NAME, kind: AskedKind::Known(kind) }, arguments, scope)
}
