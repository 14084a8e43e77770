//! How a cluster is, by what its agent sees of it. Facts alone: what is too much or too little is the gateway's to judge.
//!
//! The answer is [gathered](crate::gather); its one item is a [`HealthFacts`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::call::CallContext;

/// What the cluster is like for this caller. Of what they may not see, nothing is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthRequest {
    pub context: CallContext,
}

/// Each part is there where the caller may see all that it is made of, and the agent does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthFacts {
    pub api: ApiFacts,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<NodeFacts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workloads: Option<WorkloadFacts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<CapacityFacts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificates: Option<CertificateFacts>,
    /// What somebody uses that a release removes, what goes first before the others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deprecated: Vec<DeprecatedApi>,
    /// Parts that would be there were it not for this: the agent's rights, a first list that is still under way. A sentence
    /// each, which begins with the part's name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_known: Vec<String>,
}

/// What the API server says of itself at `/readyz`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApiFacts {
    /// How long it took to answer, in milliseconds; `None` where it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_ms: Option<u64>,
    /// The checks that failed, by their names: `etcd`, `poststarthook/start-apiextensions-controllers`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_checks: Vec<String>,
    /// What stands between the agent and the API server; empty while it answers.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub problem: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeFacts {
    pub total: u64,
    pub ready: u64,
    /// Those that no pod is scheduled to.
    pub cordoned: u64,
    /// The first of those that are not ready, and why.
    pub not_ready: Vec<Named>,
    /// The first of those under pressure, or without a network, and which.
    pub pressed: Vec<Named>,
    /// How many of them there are.
    pub pressed_total: u64,
    /// Nodes by the version of their kubelet: `v1.35.2`.
    pub kubelets: BTreeMap<String, u64>,
}

/// Deployments, stateful sets and daemon sets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkloadFacts {
    pub total: u64,
    /// Those that lack replicas that they should have by now.
    pub failing_total: u64,
    /// The first of them, those of the system before all others.
    pub failing: Vec<Workload>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Workload {
    /// Singular and in lower case: `deployment`.
    pub kind: String,
    pub namespace: String,
    pub name: String,
    pub available: u64,
    pub wanted: u64,
}

/// What the nodes have, and what of it is taken. Of nodes that are ready, or not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CapacityFacts {
    pub allocatable: Resources,
    /// By the pods that are on nodes and have not ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested: Option<Resources>,
    /// As `metrics.k8s.io` tells it; the number of pods is not in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<Resources>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Resources {
    /// In thousandths of a processor.
    pub cpu_milli: u64,
    pub memory_bytes: u64,
    pub pods: u64,
}

/// Certificates of cert-manager.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CertificateFacts {
    pub total: u64,
    pub not_ready_total: u64,
    /// The first of those that are not ready, and why.
    pub not_ready: Vec<Named>,
    /// The first to end.
    pub soonest: Vec<Expiry>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Expiry {
    /// When it ends, in milliseconds since 1970 by the cluster's clock.
    pub not_after_ms: i64,
    pub namespace: String,
    pub name: String,
}

/// A version of an API that a release removes, and that somebody uses still.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeprecatedApi {
    /// The minor release that serves it no more: 25 of 1.25.
    pub removed_in: u32,
    /// `policy/v1beta1`.
    pub version: String,
    /// `poddisruptionbudgets`.
    pub resource: String,
    /// Objects that somebody wrote in it last, of those that the caller sees.
    pub objects: u64,
    /// Whether the API server says that it was asked for it since it started; only where the caller may know.
    pub requested: bool,
}

/// An object, and what there is to say of it. Of namespaced ones the name is `namespace/name`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Named {
    pub name: String,
    pub why: String,
}
