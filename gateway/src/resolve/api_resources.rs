//! What `api_resources_list` asks: which kinds, in which clusters.

use std::sync::Arc;

use kubeplex_proto::pattern::Pattern;

use crate::error::CallError;
use crate::fleet::ClusterView;
use crate::request::{KindsQuery, NamedKind, Request};

use super::kinds;
use super::plan::{OwnColumns, options, own_page, some_clusters, targets};
use super::{Arguments, Scope, Understood, lists};

/// A page of kinds.
///
/// # Errors
/// Whatever is wrong with the arguments; `not_found` for a kind that no cluster has.
pub(crate) fn api_resources(
    tool: &str,
    arguments: &Arguments,
    scope: &Scope<'_>,
    columns: &OwnColumns<'_>,
) -> Result<Request, CallError> {
    let clusters = some_clusters(arguments, scope)?;
    let parts =
        arguments.text("kind").map(|text| lists::split("kind", text)).transpose()?.unwrap_or_default();
    let asked = (tool, &parts);
    let page = own_page(&asked, &clusters, columns, arguments, scope)?;
    let named = |text: &&str| named(text, scope, &clusters);
    let kinds = parts.iter().map(named).collect::<Result<_, _>>()?;
    Ok(Request::Kinds(KindsQuery {
        targets: targets(clusters, None),
        kinds,
        page,
        options: options(arguments),
        understood: Understood(()),
    }))
}

/// All kinds that are called so, whatever their group. What nothing is called may be spelled in another way that kubectl
/// knows, or be an error that names what is near.
fn named(text: &str, scope: &Scope<'_>, clusters: &[Arc<ClusterView>]) -> Result<NamedKind, CallError> {
    let named = NamedKind::Names(Pattern::new(text.to_lowercase()));
    let tables = || scope.fleet.clusters().iter().filter_map(|cluster| cluster.kinds.as_deref());
    if text.contains('*') || tables().any(|table| table.kinds.iter().any(|kind| named.means(kind))) {
        return Ok(named);
    }
    kinds::find(text, scope, clusters).map(|kind| NamedKind::Id(kind.id))
}
