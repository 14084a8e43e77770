//! One request to one cluster, over whichever link it has.

use bytes::Bytes;
use tokio::time::timeout;

use crate::carrier::{CarrierError, Frames};
use crate::limits::HANDOVER;
use crate::registry::{Leg, Registry};

/// Posts `body` to the agent of `leg`. Where its link is just being left, and the request therefore was not worked on, it goes
/// over the link that comes next: a link that is replaced in time costs no call. Returns the way that it went.
pub(super) async fn ask(
    registry: &Registry,
    mut leg: Leg,
    path: &'static str,
    body: Bytes,
) -> Result<(Frames, Leg), CarrierError> {
    loop {
        match leg.carrier.call(path, body.clone()).await {
            Err(unsent @ CarrierError::Unsent(_)) => {
                tracing::debug!(cluster = %leg.cluster, "a request met a link that is being left");
                match timeout(HANDOVER, registry.successor(&leg)).await {
                    Ok(Ok(next)) => leg = next,
                    Ok(Err(_)) | Err(_) => return Err(unsent),
                }
            }
            answer => return answer.map(|frames| (frames, leg)),
        }
    }
}
