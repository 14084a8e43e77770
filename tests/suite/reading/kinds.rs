//! Every kind that the clusters have, built in or not.

use std::collections::BTreeMap;

use kubeplex_tests::fleet::{Contents, TestFleet};
use kubeplex_tests::rows::{self, Row};
use kubeplex_tests::server::{Server, key, text};
use serde_json::{Value, json};

use super::agree::agree;
use crate::ground::{self, WITH_CANARIES};

pub(crate) async fn every_kind_has_as_many_rows_as_its_server_says(fleet: &'static TestFleet) {
    let mut seen = 0;
    for server in &fleet.servers {
        for kind in server.kinds().await {
            // What can't be watched is read live, as whoever asks: everybody may do everything at a simulated server, and
            // a real one has never heard of who calls here.
            let is_live =
                kind.group == "metrics.k8s.io" || kind.resource == "componentstatuses" || !kind.watchable;
            if is_live && fleet.sims.is_empty() {
                let question = json!({"kind": kind.to_string(), "cluster": server.name});
                let error = fleet.refused("resources_list", question).await;
                assert_eq!(error["code"], "forbidden", "{kind}: {error}");
                continue;
            }
            let path = kind.path();
            agree(
                &format!("{kind} of {}", server.name),
                async || {
                    let question =
                        json!({"kind": kind.to_string(), "cluster": server.name, "fields": "metadata.name"});
                    let rows = fleet.rows("resources_list", question).await;
                    rows.iter()
                        .map(|row| (row.namespace.clone(), text(row.cell("metadata.name"))))
                        .collect::<Vec<_>>()
                },
                async || {
                    let mut keys: Vec<_> = server.list(&path).await.iter().map(key).collect();
                    keys.sort();
                    keys
                },
            )
            .await;
            seen += 1;
        }
    }
    ground::compared(fleet, seen > 90, format_args!("only {seen} kinds"));
}

pub(crate) async fn kinds_are_absent_where_they_are_not_served(fleet: &'static TestFleet) {
    let mut holders = BTreeMap::<String, Vec<&Server>>::new();
    for server in &fleet.servers {
        for kind in server.kinds().await.into_iter().filter(|kind| kind.watchable) {
            holders.entry(kind.to_string()).or_default().push(server);
        }
    }
    holders.retain(|_, servers| servers.len() < fleet.servers.len());
    for (kind, servers) in &holders {
        let answer = fleet.call("resources_list", json!({"kind": kind})).await;
        let has = |name: &String| servers.iter().any(|server| &server.name == name);
        let names = fleet.servers.iter().map(|server| server.name.clone());
        let absent: Vec<_> = names.filter(|name| !has(name)).collect();
        let (clusters, expected) = (&answer["clusters"], json!(fleet.servers.len()));
        assert_eq!(clusters["absent"], json!(absent), "{kind}: {clusters}");
        assert_eq!(
            (&clusters["expected"], &clusters["answered"]),
            (&expected, &expected),
            "{kind}: {clusters}"
        );
        assert!(answer.get("partial").is_none(), "a cluster without the kind leaves nothing out: {answer}");
        assert!(rows::of(&answer).iter().all(|row| has(&row.cluster)), "{answer}");
    }
    let otherwise = format_args!("all clusters serve the same kinds, but for {:?}", holders.keys());
    ground::compared(fleet, holders.contains_key("canaries.stable.kubeplex.dev"), otherwise);
}

pub(crate) async fn a_misspelt_kind_is_told_the_nearest_one(fleet: &'static TestFleet) {
    for (wrong, right) in
        [("deploymentz.apps", "deployments"), ("podz", "pods"), ("namespacess", "namespaces")]
    {
        let error = fleet.refused("resources_list", json!({"kind": wrong})).await;
        assert_eq!(error["code"], "not_found", "{error}");
        assert!(error.to_string().contains(right), "the nearest kind is named: {error}");
    }
}

pub(crate) async fn a_kind_of_one_cluster_is_listed_from_there(fleet: &'static TestFleet) {
    if fleet.contents == Contents::Foreign {
        return ground::compared(fleet, false, "which kinds are rare is known of our own clusters only");
    }
    let answer = fleet.call("resources_list", json!({"kind": "canaries"})).await;
    let keys: Vec<_> = rows::of(&answer).iter().map(Row::key).collect();
    assert_eq!(keys, [(WITH_CANARIES.to_owned(), "shop".to_owned(), "web".to_owned())]);
    let error = fleet.refused("resources_list", json!({"kind": "canarys.stable.kubeplex.dev"})).await;
    assert_eq!(error["code"], "not_found", "{error}");
    assert!(error.to_string().contains("canaries"), "the nearest kind is named: {error}");
}

pub(crate) async fn printer_columns_are_those_of_the_crd(fleet: &'static TestFleet) {
    let mut custom = 0;
    for server in &fleet.servers {
        let kinds = server.kinds().await;
        let definitions = server.list("/apis/apiextensions.k8s.io/v1/customresourcedefinitions").await;
        for definition in definitions {
            let group = definition["spec"]["group"].as_str().unwrap_or_default();
            let plural = definition["spec"]["names"]["plural"].as_str().unwrap_or_default();
            let Some(kind) = kinds.iter().find(|kind| kind.group == group && kind.resource == plural) else {
                ground::compared(fleet, false, format_args!("{plural}.{group} is defined and not served"));
                continue;
            };
            let question = json!({"kind": kind.to_string(), "cluster": server.name});
            let answer = fleet.call("resources_list", question).await;
            let version = answer["clusters"]["apiVersion"].as_str();
            assert_eq!(version, None, "one cluster does not differ from itself");
            let table = server.table(&kind.path()).await;
            let narrow = table.columns.iter().filter(|(_, wide)| !wide);
            let theirs: Vec<_> = narrow.map(|(name, _)| kubeplex_proto::column::column_name(name)).collect();
            assert_eq!(rows::columns(&answer), theirs, "{plural}.{group} in {}", server.name);
            custom += usize::from(!matches!(answer["total"], Value::Null));
        }
    }
    ground::compared(fleet, custom > 3, format_args!("only {custom} kinds of custom resources"));
}
