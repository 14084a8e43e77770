//! What somebody does in a story, done as they would: a write of an object, with their name in its managed fields.

use serde_json::{Value, json};

use super::kubelet::{NODES, in_hours};
use super::notes::Note;
use super::story::Trouble;
use super::{DEPLOYMENTS, Motion};
use crate::generate::batch::{Outcome, cron_job};
use crate::generate::companion;
use crate::generate::managed;
use crate::generate::node::Node;
use crate::json::{int, items, set, text};
use crate::scenario::{Deed, Setting, Target};
use crate::store::Record;

const AUTOSCALERS: (&str, &str) = ("autoscaling", "horizontalpodautoscalers");
const CERTIFICATES: (&str, &str) = ("cert-manager.io", "certificates");
const CLAIMS: (&str, &str) = ("", "persistentvolumeclaims");

impl Motion {
    /// Small clusters lack some of the objects; what should happen to those does not happen.
    pub(super) fn perform(&mut self, deed: &Deed) {
        let done = match *deed {
            Deed::Release { namespace, name, tag, by, with } => self.release(namespace, name, tag, by, with),
            Deed::Edit { ref object, by, set } => self.edit(object, by, |motion, object| {
                set.iter().for_each(|(pointer, setting)| assign(object, pointer, motion.value_of(*setting)));
                Some(())
            }),
            Deed::FallSilent { node } => self.fall_silent(node),
            Deed::FillDisk { node, evicted } => self.fill_disk(node, evicted),
            Deed::FreeDisk { node } => self.free_disk(node),
            Deed::HitMaximum { namespace, name, percent } => self.hit_maximum(namespace, name, percent),
            Deed::FailRenewal { namespace, name, hours_left, message } => {
                self.fail_renewal(namespace, name, hours_left, message)
            }
            Deed::FailJob { namespace, name, code, says } => self.fail_job(namespace, name, code, says),
            Deed::ClaimNothing { namespace, name } => self.claim_nothing(namespace, name),
            Deed::Rescale { namespace, name, by } => self.rescale(namespace, name, by),
        };
        if done.is_none() {
            tracing::debug!(?deed, "this cluster lacks what it would happen to");
        }
    }

    fn release(
        &mut self,
        namespace: &'static str,
        name: &'static str,
        tag: &str,
        by: &str,
        with: &[(&str, Setting)],
    ) -> Option<()> {
        let round = self.story.as_ref().map_or(1, super::Story::round);
        let tag = tag.replace('@', &round.to_string());
        let deployment = Target { kind: DEPLOYMENTS, namespace, name };
        self.edit(&deployment, by, |motion, object| {
            let template = object.pointer_mut("/spec/template")?;
            let repository = text(template, "/spec/containers/0/image")
                .rsplit_once(':')
                .map(|(name, _)| name.to_owned())?;
            for list in ["/spec/containers", "/spec/initContainers"] {
                let containers = template.pointer_mut(list).and_then(Value::as_array_mut);
                for container in containers.into_iter().flatten() {
                    if text(container, "/image").starts_with(&format!("{repository}:")) {
                        container["image"] = format!("{repository}:{tag}").into();
                    }
                }
            }
            set(template, "/metadata/labels/app.kubernetes.io~1version", tag);
            for (pointer, setting) in with {
                assign(object, pointer, motion.value_of(*setting));
            }
            Some(())
        })
    }

    /// Somebody writes an object that is there.
    fn edit(
        &mut self,
        target: &Target,
        by: &str,
        change: impl FnOnce(&Self, &mut Value) -> Option<()>,
    ) -> Option<()> {
        let mut object = self.get(target.kind, target.namespace, target.name)?;
        let before = object.clone();
        change(self, &mut object)?;
        let subresource = if object["status"] == before["status"] { "" } else { "status" };
        let api_version = self.resource(target.kind)?.api_version();
        managed::note(&mut object, &before, (by, subresource), &api_version, &self.now());
        self.put(target.kind, object);
        Some(())
    }

    fn value_of(&self, setting: Setting) -> Value {
        match setting {
            Setting::Text(text) => text.into(),
            Setting::Number(number) => number.into(),
            Setting::Now => self.now().into(),
        }
    }

