//! `pods/log`: what containers wrote, as the kubelet serves it; and what it says where there is no log. One that is throttled is
//! slow.

mod book;
mod generated;

use std::sync::Arc;

use futures::StreamExt as _;
use jiff::Timestamp;
use serde_json::Value;

use crate::cluster::Shared;
use crate::http::{Query, Reply};
use crate::json::{items, text};
use crate::metrics;
use crate::names::{GroupResource, ObjectKey};
use crate::status::ApiError;

pub(crate) use book::LogBook;

/// A line, and when it was written.
type Line = (Timestamp, String);

/// One container's log, as it was asked for.
struct Log {
    shared: Arc<Shared>,
    namespace: String,
    pod: String,
    container: String,
    /// When the run ended that is asked for; `None` while it goes on.
    ended: Option<Timestamp>,
    is_slow: bool,
    with_times: bool,
}

/// The log of one container of a pod.
///
/// # Errors
/// 400 where the container is not named and there are several, where there is none of that name, and where it has no log.
pub(crate) fn read(shared: &Arc<Shared>, pod: &Value, query: &Query) -> Result<Reply, ApiError> {
    let container = container(pod, query)?;
    let ended = match text(pod, "/spec/nodeName") {
        // Nothing was ever asked to run it.
        "" => return Ok(Reply::bytes(200, "text/plain", "")),
        _ => run(pod, &container, query.flag("previous"))?,
    };
    let spec = items(pod, "/spec/containers").iter().find(|spec| text(spec, "/name") == container);
    let log = Log {
        is_slow: spec.is_some_and(|spec| metrics::is_throttled(pod, spec)),
        shared: Arc::clone(shared),
        namespace: text(pod, "/metadata/namespace").to_owned(),
        pod: text(pod, "/metadata/name").to_owned(),
        container,
        ended,
        with_times: query.flag("timestamps"),
    };
    let since = since(query, shared.clock().now())?;
    let mut lines = log.lines();
    if let Some(tail) = query.number("tailLines")? {
        lines.drain(..lines.len().saturating_sub(usize::try_from(tail).unwrap_or(usize::MAX)));
    }
    let latest = lines.last().map(|(at, _)| *at);
    lines.retain(|(at, _)| *at >= since);
    let history = log.written(&lines);
    if !query.flag("follow") {
        return Ok(Reply::bytes(200, "text/plain", history));
    }
    let more = futures::stream::unfold((log, latest.unwrap_or(Timestamp::MIN)), |(log, latest)| async move {
        let lines = log.lines_after(latest).await?;
        let newest = lines.last().map_or(latest, |(at, _)| *at);
        Some((log.written(&lines).into(), (log, newest)))
    });
    let history = futures::stream::iter((!history.is_empty()).then(|| history.into()));
    Ok(Reply::stream(history.chain(more).boxed()))
}

impl Log {
    /// All that there are, oldest first.
    fn lines(&self) -> Vec<Line> {
        let until = self.ended.unwrap_or_else(|| self.shared.clock().now());
        let own = self.shared.logs.lines(&self.namespace, &self.pod, &self.container);
        let mut lines = own.unwrap_or_else(|| generated::lines(&self.container, self.is_slow, until));
        lines.retain(|(at, _)| *at <= until);
        lines
    }

    /// Waits for some; `None` when none will come any more.
    async fn lines_after(&self, latest: Timestamp) -> Option<Vec<Line>> {
        loop {
            let mut written = self.shared.logs.written();
            let mut lines = self.lines();
            lines.retain(|(at, _)| *at > latest);
            if !lines.is_empty() {
                return Some(lines);
            }
            let pod = ObjectKey::new(&self.namespace, &self.pod);
            if self.ended.is_some() || self.shared.store.get(&GroupResource::new("", "pods"), &pod).is_none()
            {
                return None;
            }
            tokio::select! {
                _ = written.changed() => {}
                () = tokio::time::sleep(generated::EVERY) => {}
            }
        }
    }

    fn written(&self, lines: &[Line]) -> String {
        let line = |(at, text): &Line| match self.with_times {
            true => format!("{} {text}\n", at.strftime("%Y-%m-%dT%H:%M:%S%.9fZ")),
            false => format!("{text}\n"),
        };
        lines.iter().map(line).collect()
    }
}

const SPECS: [&str; 3] = ["/spec/initContainers", "/spec/containers", "/spec/ephemeralContainers"];
const STATUSES: [&str; 3] =
    ["/status/initContainerStatuses", "/status/containerStatuses", "/status/ephemeralContainerStatuses"];

fn container(pod: &Value, query: &Query) -> Result<String, ApiError> {
    let name = text(pod, "/metadata/name");
    let containers: Vec<&str> = items(pod, "/spec/containers").iter().map(|c| text(c, "/name")).collect();
    let mut all = SPECS.iter().flat_map(|field| items(pod, field)).map(|c| text(c, "/name"));
    match (query.get("container"), &*containers) {
        ("", [only]) => Ok((*only).to_owned()),
        ("", _) => {
            let choose = containers.join(" ");
            let message =
                format!("a container name must be specified for pod {name}, choose one of: [{choose}]");
            Err(ApiError::bad_request(message))
        }
        (asked, _) if all.any(|known| known == asked) => Ok(asked.to_owned()),
        (asked, _) => Err(ApiError::bad_request(format!("container {asked} is not valid for pod {name}"))),
    }
}

/// When the run ended whose log is asked for, as the kubelet chooses it (`validateContainerLogStatus`).
fn run(pod: &Value, container: &str, previous: bool) -> Result<Option<Timestamp>, ApiError> {
    let statuses = STATUSES.iter().flat_map(|field| items(pod, field));
    let status = statuses.into_iter().find(|status| text(status, "/name") == container);
    let place = format!("container \"{container}\" in pod \"{}\"", text(pod, "/metadata/name"));
    let refuse = |message: String| Err(ApiError::bad_request(message));
    let Some(status) = status else { return refuse(format!("{place} is not available")) };
    let end = |state: &str| {
        let terminated = status.pointer(&format!("/{state}/terminated"))?;
        Some(text(terminated, "/finishedAt").parse().unwrap_or(Timestamp::MAX))
    };
    match (end("lastState"), end("state")) {
        (None, _) if previous => refuse(format!("previous terminated {place} not found")),
        (Some(last), _) if previous => Ok(Some(last)),
        _ if status.pointer("/state/running").is_some() => Ok(None),
        (_, Some(end)) => Ok(Some(end)),
        (Some(last), _) => Ok(Some(last)),
        (None, None) => match text(status, "/state/waiting/reason") {
            "ErrImagePull" => refuse(format!("{place} is waiting to start: image can't be pulled")),
            "ImagePullBackOff" => {
                refuse(format!("{place} is waiting to start: trying and failing to pull image"))
            }
            "" => refuse(format!("{place} is waiting to start - no logs yet")),
            reason => refuse(format!("{place} is waiting to start: {reason}")),
        },
    }
}

fn since(query: &Query, now: Timestamp) -> Result<Timestamp, ApiError> {
    if let Some(seconds) = query.number("sinceSeconds")? {
        return Ok(now - jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)));
    }
    match query.get("sinceTime") {
        "" => Ok(Timestamp::MIN),
        given => given.parse().map_err(|_| {
            ApiError::bad_request(format!(
                "parsing time \"{given}\" as \"2006-01-02T15:04:05Z07:00\": cannot parse"
            ))
        }),
    }
}
