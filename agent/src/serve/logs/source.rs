//! One container's log at the API server.

use std::sync::Arc;

use kubeplex_proto::kind::KindInfo;
use kubeplex_proto::log::LogSource;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::outcome::Shortfall;
use super::sink::Sink;
use crate::api::{Api, ApiError, Pieces, Query, object_path};
use crate::logs::Reading;

/// A container that may be read.
pub(super) struct Source {
    pub(super) told: LogSource,
    /// As the caller.
    pub(super) api: Api,
}

/// What all containers of a call have in common.
pub(super) struct Common {
    pub(super) pods: KindInfo,
    pub(super) at_once: Arc<Semaphore>,
    pub(super) previous: bool,
    /// So many of the last lines are enough, where the server may choose them.
    pub(super) tail: Option<u32>,
    /// As the API server takes it: in whole seconds.
    pub(super) since_ns: Option<i64>,
}

const SECOND_NS: i64 = 1_000_000_000;

impl Source {
    /// What there is up to now. Breaks off at `until`, and says so.
    pub(super) async fn read(
        &self,
        common: &Common,
        reading: &mut Reading,
        until: Instant,
    ) -> Option<Shortfall> {
        let query = self.query(common, common.since_ns);
        let path = match common.tail {
            Some(tail) => query.with("tailLines", &tail.to_string()).build(),
            None => query.build(),
        };
        let reads = async {
            let (_place, mut pieces) = self.open(common, &path, until).await?;
            while !reading.is_past()
                && let Some(piece) = pieces.next().await?
            {
                reading.take(&piece);
            }
            reading.end();
            Ok(())
        };
        match timeout_at(until, reads).await {
            Ok(Ok(())) => None,
            Ok(Err(ApiError::Timeout { .. })) | Err(_) => Some(Shortfall::late(reading)),
            Ok(Err(error)) => Some(Shortfall::of_error(&error)),
        }
    }

    /// What comes after what was read, as it comes. `None` once nothing more will come, or at `until`.
    pub(super) async fn follow(
        &self,
        common: &Common,
        reading: &mut Reading,
        until: Instant,
        sink: &Sink,
    ) -> Option<Shortfall> {
        reading.go_on_after(reading.latest_ns());
        let since_ns = reading.latest_ns().or(common.since_ns);
        let path = self.query(common, since_ns).with("follow", "true").build();
        let follows = async {
            let (_place, mut pieces) = self.open(common, &path, until).await?;
            while let Some(piece) = pieces.next().await? {
                reading.take(&piece);
                sink.take(reading).await;
            }
            reading.end();
            sink.take(reading).await;
            Ok(())
        };
        // It was to go on until then.
        let followed = timeout_at(until, follows).await.unwrap_or(Ok(()));
        followed.err().map(|error| Shortfall::of_error(&error))
    }

    async fn open<'c>(
        &self,
        common: &'c Common,
        path: &str,
        until: Instant,
    ) -> Result<(Option<SemaphorePermit<'c>>, Pieces), ApiError> {
        // The semaphore is never closed.
        let place = common.at_once.acquire().await.ok();
        let timeout = until.saturating_duration_since(Instant::now());
        Ok((place, self.api.pieces(path, timeout).await?))
    }

    fn query(&self, common: &Common, since_ns: Option<i64>) -> Query {
        let LogSource { namespace, pod, container, .. } = &self.told;
        let path = format!("{}/log", object_path(&common.pods, Some(namespace), pod));
        let mut query = Query::of(path).with("container", container).with("timestamps", "true");
        if common.previous {
            query = query.with("previous", "true");
        }
        let since = since_ns.and_then(|ns| jiff::Timestamp::from_second(ns.div_euclid(SECOND_NS)).ok());
        match since {
            Some(since) => query.with("sinceTime", &since.to_string()),
            None => query,
        }
    }
}
