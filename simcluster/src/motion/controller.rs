//! One step of one Deployment towards its spec: ReplicaSets, pods, statuses, endpoints.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{DEPLOYMENTS, Motion, PODS, REPLICA_SETS};
use crate::generate::endpoint;
use crate::generate::managed;
use crate::generate::pod::{self, Life, Owner, Place};
use crate::generate::template;
use crate::generate::workload::{Counts, Progress, deployment_status, replica_set, replica_set_status};
use crate::json::{flag_condition, int, items, set, text};
use crate::names::ObjectKey;

const REVISION: &str = "/metadata/annotations/deployment.kubernetes.io~1revision";

/// Whether there is more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Going,
    Done,
}

/// A ReplicaSet with its pods.
struct SetState {
    set: Value,
    pods: Vec<Value>,
}

impl SetState {
    fn wanted(&self) -> usize {
        usize::try_from(int(&self.set, "/spec/replicas")).unwrap_or(0)
    }

    /// Those that count: not ended, and not about to be.
    fn active(&self) -> impl Iterator<Item = &Value> {
        self.pods.iter().filter(|pod| !is_terminating(pod) && !is_over(pod))
    }

    fn ready(&self) -> usize {
        self.active().filter(|pod| flag_condition(pod, "Ready")).count()
    }
}

pub(super) fn is_terminating(pod: &Value) -> bool {
    !text(pod, "/metadata/deletionTimestamp").is_empty()
}

fn is_over(pod: &Value) -> bool {
    matches!(text(pod, "/status/phase"), "Failed" | "Succeeded")
}

impl Motion {
    pub(super) fn step(&mut self, key: &ObjectKey) -> Step {
        let group_resource = crate::names::GroupResource::new(DEPLOYMENTS.0, DEPLOYMENTS.1);
        let Some(deployment) = self.shared.store.get(&group_resource, key) else { return Step::Done };
        let deployment = deployment.value();
        let before = self.shared.store.revision();
        let mut sets = self.sets(&deployment);
        let current = self.current_set(&deployment, &mut sets);
        self.scale_sets(&deployment, &mut sets, current);
        for state in &mut sets {
            self.step_pods(state);
        }
        let sets = self.sets(&deployment);
        let progress = self.write_statuses(&deployment, &sets);
        self.write_endpoints(&deployment, &sets);
        // A rollout that goes on may come to its deadline without anything else happening.
        match self.shared.store.revision() == before && progress != Progress::Going {
            true => Step::Done,
            false => Step::Going,
        }
    }

    fn sets(&self, deployment: &Value) -> Vec<SetState> {
        let namespace = text(deployment, "/metadata/namespace");
        let sets = self.owned(REPLICA_SETS, namespace, text(deployment, "/metadata/uid"));
        let of = |set: &Value| self.owned(PODS, namespace, text(set, "/metadata/uid"));
        sets.into_iter().map(|set| SetState { pods: of(&set), set }).collect()
    }

    /// The index of the set of the present template, which is made if there is none.
    fn current_set(&mut self, deployment: &Value, sets: &mut Vec<SetState>) -> usize {
        let name = format!(
            "{}-{}",
            text(deployment, "/metadata/name"),
            template::hash(&deployment["spec"]["template"])
        );
        let revision = sets.iter().map(|state| revision_of(&state.set)).max().unwrap_or(0) + 1;
        if let Some(index) = sets.iter().position(|state| text(&state.set, "/metadata/name") == name) {
            // A template that comes back is a revision of its own.
            if revision_of(&sets[index].set) + 1 < revision {
                set(&mut sets[index].set, REVISION, revision.to_string());
                self.put(REPLICA_SETS, sets[index].set.clone());
            }
            return index;
        }
        let at = self.now();
        let mut deployment = deployment.clone();
        deployment["kind"] = "Deployment".into();
        deployment["apiVersion"] = "apps/v1".into();
        let set = replica_set(
            &deployment,
            &deployment["spec"]["template"],
            Counts::default(),
            revision,
            &at,
            &mut self.random,
        );
        self.put(REPLICA_SETS, set.clone());
        sets.push(SetState { set, pods: Vec::new() });
        sets.len() - 1
    }

