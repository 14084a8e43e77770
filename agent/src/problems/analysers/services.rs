//! Services that lead nowhere.
//!
//! <https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/>: the selector must match pods, one of them must be
//! ready, and a port by name must be one that a container has.

use std::sync::Arc;

use serde_json::Value;

use super::found::created_ms;
use super::kind::{self, DAEMON_SETS, DEPLOYMENTS, ENDPOINT_SLICES, PODS, STATEFUL_SETS};
use super::pod;
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{at, flag, is_deleted, list, text};
use crate::problems::thresholds::{NEW_SERVICE_MS, UNREADY_MS};
use crate::problems::{Evidence, Finding};
use crate::workload;

const fn cause(name: &'static str, severity: &'static [Severity], when: &'static str) -> Cause {
    Cause {
        name,
        severities: severity,
        looks_at: "a service's selector and ports, and the pods of its namespace",
        when,
    }
}

pub(super) const CAUSES: &[Cause] = &[
    cause(
        "SelectsNothing",
        &[Severity::Warning],
        "the service's selector matches no pod, and no workload that makes such pods; a new service has two minutes",
    ),
    cause(
        "NoReadyEndpoints",
        &[Severity::Critical],
        "the selector matches pods, and none is ready for two minutes; a symptom where a pod has a problem of its own",
    ),
    cause(
        "NoSuchPort",
        &[Severity::Critical],
        "the service leads to a port by name that no container of its pods has",
    ),
];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let service = subject.object;
    let selector = kind::plain_selector(at(service, "/spec/selector").unwrap_or(&Value::Null));
    if selector.is_empty() || is_deleted(service) || text(service, "/spec/type") == "ExternalName" {
        return;
    }
    let namespace = pod::namespace(service).unwrap_or_default();
    // Pods of a service are alike, mostly: where the first has the ports, no other is looked at.
    let by_name = list(service, "/spec/ports").iter().any(|port| port["targetPort"].is_string());
    let has_ports = || {
        let one = Vec::from_iter(world.one(&kind::of(PODS), namespace, &selector));
        missing_port(service, &one).is_none()
    };
    if is_served(namespace, text(service, "/metadata/name"), world) && (!by_name || has_ports()) {
        return;
    }
    let created_ms = created_ms(service).unwrap_or_default();
    if world.now_ms() - created_ms < NEW_SERVICE_MS {
        return verdict.look_again(created_ms + NEW_SERVICE_MS);
    }
    let pods = world.select(&kind::of(PODS), namespace, &selector);
    let alive: Vec<_> = pods.into_iter().filter(|pod| !pod::is_over(pod)).collect();
    if alive.is_empty() {
        return verdict.findings.extend(selects_nothing(service, world));
    }
    if let Some(port) = missing_port(service, &alive) {
        let message = format!("it leads to the port {port}, which its pods do not have");
        let finding = Finding::new("NoSuchPort", Severity::Critical, message);
        return verdict.add(finding.shown_by([Evidence::field("spec.ports.targetPort", port)]));
    }
    unready(service, &alive, world, verdict);
}

/// Whether an endpoint of a service is ready, by the slices that its controller writes.
pub(super) fn is_served(namespace: &str, service: &str, world: &dyn World) -> bool {
    let label = kind::label("kubernetes.io/service-name", service);
    let slices = world.select(&kind::of(ENDPOINT_SLICES), namespace, &label);
    slices.iter().any(|slice| list(slice, "/endpoints").iter().any(workload::is_ready))
}

/// Unless some workload makes such pods, and has none now: it is scaled down, or has a problem of its own.
fn selects_nothing(service: &Value, world: &dyn World) -> Option<Finding> {
    let selector = kind::plain_selector(at(service, "/spec/selector")?);
    let makes = |workload: &Arc<Value>| {
        let labels = at(workload, "/spec/template/metadata/labels");
        selector.matches(|key| labels?.get(key)?.as_str())
    };
    let workloads = [DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS].into_iter();
    let mut workloads =
        workloads.flat_map(|workloads| world.list(&kind::of(workloads), pod::namespace(service)));
    if workloads.any(|workload| makes(&workload)) || !world.knows(&kind::of(PODS)) {
        return None;
    }
    let labels = selector.requirements.iter().map(|requirement| requirement.key.as_str());
    let shown = crate::columns::field::labels(service, "/spec/selector");
    let message = format!("its selector matches no pod (labels {})", labels.collect::<Vec<_>>().join(", "));
    Some(
        Finding::new("SelectsNothing", Severity::Warning, message)
            .shown_by([Evidence::field("spec.selector", shown)]),
    )
}

