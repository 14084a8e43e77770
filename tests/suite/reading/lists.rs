//! Rows: which there are, how many, and what they show.

use std::collections::{BTreeMap, BTreeSet};

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::rows::{self, plain};
use kubeplex_tests::server::{key, text};
use serde_json::{Value, json};

use super::agree::agree;
use crate::ground;

/// Cluster, namespace and name of every pod, as the servers have them, in the usual order.
pub(crate) async fn pods_at_the_servers(fleet: &TestFleet, query: &str) -> Vec<(String, String, String)> {
    let mut pods = Vec::new();
    for server in &fleet.servers {
        for pod in server.list(&format!("/api/v1/pods{query}")).await {
            let (namespace, name) = key(&pod);
            pods.push((server.name.clone(), namespace, name));
        }
    }
    pods.sort();
    pods
}

pub(crate) async fn pods_are_those_of_all_servers(fleet: &'static TestFleet) {
    agree(
        "pods in the usual order",
        async || fleet.rows("pods_list", json!({})).await.iter().map(rows::Row::key).collect(),
        async || pods_at_the_servers(fleet, "").await,
    )
    .await;
    let clusters = fleet.rows("pods_list", json!({})).await.into_iter().map(|row| row.cluster);
    let clusters: BTreeSet<_> = clusters.collect();
    ground::compared(fleet, clusters.len() == fleet.servers.len(), "only some clusters have pods");
}

pub(crate) async fn totals_and_counts_are_of_all_matches(fleet: &'static TestFleet) {
    let told = async || {
        let page = fleet.call("pods_list", json!({"limit": 1})).await;
        assert_eq!(page["shown"], 1);
        vec![page["total"].clone(), page["clusters"]["counts"].clone(), page["statusCounts"].clone()]
    };
    let counted = async || {
        let mut statuses = BTreeMap::<String, u64>::new();
        let mut clusters = BTreeMap::<String, u64>::new();
        for server in &fleet.servers {
            let table = server.table("/api/v1/pods").await;
            let status = table.columns.iter().position(|(name, _)| name == "Status").expect("a status");
            clusters.insert(server.name.clone(), table.rows.len() as u64);
            for row in table.rows {
                *statuses.entry(text(&row.cells[status])).or_default() += 1;
            }
        }
        vec![json!(clusters.values().sum::<u64>()), json!(clusters), json!(statuses)]
    };
    agree("totals and counts", told, counted).await;
}

pub(crate) async fn columns_say_what_the_server_prints(fleet: &'static TestFleet) {
    let ours = async || {
        let rows = fleet.rows("pods_list", json!({"fields": "name,ready,status,restarts"})).await;
        let cells = |row: rows::Row| {
            let shown = ["ready", "status", "restarts"].map(|column| plain(row.cell(column)));
            (row.key(), shown)
        };
        rows.into_iter().map(cells).collect::<Vec<_>>()
    };
    let theirs = async || {
        let mut rows = Vec::new();
        for server in &fleet.servers {
            for row in server.table("/api/v1/pods").await.rows {
                let (namespace, name) = key(&row.object);
                // The server adds how long ago the last restart was; the number leads.
                let restarts = plain(&row.cells[3]).split(' ').next().unwrap_or_default().to_owned();
                let shown = [plain(&row.cells[1]), plain(&row.cells[2]), restarts];
                rows.push(((server.name.clone(), namespace, name), shown));
            }
        }
        rows.sort();
        rows
    };
    agree("what pods show", ours, theirs).await;
}

pub(crate) async fn fields_choose_columns_and_paths(fleet: &'static TestFleet) {
    let fields = "cluster.labels.stage,spec.nodeName,name,metadata.labels['app'],status.phase";
    let page = fleet.call("pods_list", json!({"fields": fields, "limit": 5})).await;
    assert_eq!(rows::columns(&page), fields.split(',').collect::<Vec<_>>());
    let ours = async || {
        let rows = fleet.rows("pods_list", json!({"fields": fields})).await;
        rows.iter().map(|row| (row.key(), Value::Object(row.cells.clone()))).collect::<Vec<_>>()
    };
    let theirs = async || {
        let mut rows = Vec::new();
        for server in &fleet.servers {
            for pod in server.list("/api/v1/pods").await {
                let (namespace, name) = key(&pod);
                let cells = json!({
                    "cluster.labels.stage": ground::labels(&server.name)["stage"],
                    "spec.nodeName": pod["spec"]["nodeName"],
                    "name": name,
                    "metadata.labels['app']": pod["metadata"]["labels"]["app"],
                    "status.phase": pod["status"]["phase"],
                });
                rows.push(((server.name.clone(), namespace, name), cells));
            }
        }
        rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        rows
    };
    agree("chosen fields", ours, theirs).await;
}

pub(crate) async fn rows_can_be_objects(fleet: &'static TestFleet) {
    let rows = async |output: &str, is_such: fn(&Value) -> bool| {
        let question = json!({"output": output, "limit": 20, "fields": "name,ready,status"});
        let page = fleet.call("pods_list", question).await;
        let groups = page["groups"].as_array().into_iter().flatten();
        let mut rows = groups.flat_map(|group| group["rows"].as_array().into_iter().flatten());
        assert!(rows.all(is_such), "{output}: {page}");
        rows::of(&page)
    };
    agree(
        "tables and objects",
        async || rows("table", Value::is_array).await,
        async || {
            let objects = rows("json", Value::is_object).await;
            ground::compared(fleet, !objects.is_empty(), "there are no pods");
            objects
        },
    )
    .await;
}

pub(crate) async fn clusters_are_listed(fleet: &'static TestFleet) {
    let ours = async || {
        let rows = rows::of(&fleet.call("clusters_list", json!({})).await);
        let cells = |row: &rows::Row| {
            json!([row.name(), row.cell("link"), row.cell("version"), row.cell("nodes"), row.cell("labels")])
        };
        rows.iter().map(cells).collect::<Vec<_>>()
    };
    let theirs = async || {
        let mut clusters = Vec::new();
        for server in &fleet.servers {
            let version = server.get("/version").await["gitVersion"].clone();
            let nodes = server.list("/api/v1/nodes").await;
            let ready = nodes.iter().filter(|node| is_ready(node)).count();
            let nodes = format!("{ready}/{}", nodes.len());
            let labels = ground::labels(&server.name);
            clusters.push(json!([server.name, "connected", version, nodes, labels]));
        }
        clusters
    };
    agree("the list of clusters", ours, theirs).await;
}

fn is_ready(node: &Value) -> bool {
    let conditions = node["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}
