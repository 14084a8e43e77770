//! A link's place with its cluster: served by it, or standing by while another agent is.
//!
//! While an agent is rolled, two processes show one token: the new one stands by, linked and welcomed, until the old one
//! says good-bye or misses a probe, so that no call finds the cluster without an agent. Two that both stay are an alarm.

use kubeplex_link::liveness::Liveness;
use kubeplex_link::timings::{Timings, jittered};
use kubeplex_proto::control::{Refusal, Report};
use kubeplex_proto::ids::ClusterId;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::control::refusal;
use crate::carrier::Carrier;
use crate::registry::{Candidate, Claim, LinkId, Registry, Standing, Taken};

/// A link's place in the registry, left when dropped.
pub(super) struct Place {
    registry: Registry,
    cluster: ClusterId,
    link: LinkId,
    standing: watch::Receiver<Standing>,
}

impl Place {
    /// Enters the registry. Another process that is there keeps its place as long as it answers.
    pub(super) async fn take(
        registry: &Registry,
        cluster: &ClusterId,
        candidate: impl FnOnce(watch::Sender<Standing>) -> Candidate,
        timings: &Timings,
    ) -> Result<Self, Refusal> {
        let (standing, receiver) = watch::channel(Standing::Standby);
        let candidate = candidate(standing);
        let mut attached = registry.attach(cluster, candidate.clone(), Claim::Vacant);
        if let Err(Taken::Other { link, carrier }) = &attached {
            let claim = if answers(carrier, timings).await { Claim::Beside } else { Claim::Over(*link) };
            attached = registry.attach(cluster, candidate.clone(), claim);
        }
        // The dead one left, and somebody else came in between.
        if let Err(Taken::Other { .. }) = &attached {
            attached = registry.attach(cluster, candidate, Claim::Beside);
        }
        let link = attached.map_err(|taken| turned_away(&taken, cluster, timings))?;
        Ok(Self { registry: registry.clone(), cluster: cluster.clone(), link, standing: receiver })
    }

    pub(super) fn standing(&mut self) -> Standing {
        *self.standing.borrow_and_update()
    }

    /// Waits until the link stands otherwise. May be dropped and called again.
    pub(super) async fn changed(&mut self) -> Standing {
        if self.standing.changed().await.is_err() {
            // It has left its place: there is nothing more to tell.
            std::future::pending::<()>().await;
        }
        self.standing()
    }

    /// What is to be done while the link stands by.
    pub(super) fn vigil(&self, timings: Timings) -> Vigil {
        let (registry, cluster) = (self.registry.clone(), self.cluster.clone());
        Vigil { registry, cluster, link: self.link, timings }
    }

    pub(super) fn report(&self, report: Report) {
        self.registry.report(&self.cluster, self.link, report);
    }

    pub(super) fn judge(&self, judgement: Liveness) {
        self.registry.judge(&self.cluster, self.link, judgement);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.registry.detach(&self.cluster, self.link);
    }
}

/// What a link does while it stands by, and until it is dropped: it asks the one that serves the cluster now and then
/// whether it still answers, and takes its place when it does not.
pub(super) struct Vigil {
    registry: Registry,
    cluster: ClusterId,
    link: LinkId,
    timings: Timings,
}

impl Vigil {
    /// Ends when there is nothing more to watch.
    pub(super) async fn keep(self) {
        let rivals = async {
            sleep(self.timings.two_agents).await;
            self.say_rivals();
        };
        tokio::join!(self.probe(), rivals);
    }

    async fn probe(&self) {
        loop {
            sleep(jittered(self.timings.heartbeat, rand::random())).await;
            let Some((serving, carrier)) = self.registry.served_beside(&self.cluster, self.link) else {
                return;
            };
            if !answers(&carrier, &self.timings).await {
                self.registry.take_over(&self.cluster, self.link, serving);
            }
        }
    }

    fn say_rivals(&self) {
        if let Some(serving) = self.registry.rivals(&self.cluster, self.link) {
            tracing::error!(
                serving = serving.0,
                "two agents have shown the token of {} side by side for {:?}: the first keeps serving; stop one of them, \
                 and give the cluster a new token if you know of one only",
                self.cluster,
                self.timings.two_agents
            );
        }
    }
}

async fn answers(carrier: &Carrier, timings: &Timings) -> bool {
    matches!(timeout(timings.probe, carrier.probe()).await, Ok(Ok(())))
}

fn turned_away(taken: &Taken, cluster: &ClusterId, timings: &Timings) -> Refusal {
    let message = match taken {
        Taken::Unexpected => return refusal(format!("the cluster {cluster} is not expected here")),
        Taken::Newer => "a newer link of the same agent is in place".to_owned(),
        Taken::Other { .. } => format!("other agents of the cluster {cluster} come and go"),
        Taken::Crowded { serving, standby } => format!(
            "the agent {} serves the cluster {cluster} and answers, and another, {}, stands by already",
            serving.0, standby.0
        ),
    };
    Refusal { message, retry_after_ms: u64::try_from(timings.retry_after.as_millis()).ok() }
}
