//! The grounds that every question of reading is put on: a simulated fleet, a real one, and a foreign one over clusters that
//! the tester names. Each is started once for all tests of this binary, because starting is what takes time.
//!
//! The first two have three clusters of the same names and labels, and a kind that only one of them has. Of the foreign one
//! nothing is known, and nothing in it is changed.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;

use futures::FutureExt as _;
use kube::config::Kubeconfig;
use kubeplex_tests::fleet::{Contents, TestCluster, TestFleet};
use kubeplex_tests::real;
use kubeplex_tests::server::Server;
use kubeplex_tests::wait;
use serde_json::{Value, json};
use simcluster::SimConfig;
use tokio::runtime::Runtime;
use tokio::sync::{OnceCell, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The clusters of our own grounds, and their labels.
pub(crate) const CLUSTERS: [(&str, &str, &str); 3] =
    [("ap-1", "test", "asia"), ("eu-1", "prod", "europe"), ("us-1", "prod", "america")];

/// The one that has canaries.
pub(crate) const WITH_CANARIES: &str = "eu-1";

/// One runtime for what outlives a test.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
static SIMULATED: Ground = OnceCell::const_new();
static REAL: Ground = OnceCell::const_new();
static FOREIGN: Ground = OnceCell::const_new();

/// `None` once it could not be started: trying again for every test would only take longer to fail.
type Ground = OnceCell<Option<TestFleet>>;

/// Who reads the real clusters shares them; who changes what others would notice has them alone.
static QUIET: RwLock<()> = RwLock::const_new(());

/// Puts a question to the simulated fleet.
pub(crate) fn simulated<F: Future<Output = ()>>(question: impl FnOnce(&'static TestFleet) -> F) {
    RUNTIME.block_on(async { question(started(&SIMULATED, start_simulated).await).await });
}

/// Puts a question to the real fleet, where there is one.
pub(crate) fn real<F: Future<Output = ()>>(test: &str, question: impl FnOnce(&'static TestFleet) -> F) {
    if real::control_planes().is_none() {
        return real::skipped(test);
    }
    RUNTIME.block_on(async {
        let _quiet = reading().await;
        let fleet = started(&REAL, start_real).await;
        fleet.settle().await;
        question(fleet).await;
    });
}

/// As [`real`], while nobody else reads or changes the real clusters.
pub(crate) fn real_alone<F: Future<Output = ()>>(test: &str, question: impl FnOnce(&'static TestFleet) -> F) {
    if real::control_planes().is_none() {
        return real::skipped(test);
    }
    RUNTIME.block_on(async {
        let _alone = changing().await;
        let fleet = started(&REAL, start_real).await;
        fleet.settle().await;
        question(fleet).await;
    });
}

/// Puts a question to the foreign fleet, where clusters are named for it.
pub(crate) fn foreign<F: Future<Output = ()>>(test: &str, question: impl FnOnce(&'static TestFleet) -> F) {
    if real::foreign_contexts().is_none() {
        return real::skipped_foreign(test);
    }
    RUNTIME.block_on(async {
        // They may be the same clusters as the real ground's.
        let _quiet = reading().await;
        question(started(&FOREIGN, start_foreign).await).await;
    });
}

/// Says that a test had nothing to compare: on a ground of our own that is a failure, because there it has.
pub(crate) fn compared(fleet: &TestFleet, something: bool, otherwise: impl Display) {
    match fleet.contents {
        Contents::Seeded => assert!(something, "{otherwise}"),
        Contents::Foreign if !something => eprintln!("nothing to compare on these clusters: {otherwise}"),
        Contents::Foreign => {}
    }
}

async fn started<F>(ground: &'static Ground, start: fn() -> F) -> &'static TestFleet
where
    F: Future<Output = TestFleet>,
{
    let fleet =
        ground.get_or_init(|| async move { AssertUnwindSafe(start()).catch_unwind().await.ok() }).await;
    fleet.as_ref().expect("this ground did not start; the reason was printed when it was tried")
}

/// Held while a test compares real clusters with what they were a moment before.
pub(crate) async fn reading() -> RwLockReadGuard<'static, ()> {
    QUIET.read().await
}

/// Held while a test changes real clusters, or stops them.
pub(crate) async fn changing() -> RwLockWriteGuard<'static, ()> {
    QUIET.write().await
}

/// Labels of a cluster of any ground.
pub(crate) fn labels(name: &str) -> BTreeMap<String, String> {
    let (stage, region) = match CLUSTERS.into_iter().find(|(known, ..)| *known == name) {
        Some((_, stage, region)) => (stage, region.to_owned()),
        None => labels_of_foreign(name),
    };
    [("stage", stage.to_owned()), ("region", region)].map(|(key, value)| (key.to_owned(), value)).into()
}

fn labels_of_foreign(name: &str) -> (&'static str, String) {
    let contexts = real::foreign_contexts().unwrap_or_default();
    let place = contexts.iter().position(|context| foreign_name(context) == name).expect("a cluster");
    (if place.is_multiple_of(2) { "prod" } else { "test" }, format!("region-{place}"))
}

/// What a context can't have in its name where it names a cluster.
fn foreign_name(context: &str) -> String {
    context.replace(|c: char| c.is_whitespace() || matches!(c, '*' | '"' | '\''), "-")
}

async fn start_simulated() -> TestFleet {
    let config = |(seed, (name, ..)): (u64, (&str, &str, &str))| SimConfig {
        labels: labels(name),
        pods: 40 + 10 * seed as usize,
        nodes: 4,
        ..SimConfig::named(name, seed)
    };
    let configs = (1..).zip(CLUSTERS).map(config).collect();
    let fleet = TestFleet::simulated(configs).await;
    for object in canaries().into_iter().chain([leaky()]) {
        fleet.sims[WITH_CANARIES].apply(object).expect("an object of the ground");
    }
    let fleet = fleet.ready().await;
    // Its agent may have looked at what there is before there were canaries.
    wait::until("canaries to be known", async || {
        let registry = fleet.stand.gateway.registry().snapshot();
        let tables = registry.clusters().iter().filter_map(|cluster| cluster.kinds.as_deref());
        let known = tables.flat_map(|table| &table.kinds).any(|kind| kind.id.resource == "canaries");
        if known { Ok(()) } else { Err("no cluster has them yet") }
    })
    .await;
    fleet
}

/// A kind that one cluster has, as the real ground's seed has it.
fn canaries() -> [Value; 2] {
    let names = json!({"kind": "Canary", "plural": "canaries", "singular": "canary"});
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let version = json!({"name": "v1alpha1", "served": true, "storage": true, "schema": schema});
    [
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "canaries.stable.kubeplex.dev"},
            "spec": {"group": "stable.kubeplex.dev", "scope": "Namespaced", "names": names, "versions": [version]},
        }),
        json!({
            "apiVersion": "stable.kubeplex.dev/v1alpha1", "kind": "Canary",
            "metadata": {"name": "web", "namespace": "shop"}, "spec": {"weight": 10},
        }),
    ]
}

/// Credentials in all the places where people put them, as the real ground's seed has them.
fn leaky() -> Value {
    let environment = json!([
        {"name": "STRIPE_API_KEY", "value": "KUBEPLEX-LEAK-CANARY-ENV"},
        {"name": "DATABASE_URL", "value": "postgres://shop:KUBEPLEX-LEAK-CANARY-URL@db.internal/shop"},
    ]);
    let container = json!({
        "name": "main", "image": "registry.kubeplex.dev/leaky:1", "env": environment,
        "args": ["--listen=:8080", "--api-token=KUBEPLEX-LEAK-CANARY-ARG"],
    });
    let last_applied = r#"{"kind":"Deployment","password":"KUBEPLEX-LEAK-CANARY-LAST-APPLIED"}"#;
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "leaky", "namespace": "shop",
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": last_applied,
                "example.com/api-token": "KUBEPLEX-LEAK-CANARY-ANNOTATION",
            },
        },
        "spec": {
            "replicas": 0, "selector": {"matchLabels": {"app": "leaky"}},
            "template": {"metadata": {"labels": {"app": "leaky"}}, "spec": {"containers": [container]}},
        },
    })
}

async fn start_real() -> TestFleet {
    let mut clusters = Vec::new();
    for (name, ..) in CLUSTERS {
        let server = Server::new(name, client(name).await);
        clusters.push(TestCluster {
            name: name.to_owned(),
            labels: labels(name),
            agent: client(name).await,
            server,
        });
    }
    TestFleet::linked(clusters, Contents::Seeded).await.ready().await
}

async fn start_foreign() -> TestFleet {
    let mut clusters = Vec::new();
    for context in real::foreign_contexts().expect("contexts are named") {
        let client = real::foreign_client(&context).await;
        let name = foreign_name(&context);
        let server = Server::new(&name, client.clone());
        clusters.push(TestCluster { labels: labels(&name), name, agent: client, server });
    }
    TestFleet::linked(clusters, Contents::Foreign).await.ready().await
}

/// A client of the real control planes with the rights of a context.
pub(crate) async fn client(context: &str) -> kube::Client {
    let planes = real::control_planes().expect("real control planes");
    let kubeconfig = Kubeconfig::read_from(&planes.kubeconfig).expect("their kubeconfig");
    real::client(kubeconfig, context).await
}
