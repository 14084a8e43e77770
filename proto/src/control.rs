//! The control stream of a link: who is there, that both still are, and what changed in the cluster.
//!
//! The gateway opens it with `POST /agent/v1/control` as soon as a link stands. The agent's first frame is its
//! [`Hello`]; the gateway answers with [`Welcome`] or [`Refusal`]. After that each end sends a heartbeat now and then,
//! and the agent a [`Report`] whenever something changed. Cancelling the stream ends the link.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{ClusterId, Epoch, InstanceId};
use crate::kind::{GroupResource, KindTable};
use crate::problems::ProblemCounts;

/// From the agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AgentFrame {
    Hello(Box<Hello>),
    Report(Box<Report>),
}

/// From the gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GatewayFrame {
    Welcome(Welcome),
    Refused(Refusal),
    Heartbeat,
}

/// An agent introduces itself. Nothing in it is believed about which cluster it speaks for: that is the credential's to
/// say, and `cluster` is only compared with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    pub protocol: ProtocolRange,
    /// Names of optional abilities; none is defined yet.
    #[serde(default)]
    pub features: Vec<String>,
    pub agent_version: String,
    /// `v1.35.2`; empty until the API server has answered.
    #[serde(default)]
    pub kubernetes_version: String,
    pub cluster: ClusterId,
    pub instance: InstanceId,
    pub epoch: Epoch,
}

/// Protocol versions, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtocolRange {
    pub min: u32,
    pub max: u32,
}

impl ProtocolRange {
    /// The newest version that both speak.
    pub fn common(self, other: Self) -> Option<u32> {
        let newest = self.max.min(other.max);
        (newest >= self.min.max(other.min)).then_some(newest)
    }

    /// The version that a gateway of this range speaks with an agent of another.
    ///
    /// # Errors
    /// [`NoCommonVersion`], which says whose turn it is to be upgraded.
    pub fn with_agent(self, agent: Self) -> Result<u32, NoCommonVersion> {
        self.common(agent).ok_or(NoCommonVersion { gateway: self, agent })
    }
}

/// `1 to 3`.
impl fmt::Display for ProtocolRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.min, self.max)
    }
}

/// A gateway and an agent that can't talk to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the agent speaks protocol {agent}, this gateway {gateway}: upgrade the {}", self.older())]
pub struct NoCommonVersion {
    pub gateway: ProtocolRange,
    pub agent: ProtocolRange,
}

impl NoCommonVersion {
    /// An agent that says nonsense about itself is taken for the older one.
    fn older(&self) -> &'static str {
        if self.agent.min > self.gateway.max && self.agent.min <= self.agent.max {
            "gateway"
        } else {
            "agent"
        }
    }
}

/// The link is accepted, under these terms. The gateway's configuration sets them for both ends: were each to go by its own,
/// the more patient one would beat too slowly for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Welcome {
    pub protocol: u32,
    /// How often each end says that it is alive, in milliseconds, before jitter.
    pub heartbeat_ms: u64,
    /// Silence after which each end suspects the other to be gone, in milliseconds; without it each goes by its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspect_after_ms: Option<u64>,
    /// Silence after which each end gives the link up, in milliseconds; without it each goes by its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_after_ms: Option<u64>,
    /// After so long the agent opens another link and drains this one, in milliseconds, before jitter; without it the agent
    /// goes by its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_ms: Option<u64>,
    /// Another process serves the cluster and answers: this link is kept, and asked nothing until that one leaves. When it
    /// has, the welcome is said again without this.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub standby: bool,
}

/// The link is not accepted; the gateway closes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the gateway refused the link: {message}")]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// What changed since the last report; an empty one is a heartbeat. The first one on a link is complete.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Kinds whose state or revision changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<KindReport>,
    /// Kinds that are not cached any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<GroupResource>,
    /// The cluster's discovery, whole, when it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discovery: Option<KindTable>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterReport>,
}

/// The cluster as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterReport {
    /// `v1.35.2`; empty until the API server has answered.
    pub kubernetes_version: String,
    /// UID of the namespace kube-system: the same cluster under two names has the same.
    #[serde(default)]
    pub kube_system_uid: String,
    /// Nodes whose Ready condition is True, of all nodes.
    pub nodes_ready: u64,
    pub nodes: u64,
    /// Whether every watched kind is synced or settled as forbidden or absent.
    pub ready: bool,
    /// The cluster's clock less the agent's, in milliseconds.
    pub clock_offset_ms: i64,
    /// What stands between the agent and the API server, in a sentence; empty while requests succeed.
    #[serde(default)]
    pub api_problem: String,
    /// How many problems there are, where the agent looks for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problems: Option<ProblemCounts>,
}

/// One kind of the cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KindReport {
    pub kind: GroupResource,
    pub state: SyncState,
    /// Grows with every change that a read could see.
    pub revision: u64,
    pub objects: u64,
    /// How long ago the kind was last known to be current; `None` while it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// How far a kind's watch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SyncState {
    /// The first list is under way.
    Syncing,
    Synced,
    /// Rows are there; the watch is not.
    Stale,
    Forbidden,
    Absent,
    Error,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_common_version_is_chosen() {
        let range = |min, max| ProtocolRange { min, max };
        for (ours, theirs, expected) in [
            (range(1, 3), range(2, 5), Some(3)),
            (range(1, 1), range(1, 1), Some(1)),
            (range(1, 2), range(3, 4), None),
            (range(3, 4), range(1, 2), None),
        ] {
            assert_eq!(ours.common(theirs), expected);
        }
    }

    #[test]
    fn a_refusal_names_both_ranges_and_who_is_to_be_upgraded() {
        let range = |min, max| ProtocolRange { min, max };
        let gateway = range(3, 5);
        for agent in [range(1, 3), range(4, 4), range(5, 9), range(0, 9)] {
            assert_eq!(gateway.with_agent(agent), Ok(agent.max.min(5)), "{agent}");
        }
        for (agent, ranges, older) in [
            (range(1, 2), "1 to 2, this gateway 3 to 5", "upgrade the agent"),
            (range(6, 8), "6 to 8, this gateway 3 to 5", "upgrade the gateway"),
            (range(9, 2), "9 to 2, this gateway 3 to 5", "upgrade the agent"),
        ] {
            let refusal = gateway.with_agent(agent).unwrap_err().to_string();
            assert!(refusal.contains(ranges) && refusal.ends_with(older), "{refusal}");
        }
    }

    #[test]
    fn neighbours_of_other_versions_are_understood() {
        let spoken = |suspect_after_ms, lost_after_ms| {
            GatewayFrame::Welcome(Welcome {
                protocol: 1,
                heartbeat_ms: 4000,
                suspect_after_ms,
                lost_after_ms,
                max_age_ms: None,
                standby: false,
            })
        };
        for (line, expected) in [
            (r#"{"welcome":{"protocol":1,"heartbeatMs":4000}}"#, spoken(None, None)),
            (
                r#"{"welcome":{"protocol":1,"heartbeatMs":4000,"suspectAfterMs":8000,"lostAfterMs":12000,"quantum":true}}"#,
                spoken(Some(8000), Some(12_000)),
            ),
        ] {
            assert_eq!(serde_json::from_str::<GatewayFrame>(line).unwrap(), expected);
        }
    }
}