/// A port by name that no container of the pods has.
fn missing_port<'a>(service: &'a Value, pods: &[Arc<Value>]) -> Option<&'a str> {
    let wanted = list(service, "/spec/ports").iter().filter_map(|port| port["targetPort"].as_str());
    let has = |name: &str| {
        let of_pod = |pod: &Arc<Value>| {
            pod::declared(pod)
                .any(|container| list(container, "/ports").iter().any(|port| port["name"] == name))
        };
        pods.iter().any(of_pod)
    };
    wanted.into_iter().find(|name| !has(name))
}

fn unready(service: &Value, pods: &[Arc<Value>], world: &dyn World, verdict: &mut Verdict) {
    let unheeded = flag(service, "/spec/publishNotReadyAddresses", false);
    if unheeded || pods.iter().any(|pod| pod::is_ready(pod)) {
        return;
    }
    let since =
        pods.iter().filter_map(|pod| pod::condition_since_ms(pod, "Ready").or_else(|| created_ms(pod)));
    let since_ms = since.max().unwrap_or_default();
    if world.now_ms() - since_ms < UNREADY_MS {
        return verdict.look_again(since_ms + UNREADY_MS);
    }
    let shown = Evidence::field("pods that it selects", format!("{}, none ready", pods.len()));
    let finding = Finding::new("NoReadyEndpoints", Severity::Critical, "none of its pods is ready");
    verdict.add(finding.shown_by([shown]).since(Some(since_ms)).because_of(pod::first_troubled(pods)));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    fn service(target: Value, created: i64) -> Value {
        json!({
            "metadata": {"name": "web", "namespace": "shop", "creationTimestamp": ago(created)},
            "spec": {"type": "ClusterIP", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": target}]},
        })
    }

    fn pod(ready: &str, minutes: i64) -> Value {
        json!({
            "metadata": {"name": "web-1", "namespace": "shop", "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "app", "ports": [{"name": "http", "containerPort": 8080}]}]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": ago(minutes)}]},
        })
    }

    #[track_caller]
    fn check(world: &Fixture, service: &Value, expected: &[&str]) {
        assert_eq!(world.judge(judge, "services", service).0, expected);
    }

    #[test]
    fn a_selector_that_matches_nothing() {
        let line = "Warning SelectsNothing: its selector matches no pod (labels app)";
        check(&Fixture::new(), &service(json!(8080), 5), &[line]);
        check(&Fixture::new(), &service(json!(8080), 1), &[]);
        let workload = json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": {"replicas": 0, "template": {"metadata": {"labels": {"app": "web"}}}}});
        check(&Fixture::new().with("deployments.apps", workload), &service(json!(8080), 5), &[]);
        let mut external = service(json!(8080), 5);
        external["spec"]["type"] = "ExternalName".into();
        check(&Fixture::new(), &external, &[]);
    }

    #[test]
    fn pods_that_are_not_ready_are_the_cause() {
        let world = |ready, minutes| Fixture::new().with("pods", pod(ready, minutes));
        let line = "Critical NoReadyEndpoints: none of its pods is ready <- pods/web-1";
        check(&world("False", 5), &service(json!(8080), 50), &[line]);
        check(&world("False", 1), &service(json!(8080), 50), &[]);
        check(&world("True", 5), &service(json!(8080), 50), &[]);
        let mut anyway = service(json!(8080), 50);
        anyway["spec"]["publishNotReadyAddresses"] = true.into();
        check(&world("False", 5), &anyway, &[]);
    }

    #[test]
    fn what_its_slices_serve_is_not_looked_at_further() {
        let slice = json!({"metadata": {"name": "web-x", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
                           "endpoints": [{"conditions": {"ready": true}}]});
        check(&Fixture::new().with("endpointslices.discovery.k8s.io", slice), &service(json!(8080), 50), &[]);
    }

    #[test]
    fn ports_by_name() {
        let world = Fixture::new().with("pods", pod("True", 5));
        check(&world, &service(json!("http"), 50), &[]);
        check(
            &world,
            &service(json!("web"), 50),
            &["Critical NoSuchPort: it leads to the port web, which its pods do not have"],
        );
    }
}
