//! Arguments and replies of sizes that nobody expects.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use simcluster::Gvr;

use super::{assert_error, fleet};
use crate::faults::pod;

/// Just below what a request may hold.
const NEARLY_A_MEGABYTE: usize = 1_000_000;

const TEXTS: [&str; 7] =
    ["cluster", "clusterSelector", "namespace", "labelSelector", "fieldSelector", "fields", "sortBy"];

#[tokio::test(flavor = "multi_thread")]
async fn oversized_arguments_are_refused_before_anybody_works_on_them() {
    let rig = fleet().await;
    let plain = "a".repeat(NEARLY_A_MEGABYTE);
    let wide = "ü".repeat(NEARLY_A_MEGABYTE / 2);
    let list = "a,".repeat(NEARLY_A_MEGABYTE / 2);
    let many: Vec<Value> = (0..10_000).map(|number| json!(format!("n{number}"))).collect();
    for argument in TEXTS {
        for (what, value) in [
            ("a text", json!(plain)),
            ("wide", json!(wide)),
            ("a list", json!(list)),
            ("an array", json!(many)),
        ] {
            let answer = rig.call("pods_list", json!({argument: value})).await;
            assert_error(&answer, "invalid_argument", &["more than"], &format!("{argument}: {what}"));
            assert!(
                answer
                    .result()
                    .is_err_and(|error| error["message"].as_str().is_some_and(|text| text.len() < 200))
            );
        }
    }
    for (tool, arguments) in [
        ("resources_list", json!({"kind": plain})),
        ("resources_get", json!({"kind": "pods", "name": plain})),
        ("resources_get", json!({"kind": plain, "name": "x"})),
        ("pods_list", json!({plain.clone(): "x"})),
    ] {
        let answer = rig.call(tool, arguments).await;
        assert_error(&answer, "invalid_argument", &[], tool);
    }
    let unknown = rig.call(&"t".repeat(1_000), json!({})).await;
    assert!(unknown.refused()["message"].as_str().unwrap().len() < 300);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_small_parts_are_bounded_too() {
    let rig = fleet().await;
    let parts = |part: &str| vec![part; 65].join(",");
    for (argument, text) in [
        ("cluster", parts("eu")),
        ("namespace", parts("a")),
        ("fields", (0..65).map(|n| format!("a.b{n}")).collect::<Vec<_>>().join(",")),
        ("sortBy", parts("name")),
        ("labelSelector", parts("a=b")),
        ("fieldSelector", parts("a.b=c")),
    ] {
        let answer = rig.call("pods_list", json!({argument: text})).await;
        assert_error(&answer, "invalid_argument", &[argument, "64"], argument);
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_beyond_the_largest_budget_come_page_by_page_without_a_gap() {
    let rig = fleet().await;
    for number in 0..200 {
        let mut pod = pod(&format!("fat-{number:03}"), json!({"fat": "yes"}));
        pod["metadata"]["annotations"] = json!({"note": "x".repeat(40_000)});
        rig.sim("eu").apply(pod).unwrap();
    }
    let arguments = json!({
        "labelSelector": "fat=yes", "fields": "name,metadata.annotations", "limit": 1000, "maxBytes": 4 << 20,
    });
    rig.pods_until("the fat pods", json!({"labelSelector": "fat=yes"}), |answer| answer.ok()["total"] == 200)
        .await;
    let (mut seen, mut cursor, mut pages) = (Vec::new(), Value::Null, 0);
    loop {
        let mut arguments = arguments.clone();
        if !cursor.is_null() {
            arguments["continue"] = cursor;
        }
        let page = rig.call("pods_list", arguments).await;
        assert!(page.ok().to_string().len() <= 4 << 20, "{page:?}");
        seen.extend(page.places().into_iter().map(|place| place.2));
        pages += 1;
        cursor = page.ok()["continue"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert!(pages >= 2, "{pages} pages for 8 MB");
    assert_eq!(seen, (0..200).map(|number| format!("fat-{number:03}")).collect::<Vec<_>>());
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_huge_object_keeps_its_row_and_says_what_is_left_out_of_it() {
    let rig = fleet().await;
    let service = |name: &str, bytes: usize| {
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": name, "namespace": "default", "annotations": {"blob": "y".repeat(bytes)}},
            "spec": {"type": "ClusterIP", "clusterIP": "10.0.0.9", "ports": [{"port": 80}]},
        })
    };
    rig.sim("eu").apply(service("large", 1_400_000)).unwrap();
    rig.sim("eu").apply(service("huge", 1_700_000)).unwrap();
    let list = async || rig.call("resources_list", json!({"kind": "services", "namespace": "default"})).await;
    kubeplex_tests::wait::until("both services", async || {
        let answer = list().await;
        if answer.ok().to_string().contains("huge") { Ok(()) } else { Err(answer) }
    })
    .await;
    let get = async |name: &str, further: Value| {
        let mut arguments = json!({"kind": "services", "namespace": "default", "name": name});
        arguments.as_object_mut().unwrap().extend(further.as_object().cloned().unwrap());
        rig.call("resources_get", arguments).await
    };
    let cut = get("large", json!({})).await;
    assert!(cut.ok().to_string().len() <= 7_500);
    assert_eq!(cut.ok()["objects"][0]["object"]["spec"]["clusterIP"], "10.0.0.9");
    assert!(cut.ok().to_string().contains("omittedBytes"), "{}", cut.ok());
    let whole = get("large", json!({"maxBytes": 4 << 20})).await;
    assert_eq!(
        whole.ok()["objects"][0]["object"]["metadata"]["annotations"]["blob"].as_str().unwrap().len(),
        1_400_000
    );
    // Too large for the cache: the row is there, and what can't be shown is not passed over in silence.
    let huge = get("huge", json!({"maxBytes": 4 << 20})).await;
    match huge.result() {
        Ok(answer) => assert!(
            answer.to_string().contains("huge") || answer["partial"] == true,
            "{}",
            &answer.to_string()[..500]
        ),
        Err(error) => {
            assert!(["too_large", "unavailable"].contains(&error["code"].as_str().unwrap()), "{error}");
        }
    }
    assert_eq!(
        rig.sim("eu").count(&Gvr::core("pods")),
        rig.pods(json!({"cluster": "eu"})).await.places().len()
    );
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_with_thousands_of_columns_stays_within_the_budget() {
    let rig = fleet().await;
    let column = |number: usize| json!({"name": format!("Column-{number}"), "type": "string", "jsonPath": format!(".spec.f{number}")});
    let columns: Vec<Value> = (0..3_000).map(column).collect();
    rig.sim("eu").apply(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "wides.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "wides", "singular": "wide", "kind": "Wide", "listKind": "WideList"},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "additionalPrinterColumns": columns,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
            }],
        },
    })).unwrap();
    for name in ["one", "two"] {
        rig.sim("eu")
            .apply(json!({
                "apiVersion": "example.com/v1", "kind": "Wide",
                "metadata": {"name": name, "namespace": "default"}, "spec": {"f7": "seven"},
            }))
            .unwrap();
    }
    let list = async |further: Value| {
        let mut arguments = json!({"kind": "wides"});
        arguments.as_object_mut().unwrap().extend(further.as_object().cloned().unwrap());
        rig.call("resources_list", arguments).await
    };
    let answer = kubeplex_tests::wait::until("the wide kind", async || {
        let answer = list(json!({})).await;
        if answer.result().is_ok_and(|answer| answer["total"] == 2) { Ok(answer) } else { Err(answer) }
    })
    .await;
    let bytes = answer.ok().to_string().len();
    assert!(bytes <= 7_500, "{bytes} bytes");
    let chosen = list(json!({"fields": "name,Column-7"})).await;
    assert_eq!(chosen.ok()["groups"][0]["rows"][0], json!(["one", "seven"]), "{}", chosen.ok());
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_can_be_asked_for_whatever_its_key_is() {
    const KEYS: [&str; 8] =
        ["a.b/c", "it's", "[0]", "x,y,zz", "back\\slash", "\"quoted\"", "two words", "?(@.z=='1')"];
    let rig = fleet().await;
    let mut spec: serde_json::Map<String, Value> =
        KEYS.iter().map(|key| ((*key).to_owned(), json!({"in": key.repeat(400)}))).collect();
    spec.insert("list".to_owned(), json!([{"small": 1}, {"odd.key": "z".repeat(2_600)}]));
    let names = json!({"kind": "Odd", "plural": "odds", "singular": "odd"});
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let version = json!({"name": "v1", "served": true, "storage": true, "schema": schema});
    for object in [
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "odds.example.com"},
            "spec": {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]},
        }),
        json!({
            "apiVersion": "example.com/v1", "kind": "Odd", "metadata": {"name": "one", "namespace": "default"},
            "spec": spec, "cluster": {"labels": {"x": "y".repeat(600)}}, "namespace": "n".repeat(600),
        }),
    ] {
        rig.sim("eu").apply(object).unwrap();
    }
    let get = async |further: Value| {
        let mut arguments = json!({"kind": "odds.example.com", "name": "one", "cluster": "eu"});
        arguments.as_object_mut().unwrap().extend(further.as_object().cloned().unwrap());
        rig.call("resources_get", arguments).await
    };
    let whole = kubeplex_tests::wait::until("the odd object", async || {
        let answer = get(json!({"maxBytes": 4 << 20})).await;
        if answer.result().is_ok() { Ok(answer) } else { Err(answer) }
    })
    .await;
    let leaves = whole.ok()["objects"][0]["object"].clone();
    // The smallest part that is enough goes, so that each budget leaves out another one.
    let bytes = whole.ok().to_string().len();
    let mut omitted = BTreeSet::new();
    for over in (100..4_300).step_by(100) {
        let cut = get(json!({"maxBytes": bytes - over})).await;
        let paths = cut.ok()["omitted"].as_array().unwrap().iter();
        omitted.extend(paths.map(|path| path.as_str().unwrap().to_owned()));
    }
    assert!(omitted.len() > KEYS.len(), "{omitted:?}");
    for path in omitted {
        let part = get(json!({"maxBytes": 4 << 20, "fields": &path})).await;
        let mut part = part.ok()["objects"][0]["object"].clone();
        // Beside its identity an object has nothing but the part asked for, which is what the whole one has there.
        for known in ["apiVersion", "kind", "metadata"] {
            part.as_object_mut().unwrap().shift_remove(known);
        }
        assert_eq!(texts(&part).len(), 1, "{path}");
        assert!(texts(&leaves).contains(&texts(&part)[0]), "{path}");
        assert!(texts(&part)[0].len() >= 600, "{path}");
    }
    rig.stop().await;
}

/// Every text in a value.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(map) => map.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
