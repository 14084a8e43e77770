//! `freshness: live`: the same questions, read from the API server, as the cache answers them.

use kubeplex_proto::sort::{Direction, SortBy, SortTerm};
use kubeplex_proto::status::{LegStatus, Source};
use serde_json::json;
use simcluster::{Policy, Rule, Subject, User, Verb};

use super::*;
use crate::config::{Deny, LiveReads, SecretsWatch};

fn own_rights() -> AgentConfig {
    config().with_live_reads(LiveReads::Own).with_secrets(SecretsWatch::metadata())
}

fn live(mut request: ListRequest) -> ListRequest {
    request.context.freshness = Freshness::Live;
    request
}

fn live_get(mut request: GetRequest) -> GetRequest {
    request.context.freshness = Freshness::Live;
    request
}

fn in_call(call: &str, mut request: ListRequest) -> ListRequest {
    request.context.call_id = CallId(call.to_owned());
    request
}

/// Questions that between them use every part of the executor.
fn questions() -> Vec<ListRequest> {
    let sorted = |field: &str, direction| SortTerm { by: SortBy::Field(field.into()), direction };
    let some = |kind: &str, namespace: &str, names: &[&str]| ListRequest {
        namespaces: if namespace.is_empty() { vec![] } else { vec![Pattern::new(namespace)] },
        names: names.iter().copied().map(Pattern::new).collect(),
        ..list_of(kind)
    };
    let mut questions: Vec<_> = [
        "pods",
        "nodes",
        "services",
        "configmaps",
        "secrets",
        "events",
        "namespaces",
        "deployments.apps",
        "storageclasses.storage.k8s.io",
        "customresourcedefinitions.apiextensions.k8s.io",
        "certificates.cert-manager.io",
    ]
    .map(list_of)
    .into();
    questions.push(some("pods", "payments", &[]));
    questions.push(some("pods", "pay*", &["fraud*"]));
    questions.push(some("namespaces", "", &["shop", "nowhere"]));
    questions.push(ListRequest { columns: ColumnChoice::Wide, ..list_of("pods") });
    questions.push(ListRequest {
        columns: ColumnChoice::Fields(vec!["name".into(), "spec.nodeName".into(), "restarts".into()]),
        sort: vec![sorted("restarts", Direction::Descending), sorted("age", Direction::Ascending)],
        ..list_of("pods")
    });
    questions.push(ListRequest {
        field_selector: "status.phase!=Running".parse().unwrap(),
        limit: 3,
        ..list_of("pods")
    });
    questions
        .push(ListRequest { label_selector: "app in (cart,checkout)".parse().unwrap(), ..list_of("pods") });
    questions
}

/// What an answer shows; not when and from where.
fn shown(answer: &ListAnswer) -> serde_json::Value {
    let head = &answer.head;
    json!({
        "status": head.status, "apiVersion": head.api_version, "columns": head.columns, "total": head.total,
        "counts": head.status_counts, "rows": answer.rows().collect::<Vec<_>>(), "more": answer.end.more,
    })
}

#[tokio::test(start_paused = true)]
async fn live_rows_are_those_of_the_cache() {
    let world = World::of(small(), own_rights());
    let mut rows = 0;
    for (at, question) in questions().into_iter().enumerate() {
        // Read live both before and after the kind is watched.
        let first = world.list(&in_call(&format!("a{at}"), live(question.clone()))).await.unwrap();
        let cached = world.list(&question).await.unwrap();
        let second = world.list(&in_call(&format!("b{at}"), live(question.clone()))).await.unwrap();
        assert_eq!((first.head.status, &first.head.message), (LegStatus::Ok, &None), "{question:?}");
        assert_eq!(first.head.source, Source::Live);
        assert!(first.head.age_ms < 1_000, "as long as it took to read: {}", first.head.age_ms);
        assert_eq!(shown(&first), shown(&cached), "{question:?}");
        assert_eq!(shown(&second), shown(&cached), "{question:?}");
        rows += first.rows().count();
    }
    assert!(rows > 300, "{rows} rows prove little");
}

