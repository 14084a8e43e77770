//! Autoscalers that can't see, can't act, or can't go higher.
//!
//! Conditions: <https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale-walkthrough/#appendix-horizontal-pod-autoscaler-status-conditions>;
//! reasons are those of `pkg/controller/podautoscaler/horizontal.go`.

use serde_json::Value;

use super::found::time_ms;
use super::kind;
use super::pod;
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{condition, is_deleted, number, text};
use crate::problems::thresholds::{AT_MAXIMUM_MS, NO_METRICS_MS};
use crate::problems::{Evidence, Finding};

const fn cause(name: &'static str, when: &'static str) -> Cause {
    Cause {
        name,
        severities: &[Severity::Warning],
        looks_at: "an autoscaler's conditions and replicas",
        when,
    }
}

pub(super) const CAUSES: &[Cause] = &[
    cause("AutoscalerTargetMissing", "what the autoscaler is to scale is not there, or can't be scaled"),
    cause("AutoscalerWithoutMetrics", "the autoscaler gets no metrics for three minutes"),
    cause(
        "AutoscalerSelector",
        "the autoscaler can't tell which pods are meant: two scale the same ones, or the target has no selector",
    ),
    cause("AutoscalerAtMaximum", "for a quarter of an hour the autoscaler would scale beyond its maximum"),
];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let autoscaler = subject.object;
    if is_deleted(autoscaler) {
        return;
    }
    let is_false = |name| condition(autoscaler, name).filter(|condition| condition["status"] == "False");
    if let Some(unable) = is_false("AbleToScale").filter(|unable| text(unable, "/reason").contains("Scale")) {
        verdict.add(unable_to_scale(autoscaler, unable, world));
    } else if let Some(inactive) =
        is_false("ScalingActive").filter(|inactive| inactive["reason"] != "ScalingDisabled")
    {
        blind(autoscaler, inactive, world, verdict);
    } else {
        at_maximum(autoscaler, world, verdict);
    }
}

fn target(autoscaler: &Value) -> String {
    let field = |name: &str| text(autoscaler, &format!("/spec/scaleTargetRef/{name}")).to_owned();
    format!("{} {}", field("kind"), field("name"))
}

fn unable_to_scale(autoscaler: &Value, unable: &Value, world: &dyn World) -> Finding {
    let is_gone = text(unable, "/message").contains("not found") || is_target_missing(autoscaler, world);
    let words = if is_gone { "does not exist" } else { "can't be scaled" };
    let message = format!("its target {} {words}", target(autoscaler));
    Finding::new("AutoscalerTargetMissing", Severity::Warning, message)
        .shown_by([Evidence::condition(unable)])
        .since(time_ms(unable, "/lastTransitionTime"))
}

fn is_target_missing(autoscaler: &Value, world: &dyn World) -> bool {
    let target = match text(autoscaler, "/spec/scaleTargetRef/kind") {
        "Deployment" => kind::DEPLOYMENTS,
        "StatefulSet" => kind::STATEFUL_SETS,
        _ => return false,
    };
    kind::is_missing(world, target, pod::namespace(autoscaler), text(autoscaler, "/spec/scaleTargetRef/name"))
}

fn blind(autoscaler: &Value, inactive: &Value, world: &dyn World, verdict: &mut Verdict) {
    let since_ms = time_ms(inactive, "/lastTransitionTime");
    if let Some(since_ms) = since_ms.filter(|since_ms| world.now_ms() - since_ms < NO_METRICS_MS) {
        return verdict.look_again(since_ms + NO_METRICS_MS);
    }
    let (cause, message) = match text(inactive, "/reason") {
        "InvalidSelector" | "AmbiguousSelector" => {
            ("AutoscalerSelector", "it can't tell which pods are meant".to_owned())
        }
        reason => (
            "AutoscalerWithoutMetrics",
            format!("it gets no metrics: {}", why(reason, text(inactive, "/message"))),
        ),
    };
    let finding = Finding::new(cause, Severity::Warning, message).shown_by([Evidence::condition(inactive)]);
    verdict
        .add(finding.shown_by([Evidence::field("spec.scaleTargetRef", target(autoscaler))]).since(since_ms));
}

