//! Webhooks that must be asked and are not there: with `failurePolicy: Fail` nothing that they match can be written.
//!
//! <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#failure-policy>

use serde_json::Value;

use super::found::{created_ms, reference};
use super::kind::{self, ENDPOINT_SLICES, SERVICES};
use super::{Cause, Severity, Subject, Verdict, World, services};
use crate::columns::field::{is_deleted, list, text};
use crate::problems::thresholds::NEW_REFERENCE_MS;
use crate::problems::{Evidence, Finding};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        name: "WebhookServiceMissing",
        severities: &[Severity::Critical, Severity::Info],
        looks_at: "the services that webhook configurations name; a new configuration has a minute",
        when: "a webhook's service is not there; critical where the webhook must be asked",
    },
    Cause {
        name: "WebhookNotServed",
        severities: &[Severity::Critical],
        looks_at: "the endpoints of the services that webhook configurations name",
        when: "a webhook must be asked, and its service has no ready endpoint; a symptom of the service's problem",
    },
];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let configuration = subject.object;
    if is_deleted(configuration) {
        return;
    }
    let mut found: Vec<_> =
        list(configuration, "/webhooks").iter().filter_map(|webhook| wrong(webhook, world)).collect();
    found.dedup_by(|one, other| one.message == other.message);
    let created_ms = created_ms(configuration).unwrap_or_default();
    if !found.is_empty() && world.now_ms() - created_ms < NEW_REFERENCE_MS {
        return verdict.look_again(created_ms + NEW_REFERENCE_MS);
    }
    verdict.findings.extend(found);
}

fn wrong(webhook: &Value, world: &dyn World) -> Option<Finding> {
    let (namespace, name) =
        (text(webhook, "/clientConfig/service/namespace"), text(webhook, "/clientConfig/service/name"));
    let must_be_asked = text(webhook, "/failurePolicy") != "Ignore";
    let shown = || {
        [
            Evidence::field("webhook", text(webhook, "/name")),
            Evidence::field("failurePolicy", text(webhook, "/failurePolicy")),
        ]
    };
    if kind::is_missing(world, SERVICES, Some(namespace), name) {
        let severity = if must_be_asked { Severity::Critical } else { Severity::Info };
        let message = format!("the service {namespace}/{name} of its webhook does not exist");
        return Some(Finding::new("WebhookServiceMissing", severity, message).shown_by(shown()));
    }
    let service = kind::get(world, SERVICES, Some(namespace), name).filter(|_| must_be_asked)?;
    let is_outside = text(&service, "/spec/type") == "ExternalName";
    if is_outside || !world.knows(&kind::of(ENDPOINT_SLICES)) || services::is_served(namespace, name, world) {
        return None;
    }
    let message = format!("the service {namespace}/{name} of its webhook has no ready endpoint");
    let finding = Finding::new("WebhookNotServed", Severity::Critical, message).shown_by(shown());
    Some(finding.because_of(Some(reference(SERVICES, &service))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn configuration(policy: &str, minutes: i64) -> Value {
        json!({
            "metadata": {"name": "policy", "creationTimestamp": ago(minutes)},
            "webhooks": [{"name": "a.example.com", "failurePolicy": policy, "clientConfig": {"service": {"namespace": "sys", "name": "hook"}}},
                         {"name": "b.example.com", "failurePolicy": policy, "clientConfig": {"url": "https://example.com"}}],
        })
    }

    #[track_caller]
    fn check(world: &Fixture, object: &Value, expected: &[&str]) {
        let kind = "validatingwebhookconfigurations.admissionregistration.k8s.io";
        assert_eq!(world.judge(judge, kind, object).0, expected);
    }

    #[test]
    fn services_that_are_not_there() {
        let words = "WebhookServiceMissing: the service sys/hook of its webhook does not exist";
        check(&Fixture::new(), &configuration("Fail", 5), &[&format!("Critical {words}")]);
        check(&Fixture::new(), &configuration("Ignore", 5), &[&format!("Info {words}")]);
        check(&Fixture::new(), &configuration("Fail", 0), &[]);
        check(&Fixture::new().without_knowing("services"), &configuration("Fail", 5), &[]);
    }

    #[test]
    fn services_that_serve_nothing() {
        let service =
            json!({"metadata": {"name": "hook", "namespace": "sys"}, "spec": {"type": "ClusterIP"}});
        let slice = |ready: bool| {
            json!({"metadata": {"name": "hook-x", "namespace": "sys", "labels": {"kubernetes.io/service-name": "hook"}},
                                          "endpoints": [{"conditions": {"ready": ready}}]})
        };
        let world = |ready| {
            Fixture::new()
                .with("services", service.clone())
                .with("endpointslices.discovery.k8s.io", slice(ready))
        };
        let line = "Critical WebhookNotServed: the service sys/hook of its webhook has no ready endpoint <- services/hook";
        check(&world(false), &configuration("Fail", 5), &[line]);
        check(&world(false), &configuration("Ignore", 5), &[]);
        check(&world(true), &configuration("Fail", 5), &[]);
    }
}
