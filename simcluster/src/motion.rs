//! Workloads that move: things happen (rollouts, scaling, restarts, noise), and small controllers bring the cluster to what was asked, also to
//! what callers wrote. Driven by [`Workloads::tick`]; nothing moves by itself.

mod controller;
mod deeds;
mod happenings;
mod kubelet;
mod nodes;
mod notes;
mod story;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::Value;

use crate::admission::{Mode, Preconditions};
use crate::catalog::Resource;
use crate::clock::seconds;
use crate::cluster::Shared;
use crate::generate::Random;
use crate::json::text;
use crate::names::{GroupResource, Gvr, ObjectKey};
use crate::store::{ChangeKind, Record, Scope};
pub use happenings::Happening;
use story::Story;

/// The moving part of a cluster. Clones drive the same one.
#[derive(Clone, Debug)]
pub struct Workloads {
    motion: Arc<Mutex<Motion>>,
}

#[derive(Debug)]
struct Motion {
    shared: Arc<Shared>,
    random: Random,
    /// Changes of Deployments up to here are taken in.
    position: u64,
    /// Deployments that are not yet as they should be.
    dirty: BTreeSet<ObjectKey>,
    /// When it is, where that is in the past.
    at: Option<Timestamp>,
    /// The plot that this cluster has part in.
    story: Option<Story>,
}

impl Workloads {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let random = Random::new(shared.config.seed ^ 0x0307_1011);
        let position = shared.store.revision();
        let story = Story::of(&shared.config);
        let mut motion = Motion { shared, random, position, dirty: BTreeSet::new(), at: None, story };
        motion.play_past();
        Self { motion: Arc::new(Mutex::new(motion)) }
    }

    /// One step: something happens (by chance, or the next beat of the scenario), and every controller takes one step towards what is asked. The same seed and the same calls give the same steps.
    /// Returns how many writes it made.
    pub fn tick(&self) -> u64 {
        let mut motion = self.motion.lock();
        let before = motion.shared.store.revision();
        if motion.story.is_some() {
            motion.beat();
        } else {
            motion.something_happens();
        }
        motion.reconcile();
        motion.shared.store.revision() - before
    }

    /// Only the controllers' step, without anything new: for tests that write what they want and wait for it to come about.
    /// Returns how many writes it made; zero means that everything is as asked.
    pub fn settle(&self) -> u64 {
        let mut motion = self.motion.lock();
        let before = motion.shared.store.revision();
        motion.reconcile();
        motion.shared.store.revision() - before
    }

    /// Makes this happen now, somewhere; says whether there was a place for it.
    pub fn happen(&self, what: Happening) -> bool {
        self.motion.lock().happen(what)
    }

    /// Ticks for ever; drop the future to stop.
    pub async fn run(&self, interval: Duration) {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            self.tick();
        }
    }
}

/// Kinds that move, by group and plural.
const DEPLOYMENTS: (&str, &str) = ("apps", "deployments");
const REPLICA_SETS: (&str, &str) = ("apps", "replicasets");
const PODS: (&str, &str) = ("", "pods");

impl Motion {
    fn time(&self) -> Timestamp {
        self.at.unwrap_or_else(|| self.shared.clock().now())
    }

    fn now(&self) -> String {
        seconds(self.time())
    }

    fn resource(&self, (group, plural): (&str, &str)) -> Option<Arc<Resource>> {
        let version = match group {
            "autoscaling" => "v2",
            "argoproj.io" => "v1alpha1",
            _ => "v1",
        };
        self.shared.resource(&Gvr::new(group, version, plural)).ok()
    }

    fn list(&self, (group, plural): (&str, &str), namespace: &str) -> Vec<Value> {
        let page = self
            .shared
            .store
            .list(&GroupResource::new(group, plural), Scope { namespace, ..Scope::default() });
        page.map(|page| page.objects).unwrap_or_default().iter().map(|object| object.value()).collect()
    }

