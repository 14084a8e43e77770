//! Cursors that were cut, changed, made up, or belong elsewhere.

use serde_json::{Value, json};

use super::{assert_error, fleet};

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_holds_for_its_own_question_and_unchanged() {
    let rig = fleet().await;
    let first = rig.call("pods_list", json!({"limit": 5, "namespace": "shop"})).await;
    let cursor = first.ok()["continue"].as_str().unwrap().to_owned();
    let another = rig.call("pods_list", json!({"limit": 5})).await.ok()["continue"].clone();
    let middle = cursor.len() / 2;
    let flipped = if &cursor[middle..=middle] == "A" { "B" } else { "A" };
    let tampered = format!("{}{flipped}{}", &cursor[..middle], &cursor[middle + 1..]);
    for (what, cursor) in [
        ("garbage", "garbage".to_owned()),
        ("punctuation", "%%%///===".to_owned()),
        ("control characters", "\u{1b}[31m\u{0}\n".to_owned()),
        ("another alphabet", "žluťoučký-kůň".to_owned()),
        ("cut short", cursor[..cursor.len() - 3].to_owned()),
        ("a beginning", cursor[..10].to_owned()),
        ("continued", format!("{cursor}AAAA")),
        ("twice", format!("{cursor}{cursor}")),
        ("tampered", tampered),
        ("long", "A".repeat(500_000)),
    ] {
        let answer =
            rig.call("pods_list", json!({"limit": 5, "namespace": "shop", "continue": cursor})).await;
        assert_error(&answer, "invalid_argument", &["continue", "not a cursor", "without continue"], what);
    }
    for (tool, arguments) in [
        ("pods_list", json!({"namespace": "payments", "continue": cursor})),
        ("pods_list", json!({"namespace": "shop", "sortBy": "-age", "continue": cursor})),
        ("pods_list", json!({"namespace": "shop", "labelSelector": "app", "continue": cursor})),
        ("pods_list", json!({"namespace": "shop", "fields": "name", "continue": cursor})),
        ("pods_list", json!({"namespace": "shop", "continue": another})),
        ("resources_list", json!({"kind": "pods", "namespace": "shop", "continue": cursor})),
        ("clusters_list", json!({"continue": cursor})),
    ] {
        let answer = rig.call(tool, arguments.clone()).await;
        assert_error(&answer, "invalid_argument", &["another question"], &format!("{tool} {arguments}"));
    }
    let fewer =
        rig.call("pods_list", json!({"namespace": "shop", "cluster": "eu", "continue": cursor})).await;
    assert_error(&fewer, "invalid_argument", &["set of clusters"], "fewer clusters");
    let next = rig
        .call("pods_list", json!({"limit": 7, "namespace": "shop", "maxBytes": 9_000, "continue": cursor}))
        .await;
    assert!(next.ok()["shown"].as_u64().unwrap() > 0, "its own question, with another page size: {next:?}");
    assert!(first.places().iter().all(|place| !next.places().contains(place)), "no row twice");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_every_size_show_every_row_once() {
    let rig = fleet().await;
    let all = rig.pods(json!({})).await.places();
    for (limit, max_bytes) in [(1, 500), (7, 7_500), (1_000, 500), (1_000, 2_000)] {
        let mut seen = Vec::new();
        let mut cursor = Value::Null;
        for _ in 0..=all.len() {
            let mut arguments = json!({"limit": limit, "maxBytes": max_bytes});
            if !cursor.is_null() {
                arguments["continue"] = cursor;
            }
            let page = rig.call("pods_list", arguments).await;
            seen.extend(page.places());
            cursor = page.ok()["continue"].clone();
            if cursor.is_null() {
                break;
            }
        }
        assert_eq!(seen, all, "limit {limit}, maxBytes {max_bytes}");
    }
    rig.stop().await;
}
