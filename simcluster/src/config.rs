//! What a simulated cluster is made from.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::SimClock;
use crate::policy::Policy;

/// The description of one simulated cluster. Equal configurations (the clock aside) make equal clusters, byte for byte.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// The cluster's name; it goes into host names and provider ids.
    pub name: String,
    /// Seeds every random choice.
    pub seed: u64,
    /// A cloud region, `eu-central-1`: nodes carry it in names and topology labels.
    pub region: String,
    /// Labels of the cluster itself (stage, region, team), for whoever registers it; the server does not show them.
    pub labels: BTreeMap<String, String>,
    /// How many pods the workloads have together, about; daemon sets count.
    pub pods: usize,
    /// How many nodes.
    pub nodes: usize,
    /// What `/version` says, with the leading `v`.
    pub kubernetes_version: String,
    /// What is in the cluster at the start.
    pub content: Content,
    /// Whether some of it is broken.
    pub troubles: Troubles,
    /// What happens in it, before and after it is first looked at.
    pub scenario: Scenario,
    /// How the server answers `sendInitialEvents`.
    pub watch_list: WatchList,
    /// Whether `metrics.k8s.io` is installed and works.
    pub metrics_api: MetricsApi,
    /// Who may do what.
    pub policy: Policy,
    /// Where timestamps come from.
    pub clock: SimClock,
    /// How often a watch that allows bookmarks gets one, once there was an event or a list since it began; a real server's is
    /// a minute.
    pub bookmark_period: Duration,
    /// How long a watch lasts when the caller names no `timeoutSeconds`.
    pub watch_timeout: Duration,
    /// How many changes of a kind can be watched from afterwards; older ones are expired (410).
    pub history: usize,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            name: "sim".into(),
            seed: 1,
            region: "eu-central-1".into(),
            labels: BTreeMap::new(),
            pods: 200,
            nodes: 6,
            kubernetes_version: "v1.35.2".into(),
            content: Content::Company,
            troubles: Troubles::Known,
            scenario: Scenario::None,
            watch_list: WatchList::Supported,
            metrics_api: MetricsApi::Available,
            policy: Policy::allow_all(),
            clock: SimClock::system(),
            bookmark_period: Duration::from_secs(60),
            watch_timeout: Duration::from_secs(45 * 60),
            history: 1_000,
        }
    }
}

impl SimConfig {
    /// The defaults with a name and a seed.
    pub fn named(name: &str, seed: u64) -> Self {
        Self { name: name.into(), seed, ..Self::default() }
    }

    /// A cluster with nothing in it but the namespaces every cluster has.
    pub fn empty(name: &str) -> Self {
        Self { content: Content::Empty, pods: 0, nodes: 0, ..Self::named(name, 1) }
    }
}

/// What a cluster holds at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// The namespaces every cluster has, nothing else.
    Empty,
    /// A small company: shop, payments, search, a platform team, some of it broken in known ways.
    Company,
}

/// What is wrong in the company at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Troubles {
    /// Everything runs.
    None,
    /// CrashLoopBackOff in `payments/fraud-detector`, OOMKilled in `search/indexer`, an unschedulable pod of `shop/recommendations`, a stuck
    /// rollout with ImagePullBackOff in `shop/checkout`, a failed Job of `payments/nightly-settlement`, a Pending claim `search/scratch`, a
    /// Certificate and an Application of `payments` not ready, and, with more than two nodes, the last one NotReady.
    Known,
}

/// A plot, of which a cluster plays the part that its name has in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Things happen by chance, and only when they are told to.
    None,
    /// The day before a web shop's biggest sale, in `prod-eu`, `prod-us`, `prod-ap`, `staging-eu`, `staging-us` and `dev-eu`; in any other cluster it
    /// is quiet. What happened before is seen in the cluster from the start; what goes on happens by the beat, a [`Workloads::tick`](crate::Workloads::tick)
    /// each, and begins anew after a quarter of an hour of beats in five seconds. Wants [`Troubles::None`].
    ShopDay,
}

/// Streaming lists, which old servers lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchList {
    /// `sendInitialEvents=true` streams the state, then the bookmark that ends it.
    Supported,
    /// `sendInitialEvents` is refused with 422, as by servers without the feature gate.
    Unsupported,
}

/// The state of the aggregated API `metrics.k8s.io`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsApi {
    /// Not installed: no APIService, no group.
    Absent,
    /// Serves node and pod metrics.
    Available,
    /// Registered, but its backend does not answer: 503 and a stale group in discovery.
    Failing,
}
