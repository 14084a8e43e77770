//! Every kind that the clusters have, built in or not.

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::rows::{self, Row};
use kubeplex_tests::server::{key, text};
use serde_json::{Value, json};

use super::agree::agree;
use crate::ground::WITH_CANARIES;

pub(crate) async fn every_kind_has_as_many_rows_as_its_server_says(fleet: &'static TestFleet) {
    let mut seen = 0;
    for server in &fleet.servers {
        for kind in server.kinds().await {
            if kind.group == "metrics.k8s.io" || kind.resource == "componentstatuses" || !kind.watchable {
                // Not watched, so a deployed agent may not read them as itself; local mode does, and is tested for it.
                let error = fleet
                    .refused("resources_list", json!({"kind": kind.to_string(), "cluster": server.name}))
                    .await;
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
    assert!(seen > 90, "three clusters have more kinds than {seen}");
}

pub(crate) async fn a_kind_of_one_cluster_is_absent_elsewhere(fleet: &'static TestFleet) {
    let answer = fleet.call("resources_list", json!({"kind": "canaries"})).await;
    let keys: Vec<_> = rows::of(&answer).iter().map(Row::key).collect();
    assert_eq!(keys, [(WITH_CANARIES.to_owned(), "shop".to_owned(), "web".to_owned())]);
    let clusters = &answer["clusters"];
    assert_eq!(clusters["absent"], json!(["ap-1", "us-1"]), "{clusters}");
    assert_eq!((&clusters["expected"], &clusters["answered"]), (&json!(3), &json!(3)), "{clusters}");
    assert!(answer.get("partial").is_none(), "a cluster without the kind leaves nothing out: {answer}");
    let error = fleet.refused("resources_list", json!({"kind": "canarys.stable.kubeplex.dev"})).await;
    assert_eq!(error["code"], "not_found", "{error}");
    assert!(error.to_string().contains("canaries"), "the nearest kind is named: {error}");
}

pub(crate) async fn printer_columns_are_those_of_the_crd(fleet: &'static TestFleet) {
    let mut custom = 0;
    for server in &fleet.servers {
        let definitions = server.list("/apis/apiextensions.k8s.io/v1/customresourcedefinitions").await;
        for definition in definitions {
            let group = definition["spec"]["group"].as_str().unwrap_or_default();
            let plural = definition["spec"]["names"]["plural"].as_str().unwrap_or_default();
            let question = json!({"kind": format!("{plural}.{group}"), "cluster": server.name});
            let answer = fleet.call("resources_list", question).await;
            let version = answer["clusters"]["apiVersion"].as_str();
            assert_eq!(version, None, "one cluster does not differ from itself");
            let kinds = server.kinds().await;
            let kind = kinds.iter().find(|kind| kind.group == group && kind.resource == plural);
            let table = server.table(&kind.expect("discovery knows it").path()).await;
            let narrow = table.columns.iter().filter(|(_, wide)| !wide);
            let theirs: Vec<_> = narrow.map(|(name, _)| kubeplex_proto::column::column_name(name)).collect();
            assert_eq!(rows::columns(&answer), theirs, "{plural}.{group} in {}", server.name);
            custom += usize::from(!matches!(answer["total"], Value::Null));
        }
    }
    assert!(custom > 3, "there are CRDs on this ground");
}
