//! Which containers of a pod have a log that somebody wants to see.

use kubeplex_proto::nearest::nearest;
use serde_json::Value;

/// The containers of a pod to read: the one that is named, or those that run all the time, and of those that prepare it the
/// ones that have not come to a good end.
///
/// # Errors
/// Where there is none of that name, with the names that there are.
pub(super) fn to_read(pod: &Value, named: Option<&str>) -> Result<Vec<String>, String> {
    let initial: Vec<&str> = names(pod, "initContainers").collect();
    let usual: Vec<&str> = names(pod, "containers").chain(names(pod, "ephemeralContainers")).collect();
    let all = || initial.iter().chain(&usual).copied();
    match named {
        Some(named) if all().any(|name| name == named) => Ok(vec![named.to_owned()]),
        Some(named) => Err(unknown(named, &all().collect::<Vec<_>>())),
        None => {
            let telling = initial.iter().copied().filter(|name| is_telling(pod, name));
            Ok(telling.chain(usual).map(str::to_owned).collect())
        }
    }
}

fn names<'p>(pod: &'p Value, field: &str) -> impl Iterator<Item = &'p str> {
    let containers = pod["spec"][field].as_array();
    containers.into_iter().flatten().filter_map(|container| container["name"].as_str())
}

/// Whether an init container still runs (a sidecar does so for good), or failed. One that waits has said nothing yet, unless
/// it ran before.
fn is_telling(pod: &Value, name: &str) -> bool {
    let statuses = pod["status"]["initContainerStatuses"].as_array();
    let Some(status) = statuses.into_iter().flatten().find(|status| status["name"] == name) else {
        return false;
    };
    let state = &status["state"];
    match (&state["running"], &state["terminated"]) {
        (Value::Object(_), _) => true,
        (_, Value::Object(end)) => end.get("exitCode").and_then(Value::as_i64) != Some(0),
        _ => status["lastState"]["terminated"].is_object(),
    }
}

fn unknown(named: &str, all: &[&str]) -> String {
    let near = nearest(named, all.iter().copied());
    let near = if near.is_empty() { String::new() } else { format!("did you mean {}? ", near.join(", ")) };
    format!("it has no container \"{named}\"; {near}there are {}", all.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod() -> Value {
        let status = |name: &str, state: Value| json!({"name": name, "state": state});
        json!({
            "spec": {
                "initContainers": [{"name": "migrate"}, {"name": "proxy"}, {"name": "check"}, {"name": "last"}],
                "containers": [{"name": "main"}, {"name": "metrics"}],
                "ephemeralContainers": [{"name": "debug"}],
            },
            "status": {"initContainerStatuses": [
                status("migrate", json!({"terminated": {"exitCode": 0}})),
                status("proxy", json!({"running": {}})),
                status("check", json!({"terminated": {"exitCode": 1}})),
                status("last", json!({"waiting": {"reason": "PodInitializing"}})),
            ]},
        })
    }

    #[test]
    fn containers_are_read_that_have_something_to_say() {
        assert_eq!(to_read(&pod(), None).unwrap(), ["proxy", "check", "main", "metrics", "debug"]);
        assert_eq!(to_read(&pod(), Some("migrate")).unwrap(), ["migrate"]);
        assert_eq!(to_read(&json!({}), None).unwrap(), [""; 0]);
        assert_eq!(
            to_read(&pod(), Some("mian")).unwrap_err(),
            "it has no container \"mian\"; did you mean main? there are migrate, proxy, check, last, main, metrics, debug"
        );
    }
}
