//! An agent that sees single namespaces: what its answers say.

use kubeplex_proto::status::LegStatus;
use kubeplex_proto::visibility::{ClusterScoped, Reach, VisibilityRule};
use simcluster::{Policy, Rule, Subject, User};

use super::*;
use crate::config::WatchedNamespaces;

fn world() -> World {
    let agent = Subject::User("agent".into());
    let policy = Policy::enforced()
        .user(TOKEN, User::new("agent", &[]))
        .grant(agent.clone(), Rule::new("list,watch", "*").in_namespace("shop"))
        .grant(agent, Rule::new("list,watch", "services").in_namespace("payments"));
    let namespaces = WatchedNamespaces::new(["shop", "payments"].map(str::to_owned)).unwrap();
    World::of(SimConfig { policy, ..small() }, config().with_namespaces(namespaces))
}

#[tokio::test(start_paused = true)]
async fn answers_say_what_they_can_not_see() {
    let world = world();
    let ask = async |kind: &str, namespace: &str| {
        let namespaces = if namespace.is_empty() { vec![] } else { vec![Pattern::new(namespace)] };
        world.list(&ListRequest { namespaces, ..list_of(kind) }).await.unwrap()
    };
    let shop = ask("pods", "shop").await;
    assert_eq!((shop.head.status, &shop.head.message), (LegStatus::Ok, &None), "all that was asked for");
    assert!(shop.rows().count() > 3);

    let all = ask("pods", "").await;
    assert_eq!((all.head.status, all.head.total), (LegStatus::Ok, shop.head.total));
    let message = all.head.message.unwrap();
    assert!(message.starts_with("only the namespaces shop are seen"), "{message}");

    for namespace in ["payments", "search", "nowhere"] {
        let there = ask("pods", namespace).await;
        assert_eq!((there.head.status, there.rows().count()), (LegStatus::Forbidden, 0), "{namespace}");
        let message = there.head.message.unwrap();
        assert!(message.contains(namespace) && message.contains("only in the namespaces shop"), "{message}");
    }
    assert_eq!(ask("services", "payments").await.head.status, LegStatus::Ok);
    assert!(ask("services", "").await.head.message.unwrap().contains("payments, shop"));
    let nodes = ask("nodes", "").await;
    assert_eq!((nodes.head.status, nodes.rows().count()), (LegStatus::Forbidden, 0));

    let get = world.get(&get_of("pods", "search", "")).await.unwrap();
    assert_eq!((get.head.status, get.head.total), (LegStatus::Forbidden, 0));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_may_see_no_more_misses_nothing() {
    let world = world();
    let namespaces = Reach::Only(vec![Pattern::new("shop")]);
    let rule = VisibilityRule {
        kinds: Reach::All,
        namespaces,
        names: Reach::All,
        cluster_scoped: ClusterScoped::default(),
    };
    let mut request = list_of("pods");
    request.context.visibility = Visibility::of(vec![rule]);
    let answer = world.list(&request).await.unwrap();
    assert_eq!((answer.head.status, answer.head.message.as_deref()), (LegStatus::Ok, None));
    assert!(answer.head.total > 3);
}