    /// A rolling update: the new set grows by a quarter once what it has is ready; the old ones shrink as the new one becomes ready.
    fn scale_sets(&mut self, deployment: &Value, sets: &mut [SetState], current: usize) {
        let desired = usize::try_from(int(deployment, "/spec/replicas")).unwrap_or(0);
        let surge = (desired / 4).max(1);
        let (wanted, ready) = (sets[current].wanted(), sets[current].ready());
        let is_settled = wanted == ready;
        let is_alone = sets.iter().enumerate().all(|(index, state)| index == current || state.wanted() == 0);
        let new = match wanted {
            wanted if wanted > desired || is_alone => desired,
            wanted if is_settled => desired.min(wanted + surge),
            wanted => wanted,
        };
        self.scale(deployment, &mut sets[current].set, new);
        let mut old_budget = desired.saturating_sub(ready);
        for (_, state) in sets.iter_mut().enumerate().filter(|(index, _)| *index != current) {
            let keep = state.wanted().min(old_budget);
            old_budget -= keep;
            self.scale(deployment, &mut state.set, keep);
        }
    }

    fn scale(&mut self, deployment: &Value, replica_set: &mut Value, replicas: usize) {
        let (before, after) = (int(replica_set, "/spec/replicas"), i64::try_from(replicas).unwrap_or(0));
        if before != after {
            set(replica_set, "/spec/replicas", replicas);
            self.put(REPLICA_SETS, replica_set.clone());
            self.tell_scaling(deployment, replica_set, before, after);
        }
    }

    /// Terminating pods go, new ones start, missing ones are made, superfluous ones are told to end.
    fn step_pods(&mut self, state: &mut SetState) {
        let mut alive = Vec::new();
        for mut pod in std::mem::take(&mut state.pods) {
            if is_terminating(&pod) {
                // Only its kubelet can say that a pod has ended.
                if self.is_heard(&pod) {
                    self.delete(PODS, &pod);
                }
                continue;
            }
            if is_over(&pod) {
                continue;
            }
            if text(&pod, "/status/containerStatuses/0/state/waiting/reason") == "ContainerCreating" {
                self.start(&mut pod);
            }
            alive.push(pod);
        }
        let wanted = state.wanted();
        while alive.len() > wanted {
            // Those that are not ready go first, then the youngest.
            alive.sort_by_key(|pod| {
                (
                    flag_condition(pod, "Ready"),
                    std::cmp::Reverse(text(pod, "/metadata/creationTimestamp").to_owned()),
                )
            });
            let pod = alive.remove(0);
            self.tell_end(&state.set, &pod);
            self.terminate(pod);
        }
        for _ in alive.len()..wanted {
            self.create(&state.set);
        }
    }

    /// Images whose tag ends in `-rc` do not exist.
    fn start(&mut self, pod: &mut Value) {
        let now = self.now();
        let life = match text(pod, "/spec/containers/0/image").ends_with("-rc") {
            _ if self.starts_ailing(pod) => return,
            true => Life::ImagePullBackOff,
            false => Life::Running { since: now.clone(), restarts: 0, last_exit: None },
        };
        pod::live(pod, &life, &now, &mut self.random);
        self.put(PODS, pod.clone());
        self.tell_start(pod);
    }

    pub(super) fn terminate(&self, mut pod: Value) {
        set(&mut pod, "/metadata/deletionTimestamp", self.now());
        set(&mut pod, "/metadata/deletionGracePeriodSeconds", 30);
        self.put(PODS, pod);
    }

    fn create(&mut self, replica_set: &Value) {
        let namespace = text(replica_set, "/metadata/namespace").to_owned();
        let owner = Owner::of("apps/v1", "ReplicaSet", replica_set);
        let name = format!("{}-{}", owner.name, self.random.suffix(5));
        let now = self.now();
        let (place, life) = match self.schedule(&replica_set["spec"]["template"]) {
            Ok(place) => (place, Life::Creating),
            Err(message) => (Place::nowhere(), Life::Unschedulable { message }),
        };
        let mut pod = pod::pod(
            &namespace,
            &name,
            &replica_set["spec"]["template"],
            &owner,
            &place,
            &now,
            &mut self.random,
        );
        pod::live(&mut pod, &life, &now, &mut self.random);
        self.put(PODS, pod.clone());
        self.tell_creation(replica_set, &pod, &life);
    }

