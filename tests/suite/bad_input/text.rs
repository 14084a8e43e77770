//! Texts in objects that steer terminals or hide from readers, and texts in every script.

use serde_json::{Value, json};

use super::{TEXTS, assert_clean, fleet};
use crate::faults::pod;

/// Red, cleared screen, a title, an override of direction, invisible tags, a bell, line breaks that break tables.
const EVIL: &str =
    "\u{1b}[31mred\u{1b}[2J\u{1b}]0;title\u{7}\u{202e}gnp.exe\u{200b}\u{e0041}\u{9b}31m\u{2028}a\nb\tc\rd";

fn everything(value: &Value, tell: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => tell(text),
        Value::Array(items) => items.iter().for_each(|item| everything(item, tell)),
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            tell(key);
            everything(value, tell);
        }),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_from_a_cluster_steers_a_reader() {
    let rig = fleet().await;
    let mut evil = pod("evil", json!({"evil": "yes"}));
    evil["metadata"]["annotations"] = json!({"note": EVIL, "key\u{1b}[5m\u{202e}": "x"});
    evil["status"] = json!({"phase": "Failed", "reason": EVIL, "message": EVIL});
    evil["spec"]["nodeName"] = json!(EVIL);
    rig.sim("eu").apply(evil).unwrap();
    rig.sim("eu")
        .apply(json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"name": "evil.1", "namespace": "default"},
            "involvedObject": {"kind": "Pod", "namespace": "default", "name": "evil"},
            "type": "Warning", "reason": "Evil\u{1b}[31m", "message": EVIL, "count": 1,
            "firstTimestamp": "2026-11-23T10:00:00Z", "lastTimestamp": "2026-11-23T10:00:00Z",
        }))
        .unwrap();
    let selected = json!({"labelSelector": "evil=yes"});
    rig.pods_until("the pod", selected, |answer| answer.ok()["total"] == 1).await;
    for (tool, arguments) in [
        ("pods_list", json!({"labelSelector": "evil=yes"})),
        ("pods_list", json!({"labelSelector": "evil=yes", "output": "json"})),
        (
            "pods_list",
            json!({"labelSelector": "evil=yes", "fields": "name,metadata.annotations,spec.nodeName,status.message"}),
        ),
        ("pods_list", json!({"labelSelector": "evil=yes", "fields": "metadata.annotations['note']"})),
        ("pods_list", json!({"limit": 1, "namespace": "default", "sortBy": "-status"})),
        ("resources_list", json!({"kind": "events", "namespace": "default", "maxBytes": 100_000})),
        ("resources_get", json!({"kind": "pod", "name": "evil", "namespace": "default"})),
        ("resources_get", json!({"kind": "pod", "name": "evil", "fields": "metadata.annotations"})),
    ] {
        let answer = rig.call(tool, arguments.clone()).await;
        let what = format!("{tool} {arguments}");
        let shows = |text: &str| answer.ok().to_string().contains(text);
        assert!(shows("evil") || shows("gnp.exe"), "{what}: {}", answer.ok());
        assert_clean(answer.text(), &what);
        everything(answer.ok(), &mut |text| assert_clean(&text.replace('\r', ""), &what));
        if tool == "pods_list" {
            let rows = answer.text().lines().filter(|line| line.contains("gnp.exe")).count();
            assert!(rows <= 2, "{what}: one line a row, one of counts: {}", answer.text());
        }
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_script_passes_unchanged() {
    let rig = fleet().await;
    let text = "žluťoučký kůň 東京 مرحبا שלום 👩‍👩‍👧 e\u{301} ﬁ ẞ";
    let mut pod = pod("scripts", json!({"scripts": "yes"}));
    pod["metadata"]["annotations"] = json!({"note": text, "ключ": "значение"});
    rig.sim("eu").apply(pod).unwrap();
    let arguments = json!({"labelSelector": "scripts=yes", "fields": "metadata.annotations['note'],metadata.annotations['ключ']"});
    let answer = rig.pods_until("the pod", arguments, |answer| answer.ok()["total"] == 1).await;
    assert_eq!(answer.ok()["groups"][0]["rows"][0], json!([text, "значение"]));
    for selector in [
        "metadata.annotations['ключ']=значение",
        "metadata.annotations['note']=žluťoučký kůň 東京 مرحبا שלום 👩‍👩‍👧 e\u{301} ﬁ ẞ",
    ] {
        let found = rig.call("pods_list", json!({"fieldSelector": selector})).await;
        assert_eq!(found.ok()["total"], 1, "{selector}");
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_does_not_steer_a_reader_either() {
    let rig = fleet().await;
    for argument in TEXTS {
        let answer = rig.call("pods_list", json!({argument: EVIL})).await;
        let error = answer.refused();
        assert_ne!(error["code"], "internal");
        everything(error, &mut |text| assert_clean(text, argument));
        assert_clean(answer.text(), argument);
    }
    for (tool, arguments) in [
        ("resources_list", json!({"kind": EVIL})),
        ("resources_get", json!({"kind": "pods", "name": EVIL})),
        ("resources_get", json!({"name": format!("{EVIL}/x")})),
        ("pods_list", json!({EVIL: 1})),
        ("pods_list", json!({"limit": EVIL})),
    ] {
        let answer = rig.call(tool, arguments).await;
        everything(answer.refused(), &mut |text| assert_clean(text, tool));
    }
    rig.stop().await;
}
