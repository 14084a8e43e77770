//! What selects rows: labels, fields, namespaces, clusters.

use std::collections::{BTreeMap, BTreeSet};

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::rows::Row;
use kubeplex_tests::server::{key, text};
use serde_json::{Value, json};

use super::agree::agree;
use super::lists::pods_at_the_servers;
use crate::ground;

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
    ground::compared(fleet, found > 0, format_args!("{argument} {selector} selects nothing"));
}

/// Whether a name is one that a question selects.
type Matches<'a> = &'a dyn Fn(&str) -> bool;

async fn all_pods(fleet: &TestFleet) -> Vec<Value> {
    let mut pods = Vec::new();
    for server in &fleet.servers {
        pods.extend(server.list("/api/v1/pods").await);
    }
    pods
}

/// Of the labels with more than one value the one that most pods have, and two of its values.
async fn a_label(fleet: &TestFleet) -> Option<(String, String, String)> {
    let mut labels = BTreeMap::<String, BTreeMap<String, usize>>::new();
    for pod in all_pods(fleet).await {
        for (label, value) in pod["metadata"]["labels"].as_object().into_iter().flatten() {
            *labels.entry(label.clone()).or_default().entry(text(value)).or_default() += 1;
        }
    }
    labels.retain(|_, values| values.keys().filter(|value| !value.is_empty()).count() > 1);
    let (label, values) = labels.into_iter().max_by_key(|(_, values)| values.values().sum::<usize>())?;
    let mut values = values.into_keys().filter(|value| !value.is_empty());
    Some((label, values.next()?, values.next()?))
}

pub(crate) async fn label_selectors_agree_with_the_server(fleet: &'static TestFleet) {
    let Some((label, one, other)) = a_label(fleet).await else {
        return ground::compared(fleet, false, "no label of pods has two values");
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
    let pods = all_pods(fleet).await;
    let Some(placed) = pods.iter().find(|pod| pod["spec"]["nodeName"].is_string()) else {
        return ground::compared(fleet, false, "no pod is on a node");
    };
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
    let Some(wanted) = all_pods(fleet).await.first().map(image) else {
        return ground::compared(fleet, false, "there are no pods");
    };
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
    let pods = all_pods(fleet).await;
    let namespaces: BTreeSet<_> = pods.iter().map(|pod| key(pod).0).collect();
    let (Some(first), Some(last)) = (namespaces.first(), namespaces.last()) else {
        return ground::compared(fleet, false, "there are no pods");
    };
    let (start, inside, end) = (&first[..1], &last[1..2], &last[last.len() - 1..]);
    let cases: [(String, Matches<'_>); 7] = [
        (first.clone(), &|namespace| namespace == first),
        (format!("{last},{first}"), &|namespace| namespace == first || namespace == last),
        (format!("{start}*"), &|namespace| namespace.starts_with(start)),
        (format!("*{inside}*"), &|namespace| namespace.contains(inside)),
        (format!("*{end},{first}"), &|namespace| namespace.ends_with(end) || namespace == first),
        ("*".to_owned(), &|_| true),
        ("no-such-namespace".to_owned(), &|_| false),
    ];
    for (asked, matches) in cases {
        agree(
            &format!("pods of {asked}"),
            async || self::pods(fleet, json!({"namespace": asked})).await,
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
    let names: Vec<_> = fleet.servers.iter().map(|server| server.name.as_str()).collect();
    let (first, last) = (names[0], names[names.len() - 1]);
    let (start, end) = (&first[..1], &last[last.len() - 1..]);
    let label = |name: &str, key: &str| ground::labels(name)[key].clone();
    let (one, other) = (label(first, "region"), label(last, "region"));
    let is_of = |name: &str, region: &str| label(name, "region") == region;
    let is_prod = |name: &str| label(name, "stage") == "prod";
    let cases: [(Value, Matches<'_>); 8] = [
        (json!({"cluster": last}), &|name| name == last),
        (json!({"cluster": format!("{last},{first}")}), &|name| name == first || name == last),
        (json!({"cluster": format!("*{end}")}), &|name| name.ends_with(end)),
        (json!({"cluster": format!("{start}*")}), &|name| name.starts_with(start)),
        (json!({"clusterSelector": "stage=prod"}), &is_prod),
        (json!({"clusterSelector": format!("region in ({one},{other}),stage!=prod")}), &|name| {
            (is_of(name, &one) || is_of(name, &other)) && !is_prod(name)
        }),
        (json!({"cluster": format!("{start}*,*{end}"), "clusterSelector": "stage=prod"}), &|name| {
            (name.starts_with(start) || name.ends_with(end)) && is_prod(name)
        }),
        // A question mark means nothing in a glob, so this names no cluster.
        (json!({"cluster": format!("{first},?{}", &last[1..])}), &|_| false),
    ];
    for (question, wanted) in cases {
        let wanted: Vec<_> = names.iter().copied().filter(|name| wanted(name)).collect();
        if wanted.is_empty() {
            let error = fleet.refused("pods_list", question).await;
            assert_eq!(error["code"], "not_found", "{error}");
            continue;
        }
        let answer = fleet.call("pods_list", question.clone()).await;
        assert_eq!(answer["clusters"]["expected"], wanted.len(), "{question}");
        let seen = pods(fleet, question.clone()).await.into_iter().map(|(cluster, ..)| cluster);
        let seen: BTreeSet<_> = seen.collect();
        assert!(seen.iter().all(|cluster| wanted.contains(&cluster.as_str())), "{question}: {seen:?}");
        ground::compared(
            fleet,
            seen.len() == wanted.len(),
            format_args!("{question} finds pods of {seen:?}"),
        );
    }
    let error = fleet.refused("pods_list", json!({"clusterSelector": "stage=nowhere"})).await;
    assert_eq!(error["code"], "not_found", "{error}");
}
