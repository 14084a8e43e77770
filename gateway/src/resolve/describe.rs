//! What `resources_describe` asks.

use kubeplex_proto::call::Freshness;

use super::options::options;
use super::plan::{by_name, targets};
use super::{Arguments, Scope, Understood};
use crate::error::CallError;
use crate::request::{CallOptions, Request, SheetsQuery};

/// Everything about objects by name, or about one by its identity.
///
/// # Errors
/// Whatever is wrong with the arguments.
pub(crate) fn describe(arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    let named = by_name(arguments, scope)?;
    let logs = arguments.flag("logs");
    // Of all that a description tells, logs alone are read live: with them it is charged so.
    let freshness = if logs { Freshness::Live } else { Freshness::Cache };
    Ok(Request::Sheets(SheetsQuery {
        targets: targets(named.clusters, None),
        kind: named.kind.id,
        scope: named.kind.scope,
        version: named.kind.version,
        namespaces: named.namespaces,
        names: named.names,
        logs,
        options: CallOptions { freshness, ..options(arguments) },
        understood: Understood(()),
    }))
}