    /// One object of a kind by chance, without reading the others.
    fn any(&mut self, (group, plural): (&str, &str)) -> Option<Value> {
        let page = self.shared.store.list(&GroupResource::new(group, plural), Scope::default()).ok()?;
        self.random.pick(&page.objects).map(|object| object.value())
    }

    fn get(&self, (group, plural): (&str, &str), namespace: &str, name: &str) -> Option<Value> {
        let kind = GroupResource::new(group, plural);
        self.shared.store.get(&kind, &ObjectKey::new(namespace, name)).map(|object| object.value())
    }

    fn owned(&self, (group, plural): (&str, &str), namespace: &str, owner_uid: &str) -> Vec<Value> {
        let scope = Scope { namespace, ..Scope::default() };
        let page = self.shared.store.list(&GroupResource::new(group, plural), scope);
        let objects = page.map(|page| page.objects).unwrap_or_default();
        let of_owner = objects.iter().filter(|object| object.mentions(owner_uid));
        let mut objects: Vec<Value> = of_owner.map(|object| object.value()).collect();
        objects.retain(|object| text(object, "/metadata/ownerReferences/0/uid") == owner_uid);
        objects
    }

    /// A refusal means that the kind is withdrawn for now, or the object went away meanwhile: the next step sees that.
    fn put(&self, kind: (&str, &str), object: Value) {
        let Some(resource) = self.resource(kind) else { return };
        if let Err(error) = self.shared.put(&resource, object, Record::Change) {
            tracing::debug!(error = error.message(), "a controller's write was refused");
        }
    }

    fn delete(&self, kind: (&str, &str), object: &Value) {
        let Some(resource) = self.resource(kind) else { return };
        let key = crate::admission::key_of(object);
        if let Err(error) = self.shared.remove(&resource, &key, &Preconditions::default(), Mode::Real) {
            tracing::debug!(error = error.message(), "a controller's delete was refused");
        }
    }

    /// Takes in what changed since the last step, whoever changed it, and steps each Deployment that is not done.
    fn reconcile(&mut self) {
        self.observe();
        for key in std::mem::take(&mut self.dirty) {
            if self.step(&key) == controller::Step::Going {
                self.dirty.insert(key);
            }
        }
    }

    fn observe(&mut self) {
        let deployments = GroupResource::new(DEPLOYMENTS.0, DEPLOYMENTS.1);
        // What is written from here on is seen by the next step, the controllers' own writes included.
        let since = std::mem::replace(&mut self.position, self.shared.store.revision());
        let Ok((changes, _)) = self.shared.store.changes(&deployments, since) else {
            let all = self.list(DEPLOYMENTS, "");
            self.dirty.extend(all.iter().map(crate::admission::key_of));
            return;
        };
        for change in changes {
            if change.kind() == ChangeKind::Deleted {
                self.collect_garbage(&change.last().value());
            } else {
                self.dirty.insert(change.last().key().clone());
            }
        }
        self.observe_pods(since);
    }

    /// A pod that someone deleted leaves its Deployment short of one.
    fn observe_pods(&mut self, since: u64) {
        let pods = GroupResource::new(PODS.0, PODS.1);
        let Ok((changes, _)) = self.shared.store.changes(&pods, since) else { return };
        for change in changes.iter().filter(|change| change.kind() == ChangeKind::Deleted) {
            let pod = change.last().value();
            let set = text(&pod, "/metadata/ownerReferences/0/name");
            if text(&pod, "/metadata/ownerReferences/0/kind") != "ReplicaSet" {
                continue;
            }
            if let Some((deployment, _)) = set.rsplit_once('-') {
                self.dirty.insert(ObjectKey::new(change.last().key().namespace(), deployment));
            }
        }
    }

    fn collect_garbage(&mut self, deployment: &Value) {
        let namespace = text(deployment, "/metadata/namespace");
        for set in self.owned(REPLICA_SETS, namespace, text(deployment, "/metadata/uid")) {
            for pod in self.owned(PODS, namespace, text(&set, "/metadata/uid")) {
                self.delete(PODS, &pod);
            }
            self.delete(REPLICA_SETS, &set);
        }
    }
}
