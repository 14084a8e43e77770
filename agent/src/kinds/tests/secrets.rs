//! Secrets of which something is told: what is kept of them, and what is not.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use kubeplex_proto::list::{ColumnChoice, ListRequest};
use serde_json::{Value, json};
use simcluster::{Policy, Rule, Subject, User, WatchList};

use super::*;
use crate::config::{SecretData, SecretsWatch, WatchedNamespaces};
use crate::query::{self, ScanBudget};

const CANARY: &str = "canary";

fn telling() -> AgentConfig {
    let data = SecretData { tls_dates: true, helm_releases: true };
    on_demand().with_secrets(SecretsWatch::Metadata(data))
}

fn secret(namespace: &str, name: &str, secret_type: &str, data: &Value) -> Value {
    let metadata = json!({"name": name, "namespace": namespace});
    json!({"apiVersion": "v1", "kind": "Secret", "type": secret_type, "metadata": metadata, "data": data})
}

fn certificate(namespace: &str, name: &str, year: i32) -> Value {
    let mut params = rcgen::CertificateParams::new(vec![format!("{name}.example.com")]).unwrap();
    (params.not_before, params.not_after) =
        (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(year, 1, 1));
    let pem = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem();
    let data = json!({"tls.crt": STANDARD.encode(pem), "tls.key": STANDARD.encode(CANARY)});
    secret(namespace, name, "kubernetes.io/tls", &data)
}

fn release(namespace: &str, name: &str, status: &str) -> Value {
    let release = json!({
        "name": name, "version": 3, "info": {"status": status}, "config": {"password": CANARY},
        "chart": {"metadata": {"name": "webapp", "version": "1.2.3", "appVersion": "4.5"}},
    });
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(release.to_string().as_bytes()).unwrap();
    let data = json!({"release": STANDARD.encode(STANDARD.encode(gzip.finish().unwrap()))});
    secret(namespace, &format!("sh.helm.release.v1.{name}.v3"), "helm.sh/release.v1", &data)
}

fn fill(sim: &SimCluster) {
    for one in [
        certificate("shop", "late", 2031),
        certificate("shop", "soon", 2027),
        release("shop", "cart", "deployed"),
        release("payments", "ledger", "failed"),
        secret("shop", "plain", "Opaque", &json!({"password": STANDARD.encode(CANARY)})),
    ] {
        sim.apply(one).unwrap();
    }
}

fn rows(handle: &KindHandle, request: &ListRequest) -> Vec<Vec<Value>> {
    let budget = ScanBudget::new(std::time::Instant::now() + HOUR, CancellationToken::new());
    let listing = query::list(&handle.store, request, 0, &budget).unwrap();
    listing.rows.into_iter().map(|row| row.cells).collect()
}

fn list(fields: &[&str], sort: &str, selector: &str) -> ListRequest {
    let request = json!({
        "context": {
            "callId": "c", "deadlineMs": 1000, "caller": {"user": "ann"}, "maxBytes": 1 << 20, "freshness": "cache",
            "visibility": kubeplex_proto::visibility::Visibility::everything(),
        },
        "kind": {"group": "", "resource": "secrets"}, "limit": 100,
    });
    let mut request: ListRequest = serde_json::from_value(request).unwrap();
    request.columns = ColumnChoice::Fields(fields.iter().map(ToString::to_string).collect());
    request.field_selector = selector.parse().unwrap();
    let direction = kubeplex_proto::sort::Direction::Ascending;
    let by = kubeplex_proto::sort::SortBy::Field(sort.to_owned());
    request.sort = vec![kubeplex_proto::sort::SortTerm { by, direction }];
    request
}

