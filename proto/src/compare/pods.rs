//! What admission and the scheduler put into a pod, whoever made it: nobody wanted it of this pod.

use serde_json::Value;

/// Where every pod finds its account's token, and how the volume with it begins.
const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const TOKEN_VOLUME: &str = "kube-api-access-";

/// Taints that every pod bears for a while.
const BORNE: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
const BORNE_FOR: u64 = 300;

/// The scheduler's choice, and what its priority class says.
const FILLED_IN: [&str; 3] = ["nodeName", "priority", "preemptionPolicy"];

pub(super) fn leave_out(pod: &mut Value) {
    let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) else { return };
    FILLED_IN.iter().for_each(|field| drop(spec.swap_remove(*field)));
    let is_token = |volume: &Value| text(&volume["name"]).starts_with(TOKEN_VOLUME);
    without(spec, "volumes", is_token);
    without(spec, "tolerations", |toleration| {
        BORNE.contains(&text(&toleration["key"])) && toleration["tolerationSeconds"] == BORNE_FOR
    });
    for list in super::defaults::CONTAINERS {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(container) = container.as_object_mut() {
                without(container, "volumeMounts", |mount| mount["mountPath"] == TOKEN_PATH);
            }
        }
    }
}

/// A list that has nothing else is as good as none.
fn without(map: &mut serde_json::Map<String, Value>, list: &str, is_given: impl Fn(&Value) -> bool) {
    let Some(items) = map.get_mut(list).and_then(Value::as_array_mut) else { return };
    items.retain(|item| !is_given(item));
    if items.is_empty() {
        map.swap_remove(list);
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
