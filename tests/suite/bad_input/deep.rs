//! Objects that nest deeper than parsers like. Anybody who may create a custom resource can make one.

use serde_json::{Value, json};

use super::fleet;

/// Deeper than serde_json's own limit of 128.
const DEPTH: usize = 400;

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!("bottom"), |below, _| json!({"n": below}))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_too_deep_to_parse_does_not_hide_the_others_of_its_kind() {
    let rig = fleet().await;
    let object = |name: &str, spec: Value| {
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": name, "namespace": "default"}, "spec": spec,
        })
    };
    let list = async || {
        rig.call("resources_list", json!({"kind": "applications", "cluster": "eu", "limit": 1000})).await
    };
    let before = kubeplex_tests::wait::until("the first list", async || {
        let answer = list().await;
        if answer.result().is_ok_and(|answer| answer["partial"].is_null()) { Ok(answer) } else { Err(answer) }
    })
    .await;
    rig.sim("eu").apply(object("deep", nested(DEPTH))).unwrap();
    rig.sim("eu").apply(object("flat", json!({"project": "x"}))).unwrap();
    let after = kubeplex_tests::wait::until("the flat object, and a word on the deep one", async || {
        let answer = list().await;
        let is_there = answer.result().is_ok_and(|_| answer.places().iter().any(|place| place.2 == "flat"));
        if is_there && !answer.problem("eu").is_null() { Ok(answer) } else { Err(answer) }
    })
    .await;
    assert!(before.places().iter().all(|place| after.places().contains(place)));
    let problem = after.problem("eu");
    assert_eq!((&problem["status"], &problem["rowsShown"]), (&json!("ok"), &json!("partial")), "{problem}");
    assert!(problem["message"].as_str().unwrap().contains("could not be read"), "{problem}");
    assert!(after.is_partial() && after.text().contains("could not be read"), "{}", after.text());
    let arguments = json!({"kind": "applications", "cluster": "eu", "name": "deep"});
    let get = rig.call("resources_get", arguments).await;
    let said = get.result().map_or_else(ToString::to_string, ToString::to_string);
    assert!(said.contains("could not be read"), "it is there, and can't be shown: {said}");
    let pods = rig.pods(json!({})).await;
    assert!(!pods.is_partial(), "{pods:?}");
    rig.stop().await;
}
