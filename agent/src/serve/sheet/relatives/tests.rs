use serde_json::json;

use super::*;

#[test]
fn what_pods_use_is_found_wherever_it_is_named() {
    let spec = json!({
        "serviceAccountName": "cart", "nodeName": "n1", "imagePullSecrets": [{"name": "pull"}],
        "volumes": [
            {"configMap": {"name": "conf"}}, {"secret": {"secretName": "tls"}},
            {"persistentVolumeClaim": {"claimName": "data"}},
            {"projected": {"sources": [{"configMap": {"name": "kube-root-ca.crt"}}, {"serviceAccountToken": {}}]}},
        ],
        "containers": [{"envFrom": [{"configMapRef": {"name": "env"}}, {"secretRef": {"name": "keys"}}]}],
        "initContainers": [{"env": [
            {"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": "one", "key": "k"}}}]}],
    });
    let told: Vec<String> = uses(&json!({"spec": spec}))
        .into_iter()
        .map(|(kind, names)| format!("{kind}: {}", names.into_iter().collect::<Vec<_>>().join(",")))
        .collect();
    assert_eq!(
        told,
        [
            "configmaps: conf,env,kube-root-ca.crt",
            "nodes: n1",
            "persistentvolumeclaims: data",
            "secrets: keys,one,pull,tls",
            "serviceaccounts: cart",
        ]
    );
}

#[test]
fn states_say_how_things_are_and_the_unwell_come_first() {
    let pod = |status: Value| json!({"kind": "Pod", "spec": {"containers": [{}, {}]}, "status": status});
    let waiting = json!({"phase": "Running", "containerStatuses": [
        {"ready": true, "restartCount": 0}, {"ready": false, "restartCount": 7, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]});
    for (object, told) in [
        (pod(json!({"phase": "Pending"})), "Pending 0/2"),
        (pod(waiting), "CrashLoopBackOff 1/2, 7 restarts"),
        (json!({"kind": "ReplicaSet", "spec": {"replicas": 3}, "status": {"readyReplicas": 2}}), "2/3 ready"),
        (json!({"kind": "Job", "status": {"failed": 2}}), "0 active, 0 succeeded, 2 failed"),
        (json!({"kind": "Service"}), ""),
    ] {
        assert_eq!(state(&object), told);
    }
    let relative =
        |name: &str, state: &str| Relative { kind: "pod".into(), name: name.into(), state: state.into() };
    let ordered = some(vec![
        relative("a", "Running 1/1"),
        relative("b", "Running 0/1"),
        relative("c", ""),
        relative("d", "missing"),
        relative("e", "CrashLoopBackOff 0/1, 7 restarts"),
        relative("f", "2/3 ready"),
        relative("g", "Completed 0/1"),
        relative("h", "0 active, 0 succeeded, 2 failed"),
    ]);
    let names: Vec<&str> = ordered.shown.iter().map(|relative| relative.name.as_str()).collect();
    assert_eq!((names, ordered.more), (vec!["b", "d", "e", "f", "h", "a", "c", "g"], 0));
    let many = (0..20).map(|at| relative(&format!("p{at}"), "Running 1/1")).collect();
    let some = some(many);
    assert_eq!((some.shown.len(), some.more), (8, 12));
}