#[tokio::test(start_paused = true)]
async fn live_objects_are_those_of_the_cache() {
    let world = World::of(small(), own_rights());
    let node = world.sim.objects(&simcluster::Gvr::core("nodes"))[0]["metadata"]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    for (kind, namespace, name) in [
        ("nodes", "", node.as_str()),
        ("deployments.apps", "shop", "checkout"),
        ("deployments.apps", "", "checkout"),
        ("deployments.apps", "payments", ""),
        ("certificates.cert-manager.io", "payments", ""),
        ("pods", "payments", "nobody"),
    ] {
        let question = get_of(kind, namespace, name);
        let cached = world.get(&question).await.unwrap();
        let fresh = world.get(&live_get(question)).await.unwrap();
        assert_eq!((fresh.head.status, fresh.head.source), (LegStatus::Ok, Source::Live), "{:?}", fresh.head);
        assert_eq!((fresh.head.total, &fresh.objects), (cached.head.total, &cached.objects), "{kind} {name}");
        assert!(name == "nobody" || !fresh.objects.is_empty(), "{kind} {name}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_is_read_than_was_asked_for() {
    let world = World::of(small(), own_rights());
    world.get(&live_get(get_of("deployments.apps", "shop", "checkout"))).await.unwrap();
    let paths = |part: &str| world.asked(part).into_iter().map(|asked| asked.uri).collect::<Vec<_>>();
    assert_eq!(paths("deployments"), ["/apis/apps/v1/namespaces/shop/deployments/checkout"]);
    let mut namespaced = live(list_of("services"));
    namespaced.namespaces = vec![Pattern::new("shop")];
    world.list(&namespaced).await.unwrap();
    assert_eq!(paths("/services?"), ["/api/v1/namespaces/shop/services?limit=500"]);
    world.get(&live_get(get_of("replicasets.apps", "", "nothing"))).await.unwrap();
    assert_eq!(
        paths("replicasets"),
        ["/apis/apps/v1/replicasets?fieldSelector=metadata.name%3Dnothing&limit=500"]
    );
    // Nothing of it is watched now.
    let watched = world.agent.kinds().snapshot().into_iter().map(|kind| kind.kind.to_string());
    assert_eq!(watched.collect::<Vec<_>>(), ["namespaces", "nodes"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_reads_once_however_often_the_gateway_comes_back() {
    let world = World::of(small(), own_rights());
    let lists = || world.sim.stats().count(Verb::List, "services");
    let first = world.list(&in_call("one", live(list_of("services")))).await.unwrap();
    let again = ListRequest { limit: 1, ..list_of("services") };
    let again = world.list(&in_call("one", live(again))).await.unwrap();
    assert_eq!((lists(), first.head.revision), (1, again.head.revision));
    world.list(&in_call("two", live(list_of("services")))).await.unwrap();
    assert_eq!(lists(), 2, "another call is another read");
}

#[tokio::test(start_paused = true)]
async fn what_has_just_happened_is_there() {
    let world = World::of(small(), own_rights());
    world.list(&list_of("services")).await.unwrap();
    let metadata = json!({"name": "fresh", "namespace": "shop"});
    world.sim.apply(json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata})).unwrap();
    let answer = world.get(&live_get(get_of("services", "shop", "fresh"))).await.unwrap();
    assert_eq!(answer.objects.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn long_lists_are_read_in_pages() {
    let world = World::of(SimConfig { pods: 1_200, nodes: 40, ..small() }, own_rights());
    let answer = world.list(&live(ListRequest { limit: 10_000, ..list_of("pods") })).await.unwrap();
    let pods = world.sim.count(&simcluster::Gvr::core("pods"));
    assert!(pods > 1_000);
    assert_eq!((answer.head.total, answer.rows().count()), (pods as u64, pods));
    assert_eq!(world.asked("/api/v1/pods?limit=500").len(), pods.div_ceil(500));
}

#[tokio::test(start_paused = true)]
async fn what_is_denied_is_not_read_live() {
    let deny = Deny::new(vec![Pattern::new("services")], vec![Pattern::new("payments")]);
    let world = World::of(small(), own_rights().with_deny(deny));
    let services = world.list(&live(list_of("services"))).await.unwrap();
    assert_eq!(services.head.status, LegStatus::Forbidden);
    let pods = world.list(&live(list_of("pods"))).await.unwrap();
    assert!(pods.rows().count() > 20 && pods.rows().all(|row| row.key.namespace != "payments"));
    let mut there = in_call("there", live(list_of("pods")));
    there.namespaces = vec![Pattern::new("payments")];
    assert_eq!(world.list(&there).await.unwrap().head.total, 0);
    for (kind, namespace, name) in
        [("namespaces", "", "payments"), ("deployments.apps", "payments", "fraud-detector")]
    {
        let answer = world.get(&live_get(get_of(kind, namespace, name))).await.unwrap();
        assert_eq!(answer.head.total, 0, "{kind} {name}");
    }
    let asked = world.asked("payments");
    assert!(asked.is_empty() && world.asked("/services").is_empty(), "nor asked for: {asked:?}");
}

#[tokio::test(start_paused = true)]
async fn secrets_are_refused_or_told_without_their_data() {
    let secret = |world: &World| {
        let metadata = json!({"name": "s", "namespace": "default"});
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": metadata, "data": {"k": "Y2FuYXJ5"}});
        world.sim.apply(secret).unwrap();
    };
    let world = World::of(small(), config().with_live_reads(LiveReads::Own));
    secret(&world);
    for request in [list_of("secrets"), live(list_of("secrets"))] {
        let refused = world.list(&request).await.unwrap();
        assert_eq!(refused.head.status, LegStatus::Forbidden);
        assert!(refused.head.message.unwrap().contains("watch = \"metadata\" under [secrets]"));
    }
    for request in [get_of("secrets", "default", "s"), live_get(get_of("secrets", "default", "s"))] {
        assert_eq!(world.get(&request).await.unwrap().head.status, LegStatus::Forbidden);
    }
    assert!(world.asked("/secrets").is_empty());

    let world = World::of(small(), own_rights());
    secret(&world);
    for request in [
        get_of("secrets", "default", "s"),
        live_get(get_of("secrets", "default", "s")),
        live_get(get_of("secrets", "default", "")),
    ] {
        let answer = world.get(&request).await.unwrap();
        let found = answer.objects.iter().find(|found| found.name == "s").unwrap();
        assert_eq!((&found.object["type"], &found.object["dataCount"]), (&json!("Opaque"), &json!(1)));
        assert!(!serde_json::to_string(&answer.objects).unwrap().contains("Y2FuYXJ5"));
    }
    let asked = world.asked("/secrets");
    assert!(asked.len() >= 3 && asked.iter().all(|asked| asked.uri.contains("includeObject=Metadata")));
}

#[tokio::test(start_paused = true)]
async fn objects_that_a_caller_may_not_get_are_said() {
    let agent = || Subject::User("agent".into());
    let policy = Policy::enforced()
        .user(TOKEN, User::new("agent", &[]))
        .grant(agent(), Rule::new("list,watch", "*"))
        .grant(agent(), Rule::new("create", "subjectaccessreviews"))
        .grant(agent(), Rule::new("impersonate", "users").named("ann"))
        .grant(Subject::User("ann".into()), Rule::new("get", "deployments").in_namespace("shop"))
        .grant(Subject::User("ann".into()), Rule::new("list", "services").named("cart"));
    let world = World::of(SimConfig { policy, ..small() }, config());
    let mut both = live_get(get_of("deployments.apps", "", "checkout"));
    both.namespaces = ["shop", "payments"].map(Pattern::new).to_vec();
    let answer = world.get(&both).await.unwrap();
    assert_eq!((answer.head.status, answer.objects.len()), (LegStatus::Ok, 1));
    assert!(answer.head.message.unwrap().contains("in the namespace payments"));
    let neither = world.get(&live_get(get_of("deployments.apps", "payments", "checkout"))).await.unwrap();
    assert_eq!((neither.head.status, neither.head.total), (LegStatus::Forbidden, 0));
    // A right to one name is a right to the list of that name.
    let one = world.get(&live_get(get_of("services", "", "cart"))).await.unwrap();
    assert_eq!((one.head.status, one.objects.len()), (LegStatus::Ok, 1), "{:?}", one.head.message);
}