    fn write_statuses(&self, deployment: &Value, sets: &[SetState]) -> Progress {
        let generation = int(deployment, "/metadata/generation");
        let current = format!(
            "{}-{}",
            text(deployment, "/metadata/name"),
            template::hash(&deployment["spec"]["template"])
        );
        let desired = usize::try_from(int(deployment, "/spec/replicas")).unwrap_or(0);
        let mut counts = Counts { desired, ..Counts::default() };
        for state in sets {
            let own = Counts {
                desired: state.wanted(),
                current: state.active().count(),
                updated: 0,
                ready: state.ready(),
            };
            let status = replica_set_status(own, int(&state.set, "/metadata/generation"));
            self.put_status(REPLICA_SETS, &state.set, status);
            counts.current += own.current;
            counts.ready += own.ready;
            counts.updated += if text(&state.set, "/metadata/name") == current { own.current } else { 0 };
        }
        let is_done = counts.ready == desired && counts.updated == desired && counts.current == desired;
        let progress = if is_done { Progress::Done } else { self.progress(deployment, counts) };
        let status = deployment_status(counts, generation, progress, &current, &self.now());
        if without_times(&status) != without_times(&deployment["status"]) {
            let mut deployment = deployment.clone();
            let revision = sets.iter().map(|state| revision_of(&state.set)).max().unwrap_or(1);
            set(&mut deployment, REVISION, revision.to_string());
            self.put_status(DEPLOYMENTS, &deployment, status);
        }
        progress
    }

    /// Of a rollout that is not done. One that got no further for longer than its deadline is stuck until it does.
    fn progress(&self, deployment: &Value, counts: Counts) -> Progress {
        let conditions = items(deployment, "/status/conditions");
        let Some(last) = conditions.iter().find(|condition| text(condition, "/type") == "Progressing") else {
            return Progress::Going;
        };
        let further = |field: &str, count: usize| int(deployment, field) < i64::try_from(count).unwrap_or(0);
        let is_another =
            int(deployment, "/status/observedGeneration") != int(deployment, "/metadata/generation");
        if is_another
            || further("/status/updatedReplicas", counts.updated)
            || further("/status/readyReplicas", counts.ready)
        {
            return Progress::Going;
        }
        let deadline = SignedDuration::from_secs(int(deployment, "/spec/progressDeadlineSeconds").max(1));
        let is_late = || {
            let since: Option<Timestamp> = text(last, "/lastUpdateTime").parse().ok();
            since.is_some_and(|since| self.time().duration_since(since) > deadline)
        };
        match text(last, "/reason") {
            "ProgressDeadlineExceeded" => Progress::Stuck,
            "NewReplicaSetAvailable" => Progress::Going,
            _ if is_late() => Progress::Stuck,
            _ => Progress::Going,
        }
    }

    fn put_status(&self, kind: (&str, &str), object: &Value, status: Value) {
        if object["status"] != status {
            let mut object = object.clone();
            object["status"] = status;
            managed::renew(&mut object, "status", &self.now());
            self.put(kind, object);
        }
    }

    fn write_endpoints(&self, deployment: &Value, sets: &[SetState]) {
        let slices = ("discovery.k8s.io", "endpointslices");
        let name = text(deployment, "/metadata/name");
        let mut found = self.list(slices, text(deployment, "/metadata/namespace"));
        found.retain(|slice| text(slice, "/metadata/labels/kubernetes.io~1service-name") == name);
        let Some(mut slice) = found.pop() else { return };
        let pods =
            sets.iter().flat_map(SetState::active).filter(|pod| !text(pod, "/status/podIP").is_empty());
        let endpoints: Value = pods.map(endpoint).collect();
        if slice["endpoints"] != endpoints {
            slice["endpoints"] = endpoints;
            self.put(slices, slice);
        }
    }
}

fn revision_of(replica_set: &Value) -> u64 {
    text(replica_set, REVISION).parse().unwrap_or(0)
}

/// A status apart from the times of its conditions, which move only when something else does.
fn without_times(status: &Value) -> Value {
    let mut status = status.clone();
    for condition in status.get_mut("conditions").and_then(Value::as_array_mut).into_iter().flatten() {
        crate::json::remove(condition, "/lastUpdateTime");
        crate::json::remove(condition, "/lastTransitionTime");
    }
    status
}
