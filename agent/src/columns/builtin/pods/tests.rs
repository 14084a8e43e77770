use serde_json::{Value, json};

use super::super::testing::{check, check_names, merge};
use crate::columns::Columns;
use crate::columns::table::from_table;

/// A running pod with one ready container, changed by `fields`.
fn pod(fields: Value) -> Value {
    let mut pod = json!({
        "metadata": {"name": "p", "creationTimestamp": "1970-01-01T00:01:40Z"},
        "spec": {"containers": [{"name": "c0"}]},
        "status": {"phase": "Running", "containerStatuses": [running("c0")]},
    });
    merge(&mut pod, fields);
    pod
}

fn running(name: &str) -> Value {
    json!({"name": name, "ready": true, "started": true, "restartCount": 0, "state": {"running": {}}})
}

fn terminated(name: &str, restarts: i64, how: Value) -> Value {
    let mut status = json!({"name": name, "ready": false, "restartCount": restarts});
    status["state"]["terminated"] = how;
    status
}

fn waiting(name: &str, restarts: i64, reason: &str) -> Value {
    json!({"name": name, "ready": false, "restartCount": restarts, "state": {"waiting": {"reason": reason}}})
}

#[track_caller]
fn shows(fields: Value, ready: &str, status: &str, restarts: i64) {
    check("pods", &pod(fields), &json!({"ready": ready, "status": status, "restarts": restarts}));
}

fn ready_condition(status: &str) -> Value {
    json!([{"type": "Ready", "status": status}])
}

#[test]
fn columns_are_the_servers() {
    check_names(
        "pods",
        "Name, Ready, Status, Restarts, Age, [IP], [Node], [Nominated Node], [Readiness Gates]",
    );
    check("pods", &pod(json!({})), &json!({"name": "p", "age": 100_000}));
}

