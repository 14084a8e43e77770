//! What pods and nodes use: read in the caller's name, joined with what the cache knows, in one order, page by page.

use std::collections::BTreeMap;

use kubeplex_proto::column::CellFormat;
use kubeplex_proto::quantity::parse_quantity;
use kubeplex_proto::sort::{Direction, SortBy, SortTerm};
use kubeplex_proto::status::{AgentErrorCode, LegStatus, Source};
use kubeplex_proto::visibility::{Reach, VisibilityRule};
use serde_json::Value;
use simcluster::{Gvr, MetricsApi, Policy, Rule, Subject, User, Verb};

use super::*;
use crate::config::LiveReads;

const METRICS: &str = "pods.metrics.k8s.io";

fn world() -> World {
    World::of(small(), config().with_live_reads(LiveReads::Own))
}

fn usage_of(kind: &str) -> ListRequest {
    ListRequest { usage: true, ..list_of(kind) }
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn amount(value: &Value) -> Option<i128> {
    parse_quantity(value.as_str()?)
}

/// The containers that run as long as their pod does.
fn running(pod: &Value) -> Vec<&Value> {
    let of = |list: &str| pod["spec"][list].as_array().into_iter().flatten();
    let sidecars = of("initContainers").filter(|init| init["restartPolicy"] == "Always");
    of("containers").chain(sidecars).collect()
}

/// What the API server says that a pod's containers use, ask for, or may have.
fn sum<'a>(containers: impl IntoIterator<Item = &'a Value>, of: &str) -> Option<i128> {
    containers.into_iter().map(|container| amount(container.pointer(of)?)).sum()
}

#[tokio::test(start_paused = true)]
async fn pods_are_told_with_what_they_use_and_asked_for() {
    let world = world();
    let answer = world.list(&usage_of("pods")).await.unwrap();
    let head = &answer.head;
    assert_eq!((head.status, head.source, &head.message), (LegStatus::Ok, Source::Live, &None));
    assert_eq!(
        answer.columns(),
        ["name", "cpu", "cpuRequest", "cpuLimit", "memory", "memoryRequest", "memoryLimit", "atLimit"]
    );
    let pods = world.sim.objects(&Gvr::core("pods"));
    let run: BTreeMap<_, _> = pods
        .iter()
        .filter(|pod| text(pod, "/status/phase") == "Running")
        .map(|pod| ((text(pod, "/metadata/namespace"), text(pod, "/metadata/name")), pod))
        .collect();
    assert!(run.len() > 50);
    assert_eq!((head.total, answer.rows().count()), (run.len() as u64, run.len()));
    let mut limited = 0;
    for row in answer.rows() {
        let pod = run[&(row.key.namespace.as_str(), row.key.name.as_str())];
        let measured = world.get(&get_of(METRICS, &row.key.namespace, &row.key.name)).await.unwrap();
        let used = measured.objects[0].object["containers"].as_array().unwrap();
        assert_eq!(amount(&row.cells[1]), sum(used, "/usage/cpu"));
        assert_eq!(amount(&row.cells[4]), sum(used, "/usage/memory"));
        assert_eq!(amount(&row.cells[3]), sum(running(pod), "/resources/limits/cpu"), "{pod}");
        assert_eq!(amount(&row.cells[6]), sum(running(pod), "/resources/limits/memory"), "{pod}");
        limited += usize::from(!row.cells[6].is_null());
        assert_eq!(row.key.uid, text(pod, "/metadata/uid"));
    }
    assert!(limited > 10);
    let formats: Vec<_> = head.columns.iter().map(|column| column.format).collect();
    assert_eq!(
        (formats[0], formats[1], formats[6]),
        (CellFormat::Plain, CellFormat::Cpu, CellFormat::Memory)
    );
}