fn why(reason: &str, message: &str) -> &'static str {
    let told = [
        ("could not find the requested resource", "the cluster has no metrics API"),
        ("missing request for", "its pods declare no request of what it measures"),
        ("no metrics returned", "the metrics API has none of its pods"),
        ("no metrics known for pod", "the metrics API has none of its pods"),
        ("did not receive metrics for", "the metrics API has none of its pods"),
        ("currently unable to handle", "the metrics API does not answer"),
    ];
    let told = told.iter().find(|(words, _)| message.contains(words)).map(|(_, why)| *why);
    told.unwrap_or(match reason {
        "FailedGetExternalMetric" => "those from outside can't be read",
        "FailedGetObjectMetric" => "those of an object can't be read",
        "FailedGetPodsMetric" => "those of its pods can't be read",
        _ => "those of its pods' resources can't be read",
    })
}

fn at_maximum(autoscaler: &Value, world: &dyn World, verdict: &mut Verdict) {
    let limited = condition(autoscaler, "ScalingLimited")
        .filter(|limited| limited["status"] == "True" && limited["reason"] == "TooManyReplicas");
    let Some(limited) = limited else { return };
    let (current, most) =
        (number(autoscaler, "/status/currentReplicas"), number(autoscaler, "/spec/maxReplicas"));
    let Some(since_ms) = time_ms(limited, "/lastTransitionTime").filter(|_| current >= most) else { return };
    if world.now_ms() - since_ms < AT_MAXIMUM_MS {
        return verdict.look_again(since_ms + AT_MAXIMUM_MS);
    }
    let message = format!("it would scale beyond its maximum of {most}");
    let finding = Finding::new("AutoscalerAtMaximum", Severity::Warning, message)
        .shown_by([Evidence::condition(limited)]);
    verdict.add(finding.since(Some(since_ms)));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn autoscaler(name: &str, status: &str, reason: &str, message: &str, minutes: i64) -> Value {
        json!({
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "web"}},
            "status": {"currentReplicas": 5, "conditions": [
                {"type": name, "status": status, "reason": reason, "message": message, "lastTransitionTime": ago(minutes)}]},
        })
    }

    #[track_caller]
    fn check(autoscaler: &Value, expected: &[&str]) {
        let judged = Fixture::new().judge(judge, "horizontalpodautoscalers.autoscaling", autoscaler);
        assert_eq!(judged.0, expected);
    }

    #[test]
    fn without_metrics() {
        let blind = |reason: &str, message: &str, minutes| {
            autoscaler("ScalingActive", "False", reason, message, minutes)
        };
        let none = "unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)";
        check(
            &blind("FailedGetResourceMetric", none, 9),
            &["Warning AutoscalerWithoutMetrics: it gets no metrics: the cluster has no metrics API"],
        );
        check(
            &blind(
                "FailedGetResourceMetric",
                "failed to get cpu utilization: missing request for cpu in container app of Pod web-1",
                9,
            ),
            &[
                "Warning AutoscalerWithoutMetrics: it gets no metrics: its pods declare no request of what it measures",
            ],
        );
        check(
            &blind("FailedGetExternalMetric", "x", 9),
            &["Warning AutoscalerWithoutMetrics: it gets no metrics: those from outside can't be read"],
        );
        check(
            &blind("AmbiguousSelector", "x", 9),
            &["Warning AutoscalerSelector: it can't tell which pods are meant"],
        );
        check(&blind("FailedGetResourceMetric", none, 1), &[]);
        check(
            &blind("ScalingDisabled", "scaling is disabled since the replica count of the target is zero", 9),
            &[],
        );
    }

    #[test]
    fn without_a_target() {
        let gone = autoscaler(
            "AbleToScale",
            "False",
            "FailedGetScale",
            "deployments/scale.apps \"web\" not found",
            9,
        );
        check(&gone, &["Warning AutoscalerTargetMissing: its target Deployment web does not exist"]);
    }

    #[test]
    fn at_its_maximum_for_long() {
        let line = "Warning AutoscalerAtMaximum: it would scale beyond its maximum of 5";
        let limited = autoscaler("ScalingLimited", "True", "TooManyReplicas", "m", 20);
        check(&limited, &[line]);
        check(&autoscaler("ScalingLimited", "True", "TooManyReplicas", "m", 5), &[]);
        check(&autoscaler("ScalingLimited", "False", "DesiredWithinRange", "m", 20), &[]);
        check(&autoscaler("ScalingLimited", "True", "TooFewReplicas", "m", 20), &[]);
    }
}
