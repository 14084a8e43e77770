//! What happens in a cluster on an ordinary day.

use serde_json::Value;

use super::notes::EVENTS;
use super::{DEPLOYMENTS, Motion, PODS};
use crate::admission::typed;
use crate::generate::event::{Notice, Severity, event};
use crate::generate::node::{NodeHealth, conditions};
use crate::generate::pod::{self, Exit, Life};
use crate::json::{flag_condition, int, items, set, text};

/// Kinds of things that happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A Deployment gets a new image and rolls out.
    Rollout,
    /// A Deployment is made one larger or smaller.
    Scale,
    /// A container of a running pod dies and is started again.
    Restart,
    /// A pod in CrashLoopBackOff tries once more.
    CrashAgain,
    /// A kubelet reports its node's status.
    Heartbeat,
    /// An event repeats.
    RepeatEvent,
    /// A ConfigMap's value changes.
    EditConfig,
}

impl Motion {
    /// One thing a step; most are small.
    pub(super) fn something_happens(&mut self) {
        let what = match self.random.below(100) {
            0..4 => Happening::Rollout,
            4..12 => Happening::Scale,
            12..25 => Happening::Restart,
            25..45 => Happening::CrashAgain,
            45..65 => Happening::Heartbeat,
            65..97 => Happening::RepeatEvent,
            _ => Happening::EditConfig,
        };
        self.happen(what);
    }

    pub(super) fn happen(&mut self, what: Happening) -> bool {
        let done = match what {
            Happening::Rollout => self.rollout(),
            Happening::Scale => self.scale_one(),
            Happening::Restart => self.restart(),
            Happening::CrashAgain => self.crash_again(),
            Happening::Heartbeat => self.heartbeat(),
            Happening::RepeatEvent => self.repeat_event(),
            Happening::EditConfig => self.edit_config(),
        };
        done.is_some()
    }

    /// A new patch version of the first container's image.
    fn rollout(&mut self) -> Option<()> {
        let mut deployment = self.any(DEPLOYMENTS)?;
        let image =
            text(&deployment, "/spec/template/spec/containers/0/image").trim_end_matches("-rc").to_owned();
        let (name, tag) = image.rsplit_once(':')?;
        let (front, patch) = tag.rsplit_once('.')?;
        let patch: u64 = patch.parse().ok()?;
        set(
            &mut deployment,
            "/spec/template/spec/containers/0/image",
            format!("{name}:{front}.{}", patch + 1),
        );
        self.note(&deployment, DEPLOYMENTS, "ScalingReplicaSet", "Scaled up replica set for a new image");
        self.put(DEPLOYMENTS, deployment);
        Some(())
    }

    fn scale_one(&mut self) -> Option<()> {
        let mut deployment = self.any(DEPLOYMENTS)?;
        let replicas = int(&deployment, "/spec/replicas");
        let next = if replicas > 1 && self.random.percent(50) { replicas - 1 } else { replicas + 1 };
        set(&mut deployment, "/spec/replicas", next);
        self.note(
            &deployment,
            DEPLOYMENTS,
            "ScalingReplicaSet",
            &format!("Scaled from {replicas} to {next}"),
        );
        self.put(DEPLOYMENTS, deployment);
        Some(())
    }

    fn restart(&mut self) -> Option<()> {
        let mut pod = self
            .any(PODS)
            .filter(|pod| pod.pointer("/status/containerStatuses/0/state/running").is_some())?;
        let (now, restarts) = (self.now(), int(&pod, "/status/containerStatuses/0/restartCount"));
        let last_exit = Some(Exit { code: 1, reason: "Error", at: now.clone(), message: "" });
        let life = Life::Running { since: now.clone(), restarts: restarts + 1, last_exit };
        pod::live(&mut pod, &life, &now, &mut self.random);
        self.note(&pod, PODS, "Started", "Started container after it had exited with code 1");
        self.put(PODS, pod);
        Some(())
    }

    fn crash_again(&mut self) -> Option<()> {
        let reason = |pod: &Value| text(pod, "/status/containerStatuses/0/state/waiting/reason").to_owned();
        let crashing = ["payments", "search"].map(|namespace| self.list(PODS, namespace)).concat();
        let crashing: Vec<Value> =
            crashing.into_iter().filter(|pod| reason(pod) == "CrashLoopBackOff").collect();
        let mut pod = self.random.pick(&crashing)?.clone();
        let (now, restarts) = (self.now(), int(&pod, "/status/containerStatuses/0/restartCount"));
        let terminated = "/status/containerStatuses/0/lastState/terminated";
        let code = int(&pod, &format!("{terminated}/exitCode"));
        let reason =
            if text(&pod, &format!("{terminated}/reason")) == "OOMKilled" { "OOMKilled" } else { "Error" };
        let life = Life::CrashLoop {
            since: now.clone(),
            restarts: restarts + 1,
            exit: Exit { code, reason, at: now.clone(), message: "" },
        };
        pod::live(&mut pod, &life, &now, &mut self.random);
        self.put(PODS, pod);
        Some(())
    }

    fn heartbeat(&mut self) -> Option<()> {
        let nodes = ("", "nodes");
        let is_well = |node: &Value| flag_condition(node, "Ready") && items(node, "/spec/taints").is_empty();
        let mut node = self.any(nodes).filter(is_well)?;
        let since = text(&node, "/status/conditions/3/lastTransitionTime").to_owned();
        let now = self.now();
        set(&mut node, "/status/conditions", conditions(NodeHealth::Ready, &since, &now));
        self.put(nodes, node);
        Some(())
    }

    fn repeat_event(&mut self) -> Option<()> {
        let mut event = self.any(EVENTS)?;
        let count = int(&event, "/count");
        set(&mut event, "/count", count + 1);
        set(&mut event, "/lastTimestamp", self.now());
        self.put(EVENTS, event);
        Some(())
    }

    fn edit_config(&mut self) -> Option<()> {
        let config_maps = ("", "configmaps");
        let mut config =
            self.any(config_maps).filter(|config| config.pointer("/data/features.json").is_some())?;
        let flags = format!(
            "{{\"darkMode\":{},\"newCheckout\":{}}}",
            self.random.percent(50),
            self.random.percent(50)
        );
        set(&mut config, "/data/features.json", flags);
        self.put(config_maps, config);
        Some(())
    }

    /// Writes an event about an object.
    fn note(&mut self, object: &Value, kind: (&str, &str), reason: &str, message: &str) {
        let Some(resource) = self.resource(kind) else { return };
        let now = self.now();
        let component = if kind == PODS { "kubelet" } else { "deployment-controller" };
        let notice = Notice {
            severity: Severity::Normal,
            reason,
            message,
            component,
            count: 1,
            first: &now,
            last: &now,
        };
        let event = event(&typed(&resource, object.clone()), &notice, &mut self.random);
        self.put(EVENTS, event);
    }
}
