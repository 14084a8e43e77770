//! One link in the registry, and where it stands with its cluster.

use kubeplex_link::activity::Activity;
use kubeplex_proto::control::Hello;
use kubeplex_proto::ids::{Epoch, InstanceId};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::carrier::Carrier;

/// One link, unique while this gateway runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct LinkId(pub(super) u64);

/// Where a link stands with its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Standing {
    /// Its agent is asked.
    Serving,
    /// Another process is asked for as long as it answers, and this one after it.
    Standby,
    /// A newer link of the same agent took over: what is under way may end.
    Replaced,
    /// Its credential is not believed any more, or its cluster not expected.
    Dismissed,
    /// It did not answer, and another agent took over: nothing under way will end.
    Displaced,
}

/// A link that asks for its cluster's place in the registry.
#[derive(Clone)]
pub(crate) struct Candidate {
    pub(crate) hello: Hello,
    pub(crate) carrier: Carrier,
    pub(crate) activity: Activity,
    /// Where the link is told how it stands.
    pub(crate) standing: watch::Sender<Standing>,
}

/// Which place is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The cluster's, unless another process has it.
    Vacant,
    /// The cluster's, also from this link, which was found dead.
    Over(LinkId),
    /// The cluster's if it has become vacant, else the one beside it.
    Beside,
}

/// Why a link did not get a place.
pub(crate) enum Taken {
    /// Nobody expects the cluster.
    Unexpected,
    /// By a link of the same process that is as new or newer.
    Newer,
    /// By another process. If it is found dead, its place may be asked for again, naming it.
    Other { link: LinkId, carrier: Carrier },
    /// By two other processes, of which one stands by.
    Crowded { serving: InstanceId, standby: InstanceId },
}

/// A link that has a place.
pub(super) struct Link {
    pub(super) id: LinkId,
    pub(super) instance: InstanceId,
    pub(super) epoch: Epoch,
    pub(super) agent_version: String,
    pub(super) carrier: Carrier,
    pub(super) activity: Activity,
    pub(super) reports: Reports,
    /// When the agent last said what had changed, or that nothing had.
    pub(super) told_at: Instant,
    standing: watch::Sender<Standing>,
}

/// Whether what is known of the cluster is this link's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reports {
    /// Still an earlier link's: the first report, which is complete, replaces it.
    Inherited,
    Own,
}

impl Link {
    pub(super) fn new(id: LinkId, candidate: Candidate) -> Self {
        let Candidate { hello, carrier, activity, standing } = candidate;
        let Hello { instance, epoch, agent_version, .. } = hello;
        let (reports, told_at) = (Reports::Inherited, Instant::now());
        Self { id, instance, epoch, agent_version, carrier, activity, reports, told_at, standing }
    }

    /// Tells the link how it stands from now on.
    pub(super) fn stands(&self, standing: Standing) {
        self.standing.send_replace(standing);
    }
}
