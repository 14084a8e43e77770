//! How clusters are.

use crate::error::CallError;
use crate::request::{HealthQuery, Request};

use super::plan::{options, some_clusters, targets};
use super::{Arguments, Scope, Understood};

/// # Errors
/// Whatever is wrong with the arguments.
pub(crate) fn health(arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    let clusters = some_clusters(arguments, scope)?;
    Ok(Request::Health(HealthQuery {
        targets: targets(clusters, None),
        options: options(arguments),
        understood: Understood(()),
    }))
}
