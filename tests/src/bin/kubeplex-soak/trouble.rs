//! What goes wrong in a round, for how long, and how it is mended.

use std::time::Duration;

use kubeplex_tests::wait::pass;
use simcluster::{Fault, FaultAction, StreamEnd, Verb};

use crate::cluster::Cluster;

/// How long most troubles last.
const LASTS: Duration = Duration::from_secs(4);

/// Something that goes wrong with one cluster.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trouble {
    LinkCut,
    LinkFrozen,
    AgentDeaf,
    AgentRestarted,
    AgentRolled,
    AgentKilled,
    ServerRefuses,
    ServerHangs,
    ServerBusy,
    ServerTalksNonsense,
    ServerBreaksOff,
    WatchesFrozen,
    HistoryLost,
}

use Trouble as T;

/// All there are, in the order in which they come.
pub(crate) const ALL: [Trouble; 13] = [
    T::LinkCut,
    T::ServerRefuses,
    T::AgentRestarted,
    T::LinkFrozen,
    T::WatchesFrozen,
    T::AgentRolled,
    T::ServerHangs,
    T::AgentDeaf,
    T::HistoryLost,
    T::AgentKilled,
    T::ServerBusy,
    T::ServerTalksNonsense,
    T::ServerBreaksOff,
];

impl Trouble {
    /// Goes wrong, and is mended.
    pub(crate) async fn befall(self, cluster: &Cluster) {
        match self {
            Self::LinkCut => {
                for _ in 0..4 {
                    cluster.proxy.sever();
                    pass(LASTS / 4).await;
                }
            }
            Self::LinkFrozen => {
                cluster.proxy.freeze();
                pass(LASTS).await;
                cluster.proxy.thaw();
            }
            Self::AgentDeaf => {
                cluster.proxy.deafen_agent();
                pass(LASTS).await;
                cluster.proxy.thaw();
            }
            Self::AgentRestarted => cluster.restart_agent(LASTS / 4).await,
            Self::AgentRolled => cluster.roll_agent(LASTS / 2).await,
            Self::AgentKilled => {
                cluster.proxy.sever();
                cluster.restart_agent(Duration::ZERO).await;
            }
            Self::HistoryLost => {
                cluster.sim.compact();
                cluster.sim.end_watches();
            }
            Self::WatchesFrozen => fail(cluster, FaultAction::Freeze { after_events: 0 }, None).await,
            Self::ServerBreaksOff => {
                let action = FaultAction::Truncate { after_bytes: 2_000, end: StreamEnd::Reset };
                fail(cluster, action, Some(Verb::List)).await;
            }
            Self::ServerRefuses => {
                let message = "etcd has no leader".to_owned();
                fail(cluster, FaultAction::Status { code: 503, message }, None).await;
            }
            Self::ServerHangs => fail(cluster, FaultAction::Hang, None).await,
            Self::ServerBusy => {
                fail(cluster, FaultAction::TooManyRequests { retry_after_seconds: 1 }, None).await;
            }
            Self::ServerTalksNonsense => fail(cluster, FaultAction::Garbage, None).await,
        }
    }
}

/// Open watches end, so that whatever follows runs into the fault.
async fn fail(cluster: &Cluster, action: FaultAction, verb: Option<Verb>) {
    let fault = Fault::new(action.clone());
    let id = cluster.sim.faults().add(verb.into_iter().fold(fault, Fault::verb));
    if !matches!(action, FaultAction::Freeze { .. }) {
        cluster.sim.end_watches();
    }
    pass(LASTS).await;
    cluster.sim.faults().remove(id);
}
