//! A text as it comes, in pieces of any size.

use bytes::Bytes;
use http_body_util::BodyExt;
use kube::client::Body;

use super::ApiError;
use super::problem::Problem;

/// The body of a reply that is not read whole. Dropping it cancels the request at the server.
pub struct Pieces {
    body: Body,
    /// Whatever arrives shows that the server can be reached.
    problem: Problem,
}

impl Pieces {
    pub(super) fn new(body: Body, problem: Problem) -> Self {
        Self { body, problem }
    }

    /// The next piece; `None` when the text is over. Nothing is lost where the future is dropped.
    ///
    /// # Errors
    /// `Broken` where the connection ends before the text does.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        while let Some(frame) = self.body.frame().await {
            self.problem.heard();
            if let Ok(piece) = frame.map_err(ApiError::broken)?.into_data() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }
}