#[tokio::test(start_paused = true)]
async fn dates_and_releases_are_told_sorted_and_selected_and_no_data_is_kept() {
    for watch_list in [WatchList::Supported, WatchList::Unsupported] {
        let sim = SimCluster::new(SimConfig { watch_list, ..small() });
        fill(&sim);
        let world = World::over(sim, telling());
        let secrets = world.open("secrets").await;
        secrets.synced(Instant::now() + HOUR).await;
        world.until(|world| world.agrees(&secrets)).await;
        assert_eq!(secrets.status().seen, Seen::All);

        // The company's own is no certificate that could be read.
        let ours = "metadata.namespace=shop,type=kubernetes.io/tls,metadata.name!=frontend-tls";
        let certificates = list(&["name", "tls.notAfter"], "tls.notAfter", ours);
        let expected = json!([["soon", "2027-01-01T00:00:00Z"], ["late", "2031-01-01T00:00:00Z"]]);
        assert_eq!(json!(rows(&secrets, &certificates)), expected);
        let failed = list(
            &["helm.name", "helm.chart", "helm.version", "helm.revision", "data"],
            "name",
            "helm.status=failed",
        );
        assert_eq!(json!(rows(&secrets, &failed)), json!([["ledger", "webapp", "1.2.3", 3, 1]]));

        world.sim.apply(certificate("shop", "soon", 2029)).unwrap();
        world.sim.delete(&Gvr::core("secrets"), "payments", "sh.helm.release.v1.ledger.v3").unwrap();
        world.until(|world| world.agrees(&secrets)).await;
        let expected = json!([["soon", "2029-01-01T00:00:00Z"], ["late", "2031-01-01T00:00:00Z"]]);
        assert_eq!(json!(rows(&secrets, &certificates)), expected);
        assert!(rows(&secrets, &failed).is_empty());

        let store = secrets.store.read();
        let mut json = Vec::new();
        for row in store.rows() {
            assert!(row.object(&mut json));
            let text = String::from_utf8_lossy(&json);
            assert!(!text.contains(CANARY) && !text.contains(&STANDARD.encode(CANARY)), "{text}");
            let object: Value = serde_json::from_slice(&json).unwrap();
            assert!(object.get("data").is_none(), "{object}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_data_that_is_told_of_is_asked_for() {
    for (config, full) in [
        (on_demand().with_secrets(SecretsWatch::metadata()), vec![]),
        (
            on_demand()
                .with_secrets(SecretsWatch::Metadata(SecretData { tls_dates: true, helm_releases: false })),
            vec!["type%3Dkubernetes.io%2Ftls"],
        ),
    ] {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        let sim = SimCluster::new(small());
        fill(&sim);
        let world = World::watched(sim, config, move |request| noted.lock().push(request.uri().to_string()));
        let secrets = world.open("secrets").await;
        secrets.synced(Instant::now() + HOUR).await;
        world.until(|world| world.agrees(&secrets)).await;
        let asked = asked.lock();
        let with_data: Vec<_> = asked
            .iter()
            .filter(|uri| uri.contains("/secrets") && !uri.contains("includeObject=Metadata"))
            .collect();
        assert_eq!(with_data.is_empty(), full.is_empty(), "{with_data:?}");
        assert!(
            with_data.iter().all(|uri| full.iter().any(|selector| uri.contains(selector))),
            "{with_data:?}"
        );
        let releases = list(&["helm.status"], "name", "type=helm.sh/release.v1");
        assert_eq!(json!(rows(&secrets, &releases)), json!([[null], [null]]), "nobody asked for those");
    }
}

#[tokio::test(start_paused = true)]
async fn parts_by_namespace_and_by_type_come_together() {
    let agent = Subject::User("agent".into());
    let policy = Policy::enforced()
        .user(TOKEN, User::new("agent", &[]))
        .grant(agent, Rule::new("list,watch", "secrets").in_namespace("shop"));
    let sim = SimCluster::new(SimConfig { policy, ..small() });
    fill(&sim);
    let namespaces = WatchedNamespaces::new(["shop", "payments"].map(str::to_owned)).unwrap();
    let world = World::over(sim, telling().with_namespaces(namespaces));
    let secrets = world.open("secrets").await;
    secrets.synced(Instant::now() + HOUR).await;
    assert_eq!(secrets.status().seen, Seen::Only(vec!["shop".to_owned()]));
    let named = list(&["name"], "name", "metadata.namespace=shop");
    let all = list(&["name"], "name", "");
    assert!(rows(&secrets, &named).len() >= 4);
    assert_eq!(rows(&secrets, &named), rows(&secrets, &all));
}
