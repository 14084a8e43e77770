//! What `problems_list` asks: of which objects, how severe, and seen when.

use kubeplex_proto::problems::ProblemSeverity;

use crate::error::CallError;
use crate::request::{ProblemsQuery, Request};

use super::meant::{Meant, meant};
use super::plan::{OwnColumns, options, own_page, some_clusters, targets};
use super::times;
use super::{Arguments, Scope, Understood};

/// A page of problems.
///
/// # Errors
/// Whatever is wrong with the arguments.
pub(crate) fn problems(
    tool: &str,
    arguments: &Arguments,
    scope: &Scope<'_>,
    columns: &OwnColumns<'_>,
) -> Result<Request, CallError> {
    let clusters = some_clusters(arguments, scope)?;
    let Meant { kind, namespaces, names } = meant(arguments, scope, &clusters)?;
    let (since, until) = times::either(arguments, || scope.time.ms())?;
    let severity = match arguments.text("severity") {
        Some("critical") => ProblemSeverity::Critical,
        Some("warning") => ProblemSeverity::Warning,
        _ => ProblemSeverity::Info,
    };
    let id = kind.as_ref().map(|kind| kind.id.clone());
    let asked = (tool, &id, &namespaces, &names, (since, until), severity);
    let page = own_page(&asked, &clusters, columns, arguments, scope)?;
    Ok(Request::Problems(ProblemsQuery {
        targets: targets(clusters, page.resume.as_ref()),
        kind: id,
        scope: kind.and_then(|kind| kind.scope),
        namespaces,
        names,
        since,
        until,
        severity,
        page,
        options: options(arguments),
        understood: Understood(()),
    }))
}
