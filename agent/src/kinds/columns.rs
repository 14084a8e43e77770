//! Asks again for columns that the server could not tell when it was asked.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Shared;
use super::blueprint::Blueprint;
use crate::watch::spread;

const RETRY_FIRST: Duration = Duration::from_secs(5);
const RETRY_MOST: Duration = Duration::from_secs(60);

/// Runs until it is dropped.
pub(super) async fn settle(shared: &Arc<Shared>) {
    loop {
        let mut pause = RETRY_FIRST;
        while !shared.unsettled().is_empty() {
            sleep(spread(pause)).await;
            for known in shared.unsettled() {
                let wanted = Blueprint::of(shared, &known.info).await;
                shared.reshape(&known, wanted);
            }
            pause = pause.saturating_mul(2).min(RETRY_MOST);
        }
        shared.columns_unknown.notified().await;
    }
}
