//! Which pods are meant.

use super::*;

#[tokio::test(start_paused = true)]
async fn pods_are_found_by_name_by_labels_and_by_what_has_them() {
    let world = World::start();
    let objects =
        |group: &str, version: &str, resource: &str| world.sim.objects(&Gvr::new(group, version, resource));
    let text = |object: &Value, pointer: &str| object.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let pods = world.sim.objects(&Gvr::core("pods"));
    for (group, version, resource) in [
        ("apps", "v1", "deployments"),
        ("apps", "v1", "statefulsets"),
        ("apps", "v1", "daemonsets"),
        ("apps", "v1", "replicasets"),
        ("batch", "v1", "jobs"),
        ("", "v1", "services"),
    ] {
        let mut found_some = false;
        for object in objects(group, version, resource) {
            let (namespace, name) = (text(&object, "/metadata/namespace"), text(&object, "/metadata/name"));
            let selector =
                object.pointer("/spec/selector/matchLabels").or_else(|| object.pointer("/spec/selector"));
            let Some(selector) = selector.and_then(Value::as_object).filter(|labels| !labels.is_empty())
            else {
                continue;
            };
            let is_meant = |pod: &&Value| {
                pod["metadata"]["namespace"] == namespace.as_str()
                    && selector.iter().all(|(key, value)| pod["metadata"]["labels"].get(key) == Some(value))
            };
            let expected: Vec<_> =
                pods.iter().filter(is_meant).map(|pod| text(pod, "/metadata/name")).collect();
            let kind = GroupResourceText(group, resource).to_string();
            let (head, found) = world.pods(&pods_request(&kind, &namespace, &name)).await;
            let mut names: Vec<_> = found.iter().map(|pod| pod.name.clone()).collect();
            let mut expected_names = expected.clone();
            names.sort();
            expected_names.sort();
            expected_names.truncate(21);
            assert_eq!(head.total as usize, expected.len(), "{kind} {name}");
            if expected.len() <= 21 {
                assert_eq!(names, expected_names, "{kind} {name}");
            }
            found_some |= !expected.is_empty();
        }
        assert!(found_some || resource == "jobs", "no {resource} has pods here");
    }
    let (head, found) = world.pods(&LogPodsRequest { limit: 2, ..pods_request("pods", "", "") }).await;
    assert_eq!((head.status, head.total, found.len()), (LegStatus::Ok, pods.len() as u64, 2));
}

struct GroupResourceText<'a>(&'a str, &'a str);

impl std::fmt::Display for GroupResourceText<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { f.write_str(self.1) } else { write!(f, "{}.{}", self.1, self.0) }
    }
}

#[tokio::test(start_paused = true)]
async fn the_pods_of_a_cron_job_are_those_of_its_jobs() {
    let world = World::start();
    let owner = |kind: &str, uid: &str| json!([{"apiVersion": "batch/v1", "kind": kind, "name": "nightly", "uid": uid, "controller": true}]);
    world.sim.apply(json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly", "namespace": "default", "uid": "c"},
        "spec": {"schedule": "0 0 * * *"},
    })).unwrap();
    let cron = world.sim.object(&Gvr::new("batch", "v1", "cronjobs"), "default", "nightly").unwrap();
    let uid = cron["metadata"]["uid"].as_str().unwrap();
    world.sim.apply(json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "nightly-1", "namespace": "default", "ownerReferences": owner("CronJob", uid)},
        "spec": {"selector": {"matchLabels": {"app": "nightly-1"}}},
    })).unwrap();
    world.sim.apply(pod("nightly-1", &[("main", running())])).unwrap();
    world.sim.apply(pod("other", &[("main", running())])).unwrap();
    let (head, found) = world.pods(&pods_request("cronjobs.batch", "default", "nightly")).await;
    assert_eq!((head.total, found[0].name.as_str()), (1, "nightly-1"), "{head:?}");
}
