//! The cluster: everything that one simulated API server is, and the handle by which tests and demos hold it.

use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use serde_json::Value;
use thiserror::Error;
use tokio::net::TcpListener;

use crate::admission::{Mode, Preconditions};
use crate::catalog::{Catalog, Resource};
use crate::clock::SimClock;
use crate::config::{Content, MetricsApi, SimConfig, WatchList};
use crate::faults::FaultPlan;
use crate::generate::{self, Random};
use crate::http::{self, SimService};
use crate::logs::LogBook;
use crate::metrics;
use crate::motion::Workloads;
use crate::names::{Gvr, ObjectKey};
use crate::policy::Policy;
use crate::stats::{Counters, Stats};
use crate::store::{Record, Scope, Store};

/// A simulated cluster. Clones are handles of the same one.
#[derive(Clone, Debug)]
pub struct SimCluster {
    shared: Arc<Shared>,
    workloads: Workloads,
}

/// What the handle, the service and the watches share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: SimConfig,
    pub(crate) store: Store,
    pub(crate) faults: FaultPlan,
    pub(crate) counters: Counters,
    catalog: RwLock<Catalog>,
    policy: RwLock<Policy>,
    switches: RwLock<Switches>,
    pub(crate) logs: LogBook,
    /// Group, version, resource and the release that removes it, of what clients asked for.
    pub(crate) deprecated: Mutex<BTreeSet<[String; 4]>>,
    ids: Mutex<Random>,
    /// Apart from `ids`, so that requests do not change what objects are called.
    audit_ids: Mutex<Random>,
}

#[derive(Clone, Copy, Debug)]
struct Switches {
    watch_list: WatchList,
    metrics_api: MetricsApi,
}

/// A change through the handle that the server would refuse.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SimError {
    /// No such kind is served.
    #[error("this cluster serves no kind {kind:?} in {api_version:?}; create its CRD first")]
    UnknownKind {
        /// The object's `apiVersion`.
        api_version: String,
        /// The object's `kind`.
        kind: String,
    },
    /// The server's refusal.
    #[error("{message}")]
    Refused {
        /// The HTTP code it would have had.
        code: u16,
        /// The server's message.
        message: String,
    },
}

impl From<crate::status::ApiError> for SimError {
    fn from(error: crate::status::ApiError) -> Self {
        Self::Refused { code: error.code, message: error.message().to_owned() }
    }
}

impl SimCluster {
    /// Makes the cluster and fills it as the configuration says.
    pub fn new(config: SimConfig) -> Self {
        let shared = Arc::new(Shared::new(config));
        shared.update_catalog(|catalog| metrics::install(catalog, shared.config.metrics_api));
        match shared.config.content {
            Content::Empty => generate::bare(&shared),
            Content::Company => generate::company(&shared),
        }
        let workloads = Workloads::new(shared.clone());
        Self { shared, workloads }
    }

    /// What the cluster was made from.
    pub fn config(&self) -> &SimConfig {
        &self.shared.config
    }

    /// The API server as a tower service, without a network.
    pub fn service(&self) -> SimService {
        SimService::new(self.shared.clone())
    }

