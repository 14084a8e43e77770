//! Searches, compared with what the servers have.

use std::collections::BTreeMap;

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::rows::{self, Row};
use kubeplex_tests::server::{key, text};
use kubeplex_tests::wait;
use serde_json::{Value, json};

use super::agree::agree;
use crate::ground::{self, WITH_CANARIES};

/// Kinds that every ground has, and where.
const KINDS: [(&str, &str); 5] = [
    ("configmaps", "/api/v1/configmaps"),
    ("deployments.apps", "/apis/apps/v1/deployments"),
    ("nodes", "/api/v1/nodes"),
    ("pods", "/api/v1/pods"),
    ("services", "/api/v1/services"),
];

/// Kind, cluster, namespace and name.
type Found = (String, String, String, String);

fn found(row: &Row) -> Found {
    (text(row.cell("kind")), row.cluster.clone(), row.namespace.clone(), row.name().to_owned())
}

async fn in_the_fleet(fleet: &TestFleet, query: &str) -> Vec<Found> {
    let rows = fleet.rows("fleet_search", json!({ "query": query })).await;
    let mut found: Vec<_> = rows.iter().map(found).collect();
    found.sort();
    found
}

async fn at_the_servers(fleet: &TestFleet, meant: impl Fn(&str, &Value) -> bool) -> Vec<Found> {
    let mut found = Vec::new();
    for server in &fleet.servers {
        for (kind, path) in KINDS {
            for object in server.list(path).await.iter().filter(|object| meant(kind, object)) {
                let (namespace, name) = key(object);
                found.push((kind.to_owned(), server.name.clone(), namespace, name));
            }
        }
    }
    found.sort();
    found
}

fn images(pod: &Value) -> Vec<&str> {
    let lists = ["/spec/containers", "/spec/initContainers"];
    let containers = lists.iter().filter_map(|list| pod.pointer(list)?.as_array()).flatten();
    containers.filter_map(|container| container["image"].as_str()).collect()
}

/// A pod with labels, on a node.
async fn some_pod(fleet: &TestFleet) -> Option<Value> {
    for server in &fleet.servers {
        let pods = server.list("/api/v1/pods").await;
        let usual =
            |pod: &Value| pod["spec"]["nodeName"].is_string() && pod["metadata"]["labels"].is_object();
        if let Some(pod) = pods.into_iter().find(usual) {
            return Some(pod);
        }
    }
    None
}

