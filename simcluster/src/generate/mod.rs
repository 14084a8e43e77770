//! What a simulated cluster holds at its start.

pub(crate) mod batch;
pub(crate) mod companion;
pub(crate) mod event;
mod fixture;
pub(crate) mod managed;
pub(crate) mod node;
mod plan;
pub(crate) mod pod;
mod random;
pub(crate) mod template;
pub(crate) mod workload;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::clock::seconds;
use crate::cluster::Shared;
use crate::config::Troubles;
use crate::json::text;
use crate::store::Record;
pub(crate) use companion::endpoint;
use event::{Notice, Severity, event};
use node::{Node, NodeHealth};
use plan::{Plan, PlanKind, Sidecar, Trouble};
use pod::{Exit, Life, Owner, Place};
pub(crate) use random::Random;
use workload::Counts;

/// The namespaces that every cluster has.
const OF_EVERY_CLUSTER: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// A cluster that is new.
pub(crate) fn bare(shared: &Shared) {
    let now = seconds(shared.clock().now());
    for name in OF_EVERY_CLUSTER {
        put(shared, namespace(name, &now));
    }
}

/// The small company.
pub(crate) fn company(shared: &Shared) {
    let mut company = Company::new(shared);
    company.cluster_wide();
    company.nodes();
    for (plan, count) in plan::shares(shared.config.pods, company.nodes.len()) {
        company.workload(&plan, count);
    }
    company.batch();
}

fn namespace(name: &str, at: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "creationTimestamp": at, "labels": {"kubernetes.io/metadata.name": name}},
        "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}})
}

/// Stores an object of the first content, which no watch sees as a change.
fn put(shared: &Shared, object: Value) {
    let stored = shared.resource_of(&object).map(|resource| shared.put(&resource, object, Record::Silent));
    debug_assert!(
        matches!(stored, Ok(Ok(_))),
        "the generator makes only objects that a server takes: {stored:?}"
    );
}

struct Company<'a> {
    shared: &'a Shared,
    random: Random,
    now: Timestamp,
    nodes: Vec<Node>,
}

impl<'a> Company<'a> {
    fn new(shared: &'a Shared) -> Self {
        let (random, now) = (Random::new(shared.config.seed), shared.clock().now());
        Self { shared, random, now, nodes: Vec::new() }
    }

    /// Some time within so many days ago.
    fn long_ago(&mut self, days: u64) -> String {
        let ago = 3_600 + self.random.below(days * 86_400);
        seconds(self.now - SignedDuration::from_secs(i64::try_from(ago).unwrap_or(0)))
    }

    fn cluster_wide(&mut self) {
        let at = self.long_ago(200);
        let shared = self.shared;
        for name in OF_EVERY_CLUSTER {
            put(shared, namespace(name, &at));
        }
        for crd in fixture::crds(&at) {
            put(shared, crd);
        }
        for object in fixture::cluster_objects(&shared.catalog(), &at) {
            put(shared, object);
        }
        for name in plan::NAMESPACES {
            put(shared, namespace(name, &at));
            for object in fixture::namespace_objects(name, &at) {
                put(shared, object);
            }
        }
        for (namespace, name) in [
            ("shop", "frontend"),
            ("payments", "payments-api"),
            ("search", "query"),
            ("monitoring", "grafana"),
        ] {
            put(shared, fixture::ingress(namespace, name, &at));
            for object in fixture::custom_objects(namespace, name, shared.config.troubles, &at) {
                put(shared, object);
            }
        }
    }

