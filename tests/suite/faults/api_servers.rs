//! API servers that hang, die, refuse or talk nonsense: the cache goes on answering, says how old it is, and catches up.

use std::time::Duration;

use kubeplex_agent::config::LiveReads;
use kubeplex_tests::wait;
use serde_json::json;
use simcluster::{Fault, FaultAction, Gvr, MetricsApi, SimConfig, StreamEnd, Verb, WatchList};

use super::rig::{Rig, Setup, small};
use super::{Answer, pod};

async fn fleet() -> (Rig, Answer) {
    let rig = Setup::new().alert().sim(small("eu", 1)).sim(small("us", 2)).ready().await;
    let before = rig.pods(json!({})).await;
    assert!(!before.is_partial(), "{}", before.ok());
    (rig, before)
}

/// The faults of a whole API server.
fn faults() -> Vec<FaultAction> {
    vec![
        FaultAction::Hang,
        FaultAction::Reset,
        FaultAction::Status { code: 503, message: "etcd has no leader".into() },
        FaultAction::TooManyRequests { retry_after_seconds: 1 },
        FaultAction::Expired,
        FaultAction::Garbage,
        FaultAction::Truncate { after_bytes: 2_000, end: StreamEnd::Reset },
        FaultAction::Truncate { after_bytes: 2_000, end: StreamEnd::Clean },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_api_server_leaves_old_rows_that_say_so_and_is_followed_when_it_is_mended() {
    let (rig, before) = fleet().await;
    let eu = rig.sim("eu");
    for (round, fault) in faults().into_iter().enumerate() {
        // Watches that are open fall silent, and whatever is asked then runs into the fault.
        eu.faults().add(Fault::new(FaultAction::Freeze { after_events: 0 }));
        eu.faults().add(Fault::new(fault.clone()));
        let is_stale = |answer: &Answer| answer.problem("eu")["status"] == "stale";
        let broken = rig.pods_until(&format!("stale rows: {fault:?}"), json!({}), is_stale).await;
        assert_eq!(broken.rows_of("us"), before.rows_of("us"), "{fault:?}");
        assert!(broken.problem("us").is_null(), "{fault:?}: {}", broken.problem("us"));
        assert_eq!(broken.rows_of("eu").len(), before.rows_of("eu").len() + round, "{fault:?}");
        assert_eq!(broken.problem("eu")["rowsShown"], "old", "{fault:?}");
        assert!(broken.is_partial() && broken.text().contains("PARTIAL"), "{fault:?}: {}", broken.text());
        let message = broken.problem("eu")["message"].as_str().unwrap();
        assert!(message.contains("as of"), "{fault:?}: {message}");
        eu.apply(pod(&format!("during-{round}"), json!({}))).unwrap();
        eu.faults().clear();
        let mended = |answer: &Answer| {
            answer.problem("eu").is_null()
                && answer.rows_of("eu").len() == before.rows_of("eu").len() + round + 1
        };
        rig.pods_until(&format!("rows of the mended server: {fault:?}"), json!({}), mended).await;
    }
    rig.ready("eu").await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_from_the_start_holds_nobody_up() {
    let down = FaultAction::Status { code: 500, message: "starting \u{1b}[5m".into() };
    let rig = Setup::new()
        .alert()
        .broken_sim(small("eu", 1), vec![Fault::new(down)])
        .sim(small("us", 2))
        .start()
        .await;
    rig.ready("us").await;
    let is_said = |answer: &Answer| answer.result().is_ok() && !answer.problem("eu").is_null();
    let answer = rig.pods_until("eu to be missed", json!({"timeoutSeconds": 2}), is_said).await;
    assert!(answer.rows_of("us").len() > 30, "{}", answer.ok());
    assert!(answer.rows_of("eu").is_empty());
    assert_eq!(answer.problem("eu")["rowsShown"], "none");
    assert!(answer.took_ms() < 5_000, "{} ms", answer.took_ms());
    rig.until("eu", "a problem", |view| view.report.api_problem.contains("500")).await;
    let clusters = rig.call("clusters_list", json!({"fields": "name,problem"})).await;
    assert!(
        clusters.text().contains("starting") && !clusters.text().contains('\u{1b}'),
        "{}",
        clusters.text()
    );
    rig.sim("eu").faults().clear();
    rig.ready("eu").await;
    let whole = rig.pods_until("both", json!({}), |answer| !answer.is_partial()).await;
    assert_eq!(whole.rows_of("eu").len(), rig.sim("eu").count(&Gvr::core("pods")));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_expires_in_the_middle_of_paging_is_complete_in_the_end() {
    let paged = SimConfig { pods: 1_200, watch_list: WatchList::Unsupported, ..small("eu", 1) };
    let fault = Fault::new(FaultAction::Expired).verb(Verb::List).resource("pods").page(2).times(2);
    let rig = Setup::new().alert().broken_sim(paged, vec![fault]).sim(small("us", 2)).ready().await;
    let mut seen = Vec::new();
    let mut arguments = json!({"cluster": "eu", "limit": 500, "maxBytes": 4 << 20, "fields": "name"});
    loop {
        let page = rig.call("pods_list", arguments.clone()).await;
        seen.extend(page.places());
        let cursor = page.ok()["continue"].clone();
        if cursor.is_null() {
            break;
        }
        arguments["continue"] = cursor;
    }
    let pods = rig.sim("eu").objects(&Gvr::core("pods"));
    let mut there: Vec<_> = pods
        .iter()
        .map(|pod| {
            let text = |key: &str| pod["metadata"][key].as_str().unwrap_or_default().to_owned();
            ("eu".to_owned(), text("namespace"), text("name"))
        })
        .collect();
    there.sort();
    assert_eq!(seen, there, "every pod once, in order");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_wait_is_not_hammered() {
    let (rig, _) = fleet().await;
    let eu = rig.sim("eu");
    let busy = FaultAction::TooManyRequests { retry_after_seconds: 30 };
    eu.faults().add(Fault::new(FaultAction::Freeze { after_events: 0 }).resource("pods"));
    let fault = eu.faults().add(Fault::new(busy).resource("pods"));
    rig.pods_until("the refusal", json!({}), |_| eu.faults().applied(fault) > 0).await;
    wait::pass(Duration::from_secs(3)).await;
    assert!(
        eu.faults().applied(fault) <= 4,
        "asked {} times in spite of Retry-After",
        eu.faults().applied(fault)
    );
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_aggregated_api_is_its_groups_problem() {
    let with = |metrics_api, config: SimConfig| SimConfig { metrics_api, ..config };
    let rig = Setup::new()
        .alert()
        .live_reads(LiveReads::Own)
        .sim(with(MetricsApi::Failing, small("eu", 1)))
        .sim(with(MetricsApi::Available, small("us", 2)))
        .ready()
        .await;
    let pods = rig.pods(json!({})).await;
    assert!(!pods.is_partial(), "pods are not of that group: {}", pods.ok()["clusters"]);
    let metrics = rig.call("resources_list", json!({"kind": "nodes.metrics.k8s.io"})).await;
    assert_eq!(metrics.rows_of("us").len(), 3, "{}", metrics.ok());
    assert!(metrics.rows_of("eu").is_empty());
    assert_eq!(metrics.problem("eu")["status"], "error", "{}", metrics.ok());
    assert!(metrics.is_partial());
    let deployments = rig.call("resources_list", json!({"kind": "deployments"})).await;
    assert!(!deployments.is_partial());
    rig.stop().await;
}

/// What a server says of every object of a kind, once the webhook between its versions is gone.
const NO_CONVERSION: &str = "conversion webhook for cert-manager.io/v1alpha2, Kind=Certificate failed: Post \
     \"https://converter.cert-manager.svc:443/convert?timeout=30s\": service \"converter\" not found";

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_can_not_be_converted_is_missing_from_that_cluster_alone() {
    let fails = FaultAction::Status { code: 500, message: NO_CONVERSION.to_owned() };
    let fault = Fault::new(fails).resource("certificates");
    let rig = Setup::new().alert().broken_sim(small("eu", 1), vec![fault]).sim(small("us", 2)).ready().await;
    let list = async || {
        rig.call("resources_list", json!({"kind": "certificates.cert-manager.io", "timeoutSeconds": 5})).await
    };
    for _ in 0..2 {
        let answer = list().await;
        assert!(answer.is_partial() && !answer.rows_of("us").is_empty(), "{}", answer.ok());
        assert!(answer.rows_of("eu").is_empty(), "{}", answer.ok());
        let problem = answer.problem("eu");
        assert_eq!(
            (&problem["status"], &problem["rowsShown"]),
            (&json!("error"), &json!("none")),
            "{problem}"
        );
        let message = problem["message"].as_str().unwrap();
        assert!(message.contains("conversion webhook") && message.contains("not found"), "{message}");
    }
    let pods = rig.pods(json!({})).await;
    assert!(!pods.is_partial() && !pods.rows_of("eu").is_empty(), "{}", pods.ok()["clusters"]);
    rig.sim("eu").faults().clear();
    wait::until("certificates of both", async || {
        let answer = list().await;
        if answer.is_partial() || answer.rows_of("eu").is_empty() { Err(answer) } else { Ok(()) }
    })
    .await;
    rig.stop().await;
}
