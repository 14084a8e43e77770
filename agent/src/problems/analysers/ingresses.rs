//! Ingresses that name what is not there.
//!
//! <https://kubernetes.io/docs/concepts/services-networking/ingress/>: a backend names a service and a port of it, by name or
//! number; the class names who is to serve it.

use serde_json::Value;

use super::found::created_ms;
use super::kind::{self, INGRESS_CLASSES, SECRETS, SERVICES};
use super::pod;
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{at, is_deleted, list, text};
use crate::problems::thresholds::NEW_REFERENCE_MS;
use crate::problems::{Evidence, Finding};
use crate::workload;

const fn cause(name: &'static str, severity: &'static [Severity], when: &'static str) -> Cause {
    Cause { name, severities: severity, looks_at: "what an ingress names; a new one has a minute", when }
}

pub(super) const CAUSES: &[Cause] = &[
    cause("IngressServiceMissing", &[Severity::Critical], "a backend's service is not there"),
    cause("IngressPortMissing", &[Severity::Critical], "a backend's service has no such port"),
    cause("IngressClassMissing", &[Severity::Warning], "its class is not there, so that nobody serves it"),
    cause(
        "IngressSecretMissing",
        &[Severity::Warning],
        "the Secret with its certificate is not there, where Secrets are known",
    ),
];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let ingress = subject.object;
    if is_deleted(ingress) {
        return;
    }
    let mut found: Vec<_> =
        workload::backends(ingress).filter_map(|backend| wrong_backend(ingress, backend, world)).collect();
    found.extend(missing_class(ingress, world));
    found.extend(missing_secrets(ingress, world));
    found.dedup_by(|one, other| one.message == other.message);
    let created_ms = created_ms(ingress).unwrap_or_default();
    if !found.is_empty() && world.now_ms() - created_ms < NEW_REFERENCE_MS {
        return verdict.look_again(created_ms + NEW_REFERENCE_MS);
    }
    verdict.findings.extend(found);
}

fn wrong_backend(ingress: &Value, backend: &Value, world: &dyn World) -> Option<Finding> {
    let (namespace, name) = (pod::namespace(ingress), text(backend, "/service/name"));
    let shown = |port: &str| Evidence::field("backend.service", format!("{name}{port}"));
    if kind::is_missing(world, SERVICES, namespace, name) {
        let message = format!("it leads to the service {name}, which does not exist");
        return Some(
            Finding::new("IngressServiceMissing", Severity::Critical, message).shown_by([shown("")]),
        );
    }
    let service = kind::get(world, SERVICES, namespace, name)?;
    let port = at(backend, "/service/port")?;
    let wanted = port["name"].as_str().map_or_else(|| port["number"].to_string(), str::to_owned);
    let is_it =
        |of_service: &Value| of_service["name"] == wanted.as_str() || of_service["port"] == port["number"];
    // A service that stands for a name outside needs no ports.
    if text(&service, "/spec/type") == "ExternalName" || list(&service, "/spec/ports").iter().any(is_it) {
        return None;
    }
    let message = format!("it leads to port {wanted} of the service {name}, which has no such port");
    Some(
        Finding::new("IngressPortMissing", Severity::Critical, message)
            .shown_by([shown(&format!(":{wanted}"))]),
    )
}

fn missing_class(ingress: &Value, world: &dyn World) -> Option<Finding> {
    let class = text(ingress, "/spec/ingressClassName");
    let message = format!("its class {class} does not exist");
    let finding = || Finding::new("IngressClassMissing", Severity::Warning, message);
    kind::is_missing(world, INGRESS_CLASSES, None, class)
        .then(|| finding().shown_by([Evidence::field("spec.ingressClassName", class)]))
}

fn missing_secrets(ingress: &Value, world: &dyn World) -> Vec<Finding> {
    let names = list(ingress, "/spec/tls").iter().map(|tls| text(tls, "/secretName"));
    let missing = names.filter(|name| kind::is_missing(world, SECRETS, pod::namespace(ingress), name));
    let finding = |name: &str| {
        let message = format!("the Secret {name} with its certificate does not exist");
        Finding::new("IngressSecretMissing", Severity::Warning, message)
            .shown_by([Evidence::field("spec.tls.secretName", name)])
    };
    missing.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn ingress(service: &str, port: Value, minutes: i64) -> Value {
        json!({
            "metadata": {"name": "web", "namespace": "shop", "creationTimestamp": ago(minutes)},
            "spec": {"ingressClassName": "nginx", "tls": [{"secretName": "web-tls"}], "rules": [
                {"http": {"paths": [{"backend": {"service": {"name": service, "port": port}}}]}}]},
        })
    }

    fn world() -> Fixture {
        let service = json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": {"type": "ClusterIP", "ports": [{"name": "http", "port": 80}]}});
        Fixture::new()
            .with("services", service)
            .with("ingressclasses.networking.k8s.io", json!({"metadata": {"name": "nginx"}}))
            .without_knowing("secrets")
    }

    #[track_caller]
    fn check(world: &Fixture, ingress: &Value, expected: &[&str]) {
        assert_eq!(world.judge(judge, "ingresses.networking.k8s.io", ingress).0, expected);
    }

    #[test]
    fn services_and_ports() {
        check(&world(), &ingress("web", json!({"number": 80}), 5), &[]);
        check(&world(), &ingress("web", json!({"name": "http"}), 5), &[]);
        check(
            &world(),
            &ingress("web", json!({"number": 8080}), 5),
            &[
                "Critical IngressPortMissing: it leads to port 8080 of the service web, which has no such port",
            ],
        );
        check(
            &world(),
            &ingress("wbe", json!({"number": 80}), 5),
            &["Critical IngressServiceMissing: it leads to the service wbe, which does not exist"],
        );
        check(&world(), &ingress("wbe", json!({"number": 80}), 0), &[]);
        check(&world().without_knowing("services"), &ingress("wbe", json!({"number": 80}), 5), &[]);
    }

    #[test]
    fn classes_and_secrets() {
        let service =
            json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": {"ports": [{"port": 80}]}});
        let bare = Fixture::new().with("services", service);
        check(
            &bare,
            &ingress("web", json!({"number": 80}), 5),
            &[
                "Warning IngressClassMissing: its class nginx does not exist",
                "Warning IngressSecretMissing: the Secret web-tls with its certificate does not exist",
            ],
        );
    }
}
