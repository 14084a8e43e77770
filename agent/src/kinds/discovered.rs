//! What the cluster was last heard to serve, and how to hear it anew.

use std::sync::Arc;
use std::time::Duration;

use kubeplex_proto::kind::{GroupResource, KindInfo, KindTable};
use tokio::time::{Instant, timeout};

use super::Shared;

/// A kind that discovery does not know is looked for again where discovery is older than this.
pub(super) const DISCOVERY_TRUSTED_FOR: Duration = Duration::from_secs(10);

/// How long such a look is waited for.
const DISCOVERY_WAIT: Duration = Duration::from_secs(15);

/// The outcome of the last look at what the cluster serves.
#[derive(Debug, Clone, Default)]
pub(super) struct Discovered {
    pub(super) table: Arc<KindTable>,
    /// Counts the looks, failed ones too.
    pub(super) looks: u64,
    /// When the last look that did not fail began …
    pub(super) asked_at: Option<Instant>,
    /// … and when it was over.
    pub(super) at: Option<Instant>,
    /// Why the last one failed; the table is that of the one before.
    pub(super) failure: Option<String>,
    /// Whether the watched kinds are what the table has them be.
    pub(super) adapted: bool,
}

impl Discovered {
    pub(super) fn is_fresh(&self) -> bool {
        self.failure.is_none() && self.at.is_some_and(|at| at.elapsed() < DISCOVERY_TRUSTED_FOR)
    }

    /// Whether it is what the cluster said after `moment`, and was acted on.
    fn is_after(&self, moment: Instant) -> bool {
        self.is_fresh() && self.adapted && self.asked_at.is_some_and(|asked_at| asked_at >= moment)
    }

    /// A kind of the table.
    ///
    /// # Errors
    /// Why nobody knows what is in its group.
    fn get(&self, id: &GroupResource) -> Result<Option<KindInfo>, String> {
        if let Some(info) = self.table.get(id) {
            return Ok(Some(info.clone()));
        }
        match self.table.failed_groups.iter().find(|(group, _)| *group == id.group) {
            Some((group, message)) => Err(format!("the group {group} can't be discovered: {message}")),
            None => Ok(None),
        }
    }

    fn undiscovered(&self) -> String {
        let failure = self.failure.as_deref().unwrap_or("it has not answered yet");
        format!("the cluster can't be discovered: {failure}")
    }
}

impl Shared {
    /// Looks a kind up, in the cluster too where discovery may be out of date.
    ///
    /// # Errors
    /// Why it is not known whether there is such a kind.
    pub(super) async fn find(&self, id: &GroupResource) -> Result<Option<KindInfo>, String> {
        let known = self.discovered.borrow().clone();
        if let Some(info) = known.table.get(id) {
            return Ok(Some(info.clone()));
        }
        let latest = if known.is_fresh() { known } else { self.look_again(known.looks).await };
        match latest.get(id)? {
            None if !latest.is_fresh() => Err(latest.undiscovered()),
            found => Ok(found),
        }
    }

    /// Looks a kind up in what the cluster said after `moment`.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub(super) async fn find_after(
        &self,
        id: &GroupResource,
        moment: Instant,
    ) -> Result<Option<KindInfo>, String> {
        let mut discovered = self.discovered.subscribe();
        let looks = discovered.borrow().looks;
        if !discovered.borrow().is_after(moment) {
            self.context.rediscover.notify_one();
        }
        // A look that was under way may be from before, and then the next one counts.
        let over = |latest: &Discovered| {
            latest.is_after(moment) || (latest.failure.is_some() && latest.looks > looks)
        };
        let _ = timeout(DISCOVERY_WAIT, discovered.wait_for(over)).await;
        let latest = discovered.borrow().clone();
        if latest.is_after(moment) { latest.get(id) } else { Err(latest.undiscovered()) }
    }

    /// Asks the cluster what it serves, once it was asked so often.
    pub(super) async fn look_again(&self, looks: u64) -> Discovered {
        let mut discovered = self.discovered.subscribe();
        self.context.rediscover.notify_one();
        // Without an answer in time, what is known has to do.
        let _ = timeout(DISCOVERY_WAIT, discovered.wait_for(|latest| latest.looks > looks)).await;
        self.discovered.borrow().clone()
    }
}
