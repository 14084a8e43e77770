//! Wrong arguments: the message names the argument, the value, and what would be right.

use serde_json::{Value, json};

use super::{TEXTS, assert_error, fleet};
use crate::faults::rig::Rig;

/// Arguments, the error's code, and what it must say.
type Case = (Value, &'static str, &'static [&'static str]);

/// Asks, and looks at the errors.
async fn check(rig: &Rig, cases: &[(&str, Case)]) {
    for (tool, (arguments, code, said)) in cases {
        let answer = rig.call(tool, arguments.clone()).await;
        assert_error(&answer, code, said, &format!("{tool} {arguments}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_named_with_what_is() {
    let rig = fleet().await;
    let cases: [(&str, Case); 14] = [
        ("pods_list", (json!({"cluster": "eux"}), "not_found", &["cluster", "eux", "did you mean eu"])),
        ("pods_list", (json!({"cluster": "nowhere"}), "not_found", &["nowhere", "eu, us"])),
        ("pods_list", (json!({"cluster": "eu,nowhere"}), "not_found", &["nowhere"])),
        ("pods_list", (json!({"cluster": "prod-*"}), "not_found", &["prod-*", "eu, us"])),
        ("pods_list", (json!({"clusterSelector": "member=mars"}), "not_found", &["member=mars", "eu, us"])),
        ("clusters_list", (json!({"fields": "nodez"}), "invalid_argument", &["nodez", "did you mean nodes"])),
        ("clusters_list", (json!({"sortBy": "-cpu"}), "invalid_argument", &["sortBy", "cpu", "version"])),
        ("resources_list", (json!({"kind": "podz"}), "not_found", &["kind", "podz", "did you mean pods"])),
        ("resources_list", (json!({"kind": "zebras.example.com"}), "not_found", &["zebras"])),
        ("resources_list", (json!({"kind": "deployments.apps/v9"}), "not_found", &["v9", "v1"])),
        ("pods_list", (json!({"fields": "name,stauts"}), "invalid_argument", &["stauts", "status"])),
        ("pods_list", (json!({"sortBy": "-restart"}), "invalid_argument", &["restart", "restarts"])),
        (
            "pods_list",
            (json!({"fields": "cluster.region"}), "invalid_argument", &["cluster.region", "cluster.labels"]),
        ),
        ("resources_get", (json!({"kind": "podz", "name": "x"}), "not_found", &["podz", "pods"])),
    ];
    check(&rig, &cases).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_type_or_range_is_told_with_the_right_one() {
    let rig = fleet().await;
    let text = [json!(7), json!(true), json!({"a": 1}), json!([1, 2])];
    for argument in TEXTS {
        for value in &text {
            let answer = rig.call("pods_list", json!({argument: value})).await;
            let shown = value.to_string();
            assert_error(
                &answer,
                "invalid_argument",
                &[argument, &shown, "a string"],
                &format!("{argument}: {value}"),
            );
        }
    }
    let integers: [(&str, &[Value], &str); 3] = [
        (
            "limit",
            &[json!(0), json!(1001), json!(-1), json!(1.5), json!("5"), json!(1e300), json!([])],
            "an integer from 1 to 1000",
        ),
        ("maxBytes", &[json!(499), json!(4_194_305), json!("7kB")], "an integer from 500 to 4194304"),
        ("timeoutSeconds", &[json!(0), json!(121), json!("10s"), json!(true)], "an integer from 1 to 120"),
    ];
    for (argument, values, wanted) in integers {
        for value in values {
            let answer = rig.call("pods_list", json!({argument: value})).await;
            assert_error(&answer, "invalid_argument", &[argument, wanted], &format!("{argument}: {value}"));
        }
    }
    let answer = rig.call("pods_list", json!({"output": "xml"})).await;
    assert_error(&answer, "invalid_argument", &["output", "xml", "table, json"], "output");
    // What models send for an argument that they leave out.
    let mut nulls = json!({"limit": null, "maxBytes": null, "timeoutSeconds": null, "output": null});
    TEXTS.iter().for_each(|argument| nulls[*argument] = Value::Null);
    assert!(rig.call("pods_list", nulls).await.ok()["total"].as_u64() > Some(0));
    let answer = rig.call("resources_list", json!({"kind": null})).await;
    assert_error(&answer, "invalid_argument", &["kind is null", "a string is wanted"], "a required null");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_argument_is_refused_with_the_nearest_one() {
    let rig = fleet().await;
    let cases: [(&str, Case); 7] = [
        (
            "pods_list",
            (json!({"namspace": "shop"}), "invalid_argument", &["namspace", "did you mean namespace"]),
        ),
        ("pods_list", (json!({"kind": "pods"}), "invalid_argument", &["kind", "no such argument"])),
        ("clusters_list", (json!({"namespace": "shop"}), "invalid_argument", &["namespace"])),
        ("resources_list", (json!({}), "invalid_argument", &["kind is missing", "a string"])),
        ("resources_get", (json!({"kind": "pods"}), "invalid_argument", &["name is missing"])),
        (
            "resources_get",
            (json!({"name": "cart"}), "invalid_argument", &["kind is missing", "deployment/cart"]),
        ),
        (
            "pods_list",
            (json!({"cluster": "eu", "clusters": ["us"]}), "invalid_argument", &["clusters", "give one"]),
        ),
    ];
    check(&rig, &cases).await;
    let long = "x".repeat(5_000);
    let answer = rig.call("pods_list", json!({&long: 1, "\u{1b}[2J\u{202e}": 2})).await;
    assert_error(&answer, "invalid_argument", &["no such argument"], "a long name");
    let unknown = rig.call("pod_list", json!({})).await;
    let error = unknown.refused();
    assert_eq!(error["code"], -32_602, "{error}");
    assert!(error["message"].as_str().unwrap().contains("pod_list"), "{error}");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_selector_is_told_with_the_place_of_its_fault() {
    let rig = fleet().await;
    let cases: [(&str, &str, usize, &str); 16] = [
        ("labelSelector", "app=a,,b", 7, "label key"),
        ("labelSelector", "app in a", 8, "list in brackets"),
        ("labelSelector", "app in (a", 10, "closing bracket"),
        ("labelSelector", "=x", 1, "label key"),
        ("labelSelector", "app=a b", 7, "comma"),
        ("labelSelector", "app=a,", 7, "after the comma"),
        ("labelSelector", "a/b/c=d", 1, "label key"),
        ("labelSelector", "app=-x", 5, "label value"),
        ("labelSelector", "replicas>many", 10, "integer"),
        ("labelSelector", "app=ü", 5, "comma"),
        ("clusterSelector", "member in (", 12, ""),
        ("fieldSelector", "status.phase", 13, "=, == or !="),
        ("fieldSelector", "=Running", 1, "field path"),
        ("fieldSelector", "a.b=c=d", 6, "\\="),
        ("fieldSelector", "a.b=c\\n", 6, "backslash"),
        ("fieldSelector", "metadata.labels['ü'] > 3", 22, "=, == or !="),
    ];
    for (argument, selector, place, wanted) in cases {
        let answer = rig.call("pods_list", json!({argument: selector})).await;
        let what = format!("{argument}: {selector}");
        assert_error(
            &answer,
            "invalid_argument",
            &[argument, &format!("at character {place} of"), wanted],
            &what,
        );
    }
    for (argument, path) in [
        ("fieldSelector", "spec.containers[?(=x"),
        ("fieldSelector", "metadata.labels['x=1"),
        ("fields", "spec.containers["),
        ("fields", "name,,age"),
        ("sortBy", "-"),
        ("sortBy", "spec.["),
        ("namespace", "two words"),
        ("namespace", "a/b"),
        ("namespace", "shop,"),
    ] {
        let answer = rig.call("pods_list", json!({argument: path})).await;
        assert_error(&answer, "invalid_argument", &[], &format!("{argument}: {path}"));
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_contradicts_the_rest_is_refused() {
    let rig = fleet().await;
    let cases: [(&str, Case); 5] = [
        ("resources_list", (json!({"kind": "a/b/c"}), "invalid_argument", &["a/b/c", "version"])),
        (
            "resources_list",
            (json!({"kind": "nodes", "namespace": "shop"}), "invalid_argument", &["namespace", "nodes"]),
        ),
        (
            "resources_get",
            (json!({"kind": "pods", "name": "deployment/x"}), "invalid_argument", &["deployment/x", "pods"]),
        ),
        ("resources_get", (json!({"kind": "pods", "name": "a b"}), "invalid_argument", &["a b", "name"])),
        ("resources_list", (json!({"kind": "\u{1b}[31mpods\u{202e}"}), "not_found", &["kind"])),
    ];
    check(&rig, &cases).await;
    rig.stop().await;
}