    fn nodes(&mut self) {
        let config = &self.shared.config;
        let now = seconds(self.now);
        for index in 0..config.nodes {
            let node = Node::new(&config.region, index as u64, &mut self.random);
            // One node of several is not heard from.
            let is_silent =
                config.troubles == Troubles::Known && config.nodes > 2 && index == config.nodes - 1;
            let health = if is_silent { NodeHealth::Silent } else { NodeHealth::Ready };
            let at = self.long_ago(40);
            let object = node::node(
                &node,
                &config.region,
                &config.kubernetes_version,
                health,
                &at,
                &now,
                &mut self.random,
            );
            if is_silent {
                self.notice(
                    &object,
                    Severity::Normal,
                    "NodeNotReady",
                    "Node status is now: NodeNotReady",
                    "node-controller",
                    1,
                );
            }
            put(
                self.shared,
                json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": node.name, "namespace": "kube-node-lease"},
                "spec": {"holderIdentity": node.name, "leaseDurationSeconds": 40, "renewTime": crate::clock::micros(self.now)}}),
            );
            put(self.shared, object);
            self.nodes.push(node);
        }
    }

    fn batch(&mut self) {
        let Some(node) = self.nodes.first().cloned() else { return };
        let ago = |minutes| seconds(self.now - SignedDuration::from_mins(minutes));
        let (start, end) = (ago(600), ago(593));
        let place = node.place(&mut self.random);
        for object in batch::objects(&start, &end, &place, self.shared.config.troubles, &mut self.random) {
            put(self.shared, object);
        }
    }

    fn workload(&mut self, plan: &Plan, count: usize) {
        if count == 0 || self.nodes.is_empty() {
            return;
        }
        let mut plan = *plan;
        if self.shared.config.troubles == Troubles::None {
            plan.trouble = Trouble::None;
        }
        let at = self.long_ago(120);
        let template = template::template(&plan);
        let lives = self.lives(&plan, count);
        let ready = lives.iter().filter(|life| matches!(life, Life::Running { .. })).count();
        let counts = Counts { desired: count, current: count, updated: count, ready };
        let pods = match plan.kind {
            PlanKind::Deployment => self.deployment(&plan, &template, counts, lives, &at),
            PlanKind::StatefulSet => self.stateful_set(&plan, &template, counts, lives, &at),
            PlanKind::DaemonSet => self.daemon_set(&plan, &template, counts, lives, &at),
        };
        let service = companion::service(&plan, &at, &mut self.random);
        put(self.shared, companion::endpoint_slice(&service, &pods, plan.port, &mut self.random));
        put(self.shared, service);
        for object in companion::companions(&plan, count, &at) {
            put(self.shared, object);
        }
    }

    fn deployment(
        &mut self,
        plan: &Plan,
        template: &Value,
        mut counts: Counts,
        lives: Vec<Life>,
        at: &str,
    ) -> Vec<Value> {
        let stuck = plan.trouble == Trouble::StuckRollout;
        let mut wanted = template.clone();
        if stuck {
            // The tag that was rolled out does not exist.
            wanted["spec"]["containers"][0]["image"] = format!("{}:1.8.2-rc", plan.image).into();
            counts = Counts { current: counts.current + 1, updated: 1, ..counts };
        }
        let deployment = workload::deployment(plan, &wanted, counts, at, &mut self.random);
        let old = Counts { current: counts.desired, updated: counts.desired, ..counts };
        let set = workload::replica_set(&deployment, template, old, 1, at, &mut self.random);
        let mut pods = self.pods(plan, &set, lives);
        if stuck {
            let new = Counts { desired: 1, current: 1, updated: 1, ready: 0 };
            let at = self.long_ago(1);
            let set = workload::replica_set(&deployment, &wanted, new, 2, &at, &mut self.random);
            pods.extend(self.pods(plan, &set, vec![Life::ImagePullBackOff]));
            put(self.shared, set);
        }
        put(self.shared, set);
        put(self.shared, deployment);
        pods
    }

    fn pods(&mut self, plan: &Plan, set: &Value, lives: Vec<Life>) -> Vec<Value> {
        let owner = Owner::of("apps/v1", "ReplicaSet", set);
        let named = |random: &mut Random| format!("{}-{}", owner.name, random.suffix(5));
        lives
            .into_iter()
            .map(|life| {
                let name = named(&mut self.random);
                self.pod(plan, &name, &set["spec"]["template"], &owner, &life)
            })
            .collect()
    }

    fn stateful_set(
        &mut self,
        plan: &Plan,
        template: &Value,
        counts: Counts,
        lives: Vec<Life>,
        at: &str,
    ) -> Vec<Value> {
        let set = workload::stateful_set(plan, template, counts, at, &mut self.random);
        let owner = self.with_revision("StatefulSet", set, template, at);
        lives
            .into_iter()
            .enumerate()
            .map(|(index, life)| {
                let name = format!("{}-{index}", plan.name);
                let volume = format!("pvc-{}", self.random.uid());
                for object in companion::claim(plan.namespace, &format!("data-{name}"), Some(&volume), at) {
                    put(self.shared, object);
                }
                let mut template = template.clone();
                template["metadata"]["labels"]["apps.kubernetes.io/pod-index"] = index.to_string().into();
                template["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] = name.as_str().into();
                self.pod(plan, &name, &template, &owner, &life)
            })
            .collect()
    }

    fn daemon_set(
        &mut self,
        plan: &Plan,
        template: &Value,
        counts: Counts,
        lives: Vec<Life>,
        at: &str,
    ) -> Vec<Value> {
        let set = workload::daemon_set(plan, template, counts, at, &mut self.random);
        let owner = self.with_revision("DaemonSet", set, template, at);
        let nodes = self.nodes.clone();
        lives
            .into_iter()
            .zip(nodes)
            .map(|(life, node)| {
                let place = node.place(&mut self.random);
                let name = format!("{}-{}", plan.name, self.random.suffix(5));
                self.placed_pod(plan, &name, template, &owner, &life, &place)
            })
            .collect()
    }

    /// Stores a StatefulSet or DaemonSet with the revision that its controller keeps of it.
    fn with_revision(&mut self, kind: &'static str, set: Value, template: &Value, at: &str) -> Owner {
        let owner = Owner::of("apps/v1", kind, &set);
        let namespace = text(&set, "/metadata/namespace");
        let revision = workload::controller_revision(&owner, namespace, template, at, &mut self.random);
        put(self.shared, revision);
        put(self.shared, set);
        owner
    }

    fn pod(&mut self, plan: &Plan, name: &str, template: &Value, owner: &Owner, life: &Life) -> Value {
        let place = match (life, self.random.pick(&self.nodes).cloned()) {
            (Life::Unschedulable { .. }, _) | (_, None) => Place::nowhere(),
            (_, Some(node)) => node.place(&mut self.random),
        };
        self.placed_pod(plan, name, template, owner, life, &place)
    }

    fn placed_pod(
        &mut self,
        plan: &Plan,
        name: &str,
        template: &Value,
        owner: &Owner,
        life: &Life,
        place: &Place,
    ) -> Value {
        let at = match life {
            Life::Running { since, .. } | Life::CrashLoop { since, .. } => since.clone(),
            _ => self.long_ago(1),
        };
        let mut pod = pod::pod(plan.namespace, name, template, owner, place, &at, &mut self.random);
        pod::live(&mut pod, life, &at, &mut self.random);
        self.tell(&pod, life);
        put(self.shared, pod.clone());
        pod
    }

    /// The states that a workload's pods are in, by its trouble.
    fn lives(&mut self, plan: &Plan, count: usize) -> Vec<Life> {
        (0..count).map(|index| self.life(plan.trouble, index, plan.sidecar)).collect()
    }

    fn life(&mut self, trouble: Trouble, index: usize, sidecar: Sidecar) -> Life {
        let since = self.long_ago(20);
        let exit = |code, reason, at: &str| Exit { code, reason, at: at.to_owned(), message: "" };
        match trouble {
            Trouble::CrashLoop if index < 2 => {
                let restarts = 20 + i64::try_from(self.random.below(60)).unwrap_or(0);
                Life::CrashLoop { since, restarts, exit: exit(1, "Error", &self.recently()) }
            }
            Trouble::OutOfMemory if index == 0 => {
                Life::CrashLoop { since, restarts: 14, exit: exit(137, "OOMKilled", &self.recently()) }
            }
            Trouble::Unschedulable if index == 0 => {
                let nodes = self.nodes.len();
                let message = format!(
                    "0/{nodes} nodes are available: {nodes} Insufficient cpu. preemption: 0/{nodes} nodes are available: {nodes} No preemption victims found for incoming pod."
                );
                Life::Unschedulable { message }
            }
            _ => {
                let restarted = sidecar == Sidecar::None && self.random.percent(7);
                let last_exit = restarted.then(|| exit(137, "Error", &self.long_ago(2)));
                Life::Running { since, restarts: i64::from(restarted) * 2, last_exit }
            }
        }
    }

    fn recently(&mut self) -> String {
        let ago = i64::try_from(20 + self.random.below(250)).unwrap_or(60);
        seconds(self.now - SignedDuration::from_secs(ago))
    }

    /// The events that go with a pod's state.
    fn tell(&mut self, pod: &Value, life: &Life) {
        let name = text(pod, "/metadata/name");
        let container = text(pod, "/spec/containers/0/name");
        match life {
            Life::CrashLoop { restarts, .. } => {
                let message = format!("Back-off restarting failed container {container} in pod {name}");
                let count = u64::try_from(*restarts).unwrap_or(1) * 20;
                self.notice(pod, Severity::Warning, "BackOff", &message, "kubelet", count);
            }
            Life::ImagePullBackOff => {
                let message =
                    format!("Failed to pull image \"{}\": not found", text(pod, "/spec/containers/0/image"));
                self.notice(pod, Severity::Warning, "Failed", &message, "kubelet", 41);
            }
            Life::Unschedulable { message } => {
                self.notice(pod, Severity::Warning, "FailedScheduling", message, "default-scheduler", 97);
            }
            _ if self.random.percent(5) => {
                let message = format!("Successfully assigned {} to {}", name, text(pod, "/spec/nodeName"));
                self.notice(pod, Severity::Normal, "Scheduled", &message, "default-scheduler", 1);
            }
            _ => {}
        }
    }

    fn notice(
        &mut self,
        object: &Value,
        severity: Severity,
        reason: &str,
        message: &str,
        component: &str,
        count: u64,
    ) {
        let (first, last) = (self.long_ago(1), self.recently());
        let notice = Notice { severity, reason, message, component, count, first: &first, last: &last };
        let event = event(object, &notice, &mut self.random);
        put(self.shared, event);
    }
}
