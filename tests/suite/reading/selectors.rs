//! What selects rows: labels, fields, namespaces, clusters.

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::rows::Row;
use kubeplex_tests::server::{key, text};
use serde_json::{Value, json};

use super::agree::agree;
use super::lists::pods_at_the_servers;
use crate::ground::CLUSTERS;

async fn pods(fleet: &TestFleet, question: Value) -> Vec<(String, String, String)> {
    fleet.rows("pods_list", question).await.iter().map(Row::key).collect()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Asks the fleet and the servers the same, and both must find something.
async fn same_selection(fleet: &'static TestFleet, argument: &str, selector: &str) {
    let query = format!("?{argument}={}", encoded(selector));
    let mut found = 0;
    agree(
        &format!("{argument} {selector}"),
        async || pods(fleet, json!({argument: selector})).await,
        async || {
            let pods = pods_at_the_servers(fleet, &query).await;
            found = pods.len();
            pods
        },
    )
    .await;
    assert!(found > 0, "{argument} {selector} selects nothing on this ground");
}

/// A value of the label `app` that pods of this ground have.
async fn an_app(fleet: &TestFleet, at: usize) -> String {
    let pods = fleet.servers[0].list("/api/v1/pods").await;
    let mut apps: Vec<_> = pods.iter().map(|pod| text(&pod["metadata"]["labels"]["app"])).collect();
    apps.retain(|app| !app.is_empty());
    apps.sort();
    apps.dedup();
    apps[at].clone()
}

/// The label that most pods of this ground name their program by.
async fn app_label(fleet: &TestFleet) -> &'static str {
    let pods = fleet.servers[0].list("/api/v1/pods").await;
    let has = |label: &str| pods.iter().filter(|pod| pod["metadata"]["labels"].get(label).is_some()).count();
    ["app", "app.kubernetes.io/name"].into_iter().max_by_key(|label| has(label)).expect("a label")
}

pub(crate) async fn label_selectors_agree_with_the_server(fleet: &'static TestFleet) {
    let label = app_label(fleet).await;
    let (one, other) = match label {
        "app" => (an_app(fleet, 0).await, an_app(fleet, 1).await),
        _ => ("cart".to_owned(), "checkout".to_owned()),
    };
    for selector in [
        format!("{label}={one}"),
        format!("{label}=={one}"),
        format!("{label}!={one}"),
        format!("{label} in ({one},{other})"),
        format!("{label} notin ({one}, {other})"),
        label.to_owned(),
        format!("{label},{label}!={other}"),
        "!no-pod-has-this".to_owned(),
    ] {
        same_selection(fleet, "labelSelector", &selector).await;
    }
}

pub(crate) async fn field_selectors_agree_with_the_server(fleet: &'static TestFleet) {
    let pod = fleet.servers[0].list("/api/v1/pods").await;
    let placed = pod.iter().find(|pod| pod["spec"]["nodeName"].is_string()).expect("a pod on a node");
    let (namespace, name) = key(placed);
    for selector in [
        "status.phase=Running".to_owned(),
        "status.phase!=Running".to_owned(),
        format!("spec.nodeName={}", text(&placed["spec"]["nodeName"])),
        format!("metadata.name={name}"),
        format!("metadata.namespace={namespace},status.phase=Running"),
        format!("metadata.namespace!={namespace}"),
    ] {
        same_selection(fleet, "fieldSelector", &selector).await;
    }
}

pub(crate) async fn any_path_can_be_selected_by(fleet: &'static TestFleet) {
    let image = |pod: &Value| text(&pod["spec"]["containers"][0]["image"]);
    let wanted = image(&fleet.servers[0].list("/api/v1/pods").await[0]);
    for (operator, equal) in [("=", true), ("!=", false)] {
        agree(
            "pods by image",
            async || {
                pods(fleet, json!({"fieldSelector": format!("spec.containers[0].image{operator}{wanted}")}))
                    .await
            },
            async || {
                let mut found = Vec::new();
                for server in &fleet.servers {
                    for pod in server.list("/api/v1/pods").await {
                        let (namespace, name) = key(&pod);
                        if (image(&pod) == wanted) == equal {
                            found.push((server.name.clone(), namespace, name));
                        }
                    }
                }
                found.sort();
                found
            },
        )
        .await;
    }
}

pub(crate) async fn namespaces_are_selected_by_globs(fleet: &'static TestFleet) {
    for (asked, matches) in [
        ("shop", (|namespace| namespace == "shop") as fn(&str) -> bool),
        ("shop,payments", |namespace| matches!(namespace, "shop" | "payments")),
        ("s*", |namespace| namespace.starts_with('s')),
        ("*o*", |namespace| namespace.contains('o')),
        ("*", |_| true),
        ("no-such-namespace", |_| false),
    ] {
        agree(
            &format!("pods of {asked}"),
            async || pods(fleet, json!({"namespace": asked})).await,
            async || {
                let mut all = pods_at_the_servers(fleet, "").await;
                all.retain(|(_, namespace, _)| matches(namespace));
                all
            },
        )
        .await;
    }
}

pub(crate) async fn clusters_are_selected_by_name_and_label(fleet: &'static TestFleet) {
    for (question, wanted) in [
        (json!({"cluster": "eu-1"}), &["eu-1"][..]),
        (json!({"cluster": "us-1,eu-1"}), &["eu-1", "us-1"]),
        (json!({"cluster": "*-1"}), &["ap-1", "eu-1", "us-1"]),
        (json!({"cluster": "?u-1,us-*"}), &["us-1"]),
        (json!({"clusterSelector": "stage=prod"}), &["eu-1", "us-1"]),
        (json!({"clusterSelector": "region in (asia,europe),stage!=prod"}), &["ap-1"]),
        (json!({"cluster": "eu-*,ap-*", "clusterSelector": "stage=prod"}), &["eu-1"]),
    ] {
        // A question mark means nothing in a glob, so such a part names no cluster, which is an error that says so.
        if question["cluster"].as_str().is_some_and(|cluster| cluster.contains('?')) {
            let error = fleet.refused("pods_list", question).await;
            assert_eq!(error["code"], "not_found", "{error}");
            continue;
        }
        let answer = fleet.call("pods_list", question.clone()).await;
        assert_eq!(answer["clusters"]["expected"], wanted.len(), "{question}");
        let mut seen: Vec<_> =
            pods(fleet, question.clone()).await.into_iter().map(|(cluster, ..)| cluster).collect();
        seen.dedup();
        assert_eq!(seen, wanted, "{question}");
    }
    let error = fleet.refused("pods_list", json!({"clusterSelector": "stage=nowhere"})).await;
    assert_eq!(error["code"], "not_found", "{error}");
    assert_eq!(CLUSTERS.len(), fleet.servers.len());
}