#[test]
fn the_phase_and_the_pods_own_reason() {
    shows(json!({}), "1/1", "Running", 0);
    shows(json!({"status": {"phase": "Pending", "containerStatuses": []}}), "0/1", "Pending", 0);
    shows(
        json!({"status": {"phase": "Failed", "reason": "Evicted", "containerStatuses": []}}),
        "0/1",
        "Evicted",
        0,
    );
    let gated = json!([{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]);
    shows(
        json!({"status": {"phase": "Pending", "reason": "X", "conditions": gated, "containerStatuses": []}}),
        "0/1",
        "SchedulingGated",
        0,
    );
}

#[test]
fn containers_that_wait_or_ended() {
    let with = |status: Value| json!({"status": {"containerStatuses": [status]}});
    shows(with(waiting("c0", 7, "CrashLoopBackOff")), "0/1", "CrashLoopBackOff", 7);
    shows(with(terminated("c0", 1, json!({"exitCode": 1, "reason": "Error"}))), "0/1", "Error", 1);
    shows(with(terminated("c0", 0, json!({"exitCode": 137, "signal": 9}))), "0/1", "Signal:9", 0);
    shows(with(terminated("c0", 0, json!({"exitCode": 3}))), "0/1", "ExitCode:3", 0);
    shows(with(terminated("c0", 0, json!({"exitCode": 0, "reason": "Completed"}))), "0/1", "Completed", 0);
    // Neither a reason to wait for nor an end: the phase stands.
    shows(
        with(json!({"name": "c0", "ready": false, "restartCount": 0, "state": {"waiting": {}}})),
        "0/1",
        "Running",
        0,
    );
}

#[test]
fn the_first_containers_reason_wins() {
    let fields = json!({
        "spec": {"containers": [{"name": "c0"}, {"name": "c1"}]},
        "status": {"containerStatuses": [waiting("c0", 1, "ImagePullBackOff"), waiting("c1", 2, "CrashLoopBackOff")]},
    });
    shows(fields, "0/2", "ImagePullBackOff", 3);
}

#[test]
fn completed_beside_running_ones() {
    let two = |conditions: Value, statuses: Value| {
        json!({
            "spec": {"containers": [{"name": "c0"}, {"name": "c1"}]},
            "status": {"conditions": conditions, "containerStatuses": statuses},
        })
    };
    let completed = || terminated("c0", 0, json!({"exitCode": 0, "reason": "Completed"}));
    shows(two(ready_condition("True"), json!([completed(), running("c1")])), "1/2", "Running", 0);
    shows(two(ready_condition("False"), json!([completed(), running("c1")])), "1/2", "NotReady", 0);
    // A failure behind the completed one is what matters.
    let failed = terminated("c1", 0, json!({"exitCode": 1, "reason": "Error"}));
    shows(two(ready_condition("False"), json!([completed(), failed])), "0/2", "Error", 0);
}

#[test]
fn init_containers() {
    let init = |statuses: Value| {
        json!({
            "spec": {"initContainers": [{"name": "i0"}, {"name": "i1"}]},
            "status": {"phase": "Pending", "initContainerStatuses": statuses,
                       "containerStatuses": [waiting("c0", 0, "PodInitializing")]},
        })
    };
    let done = || terminated("i0", 1, json!({"exitCode": 0, "reason": "Completed"}));
    shows(
        init(json!([waiting("i0", 0, "PodInitializing"), waiting("i1", 0, "PodInitializing")])),
        "0/1",
        "Init:0/2",
        0,
    );
    shows(init(json!([done(), running("i1")])), "0/1", "Init:1/2", 1);
    shows(init(json!([done(), waiting("i1", 4, "CrashLoopBackOff")])), "0/1", "Init:CrashLoopBackOff", 5);
    shows(
        init(json!([terminated("i0", 2, json!({"exitCode": 1, "reason": "Error"}))])),
        "0/1",
        "Init:Error",
        2,
    );
    shows(
        init(json!([terminated("i0", 0, json!({"exitCode": 137, "signal": 9}))])),
        "0/1",
        "Init:Signal:9",
        0,
    );
    shows(init(json!([terminated("i0", 0, json!({"exitCode": 2}))])), "0/1", "Init:ExitCode:2", 0);
    // All done: the restarts of init containers do not count any more.
    let all_done = json!([done(), terminated("i1", 3, json!({"exitCode": 0}))]);
    shows(init(all_done), "0/1", "PodInitializing", 0);
}

#[test]
fn an_initialized_pod_shows_its_containers_even_when_an_init_container_runs_again() {
    let fields = json!({
        "spec": {"initContainers": [{"name": "i0"}]},
        "status": {
            "conditions": [{"type": "Initialized", "status": "True"}],
            "initContainerStatuses": [waiting("i0", 2, "CrashLoopBackOff")],
        },
    });
    // No container says anything, so the init container's word stays; its restarts do not.
    shows(fields, "1/1", "Init:CrashLoopBackOff", 0);
}

#[test]
fn sidecars_count_as_containers() {
    let sidecar = |status: Value| {
        json!({
            "spec": {"initContainers": [{"name": "s", "restartPolicy": "Always"}, {"name": "i1"}]},
            "status": {"initContainerStatuses": [
                status, terminated("i1", 1, json!({"exitCode": 0, "reason": "Completed"})),
            ]},
        })
    };
    let up = |ready: bool| json!({"name": "s", "ready": ready, "started": true, "restartCount": 2, "state": {"running": {}}});
    shows(sidecar(up(true)), "2/2", "Running", 2);
    shows(sidecar(up(false)), "1/2", "Running", 2);
    let starting =
        json!({"name": "s", "ready": false, "started": false, "restartCount": 0, "state": {"running": {}}});
    shows(sidecar(starting), "0/2", "Init:0/2", 0);
    // An ended sidecar is done, like any other init container.
    shows(sidecar(terminated("s", 1, json!({"exitCode": 0, "reason": "Completed"}))), "1/2", "Running", 1);
}

#[test]
fn pods_on_their_way_out() {
    let deleted =
        |status: Value| json!({"metadata": {"deletionTimestamp": "1970-01-01T00:02:00Z"}, "status": status});
    shows(deleted(json!({})), "1/1", "Terminating", 0);
    shows(deleted(json!({"reason": "NodeLost"})), "1/1", "Unknown", 0);
    let completed = json!({"phase": "Succeeded", "containerStatuses": [
        terminated("c0", 0, json!({"exitCode": 0, "reason": "Completed"})),
    ]});
    shows(deleted(completed), "0/1", "Completed", 0);
}

#[test]
fn wide_columns() {
    let absent =
        json!({"ip": "<none>", "node": "<none>", "nominatedNode": "<none>", "readinessGates": "<none>"});
    check("pods", &pod(json!({})), &absent);
    let placed = pod(json!({
        "spec": {"nodeName": "n1", "readinessGates": [{"conditionType": "a"}, {"conditionType": "b"}, {"conditionType": "c"}]},
        "status": {
            "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}], "nominatedNodeName": "n2",
            "conditions": [{"type": "a", "status": "True"}, {"type": "b", "status": "False"}],
        },
    }));
    check(
        "pods",
        &placed,
        &json!({"ip": "10.0.0.1", "node": "n1", "nominatedNode": "n2", "readinessGates": "1/3"}),
    );
}

#[test]
fn an_object_of_the_wrong_shape_is_shown_as_far_as_it_goes() {
    for broken in [json!({}), json!({"status": {"containerStatuses": "x"}}), json!([1]), Value::Null] {
        check(
            "pods",
            &broken,
            &json!({"name": "", "ready": "0/0", "status": "", "restarts": 0, "age": null}),
        );
    }
}

/// The Table of an API server of Kubernetes 1.37.2: pods of real workloads, and pods whose status was drawn at random.
/// Objects are cut down to what the columns depend on.
#[test]
fn every_cell_says_what_a_real_server_said() {
    let recorded: Value = serde_json::from_str(include_str!("recorded.json")).unwrap();
    let now_ms = recorded["nowMs"].as_i64().unwrap();
    let columns = Columns::builtin(&"pods".parse().unwrap()).unwrap();
    assert_eq!(columns.defs(), from_table(&recorded).unwrap().columns);
    for row in recorded["rows"].as_array().unwrap() {
        let cells = columns.all(&row["object"]);
        let server = row["cells"].as_array().unwrap();
        assert_eq!(cells.len(), server.len());
        for (def, (ours, server)) in columns.defs().iter().zip(cells.iter().zip(server)) {
            let name = &def.column.name;
            assert!(ours.agrees_with(server, now_ms), "{name}: {ours:?}, the server says {server} of {row}");
        }
    }
}
