//! `pods/log`: lines made up from the container's own name, the same each time it is read. One that is throttled is slow.

use serde_json::Value;

use crate::clock::micros;
use crate::cluster::Shared;
use crate::http::{Query, Reply};
use crate::json::{items, text};
use crate::metrics;
use crate::status::ApiError;
use jiff::{SignedDuration, Timestamp};

/// How many lines a container has written.
const LINES: u64 = 200;

/// The log of one container of a pod.
///
/// # Errors
/// 400 where the container is not named and there are several, or there is none of that name.
pub(crate) fn read(shared: &Shared, pod: &Value, query: &Query) -> Result<Reply, ApiError> {
    let name = text(pod, "/metadata/name");
    let containers: Vec<&str> = items(pod, "/spec/containers").iter().map(|c| text(c, "/name")).collect();
    let container = match (query.get("container"), &*containers) {
        ("", [only]) => only,
        ("", _) => {
            let choose = containers.join(" ");
            let message =
                format!("a container name must be specified for pod {name}, choose one of: [{choose}]");
            return Err(ApiError::bad_request(message));
        }
        (asked, all) if all.contains(&asked) => asked,
        (asked, _) => {
            return Err(ApiError::bad_request(format!("container {asked} is not valid for pod {name}")));
        }
    };
    let tail = query.number("tailLines")?.unwrap_or(LINES).min(LINES);
    let now = shared.clock().now();
    let spec = items(pod, "/spec/containers").iter().find(|spec| text(spec, "/name") == container);
    let is_slow = spec.is_some_and(|spec| metrics::is_throttled(pod, spec));
    let line = |number| line(container, number, is_slow, now, query);
    let lines: String = (LINES - tail..LINES).map(line).collect();
    Ok(Reply::bytes(200, "text/plain", lines))
}

fn line(container: &str, number: u64, is_slow: bool, now: Timestamp, query: &Query) -> String {
    let age = SignedDuration::from_secs(i64::try_from(LINES - number).unwrap_or(0) * 3);
    let stamp = if query.flag("timestamps") { format!("{} ", micros(now - age)) } else { String::new() };
    let message = match number % 17 {
        0 => format!(
            "level=error component={container} msg=\"upstream request failed\" err=\"context deadline exceeded\" attempt={}",
            number % 3 + 1
        ),
        n if is_slow || n % 5 == 0 => format!(
            "level=warn component={container} msg=\"slow request\" duration_ms={}",
            800 + number * 7 % 900
        ),
        _ => format!(
            "level=info component={container} msg=\"request served\" status=200 duration_ms={} seq={number}",
            3 + number * 13 % 60
        ),
    };
    format!("{stamp}{message}\n")
}
