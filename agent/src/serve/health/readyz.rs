//! What the API server says of itself.

use kubeplex_proto::health::ApiFacts;

use crate::api::{ApiError, Probed};

/// Everybody may ask there: the role `system:public-info-viewer` is everybody's.
/// See <https://kubernetes.io/docs/reference/using-api/health-checks/>.
pub(super) const PATH: &str = "/readyz?verbose";

/// Checks named one by one.
const MOST_CHECKS: usize = 10;

pub(super) fn facts(probed: Result<Probed, ApiError>) -> ApiFacts {
    match probed {
        Ok(probed) => {
            let failed_checks = failed(&probed.text);
            // One that answers with an error and names no check has something in front of it, or lets nobody ask.
            let unnamed = !probed.status.is_success() && failed_checks.is_empty();
            let problem = if unnamed { format!("/readyz answers {}", probed.status) } else { String::new() };
            let answered_ms = u64::try_from(probed.took.as_millis()).unwrap_or(u64::MAX);
            ApiFacts { answered_ms: (!unnamed).then_some(answered_ms), failed_checks, problem }
        }
        Err(error) => ApiFacts { problem: error.to_string(), ..ApiFacts::default() },
    }
}

/// `[-]etcd failed: reason withheld`.
fn failed(text: &str) -> Vec<String> {
    let failed = text.lines().filter_map(|line| line.strip_prefix("[-]"));
    let names = failed.filter_map(|line| line.split_whitespace().next()).map(str::to_owned);
    names.take(MOST_CHECKS).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::*;

    #[test]
    fn failed_checks_are_named_and_other_errors_are_problems() {
        let of = |status: u16, text: &str| {
            let took = Duration::from_millis(7);
            facts(Ok(Probed { status: StatusCode::from_u16(status).unwrap(), text: text.to_owned(), took }))
        };
        let ready = of(200, "[+]ping ok\n[+]etcd ok\nreadyz check passed\n");
        assert_eq!(ready, ApiFacts { answered_ms: Some(7), ..ApiFacts::default() });
        let failing =
            of(500, "[+]ping ok\n[-]etcd failed: reason withheld\n[+]shutdown ok\nreadyz check failed\n");
        assert_eq!((failing.failed_checks, failing.answered_ms), (vec!["etcd".to_owned()], Some(7)));
        let hidden = of(403, "{\"kind\":\"Status\"}");
        assert_eq!((hidden.problem.as_str(), hidden.answered_ms), ("/readyz answers 403 Forbidden", None));
        let late = facts(Err(ApiError::Timeout { after: Duration::from_secs(5) }));
        assert!(late.problem.contains("did not answer within 5"), "{}", late.problem);
    }
}
