//! Horizontal pod autoscalers, in the shape of `autoscaling/v2`.

use serde_json::Value;

use super::field::{NONE, UNKNOWN, UNSET, at, has, integer, list, text, text_or};
use super::{AGE, Entry, NAME, narrow};

const AUTOSCALERS: &[Entry] = &[
    NAME,
    narrow("Reference", |scaler| {
        format!("{}/{}", text(scaler, "/spec/scaleTargetRef/kind"), text(scaler, "/spec/scaleTargetRef/name"))
            .into()
    }),
    narrow("Targets", |scaler| targets(scaler).into()),
    narrow("MinPods", |scaler| match at(scaler, "/spec/minReplicas").and_then(Value::as_i64) {
        Some(least) => least.to_string().into(),
        None => UNSET.into(),
    }),
    narrow("MaxPods", |scaler| integer(scaler, "/spec/maxReplicas")),
    narrow("Replicas", |scaler| integer(scaler, "/status/currentReplicas")),
    AGE,
];

/// How many metrics are spelt out.
const SHOWN: usize = 2;

/// What Go prints for a quantity that is not there.
const NO_QUANTITY: &str = "<nil>";

pub(super) fn entries(group: &str, resource: &str) -> Option<&'static [Entry]> {
    (group == "autoscaling" && resource == "horizontalpodautoscalers").then_some(AUTOSCALERS)
}

/// `cpu: 40%/80%, memory: 1Gi/2Gi`: each metric's current value and its target.
fn targets(scaler: &Value) -> String {
    let metrics = list(scaler, "/spec/metrics");
    if metrics.is_empty() {
        return NONE.to_owned();
    }
    let current = list(scaler, "/status/currentMetrics");
    let one = |(index, metric)| target(metric, current.get(index).unwrap_or(&Value::Null));
    let shown = metrics.iter().enumerate().take(SHOWN).map(one).collect::<Vec<_>>().join(", ");
    match metrics.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} + {more} more..."),
    }
}

fn target(metric: &Value, status: &Value) -> String {
    match text(metric, "/type") {
        "External" => external(&metric["external"], source(status, "external")),
        "Object" => external(&metric["object"], source(status, "object")),
        "Pods" => {
            let current = source(status, "pods").map_or(UNKNOWN, average);
            format!("{current}/{}", text_or(&metric["pods"], "/target/averageValue", NO_QUANTITY))
        }
        "Resource" => resource(&metric["resource"], source(status, "resource")),
        "ContainerResource" => resource(&metric["containerResource"], source(status, "containerResource")),
        _ => "<unknown type>".to_owned(),
    }
}

fn source<'a>(status: &'a Value, name: &str) -> Option<&'a Value> {
    status.get(name).filter(|source| !source.is_null())
}

fn average(status: &Value) -> &str {
    text_or(status, "/current/averageValue", NO_QUANTITY)
}

/// A metric of another object, or from outside the cluster.
fn external(spec: &Value, status: Option<&Value>) -> String {
    if has(spec, "/target/averageValue") {
        let current = status.map_or(UNKNOWN, |status| text_or(status, "/current/averageValue", UNKNOWN));
        return format!("{current}/{} (avg)", text(spec, "/target/averageValue"));
    }
    let current = status.map_or(UNKNOWN, |status| text_or(status, "/current/value", NO_QUANTITY));
    format!("{current}/{}", text_or(spec, "/target/value", NO_QUANTITY))
}

/// A resource of the pods, or of one of their containers.
fn resource(spec: &Value, status: Option<&Value>) -> String {
    let name = text(spec, "/name");
    if has(spec, "/target/averageValue") {
        return format!("{name}: {}/{}", status.map_or(UNKNOWN, average), text(spec, "/target/averageValue"));
    }
    let percent = |value: Option<&Value>| Some(format!("{}%", value?.as_i64()?));
    let current = percent(status.and_then(|status| at(status, "/current/averageUtilization")));
    let target = percent(at(spec, "/target/averageUtilization"));
    format!("{name}: {}/{}", current.as_deref().unwrap_or(UNKNOWN), target.as_deref().unwrap_or("<auto>"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_names, named};
    use super::*;

    const KIND: &str = "horizontalpodautoscalers.autoscaling";

    #[test]
    fn columns_are_the_servers() {
        check_names(KIND, "Name, Reference, Targets, MinPods, MaxPods, Replicas, Age");
    }

    fn shows(metrics: Value, current: Value, expected: &str) {
        let mut scaler = named("h", json!({}));
        scaler["spec"]["metrics"] = metrics;
        scaler["status"]["currentMetrics"] = current;
        check(KIND, &scaler, &json!({"targets": expected}));
    }

    fn metric(metric_type: &str, field: &str, spec: Value) -> Value {
        let mut metric = json!({"type": metric_type});
        metric[field] = spec;
        metric
    }

    #[test]
    fn metrics_of_every_type() {
        let cpu =
            metric("Resource", "resource", json!({"name": "cpu", "target": {"averageUtilization": 80}}));
        let used = json!([{"resource": {"current": {"averageUtilization": 40}}}]);
        shows(json!([]), json!([]), "<none>");
        shows(json!([cpu]), used, "cpu: 40%/80%");
        shows(json!([cpu]), json!(null), "cpu: <unknown>/80%");
        shows(
            json!([{"type": "Resource", "resource": {"name": "cpu", "target": {}}}]),
            json!([]),
            "cpu: <unknown>/<auto>",
        );
        let memory = metric(
            "ContainerResource",
            "containerResource",
            json!({"name": "memory", "target": {"averageValue": "2Gi"}}),
        );
        let used = json!([{"containerResource": {"current": {"averageValue": "1Gi"}}}]);
        shows(json!([memory]), used, "memory: 1Gi/2Gi");
        let pods = metric("Pods", "pods", json!({"target": {"averageValue": "100"}}));
        shows(json!([pods]), json!([{"pods": {"current": {"averageValue": "50"}}}]), "50/100");
        let total = metric("External", "external", json!({"target": {"value": "30"}}));
        shows(json!([total]), json!([{"external": {"current": {"value": "10"}}}]), "10/30");
        shows(json!([total]), json!([{"external": {"current": {}}}]), "<nil>/30");
        let per_pod = metric("Object", "object", json!({"target": {"averageValue": "3"}}));
        shows(json!([per_pod]), json!([{"object": {"current": {"averageValue": "1"}}}]), "1/3 (avg)");
        shows(json!([per_pod]), json!([]), "<unknown>/3 (avg)");
        shows(
            json!([cpu, cpu, {"type": "?"}]),
            json!([]),
            "cpu: <unknown>/80%, cpu: <unknown>/80% + 1 more...",
        );
    }

    #[test]
    fn bounds_and_reference() {
        let target = json!({"kind": "Deployment", "name": "web"});
        let scaler = named(
            "h",
            json!({"spec": {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 9}, "status": {"currentReplicas": 4}}),
        );
        let shown = json!({"reference": "Deployment/web", "minpods": "1", "maxpods": 9, "replicas": 4});
        check(KIND, &scaler, &shown);
        check(KIND, &named("h", json!({})), &json!({"minpods": "<unset>", "replicas": 0}));
    }
}
