//! Which deprecated APIs the API server was asked for, as its metrics say.
//!
//! <https://kubernetes.io/docs/reference/instrumentation/metrics/>, `apiserver_requested_deprecated_apis`: one line for each
//! that was asked for since the server started. The metrics are read as they come, and only those lines are kept.

use std::collections::BTreeSet;

use tokio::time::timeout;

use crate::api::{Api, ApiError};
use crate::limits::{METRICS_BYTES, REQUESTED_APIS};
use crate::serve::deadline::Deadline;

/// Who may read it is told by roles of the cluster, by `nonResourceURLs`.
pub(super) const PATH: &str = "/metrics";

const METRIC: &[u8] = b"apiserver_requested_deprecated_apis{";

/// No line of it is longer.
const LINE_BYTES: usize = 1_024;

/// Version, plural, and the minor release that removes it, of those that a release removes.
pub(super) type Requested = BTreeSet<(String, String, u32)>;

/// # Errors
/// Whatever the server says but that it has no metrics.
pub(super) async fn read(api: &Api, deadline: Deadline) -> Result<Requested, ApiError> {
    let most = REQUESTED_APIS.min(deadline.remaining());
    let reads = async {
        let mut lines = Lines::default();
        let mut pieces = match api.pieces(PATH, most).await {
            Ok(pieces) => pieces,
            Err(ApiError::NotFound { .. }) => return Ok(lines.found),
            Err(error) => return Err(error),
        };
        while lines.read < METRICS_BYTES
            && let Some(piece) = pieces.next().await?
        {
            lines.take(&piece);
        }
        Ok(lines.found)
    };
    timeout(most, reads).await.unwrap_or(Err(ApiError::Timeout { after: most }))
}

/// Joins lines from pieces that begin and end anywhere.
#[derive(Default)]
struct Lines {
    /// The beginning of a line whose end has not come, as much of it as may matter.
    partial: Vec<u8>,
    read: usize,
    found: Requested,
}

impl Lines {
    fn take(&mut self, piece: &[u8]) {
        self.read += piece.len();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            let room = LINE_BYTES.saturating_sub(self.partial.len());
            self.partial.extend_from_slice(&part[..part.len().min(room)]);
            if part.ends_with(b"\n") {
                self.found.extend(requested(&self.partial));
                self.partial.clear();
            }
        }
    }
}

/// `apiserver_requested_deprecated_apis{group="policy",removed_release="1.25",resource="…",subresource="",version="v1beta1"} 1`.
/// None of what no release removes yet.
fn requested(line: &[u8]) -> Option<(String, String, u32)> {
    let line = std::str::from_utf8(line.strip_prefix(METRIC)?).ok()?;
    let (labels, value) = line.split_once('}')?;
    let label = |name: &str| {
        let mut labels = labels.split(',').filter_map(|label| label.split_once('='));
        labels.find(|(known, _)| *known == name).map(|(_, value)| value.trim_matches('"'))
    };
    let removed_in = label("removed_release")?.strip_prefix("1.")?.parse().ok()?;
    let version = match label("group")? {
        "" => label("version")?.to_owned(),
        group => format!("{group}/{}", label("version")?),
    };
    let was_asked = value.trim().parse::<f64>().is_ok_and(|value| value > 0.0);
    was_asked.then(|| (version, label("resource").unwrap_or_default().to_owned(), removed_in))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_wherever_pieces_end() {
        let line = |group: &str, version: &str, resource: &str, removed: &str, value: &str| {
            format!(
                "apiserver_requested_deprecated_apis{{group=\"{group}\",removed_release=\"{removed}\",resource=\"{resource}\",\
                 subresource=\"\",version=\"{version}\"}} {value}\n"
            )
        };
        let text = [
            "# HELP apiserver_requested_deprecated_apis [STABLE] Gauge\n".to_owned(),
            format!("long{}\n", "x".repeat(3 * LINE_BYTES)),
            line("policy", "v1beta1", "poddisruptionbudgets", "1.25", "1"),
            line("", "v1", "endpoints", "", "1"),
            line("batch", "v1beta1", "cronjobs", "1.25", "0"),
            line("", "v9", "things", "1.99", "1e+00"),
            "other 1".to_owned(),
        ]
        .concat();
        let wanted = Requested::from([
            ("policy/v1beta1".to_owned(), "poddisruptionbudgets".to_owned(), 25),
            ("v9".to_owned(), "things".to_owned(), 99),
        ]);
        for size in [1, 7, 100, 100_000] {
            let mut lines = Lines::default();
            text.as_bytes().chunks(size).for_each(|piece| lines.take(piece));
            assert_eq!((&lines.found, lines.read), (&wanted, text.len()), "{size}");
            assert!(lines.partial.capacity() <= 2 * LINE_BYTES);
        }
    }
}
