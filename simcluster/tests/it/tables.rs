//! Every kind with a usual view has as many cells as columns, for every object of the company.

use serde_json::Value;
use simcluster::{SimCluster, SimConfig};

use crate::harness::{get, get_as};

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

async fn listed_paths(cluster: &SimCluster) -> Vec<String> {
    let mut roots = vec!["/api/v1".to_owned()];
    for group in get(cluster, "/apis").await.json()["groups"].as_array().unwrap() {
        roots.push(format!("/apis/{}", group["preferredVersion"]["groupVersion"].as_str().unwrap()));
    }
    let mut paths = Vec::new();
    for root in roots.iter().filter(|root| !root.contains("metrics.k8s.io")) {
        for resource in get(cluster, root).await.json()["resources"].as_array().unwrap() {
            if resource["verbs"].as_array().unwrap().contains(&"list".into()) {
                paths.push(format!("{root}/{}", resource["name"].as_str().unwrap()));
            }
        }
    }
    paths
}

#[tokio::test]
async fn rows_fit_their_columns() {
    let cluster = SimCluster::new(SimConfig { pods: 60, ..SimConfig::named("tables", 3) });
    let mut filled = 0;
    for path in listed_paths(&cluster).await {
        let table = get_as(&cluster, &path, TABLE).await.json();
        let width = table["columnDefinitions"].as_array().unwrap().len();
        for row in table["rows"].as_array().unwrap() {
            assert_eq!(row["cells"].as_array().unwrap().len(), width, "{path}: {}", row["cells"]);
            assert!(row["object"]["metadata"]["name"].is_string(), "{path}");
        }
        filled += usize::from(table["rows"][0] != Value::Null);
    }
    assert!(filled >= 34, "{filled} kinds have objects");
}

#[tokio::test]
async fn a_services_row_is_what_kubectl_shows() {
    let cluster = SimCluster::new(SimConfig { pods: 60, ..SimConfig::named("tables", 3) });
    let table =
        get_as(&cluster, "/api/v1/namespaces/shop/services?fieldSelector=metadata.name%3Dcart", TABLE)
            .await
            .json();
    let cells = table["rows"][0]["cells"].as_array().unwrap();
    assert_eq!(
        (&cells[0], &cells[1], &cells[3], &cells[4]),
        (&"cart".into(), &"ClusterIP".into(), &"<none>".into(), &"80/TCP,9464/TCP".into())
    );
}
