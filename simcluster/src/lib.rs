//! A simulated Kubernetes API server.

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
mod select;
mod stats;
mod status;
mod store;
mod table;

pub use clock::SimClock;
pub use cluster::{SimCluster, SimError};
pub use config::{Content, MetricsApi, SimConfig, Troubles, WatchList};
pub use faults::{Call, Fault, FaultAction, FaultId, FaultPlan, StreamEnd, Verb};
pub use http::{ConnectionReset, SimService};
pub use motion::{Happening, Workloads};
pub use names::{GroupResource, Gvr};
pub use policy::{Attributes, Policy, Rule, Subject, User};
pub use stats::{CallLabel, Stats};