pub(crate) async fn terms_find_what_the_servers_have(fleet: &'static TestFleet) {
    let Some(pod) = some_pod(fleet).await else {
        return ground::compared(fleet, false, "there is no pod on a node");
    };
    let (namespace, name) = key(&pod);
    let image = images(&pod)[0].to_owned();
    let node = text(&pod["spec"]["nodeName"]);
    let (label, value) =
        pod["metadata"]["labels"].as_object().and_then(|labels| labels.iter().next()).expect("a label");
    let (label, value) = (label.clone(), text(value));
    let start = name.split('-').next().unwrap_or(&name).to_owned();
    let kinds = KINDS.map(|(kind, _)| kind).join(",");
    type Meant<'a> = &'a dyn Fn(&str, &Value) -> bool;
    let is_pod = |kind: &str| kind == "pods";
    let cases: [(String, Meant<'_>); 7] = [
        (format!("kind:po ns:{namespace}"), &|kind, object| is_pod(kind) && key(object).0 == namespace),
        (format!("kind:po image:\"{image}\""), &|kind, object| {
            is_pod(kind) && images(object).iter().any(|known| known.contains(&image))
        }),
        (format!("kind:po,no node:{node}"), &|kind, object| {
            is_pod(kind) && object["spec"]["nodeName"] == node.as_str()
        }),
        (format!("kind:pods label:\"{label}\"=\"{value}\""), &|kind, object| {
            is_pod(kind) && object["metadata"]["labels"][label.as_str()] == value.as_str()
        }),
        (format!("kind:{kinds} name:{start}*"), &|_, object| key(object).1.starts_with(&start)),
        (format!("kind:{kinds} name:*{start}* -kind:pods"), &|kind, object| {
            !is_pod(kind) && key(object).1.contains(&start)
        }),
        (format!("kind:pods -ns:{namespace} age<3650d"), &|kind, object| {
            is_pod(kind) && key(object).0 != namespace
        }),
    ];
    for (query, meant) in cases {
        agree(
            &format!("what {query} finds"),
            async || in_the_fleet(fleet, &query).await,
            async || at_the_servers(fleet, meant).await,
        )
        .await;
    }
}

/// By what the order says, where clusters and namespaces are.
fn place(row: &Row, word: &str) -> (usize, Found) {
    let name = row.name().to_lowercase();
    let rank = match name.find(word) {
        Some(0) if name == word => 0,
        Some(0) => 1,
        Some(_) => 2,
        None => 3,
    };
    (rank, found(row))
}

pub(crate) async fn the_best_matches_come_first_and_pages_follow(fleet: &'static TestFleet) {
    let Some(pod) = some_pod(fleet).await else {
        return ground::compared(fleet, false, "there is no pod on a node");
    };
    let name = key(&pod).1;
    let word = name.split('-').next().unwrap_or(&name).to_lowercase();
    let whole = fleet.rows("fleet_search", json!({ "query": word })).await;
    assert!(whole.iter().any(|row| row.name() == name), "{word} does not find {name}");
    let places: Vec<_> = whole.iter().map(|row| place(row, &word)).collect();
    assert!(places.is_sorted(), "{:?}", places.windows(2).find(|pair| pair[0] > pair[1]));
    let pages = fleet.pages("fleet_search", json!({"query": word, "limit": 7})).await;
    let paged: Vec<_> = pages.iter().flat_map(rows::of).map(|row| found(&row)).collect();
    assert_eq!(paged, whole.iter().map(found).collect::<Vec<_>>());
    assert!(pages[0]["total"] == json!(whole.len()), "{}", pages[0]["total"]);
    let by_kind: u64 =
        pages[0]["kindCounts"].as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum();
    ground::compared(fleet, pages.len() > 1 && by_kind == whole.len() as u64, "all matches fit into a page");
}

pub(crate) async fn matches_are_counted(fleet: &'static TestFleet) {
    let rows = fleet.rows("fleet_search", json!({"query": "a", "fields": "kind,name,status"})).await;
    for keys in [&["kind"][..], &["cluster"], &["namespace", "kind"], &["status"]] {
        let mut expected: BTreeMap<Vec<String>, u64> = BTreeMap::new();
        for row in &rows {
            let value = |key: &&str| match *key {
                "cluster" => row.cluster.clone(),
                "namespace" => row.namespace.clone(),
                column => rows::plain(row.cell(column)),
            };
            *expected.entry(keys.iter().map(value).collect()).or_default() += 1;
        }
        let question = json!({"query": "a", "groupBy": keys.join(",")});
        let groups = fleet.rows("fleet_search", question).await;
        let counted = groups.iter().map(|group| {
            let value = |key: &&str| match *key {
                "cluster" => group.cluster.clone(),
                "namespace" => group.namespace.clone(),
                column => rows::plain(group.cell(column)),
            };
            (keys.iter().map(value).collect::<Vec<_>>(), group.cell("count").as_u64().unwrap_or_default())
        });
        assert_eq!(counted.collect::<BTreeMap<_, _>>(), expected, "by {keys:?}");
    }
}

pub(crate) async fn a_kind_of_one_cluster_is_found_where_it_is(fleet: &'static TestFleet) {
    if !fleet.servers.iter().any(|server| server.name == WITH_CANARIES) {
        return;
    }
    let answer = fleet.call("fleet_search", json!({"query": "kind:canaries web"})).await;
    let found: Vec<_> = rows::of(&answer).iter().map(found).collect();
    let canary = ("canaries.stable.kubeplex.dev", WITH_CANARIES, "shop", "web");
    let canary = (canary.0.to_owned(), canary.1.to_owned(), canary.2.to_owned(), canary.3.to_owned());
    assert_eq!(found, [canary], "{answer}");
    let answer = fleet.call("fleet_search", json!({"query": "web"})).await;
    assert_eq!(answer["notSearched"]["onlyByName"], json!(["events"]), "{answer}");
    // What was asked for by its name is looked through from then on, and until then said not to be.
    fleet.call("fleet_search", json!({"query": "kind:leases.coordination.k8s.io web"})).await;
    wait::until("leases to be looked through", async || {
        let answer = fleet.call("fleet_search", json!({"query": "web"})).await;
        let not_searched = answer["notSearched"].to_string();
        if not_searched.contains("leases") { Err(not_searched) } else { Ok(()) }
    })
    .await;
}

pub(crate) async fn mistakes_in_a_query_have_their_column(fleet: &'static TestFleet) {
    for (query, code, said) in [
        (
            "web stauts:Running",
            "invalid_argument",
            "query, column 5: \"stauts\" is no key; did you mean status?",
        ),
        (
            "kind:depolyments",
            "not_found",
            "query, column 6: kind: no cluster has \"depolyments\"; did you mean deployments.apps?",
        ),
        ("restarts>many", "invalid_argument", "query, column 10: \"many\" is no whole number"),
    ] {
        let error = fleet.refused("fleet_search", json!({ "query": query })).await;
        assert_eq!(error["code"], code, "{error}");
        assert!(text(&error["message"]).contains(said), "{error}");
    }
    let error = fleet.refused("fleet_search", json!({"query": "web", "fields": "restart"})).await;
    assert!(text(&error["hint"]).contains("restarts"), "{error}");
}
