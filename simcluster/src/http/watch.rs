//! WATCH: options as the server validates them, the initial state where it is asked for, then changes as they come.

mod session;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::time::Instant;

use super::accept::Form;
use super::list::{renderer, revision_of, selection};
use super::query::Query;
use super::reply::Reply;
use super::route::Route;
use crate::catalog::Resource;
use crate::cluster::Shared;
use crate::config::WatchList;
use crate::status::ApiError;
use session::{Bookmarks, Session, Start};

/// Opens a watch.
///
/// # Errors
/// 422 for options that contradict each other or that an old server lacks, 400 for bad selectors, 504 for revisions of the future.
pub(crate) fn watch(
    shared: &Arc<Shared>,
    resource: &Arc<Resource>,
    route: &Route,
    form: Form,
) -> Result<Reply, ApiError> {
    let query = &route.query;
    check_options(query, shared.watch_list())?;
    let selection = selection(resource, query, &route.call.namespace)?;
    let renderer = renderer(shared, resource, query, form)?;
    let asked = revision_of(query)?;
    let start = start(query, asked);
    let current = shared.store.revision();
    if start == Start::StateThenBookmark && asked.is_some_and(|asked| asked > current) {
        return Err(ApiError::future_version(asked.unwrap_or(0), current));
    }
    let bookmarks = match query.flag("allowWatchBookmarks") {
        true => Bookmarks::Every(shared.config.bookmark_period),
        false => Bookmarks::Never,
    };
    let timeout = query.number("timeoutSeconds")?.filter(|seconds| *seconds > 0).map(Duration::from_secs);
    let deadline = Instant::now() + timeout.unwrap_or(shared.config.watch_timeout);
    let session =
        Session::open(shared, route.call.clone(), resource, selection, renderer, start, bookmarks, deadline);
    let lines = futures::stream::unfold(session, |mut session| async move {
        let line = session.next().await?;
        Some((line, session))
    });
    Ok(Reply::stream(lines.boxed()))
}

fn start(query: &Query, asked: Option<u64>) -> Start {
    let sends_initial = query.has("sendInitialEvents").then(|| query.flag("sendInitialEvents"));
    match (sends_initial, asked) {
        (Some(true), _) => Start::StateThenBookmark,
        (Some(false), None | Some(0)) => Start::Now,
        (None, None | Some(0)) => Start::State,
        (_, Some(revision)) => Start::After(revision),
    }
}

fn check_options(query: &Query, watch_list: WatchList) -> Result<(), ApiError> {
    let mut causes = Vec::new();
    let mut forbid = |field: &str, why: &str| {
        causes.push((field.to_owned(), "FieldValueForbidden", format!("Forbidden: {why}")));
    };
    let how = query.get("resourceVersionMatch");
    let sends_initial = query.has("sendInitialEvents");
    if sends_initial && how != "NotOlderThan" {
        forbid(
            "resourceVersionMatch",
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        );
    }
    if sends_initial && watch_list == WatchList::Unsupported {
        let why = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
        forbid("sendInitialEvents", why);
    }
    if !how.is_empty() && !sends_initial {
        let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
        forbid("resourceVersionMatch", why);
    }
    if !how.is_empty() && !query.get("continue").is_empty() {
        forbid("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
    }
    if !matches!(how, "" | "NotOlderThan") {
        let why = format!("Unsupported value: \"{how}\": supported values: \"NotOlderThan\"");
        causes.push(("resourceVersionMatch".to_owned(), "FieldValueNotSupported", why));
    }
    if causes.is_empty() { Ok(()) } else { Err(ApiError::invalid("meta.k8s.io", "ListOptions", "", &causes)) }
}
