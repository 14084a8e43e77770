//! Counts instead of rows.

use std::collections::BTreeMap;

use kubeplex_tests::fleet::{LARGEST_ANSWER, LONGEST_PAGE, TestFleet};
use kubeplex_tests::rows::{self, plain};
use kubeplex_tests::server::{key, text};
use serde_json::{Value, json};

use super::agree::agree;
use crate::ground;

/// Groups as texts, their numbers last; in an order of their own.
async fn grouped(fleet: &TestFleet, tool: &str, mut question: Value, limit: usize) -> Vec<String> {
    question["limit"] = json!(limit);
    question["maxBytes"] = json!(LARGEST_ANSWER);
    let mut groups = Vec::new();
    for page in fleet.pages(tool, question).await {
        for group in page["groups"].as_array().into_iter().flatten() {
            assert!(group.get("cluster").is_none(), "{group}");
            let rows = group["rows"].as_array().into_iter().flatten();
            groups.extend(
                rows.map(|row| {
                    row.as_array().into_iter().flatten().map(plain).collect::<Vec<_>>().join(" | ")
                }),
            );
        }
    }
    groups.sort();
    groups
}

fn counted(keys: impl Iterator<Item = String>) -> Vec<String> {
    let mut counts = BTreeMap::<String, u64>::new();
    keys.for_each(|key| *counts.entry(key).or_default() += 1);
    let mut groups: Vec<_> = counts.into_iter().map(|(key, count)| format!("{key} | {count}")).collect();
    groups.sort();
    groups
}

pub(crate) async fn groups_count_what_the_servers_have(fleet: &'static TestFleet) {
    let phase = |pod: &Value| text(&pod["status"]["phase"]);
    type Key<'a> = &'a dyn Fn(&str, &Value) -> String;
    let cases: [(&str, Key<'_>); 4] = [
        ("namespace,status.phase", &|_, pod| format!("{} | {}", key(pod).0, phase(pod))),
        ("cluster,spec.nodeName", &|cluster, pod| format!("{cluster} | {}", text(&pod["spec"]["nodeName"]))),
        ("cluster.labels.stage", &|cluster, _| ground::labels(cluster)["stage"].clone()),
        ("status.phase,cluster.labels.region", &|cluster, pod| {
            format!("{} | {}", phase(pod), ground::labels(cluster)["region"])
        }),
    ];
    for (by, key_of) in cases {
        for limit in [3, LONGEST_PAGE] {
            agree(
                &format!("pods by {by}, {limit} a page"),
                async || grouped(fleet, "pods_list", json!({"groupBy": by}), limit).await,
                async || {
                    let mut keys = Vec::new();
                    for server in &fleet.servers {
                        keys.extend(
                            server.list("/api/v1/pods").await.iter().map(|pod| key_of(&server.name, pod)),
                        );
                    }
                    counted(keys.into_iter())
                },
            )
            .await;
        }
    }
}

pub(crate) async fn groups_are_those_of_all_rows(fleet: &'static TestFleet) {
    for (tool, question, keys, summed) in [
        ("pods_list", json!({}), "cluster,namespace,status", "restarts"),
        ("resources_list", json!({"kind": "deployments"}), "namespace", "upToDate"),
        ("events_list", json!({"since": "3650d"}), "type,reason", "count"),
        ("resources_list", json!({"kind": "nodes"}), "cluster.labels.region", "status.capacity.cpu"),
    ] {
        let asked = |further: Value| {
            let mut question = question.clone();
            question
                .as_object_mut()
                .expect("arguments")
                .extend(further.as_object().cloned().expect("arguments"));
            question
        };
        agree(
            &format!("{tool} by {keys}"),
            async || {
                let by = asked(json!({"groupBy": format!("{keys},sum({summed})"), "sortBy": "count"}));
                grouped(fleet, tool, by, 5).await
            },
            async || {
                let fields = if keys.contains("namespace") {
                    format!("{summed},{keys}")
                } else {
                    format!("name,{summed},{keys}")
                };
                let rows = fleet.rows(tool, asked(json!({"fields": fields, "sortBy": "cluster"}))).await;
                let mut groups = BTreeMap::<String, (u64, i64)>::new();
                for row in rows {
                    let key = keys.split(',').map(|key| match key {
                        "cluster" => row.cluster.clone(),
                        "namespace" => row.namespace.clone(),
                        key => plain(row.cell(key)),
                    });
                    let group = groups.entry(key.collect::<Vec<_>>().join(" | ")).or_default();
                    group.0 += 1;
                    group.1 += plain(row.cell(summed)).parse::<i64>().unwrap_or_default();
                }
                let mut groups: Vec<_> = groups
                    .into_iter()
                    .map(|(key, (count, sum))| format!("{key} | {count} | {sum}"))
                    .collect();
                groups.sort();
                groups
            },
        )
        .await;
    }
}

pub(crate) async fn kinds_are_those_of_all_servers(fleet: &'static TestFleet) {
    agree(
        "all kinds",
        async || {
            let fields = "name,group,namespaced,clusters,in,verbs";
            let listed = fleet.rows("api_resources_list", json!({"fields": fields, "kind": "*"})).await;
            // The servers are asked for what can be listed.
            let is_listed = |verbs: &str| verbs == "all" || verbs.split(',').any(|verb| verb == "list");
            let mut kinds: Vec<_> = listed
                .iter()
                .filter(|row| is_listed(&plain(row.cell("verbs"))))
                .map(|row| {
                    let cell = |column: &str| plain(row.cell(column));
                    format!("{}.{} {} {}", cell("name"), cell("group"), cell("namespaced"), cell("in"))
                })
                .collect();
            kinds.sort();
            kinds
        },
        async || {
            let mut holders = BTreeMap::<String, Vec<String>>::new();
            for server in &fleet.servers {
                for kind in server.kinds().await {
                    let kind = format!("{}.{} {}", kind.resource, kind.group, kind.namespaced);
                    holders.entry(kind).or_default().push(server.name.clone());
                }
            }
            holders.into_iter().map(|(kind, names)| format!("{kind} {}", names.join(", "))).collect()
        },
    )
    .await;
}

pub(crate) async fn groups_of_clusters_and_kinds_are_counted(fleet: &'static TestFleet) {
    let clusters = counted(fleet.servers.iter().map(|server| ground::labels(&server.name)["stage"].clone()));
    assert_eq!(grouped(fleet, "clusters_list", json!({"groupBy": "labels.stage"}), 10).await, clusters);
    let kinds = rows::of(
        &fleet.call("api_resources_list", json!({"limit": 1_000, "maxBytes": LARGEST_ANSWER})).await,
    );
    let groups = counted(kinds.iter().map(|row| plain(row.cell("group"))));
    assert_eq!(grouped(fleet, "api_resources_list", json!({"groupBy": "group"}), 4).await, groups);
}