    fn hit_maximum(&mut self, namespace: &'static str, name: &'static str, percent: i64) -> Option<()> {
        let replicas = int(&self.get(DEPLOYMENTS, namespace, name)?, "/spec/replicas");
        let now = self.now();
        let target = Target { kind: AUTOSCALERS, namespace, name };
        self.edit(&target, "kube-controller-manager", |_, autoscaler| {
            let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now});
            set(autoscaler, "/spec/maxReplicas", replicas);
            set(autoscaler, "/status/conditions", json!([
                condition("AbleToScale", "ReadyForNewScale", "recommended size matches current size"),
                condition("ScalingActive", "ValidMetricFound", "the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)"),
                condition("ScalingLimited", "TooManyReplicas", "the desired replica count is more than the maximum replica count"),
            ]));
            set_load(autoscaler, percent);
            Some(())
        })
    }

    /// How busy the replicas of some autoscaler are now.
    pub(super) fn measure_load(&mut self) {
        let Some(mut autoscaler) = self.any(AUTOSCALERS) else { return };
        let is_limited = crate::json::flag_condition(&autoscaler, "ScalingLimited");
        let percent = if is_limited { 130 + self.random.below(30) } else { 20 + self.random.below(45) };
        set_load(&mut autoscaler, i64::try_from(percent).unwrap_or(0));
        managed::renew(&mut autoscaler, "status", &self.now());
        self.put(AUTOSCALERS, autoscaler);
    }

    fn rescale(&mut self, namespace: &'static str, name: &'static str, by: i64) -> Option<()> {
        let autoscaler = self.get(AUTOSCALERS, namespace, name)?;
        let replicas = (int(&self.get(DEPLOYMENTS, namespace, name)?, "/spec/replicas") + by).max(1);
        let deployment = Target { kind: DEPLOYMENTS, namespace, name };
        self.edit(&deployment, "kube-controller-manager", |_, object| {
            set(object, "/spec/replicas", replicas);
            Some(())
        })?;
        let why = match by > 0 {
            true => "cpu resource utilization (percentage of request) above target",
            false => "All metrics below target",
        };
        let message = format!("New size: {replicas}; reason: {why}");
        let note = Note::normal("horizontal-pod-autoscaler", "SuccessfulRescale", message);
        self.tell(AUTOSCALERS, &autoscaler, &note);
        let target = Target { kind: AUTOSCALERS, namespace, name };
        self.edit(&target, "kube-controller-manager", |motion, autoscaler| {
            set(autoscaler, "/status/currentReplicas", replicas);
            set(autoscaler, "/status/desiredReplicas", replicas);
            set(autoscaler, "/status/lastScaleTime", motion.now());
            Some(())
        })
    }

    fn fail_renewal(
        &mut self,
        namespace: &'static str,
        name: &'static str,
        hours_left: i64,
        message: &str,
    ) -> Option<()> {
        let start = self.shared.clock().now();
        let target = Target { kind: CERTIFICATES, namespace, name };
        self.edit(&target, "cert-manager-certificates-issuing", |motion, certificate| {
            let mut conditions = items(certificate, "/status/conditions").to_vec();
            conditions.push(json!({"type": "Issuing", "status": "False", "reason": "Failed", "message": message, "lastTransitionTime": motion.now(), "observedGeneration": 1}));
            set(certificate, "/status/conditions", conditions);
            set(certificate, "/status/notBefore", in_hours(start, hours_left - 90 * 24));
            set(certificate, "/status/renewalTime", in_hours(start, hours_left - 30 * 24));
            set(certificate, "/status/notAfter", in_hours(start, hours_left));
            set(certificate, "/status/lastFailureTime", motion.now());
            set(certificate, "/status/failedIssuanceAttempts", 5);
            Some(())
        })
    }

    fn fail_job(&mut self, namespace: &str, name: &str, code: i64, says: &'static str) -> Option<()> {
        let node = self.list(NODES, "").into_iter().next()?;
        let (node, ip) = (text(&node, "/metadata/name"), text(&node, "/status/addresses/0/address"));
        let place = Node::existing(node, ip).place(&mut self.random);
        let at = self.time();
        let (start, end) = (self.now(), crate::clock::seconds(at + jiff::SignedDuration::from_mins(4)));
        let outcome = Outcome::Failed { code, says };
        let mut objects = cron_job(namespace, name, outcome, (&start, &end), &place, &mut self.random);
        let cron = objects.first_mut()?;
        set(cron, "/metadata/creationTimestamp", in_hours(at, -90 * 24));
        set(cron, "/status/lastSuccessfulTime", in_hours(at, -24));
        objects.into_iter().try_for_each(|object| self.add(object))
    }

    fn claim_nothing(&mut self, namespace: &str, name: &str) -> Option<()> {
        let claim = companion::claim(namespace, name, None, &self.now()).pop()?;
        let class = text(&claim, "/spec/storageClassName");
        let message = format!("storageclass.storage.k8s.io \"{class}\" not found");
        let note = Note::warning("persistentvolume-controller", "ProvisioningFailed", message);
        self.add(claim)?;
        let claim = self.get(CLAIMS, namespace, name)?;
        self.ails(CLAIMS, &claim, Trouble { ailment: None, note });
        Some(())
    }

    /// An object that was not there, or that takes the place of one.
    fn add(&self, object: Value) -> Option<()> {
        let resource = self.shared.resource_of(&object).ok()?;
        self.shared.put(&resource, object, Record::Change).ok().map(drop)
    }
}

fn set_load(autoscaler: &mut Value, percent: i64) {
    let current = "/status/currentMetrics/0/resource/current";
    assign(autoscaler, &format!("{current}/averageUtilization"), percent.into());
    assign(autoscaler, &format!("{current}/averageValue"), format!("{percent}m").into());
}

/// Sets a field, in lists too.
fn assign(object: &mut Value, pointer: &str, value: Value) {
    // Below a list, what is there leads further than what would have to be made.
    let above = pointer.rsplit_once('/').and_then(|(above, field)| Some((object.pointer_mut(above)?, field)));
    match above {
        Some((above, field)) => set_below(above, field, value),
        None => set(object, pointer, value),
    }
}

fn set_below(above: &mut Value, field: &str, value: Value) {
    match above.pointer_mut(&format!("/{field}")) {
        Some(place) => *place = value,
        None => set(above, &format!("/{field}"), value),
    }
}
