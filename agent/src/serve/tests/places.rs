//! Live lists of a few namespaces, and of more than a live list takes.

use kubeplex_proto::group::Grouping;
use kubeplex_proto::status::{AgentErrorCode, LegStatus};
use kubeplex_proto::visibility::{Reach, VisibilityRule};
use serde_json::json;
use simcluster::{Fault, FaultAction, Policy, Rule, Subject, User, Verb};

use super::*;
use crate::config::LiveReads;
use crate::limits::LIVE_OBJECTS;

/// Ann may list in two namespaces, and the agent may do so for her.
fn world() -> World {
    let agent = || Subject::User("agent".into());
    let ann = || Subject::User("ann".into());
    let policy = Policy::enforced()
        .user(TOKEN, User::new("agent", &[]))
        .grant(agent(), Rule::new("list,watch", "*"))
        .grant(agent(), Rule::new("create", "subjectaccessreviews"))
        .grant(agent(), Rule::new("impersonate", "users").named("ann"))
        .grant(ann(), Rule::new("list", "*").in_namespace("payments"))
        .grant(ann(), Rule::new("list", "*").in_namespace("shop"));
    World::of(SimConfig { policy, ..small() }, config())
}

fn patterns(words: &str) -> Vec<Pattern> {
    words.split_whitespace().map(Pattern::new).collect()
}

fn live_in(kind: &str, namespaces: &str) -> ListRequest {
    let mut request = ListRequest { namespaces: patterns(namespaces), ..list_of(kind) };
    request.context.freshness = Freshness::Live;
    request
}

fn seeing(mut request: ListRequest, namespaces: &str) -> ListRequest {
    let rule = VisibilityRule::of(Reach::All, Reach::of(patterns(namespaces)));
    request.context.visibility = Visibility::of(vec![rule]);
    request
}

/// The rows of each namespace.
fn counted(answer: &ListAnswer) -> Vec<(&str, usize)> {
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for row in answer.rows() {
        match counted.last_mut() {
            Some((namespace, count)) if *namespace == row.key.namespace => *count += 1,
            _ => counted.push((&row.key.namespace, 1)),
        }
    }
    counted
}

fn existing(world: &World, namespace: &str) -> (String, usize) {
    let pods = world.sim.objects(&simcluster::Gvr::core("pods"));
    let there = pods.iter().filter(|pod| pod["metadata"]["namespace"] == namespace).count();
    (namespace.to_owned(), there)
}

#[tokio::test(start_paused = true)]
async fn each_namespace_is_listed_with_the_callers_right_to_it_alone() {
    for request in [live_in("pods", "shop payments"), seeing(live_in("pods", ""), "payments shop")] {
        let world = world();
        let answer = world.list(&request).await.unwrap();
        assert_eq!((answer.head.status, &answer.head.message), (LegStatus::Ok, &None));
        let expected = ["payments", "shop"].map(|namespace| existing(&world, namespace));
        assert!(expected.iter().all(|(_, count)| *count > 0), "{expected:?}");
        assert_eq!(counted(&answer), expected.each_ref().map(|(name, count)| (name.as_str(), *count)));
        let lists: Vec<_> = world.asked("/pods?").into_iter().map(|asked| asked.uri).collect();
        let paths = ["payments", "shop"].map(|name| format!("/api/v1/namespaces/{name}/pods?limit=500"));
        assert_eq!(lists, paths);
        assert_eq!(world.asked("subjectaccessreviews").len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_the_caller_may_not_list_is_said() {
    let world = world();
    let answer = world.list(&live_in("pods", "search shop")).await.unwrap();
    assert_eq!((answer.head.status, counted(&answer)[0].0), (LegStatus::Ok, "shop"));
    let said = answer.head.message.unwrap();
    assert!(
        said.starts_with("the namespace search is missing or incomplete: ann may not list pods"),
        "{said}"
    );
    let neither = world.list(&live_in("pods", "search default")).await.unwrap();
    assert_eq!((neither.head.status, neither.head.total), (LegStatus::Forbidden, 0));
    assert!(world.asked("/namespaces/search/pods").is_empty(), "nor asked for");
}

#[tokio::test(start_paused = true)]
async fn what_was_not_read_before_the_deadline_or_a_failure_is_said() {
    let failing = FaultAction::Status { code: 500, message: "etcd has no leader".into() };
    for (action, said) in [(FaultAction::Hang, "did not answer"), (failing, "etcd has no leader")] {
        let world = world();
        world.sim.faults().add(Fault::new(action).verb(Verb::List).resource("pods").namespace("shop"));
        let answer = world.list(&live_in("pods", "payments shop zoo")).await.unwrap();
        assert_eq!(
            (answer.head.status, answer.rows().count()),
            (LegStatus::Ok, existing(&world, "payments").1)
        );
        let told = answer.head.message.unwrap();
        assert!(told.starts_with("the namespaces shop, zoo are missing or incomplete: "), "{told}");
        assert!(told.contains(said), "{told}");
        assert!(world.asked("/namespaces/zoo/").is_empty(), "the server is left alone");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_too_large_is_refused_before_it_is_read() {
    let world = World::of(SimConfig { pods: 20, ..small() }, config().with_live_reads(LiveReads::Own));
    for at in 0..=LIVE_OBJECTS {
        let namespace = if at % 2 == 0 { "shop" } else { "payments" };
        let metadata = json!({"name": format!("many-{at}"), "namespace": namespace});
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata});
        world.sim.apply(service).unwrap();
    }
    let groups = Some(Grouping { keys: vec!["namespace".into()], sums: vec![] });
    for (request, hint, pages) in [
        (live_in("services", ""), "name one namespace", 1),
        (ListRequest { group: groups, ..live_in("services", "") }, "name one namespace", 1),
        (live_in("services", "payments shop"), "name fewer namespaces", LIVE_OBJECTS / 1_000 + 3),
    ] {
        world.asked.lock().clear();
        let refused = world.list(&request).await.err().unwrap();
        assert_eq!(refused.code, AgentErrorCode::TooLarge, "{refused:?}");
        assert!(refused.message.contains("services has 100"), "{refused:?}");
        assert!(refused.message.contains("a live read takes 10000 at most"), "{refused:?}");
        assert!(refused.hint.as_deref().unwrap().starts_with(hint), "{refused:?}");
        assert!(world.asked("/services?").len() <= pages, "{}", world.asked("/services?").len());
    }
    assert_eq!(world.list(&live_in("services", "shop")).await.unwrap().head.status, LegStatus::Ok);
}
