//! A simulated Kubernetes API server: many clusters in one process, faithful in what a client can see, broken on demand.
//!
//! It answers as kube-apiserver does — paths, status codes, headers, `Status` bodies, discovery, selectors, paging, resource versions, watches,
//! tables — from objects held in memory, without etcd, controllers or a network of its own. Tests run against it in process; `kubectl -s`
//! works against it over loopback (`cargo run -p simcluster --example serve`).
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use simcluster::{Fault, FaultAction, Gvr, SimCluster, SimConfig, Verb};
//!
//! let cluster = SimCluster::new(SimConfig { pods: 30, nodes: 3, ..SimConfig::named("prod-eu", 7) });
//! let client = kube::Client::new(cluster.service(), "default"); // in process; `cluster.serve(listener, shutdown)` for TCP
//! let pods: kube::Api<k8s_openapi::api::core::v1::Pod> = kube::Api::all(client);
//! assert_eq!(pods.list(&Default::default()).await?.items.len(), cluster.count(&Gvr::core("pods")));
//!
//! cluster.faults().add(Fault::new(FaultAction::TooManyRequests { retry_after_seconds: 2 }).verb(Verb::List).resource("pods").times(1));
//! assert!(pods.list(&Default::default()).await.is_err());
//! assert_eq!(cluster.stats().count(Verb::List, "pods"), 2);
//!
//! cluster.workloads().tick(); // something happens: a restart, a rollout, an event, …
//! # Ok(())
//! # }
//! ```
//!
//! # What there is
//!
//! - **Content.** [`Content::Company`] is a small company (shop, payments, search, platform, monitoring): Deployments with ReplicaSets and pods of
//!   8 kB and more, StatefulSets with claims and volumes, DaemonSets, Jobs, Services, EndpointSlices, RBAC, autoscalers, budgets, two CRDs
//!   with objects, events; Secrets hold the text `KUBEPLEX-LEAK-CANARY`, base64 as ever. [`Troubles::Known`] lists what is broken in it.
//!   The same [`SimConfig`] makes the same cluster byte for byte, given clocks that start alike. [`Content::Empty`] has only the namespaces that every cluster
//!   has. An object of a namespace that does not exist can be [applied](SimCluster::apply), but not created over HTTP.
//! - **Direct access.** [`SimCluster::apply`], [`SimCluster::delete`], [`SimCluster::objects`], [`SimCluster::compact`] (410 for what came before),
//!   [`SimCluster::withdraw_version`], [`SimCluster::end_watches`], [`SimCluster::end_watches_of`], [`SimCluster::set_metrics_api`], [`SimCluster::set_watch_list`], [`SimCluster::set_policy`].
//! - **Movement.** Nothing moves unless [`Workloads::tick`] is called ([`Workloads::run`] calls it on an interval). Deployments are brought to what was asked
//!   also when the asking came over HTTP; [`Workloads::settle`] does only that. Images with a tag in `-rc` can't be pulled.
//! - **Scenarios.** [`Scenario::ShopDay`] gives clusters a past and a plot: `scenario/` says who does what and when, as a table; what follows from it (ReplicaSets,
//!   back-offs, evictions, events, field managers) is the controllers' doing. Events are kept for an hour, as by a real server.
//! - **Faults.** [`FaultPlan`] takes [`Fault`]s: an action, for which requests, how often. Freezing, doubling and delaying reach open watches too.
//! - **Counting.** [`Stats`]: requests by verb, resource and user agent, open watches, requests that their caller dropped.
//! - **Time.** Timestamps and the `Date` header come from a [`SimClock`], which follows tokio's time; so do latencies, bookmarks and deadlines. With
//!   `#[tokio::test(start_paused = true)]` a minute of watching takes no time. As from a real server, bookmarks come only after an event or a list. [`SimClock::set_skew`] sets the cluster's clock wrong.
//! - **Rights.** [`Policy`]: bearer tokens name users, grants name verbs and resources; `Impersonate-User` and `-Group` are honoured; access reviews answer from the
//!   same table. RBAC objects are stored and served, but grant nothing.
//!
//! # How objects are held
//!
//! As JSON text, not as types: a list is a concatenation of texts, a watch event a text shared by all watches, and whatever a client sends comes back
//! as it was, unknown fields included. That is why the crate does not depend on k8s-openapi: typed objects would cost several times the memory,
//! parse and serialise on every read, and fix one Kubernetes version. Pods of one workload share the text that they have in common. Watches have no
//! buffer: they read a bounded history ([`SimConfig::history`] changes a kind) at their own pace, and get 410 when they fall out of it.
//!
//! # What is simpler than in a real server
//!
//! JSON only (no protobuf, no gzip, no YAML); OpenAPI v3 of custom kinds and an excerpt of `apps/v1` alone; no schema validation or defaulting; strategic merge patches and server-side apply are merged as
//! JSON merge patches; no conversion between versions of a CRD; `events.k8s.io` and `autoscaling/v1` are not served; pods are deleted at once
//! over HTTP, without a grace period; `exec`, `attach` and `portforward` do not exist.

mod admission;
mod catalog;
mod clock;
mod cluster;
mod config;
mod faults;
mod generate;
mod http;
mod json;
mod logs;
mod metrics;
mod motion;
mod names;
mod policy;
mod scenario;
mod select;
mod stats;
mod status;
mod store;
mod table;

pub use clock::SimClock;
pub use cluster::{SimCluster, SimError};
pub use config::{Content, MetricsApi, Scenario, SimConfig, Troubles, WatchList};
pub use faults::{Call, Fault, FaultAction, FaultId, FaultPlan, StreamEnd, Verb};
pub use http::{ConnectionReset, SimService};
pub use motion::{Happening, Workloads};
pub use names::{GroupResource, Gvr};
pub use policy::{Attributes, Policy, Rule, Subject, User};
pub use stats::{CallLabel, Stats};
