//! Which objects a question about several kinds is about.

use std::sync::Arc;

use kubeplex_proto::pattern::Pattern;

use crate::error::CallError;
use crate::fleet::ClusterView;

use super::kinds::{self, ResolvedKind};
use super::plan::{kind_and_name, namespaces};
use super::{Arguments, Scope, lists};

/// Objects that are meant, of any kind where none is named.
pub(super) struct Meant {
    pub(super) kind: Option<ResolvedKind>,
    pub(super) namespaces: Vec<Pattern>,
    pub(super) names: Vec<Pattern>,
}

/// # Errors
/// Whatever is wrong with kind, name and namespace.
pub(super) fn meant(
    arguments: &Arguments,
    scope: &Scope<'_>,
    clusters: &[Arc<ClusterView>],
) -> Result<Meant, CallError> {
    let find = |text: &str| kinds::find(text, scope, clusters);
    let (kind, name) = kind_and_name(arguments.text("kind"), arguments.text("name"), find)?;
    let namespaces = match &kind {
        Some(kind) => namespaces(arguments, kind)?,
        None => lists::name_patterns("namespace", arguments.text("namespace"))?,
    };
    Ok(Meant { kind, namespaces, names: lists::name_patterns("name", name)? })
}