#[tokio::test(start_paused = true)]
async fn one_read_serves_all_pages_of_its_caller() {
    let world = world();
    let busiest = SortTerm { by: SortBy::Field("cpu".to_owned()), direction: Direction::Descending };
    let whole = world.list(&ListRequest { sort: vec![busiest.clone()], ..usage_of("pods") }).await.unwrap();
    let whole: Vec<_> = whole.rows().map(|row| row.key.clone()).collect();
    let mut paged = Vec::new();
    loop {
        let after = paged.last().cloned();
        let page = ListRequest { sort: vec![busiest.clone()], limit: 7, after, ..usage_of("pods") };
        let answer = world.list(&page).await.unwrap();
        paged.extend(answer.rows().map(|row| row.key.clone()));
        sleep(Duration::from_millis(100)).await;
        if !answer.end.more {
            break;
        }
    }
    assert!(paged.len() > 50 && paged == whole, "{} of {}", paged.len(), whole.len());
    let values = paged.iter().map(|key| key.values[0].clone());
    assert!(values.collect::<Vec<_>>().is_sorted_by(|a, b| b != a), "no two use the same here");
    assert_eq!(world.sim.stats().count(Verb::List, METRICS), 1);
    sleep(Duration::from_secs(11)).await;
    let live =
        ListRequest { context: CallContext { freshness: Freshness::Live, ..context() }, ..usage_of("pods") };
    world.list(&usage_of("pods")).await.unwrap();
    assert_eq!(world.sim.stats().count(Verb::List, METRICS), 2, "what was read is old");
    world.list(&live).await.unwrap();
    assert_eq!(world.sim.stats().count(Verb::List, METRICS), 3, "and who wants it anew gets it anew");
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_as_old_as_its_oldest_sample() {
    let world = world();
    world.list(&usage_of("pods")).await.unwrap();
    sleep(Duration::from_secs(8)).await;
    let answer = world.list(&usage_of("pods")).await.unwrap();
    assert!((8_000..10_000).contains(&answer.head.age_ms), "{}", answer.head.age_ms);
}

#[tokio::test(start_paused = true)]
async fn labels_and_namespaces_choose_and_nodes_have_sums() {
    let world = world();
    let all = world.list(&usage_of("pods")).await.unwrap().head.total;
    let shop = ListRequest { namespaces: vec![Pattern::new("shop")], ..usage_of("pods") };
    let shop = world.list(&shop).await.unwrap();
    assert!(shop.head.total > 3 && shop.head.total < all);
    assert!(shop.rows().all(|row| row.key.namespace == "shop"));
    let app = world
        .list(&ListRequest {
            label_selector: "app.kubernetes.io/name=cart".parse().unwrap(),
            ..usage_of("pods")
        })
        .await;
    let app = app.unwrap();
    assert!(
        app.head.total > 0 && app.rows().all(|row| row.key.name.starts_with("cart-")),
        "{}",
        app.head.total
    );

    let nodes = world.list(&usage_of("nodes")).await.unwrap();
    assert_eq!((nodes.head.status, nodes.head.total), (LegStatus::Ok, 3));
    let pods = world.sim.objects(&Gvr::core("pods"));
    for row in nodes.rows() {
        let on_it = pods.iter().filter(|pod| text(pod, "/spec/nodeName") == row.key.name);
        let wants = on_it.filter(|pod| !["Succeeded", "Failed"].contains(&text(pod, "/status/phase")));
        let wanted: i128 = wants
            .flat_map(running)
            .filter_map(|container| amount(container.pointer("/resources/requests/cpu")?))
            .sum();
        assert_eq!(amount(&row.cells[3]), Some(wanted), "{row:?}");
        let percent = amount(&row.cells[1]).unwrap() * 100 / amount(&row.cells[4]).unwrap();
        assert_eq!(row.cells[2].as_i64().unwrap(), percent as i64);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_answered_with_the_rights_or_the_reads_of_others() {
    let agent = || Subject::User("agent".into());
    let policy = Policy::enforced()
        .user(TOKEN, User::new("agent", &[]))
        .grant(agent(), Rule::new("list,watch", "*"))
        .grant(agent(), Rule::new("create", "subjectaccessreviews"))
        .grant(agent(), Rule::new("impersonate", "users"))
        .grant(Subject::User("ann".into()), Rule::new("get,list", "*"))
        .grant(Subject::User("bob".into()), Rule::new("get,list", "*").in_namespace("shop"));
    let world = World::of(SimConfig { policy, ..small() }, config());
    let by = |user: &str, namespace: &str| {
        let mut request = usage_of("pods");
        request.context.caller.user = user.to_owned();
        request.namespaces = if namespace.is_empty() { vec![] } else { vec![Pattern::new(namespace)] };
        request
    };
    let reads = || world.sim.stats().count(Verb::List, METRICS);
    assert!(world.list(&by("ann", "")).await.unwrap().head.total > 50);
    let refused = world.list(&by("bob", "")).await.unwrap();
    assert_eq!((refused.head.status, refused.rows().count(), reads()), (LegStatus::Forbidden, 0, 1));
    let message = refused.head.message.unwrap();
    assert!(message.contains("bob may not list pods.metrics.k8s.io in the whole cluster"), "{message}");
    let shop = world.list(&by("bob", "shop")).await.unwrap();
    assert_eq!((shop.head.status, reads()), (LegStatus::Ok, 2));
    assert!(shop.rows().count() > 3 && shop.rows().all(|row| row.key.namespace == "shop"));
    let asked = world.asked("/apis/metrics.k8s.io/v1beta1/");
    assert!(asked.iter().all(|asked| asked.caller().is_some()), "{asked:?}");

    // The gateway's own limits.
    let mut hidden = by("ann", "");
    let only = |word: &str| Reach::Only(vec![Pattern::new(word)]);
    hidden.context.visibility = Visibility::of(vec![VisibilityRule::of(only("pods"), Reach::All)]);
    let hidden = world.list(&hidden).await.unwrap();
    assert_eq!((hidden.head.status, hidden.rows().count()), (LegStatus::Forbidden, 0));
    let mut nodes = ListRequest { kind: "nodes".parse().unwrap(), ..by("ann", "") };
    nodes.context.visibility = Visibility::of(vec![
        VisibilityRule::of_cluster_scoped(only("nodes*")),
        VisibilityRule::of(only("pods"), only("shop")),
    ]);
    let nodes = world.list(&nodes).await.unwrap();
    assert_eq!(nodes.head.total, 3);
    assert!(
        nodes.rows().all(|row| row.cells[1].is_string() && row.cells[3].is_null()),
        "of some pods no sum"
    );
}

#[tokio::test(start_paused = true)]
async fn a_cluster_without_metrics_says_so() {
    for (metrics_api, status) in
        [(MetricsApi::Absent, LegStatus::Absent), (MetricsApi::Failing, LegStatus::Error)]
    {
        let sim = SimConfig { metrics_api, ..small() };
        let world = World::of(sim, config().with_live_reads(LiveReads::Own));
        let answer = world.list(&usage_of("pods")).await.unwrap();
        assert_eq!((answer.head.status, answer.rows().count()), (status, 0), "{:?}", answer.head.message);
    }
    let refused = world().list(&usage_of("deployments.apps")).await.err().unwrap();
    assert_eq!(refused.code, AgentErrorCode::InvalidArgument);
    assert!(refused.message.contains("deployments.apps"), "{}", refused.message);
}

#[tokio::test(start_paused = true)]
async fn what_the_cache_does_not_know_is_said_beside_what_is_used() {
    let agent = || Subject::User("agent".into());
    let policy = Policy::enforced()
        .user(TOKEN, User::new("agent", &["system:authenticated"]))
        .grant(agent(), Rule::new("list,watch", "*").in_namespace("shop"))
        .grant(agent(), Rule { groups: vec!["metrics.k8s.io".to_owned()], ..Rule::new("list", "pods") });
    let world = World::of(SimConfig { policy, ..small() }, config().with_live_reads(LiveReads::Own));
    let answer = world.list(&usage_of("pods")).await.unwrap();
    let message = answer.head.message.clone().unwrap_or_default();
    assert_eq!(answer.head.status, LegStatus::Ok, "{message}");
    assert!(message.contains("requests and limits are not known"), "{message}");
    assert!(answer.rows().count() > 50 && answer.rows().all(|row| row.cells[1].is_string()));
    assert!(answer.rows().all(|row| row.cells[2].is_null()));
}
