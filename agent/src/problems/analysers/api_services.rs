//! APIs that the server passes on to another one, which does not answer: kinds of that group can't be read or written, and
//! namespaces can't be deleted.
//!
//! Reasons: `k8s.io/kube-aggregator/pkg/controllers/status/remote`; <https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/>

use super::found::time_ms;
use super::kind::SERVICES;
use super::kind::of;
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{condition, is_deleted, text};
use crate::problems::thresholds::NEW_REFERENCE_MS;
use crate::problems::{Evidence, Finding, ObjectRef};

pub(super) const CAUSES: &[Cause] = &[Cause {
    name: "ApiUnavailable",
    severities: &[Severity::Critical],
    looks_at: "the condition Available of APIServices",
    when: "for a minute an aggregated API is not available; a symptom of its service's problem, where that has one",
}];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let api = subject.object;
    let available = condition(api, "Available").filter(|available| available["status"] != "True");
    let Some(available) = available.filter(|_| !is_deleted(api)) else { return };
    let since_ms = time_ms(available, "/lastTransitionTime");
    if let Some(since_ms) = since_ms.filter(|since_ms| world.now_ms() - since_ms < NEW_REFERENCE_MS) {
        return verdict.look_again(since_ms + NEW_REFERENCE_MS);
    }
    let (namespace, name) = (text(api, "/spec/service/namespace"), text(api, "/spec/service/name"));
    let service = format!("{namespace}/{name}");
    let why = match text(available, "/reason") {
        "ServiceNotFound" => format!("its service {service} does not exist"),
        "ServicePortError" => format!("its service {service} has no such port"),
        "EndpointsNotFound" | "MissingEndpoints" => format!("its service {service} has no ready endpoint"),
        _ => format!("its service {service} does not answer as it should"),
    };
    let is_there = text(available, "/reason") != "ServiceNotFound";
    let service =
        ObjectRef { kind: of(SERVICES), namespace: Some(namespace.to_owned()), name: name.to_owned() };
    let finding =
        Finding::new("ApiUnavailable", Severity::Critical, format!("the API is not available: {why}"))
            .shown_by([Evidence::condition(available)])
            .since(since_ms);
    verdict.add(finding.because_of(is_there.then_some(service)));
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    #[track_caller]
    fn check(status: &str, reason: &str, minutes: i64, expected: &[&str]) {
        let api: Value = json!({
            "metadata": {"name": "v1beta1.metrics.k8s.io"}, "spec": {"service": {"namespace": "kube-system", "name": "metrics-server"}},
            "status": {"conditions": [{"type": "Available", "status": status, "reason": reason, "message": "m", "lastTransitionTime": ago(minutes)}]},
        });
        let judged = Fixture::new().judge(judge, "apiservices.apiregistration.k8s.io", &api);
        assert_eq!(judged.0, expected);
    }

    #[test]
    fn why_an_api_is_not_available() {
        let line =
            "Critical ApiUnavailable: the API is not available: its service kube-system/metrics-server";
        check("False", "ServiceNotFound", 5, &[&format!("{line} does not exist")]);
        check(
            "False",
            "MissingEndpoints",
            5,
            &[&format!("{line} has no ready endpoint <- services/metrics-server")],
        );
        check(
            "False",
            "FailedDiscoveryCheck",
            5,
            &[&format!("{line} does not answer as it should <- services/metrics-server")],
        );
        check("False", "ServiceNotFound", 0, &[]);
        check("True", "Passed", 5, &[]);
    }
}