    /// Serves HTTP/1.1 and HTTP/2 (prior knowledge) in clear text on `listener` until `shutdown` ends, then cuts what is open.
    ///
    /// # Errors
    /// When the listener fails for good.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        http::serve(self.service(), listener, shutdown).await
    }

    /// Creates or replaces an object, status included; returns its resource version.
    ///
    /// # Errors
    /// When its kind is not served, or it has no name.
    pub fn apply(&self, object: Value) -> Result<u64, SimError> {
        let resource = self.shared.resource_of(&object)?;
        let change = self.shared.put(&resource, object, Record::Change)?;
        Ok(change.revision())
    }

    /// Somebody asked for a deprecated API: `policy/v1beta1`, `poddisruptionbudgets`, which `1.25` removes.
    pub fn ask_for_deprecated(&self, api_version: &str, resource: &str, removed_release: &str) {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let asked = [group, version, resource, removed_release].map(str::to_owned);
        self.shared.deprecated.lock().insert(asked);
    }

    /// Deletes an object at once, unless finalizers hold it.
    ///
    /// # Errors
    /// When the kind or the object does not exist.
    pub fn delete(&self, gvr: &Gvr, namespace: &str, name: &str) -> Result<(), SimError> {
        let resource = self.shared.resource(gvr)?;
        let key = ObjectKey::new(namespace, name);
        self.shared.remove(&resource, &key, &Preconditions::default(), Mode::Real)?;
        Ok(())
    }

    /// Every object of a kind, as it is now, in the server's order.
    pub fn objects(&self, gvr: &Gvr) -> Vec<Value> {
        let Ok(resource) = self.shared.resource(gvr) else { return Vec::new() };
        let page = self.shared.store.list(&gvr.group_resource(), Scope::default());
        let objects = page.map(|page| page.objects).unwrap_or_default();
        objects.iter().map(|object| crate::admission::typed(&resource, object.value())).collect()
    }

    /// One object, as it is now.
    pub fn object(&self, gvr: &Gvr, namespace: &str, name: &str) -> Option<Value> {
        let resource = self.shared.resource(gvr).ok()?;
        let object = self.shared.store.get(&gvr.group_resource(), &ObjectKey::new(namespace, name))?;
        Some(crate::admission::typed(&resource, object.value()))
    }

    /// How many objects of a kind there are.
    pub fn count(&self, gvr: &Gvr) -> usize {
        self.shared.store.count(&gvr.group_resource())
    }

    /// The latest resource version.
    pub fn revision(&self) -> u64 {
        self.shared.store.revision()
    }

    /// Forgets all history, as etcd's compaction does: watches and pages from before are expired (410).
    pub fn compact(&self) {
        self.shared.store.compact();
    }

    /// The faults of this cluster.
    pub fn faults(&self) -> &FaultPlan {
        &self.shared.faults
    }

    /// What callers did so far.
    pub fn stats(&self) -> Stats {
        self.shared.counters.snapshot()
    }

    /// Starts counting anew.
    pub fn reset_stats(&self) {
        self.shared.counters.reset();
    }

    /// The workloads that move when they are told to.
    pub fn workloads(&self) -> &Workloads {
        &self.workloads
    }

    /// The cluster's clock, to set its skew.
    pub fn clock(&self) -> &SimClock {
        &self.shared.config.clock
    }

    /// Replaces the table of users and grants.
    pub fn set_policy(&self, policy: Policy) {
        *self.shared.policy.write() = policy;
    }

    /// Makes the server new or old in the matter of streaming lists.
    pub fn set_watch_list(&self, watch_list: WatchList) {
        self.shared.switches.write().watch_list = watch_list;
    }

    /// Installs, breaks, mends or removes `metrics.k8s.io`.
    pub fn set_metrics_api(&self, metrics_api: MetricsApi) {
        self.shared.switches.write().metrics_api = metrics_api;
        self.shared.update_catalog(|catalog| metrics::install(catalog, metrics_api));
    }

    /// Ends every open watch, as a server that stops does; whoever watches again goes on where it was.
    pub fn end_watches(&self) {
        self.shared.store.end_all_watches();
    }

    /// Ends every open watch of a kind, as a server that can't convert its objects any more does.
    pub fn end_watches_of(&self, gvr: &Gvr) {
        self.shared.store.end_watches(&gvr.group_resource());
    }

    /// Stops serving a version of a group: its paths answer 404, its watches end, discovery no longer names it.
    pub fn withdraw_version(&self, group: &str, version: &str) {
        let gone = self.shared.catalog();
        self.shared.update_catalog(|catalog| catalog.withdraw(group, version));
        for resource in gone.in_version(group, version) {
            self.shared.store.end_watches(&resource.group_resource());
        }
    }

    /// Serves a withdrawn version again.
    pub fn restore_version(&self, group: &str, version: &str) {
        self.shared.update_catalog(|catalog| catalog.restore(group, version));
    }

    /// Has a container write a line now. One that was told once writes nothing by itself any more, nor has ever done so.
    pub fn write_log(&self, [namespace, pod, container]: [&str; 3], text: &str) {
        self.shared.logs.write([namespace, pod, container], self.clock().now(), text);
    }

    /// Number of objects, the length of their JSON together, and the bytes that they occupy beyond what they share.
    pub fn sizes(&self) -> (usize, usize, usize) {
        self.shared.store.sizes()
    }
}

impl Shared {
    fn new(config: SimConfig) -> Self {
        let mut ids = Random::new(config.seed ^ 0x5eed);
        let first_revision = 1_000_000 + ids.below(9_000_000);
        Self {
            store: Store::new(first_revision, config.history),
            faults: FaultPlan::new(),
            counters: Counters::default(),
            catalog: RwLock::new(Catalog::builtin()),
            policy: RwLock::new(config.policy.clone()),
            switches: RwLock::new(Switches {
                watch_list: config.watch_list,
                metrics_api: config.metrics_api,
            }),
            logs: LogBook::default(),
            deprecated: Mutex::default(),
            ids: Mutex::new(ids),
            audit_ids: Mutex::new(Random::new(config.seed ^ 0xa0d1)),
            config,
        }
    }

    pub(crate) fn clock(&self) -> &SimClock {
        &self.config.clock
    }

    pub(crate) fn catalog(&self) -> Catalog {
        self.catalog.read().clone()
    }

    pub(crate) fn update_catalog(&self, change: impl FnOnce(Catalog) -> Catalog) {
        let mut catalog = self.catalog.write();
        *catalog = change(catalog.clone());
    }

    pub(crate) fn policy(&self) -> Policy {
        self.policy.read().clone()
    }

    pub(crate) fn watch_list(&self) -> WatchList {
        self.switches.read().watch_list
    }

    pub(crate) fn metrics_api(&self) -> MetricsApi {
        self.switches.read().metrics_api
    }

    pub(crate) fn random_uid(&self) -> String {
        self.ids.lock().uid()
    }

    pub(crate) fn random_suffix(&self) -> String {
        self.ids.lock().suffix(5)
    }

    pub(crate) fn next_audit_id(&self) -> String {
        self.audit_ids.lock().uid()
    }

    /// The resource of an object by its own words.
    pub(crate) fn resource_of(&self, object: &Value) -> Result<Arc<Resource>, SimError> {
        let (api_version, kind) =
            (crate::json::text(object, "/apiVersion"), crate::json::text(object, "/kind"));
        let found = self.catalog.read().find_kind(api_version, kind).cloned();
        found.ok_or_else(|| SimError::UnknownKind { api_version: api_version.into(), kind: kind.into() })
    }

    /// The resource that `gvr` names.
    pub(crate) fn resource(&self, gvr: &Gvr) -> Result<Arc<Resource>, SimError> {
        let found = self.catalog.read().find_gvr(gvr).cloned();
        let api_version = crate::names::api_version(gvr.group(), gvr.version());
        found.ok_or_else(|| SimError::UnknownKind { api_version, kind: gvr.resource().into() })
    }
}
