//! Simulated clusters, healthy and not.

use std::collections::BTreeSet;

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::wait;
use serde_json::{Value, json};
use simcluster::{Gvr, SimConfig, Troubles};

use super::{found, until_found, until_well};

const CLUSTERS: [&str; 3] = ["ap-1", "eu-1", "us-1"];

async fn fleet(troubles: Troubles) -> TestFleet {
    let config = |(seed, name)| SimConfig { troubles, pods: 60, nodes: 4, ..SimConfig::named(name, seed) };
    TestFleet::simulated((1..).zip(CLUSTERS).map(config).collect()).await.ready().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_fleet_has_no_problems_and_planted_ones_come_and_go() {
    let fleet = fleet(Troubles::None).await;
    let everything = json!({});
    assert_eq!(found(&fleet, &everything).await, [].into(), "a healthy fleet");
    // A service whose selector matches nothing, in two clusters; then one of them is mended.
    let service = |selector: &str| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "lonely", "namespace": "shop", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"selector": {"app": selector}, "ports": [{"port": 80}], "clusterIP": "10.96.7.7", "type": "ClusterIP"}})
    };
    for cluster in ["eu-1", "us-1"] {
        fleet.sims[cluster].apply(service("nobody")).expect("a service");
    }
    let in_two = wait::until("the services to be found", async || {
        let found = found(&fleet, &everything).await;
        let lonely = found.iter().find(|(what, _)| what.contains("services/lonely"));
        match lonely {
            Some((what, (clusters, objects))) if clusters == "eu-1, us-1" => {
                Ok((what.clone(), objects.clone()))
            }
            _ => Err(found),
        }
    })
    .await;
    assert_eq!(in_two.1, "2 services");
    let gvr = Gvr::new("", "v1", "services");
    for cluster in ["eu-1", "us-1"] {
        fleet.sims[cluster].delete(&gvr, "shop", "lonely").expect("it is there");
    }
    until_well(&fleet, &everything).await;
    fleet.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_planted_is_named_once_over_all_clusters_and_each_says_what_to_ask_next() {
    let fleet = fleet(Troubles::Known).await;
    let wanted = ["CrashLoop deployments/fraud-detector payments", "OutOfMemory deployments/indexer search"];
    until_found(&fleet, &json!({}), &wanted).await;
    let found = found(&fleet, &json!({})).await;
    println!("{found:#?}");
    for wanted in wanted {
        assert_eq!(found[wanted].0, CLUSTERS.join(", "), "{wanted}");
    }
    // Narrower questions: what descends from an object, one namespace, one cluster, the gravest.
    let narrow = super::found(&fleet, &json!({"name": "deploy/fraud-detector", "cluster": "eu-1"})).await;
    assert!(narrow.keys().all(|what| what.contains("fraud-detector")) && !narrow.is_empty(), "{narrow:?}");
    assert!(narrow.values().all(|(clusters, _)| clusters == "eu-1"), "{narrow:?}");
    let shop = super::found(&fleet, &json!({"namespace": "shop"})).await;
    assert!(shop.keys().all(|what| what.ends_with(" shop")) && !shop.is_empty(), "{shop:?}");
    calls_that_say_more_can_be_made(&fleet).await;
    counts_stand_in_the_list_of_clusters(&fleet).await;
    fleet.stop().await;
}

async fn calls_that_say_more_can_be_made(fleet: &TestFleet) {
    let answer =
        fleet.call("problems_list", json!({"fields": "next", "limit": 50, "maxBytes": 100_000})).await;
    let rows = answer["groups"][0]["rows"].as_array().expect("rows");
    let calls: BTreeSet<String> = rows.iter().map(|row| row[0].to_string()).collect();
    for call in calls {
        let call: Value = serde_json::from_str(&call).expect("JSON");
        fleet.call(call["tool"].as_str().expect("a tool"), call["arguments"].clone()).await;
    }
}

async fn counts_stand_in_the_list_of_clusters(fleet: &TestFleet) {
    wait::until("all clusters to count their problems", async || {
        let answer = fleet.call("clusters_list", json!({"fields": "name,problems"})).await;
        let rows = answer["groups"][0]["rows"].as_array().expect("rows").clone();
        let counted = |row: &Value| row[1].as_str().is_some_and(|problems| problems.contains("critical"));
        if rows.iter().all(counted) { Ok(()) } else { Err(rows) }
    })
    .await;
}
