//! Reads a reply whole, up to a limit.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use kube::client::Body;

use super::ApiError;

/// # Errors
/// `TooLarge` above `limit` bytes, `Broken` where the connection ends before the body does.
pub(super) async fn read(mut body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(ApiError::broken)?.into_data() else { continue };
        if first.len() + rest.len() + data.len() > limit {
            return Err(ApiError::TooLarge { limit });
        }
        match (first.is_empty(), rest.is_empty()) {
            // Most replies from memory are one piece, which needs no copy.
            (true, true) => first = data,
            (false, _) => {
                rest.extend_from_slice(&std::mem::take(&mut first));
                rest.extend_from_slice(&data);
            }
            (true, false) => rest.extend_from_slice(&data),
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}
