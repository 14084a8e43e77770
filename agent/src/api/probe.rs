//! Asking the API server how it is: an answer that says "not ready" is an answer, too.

use std::time::{Duration, Instant};

use http::StatusCode;
use kube::client::Body;

use super::{Api, ApiError, body};

/// A page of checks has a few kilobytes.
const PROBE_BYTES: usize = 64 * 1024;

/// What a path of health answered.
#[derive(Debug, Clone)]
pub struct Probed {
    pub status: StatusCode,
    pub text: String,
    /// How long that took.
    pub took: Duration,
}

impl Api {
    /// Asks, with the agent's own rights, whatever the status of the answer. Not charged to the budget: what is measured is
    /// the server, not the queue before it.
    ///
    /// # Errors
    /// Any [`ApiError`] but those that stand for a status.
    pub async fn probe(&self, path: &str, timeout: Duration) -> Result<Probed, ApiError> {
        let asking = async {
            let request = http::Request::get(path).body(Body::empty());
            let request = request.map_err(|source| ApiError::Invalid {
                status: 0,
                message: format!("{path:?} is no path to ask for: {source}"),
            })?;
            let asked = Instant::now();
            let response = self.client.send(request).await.map_err(ApiError::unreachable)?;
            let took = asked.elapsed();
            let status = response.status();
            let read = body::read(response.into_body(), PROBE_BYTES).await?;
            Ok(Probed { status, text: String::from_utf8_lossy(&read).into_owned(), took })
        };
        tokio::time::timeout(timeout, asking).await.unwrap_or(Err(ApiError::Timeout { after: timeout }))
    }
}
