//! Live reads in the name of callers: what they may read, and what nobody gets with the agent's own rights.

use kubeplex_proto::status::{LegStatus, Source};
use serde_json::{Value, json};
use simcluster::{Policy, Rule, Subject, User, Verb};

use super::*;
use crate::config::LiveReads;

const METRICS: &str = "pods.metrics.k8s.io";
const REVIEWS: &str = "subjectaccessreviews.authorization.k8s.io";

/// The agent may list everything, and act for ann, bob and the developers. They may read what is granted to them.
fn rights() -> Policy {
    let agent = || Subject::User("agent".into());
    let ann = || Subject::User("ann".into());
    Policy::enforced()
        .user(TOKEN, User::new("agent", &[]))
        .grant(agent(), Rule::new("list,watch", "*"))
        .grant(agent(), Rule::new("create", "subjectaccessreviews"))
        .grant(agent(), Rule::new("impersonate", "users").named("ann").named("bob"))
        .grant(agent(), Rule::new("impersonate", "groups").named("developers"))
        .grant(ann(), Rule::new("get", "configmaps").in_namespace("default").named("colours"))
        .grant(Subject::User("carol".into()), Rule::new("get,list", "*"))
        .grant(Subject::Group("developers".into()), Rule::new("get,list", "*").in_namespace("shop"))
        .grant(Subject::Group("system:authenticated".into()), Rule::new("list", "ingressclasses"))
}

fn world_with(policy: Policy) -> World {
    let world = World::of(SimConfig { policy, ..small() }, config());
    for (namespace, name) in [("default", "colours"), ("default", "shapes"), ("shop", "sizes")] {
        let metadata = json!({"name": name, "namespace": namespace});
        let map =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "canary"}});
        world.sim.apply(map).unwrap();
    }
    world
}

fn caller(user: &str, groups: &[&str]) -> Identity {
    Identity { user: user.to_owned(), groups: groups.iter().map(ToString::to_string).collect() }
}

fn get_by(caller: Identity, namespace: &str, name: &str) -> GetRequest {
    let mut request = get_of("configmaps", namespace, name);
    request.context.caller = caller;
    request
}

fn list_by(caller: Identity, kind: &str, namespace: &str) -> ListRequest {
    let mut request = list_of(kind);
    request.namespaces = if namespace.is_empty() { vec![] } else { vec![Pattern::new(namespace)] };
    request.context.caller = caller;
    request
}

fn values(answer: &GetAnswer) -> Vec<&Value> {
    answer.objects.iter().map(|found| &found.object["data"]["a"]).collect()
}

#[tokio::test(start_paused = true)]
async fn values_are_read_as_the_caller_or_not_at_all() {
    let world = world_with(rights());
    for (who, namespace, name, expected) in [
        (caller("ann", &[]), "default", "colours", Ok("canary")),
        (
            caller("ann", &[]),
            "default",
            "shapes",
            Err("ann may not get configmaps \"shapes\" in the namespace default"),
        ),
        (caller("bob", &[]), "default", "colours", Err("bob may not get configmaps \"colours\"")),
        (caller("bob", &["developers"]), "shop", "sizes", Ok("canary")),
        (caller("bob", &["developers"]), "default", "colours", Err("the user bob and the groups developers")),
    ] {
        let before = world.sim.stats().count(Verb::Get, "configmaps");
        let answer = world.get(&get_by(who.clone(), namespace, name)).await.unwrap();
        let sent = world.sim.stats().count(Verb::Get, "configmaps") - before;
        assert_eq!(answer.head.source, Source::Live);
        match expected {
            Ok(value) => {
                assert_eq!((answer.head.status, sent), (LegStatus::Ok, 1), "{:?}", answer.head.message);
                assert_eq!(values(&answer), [value]);
            }
            Err(reason) => {
                assert_eq!((answer.head.status, answer.objects.len(), sent), (LegStatus::Forbidden, 0, 0));
                let message = answer.head.message.unwrap();
                assert!(message.contains(reason), "{message}");
            }
        }
    }
    let gets = world.asked("/configmaps/");
    assert!(gets.iter().all(|asked| asked.caller().is_some()), "none with the agent's own rights: {gets:?}");
    let for_bob = gets.iter().find(|asked| asked.caller() == Some("bob")).unwrap();
    assert_eq!(for_bob.headers.get_all("impersonate-group").iter().collect::<Vec<_>>(), ["developers"]);
    // Lists and watches are the agent's own affair.
    assert!(world.asked("/configmaps?").iter().all(|asked| asked.caller().is_none()));
}

#[tokio::test(start_paused = true)]
async fn of_several_objects_those_that_may_not_be_read_are_said() {
    let world = world_with(rights());
    let both = GetRequest {
        names: ["colours", "shapes"].map(Pattern::new).to_vec(),
        ..get_by(caller("ann", &[]), "default", "")
    };
    let answer = world.get(&both).await.unwrap();
    assert_eq!((answer.head.status, values(&answer)), (LegStatus::Ok, vec![&json!("canary")]));
    assert!(answer.head.message.unwrap().contains("shapes"), "or the answer would look complete");
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_may_not_ask_or_act_says_what_it_lacks() {
    let world = world_with(rights());
    // Who may read, but whom the agent may not act as.
    let answer = world.get(&get_by(caller("carol", &[]), "default", "colours")).await.unwrap();
    assert_eq!((answer.head.status, answer.objects.len()), (LegStatus::Forbidden, 0));
    let message = answer.head.message.unwrap();
    assert!(
        message.contains("the agent may not act as the user carol")
            && message.contains("kubeplex-agent-impersonate")
    );

    let agent = Subject::User("agent".into());
    let cannot_ask = Policy::enforced()
        .user(TOKEN, User::new("agent", &[]))
        .grant(agent.clone(), Rule::new("get,list,watch", "*"))
        .grant(agent, Rule::new("impersonate", "users,groups"));
    let world = world_with(cannot_ask);
    let answer = world.get(&get_by(caller("ann", &[]), "default", "colours")).await.unwrap();
    assert_eq!((answer.head.status, answer.objects.len()), (LegStatus::Forbidden, 0));
    let message = answer.head.message.unwrap();
    assert!(
        message.contains("may not ask") && message.contains("create on subjectaccessreviews"),
        "{message}"
    );
    assert_eq!(world.sim.stats().count(Verb::Get, "configmaps"), 0, "although the agent may");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_the_cluster_itself() {
    let agent = Subject::User("agent".into());
    let policy = Policy::enforced().user(TOKEN, User::new("agent", &[])).grant(agent, Rule::new("*", "*"));
    let world = world_with(policy);
    for who in [
        caller("system:admin", &[]),
        caller("ann", &["developers", "system:masters"]),
        caller("", &[]),
        caller("ann ", &[]),
    ] {
        let answer = world.get(&get_by(who.clone(), "default", "colours")).await.unwrap();
        assert_eq!((answer.head.status, answer.objects.len()), (LegStatus::Forbidden, 0), "{who:?}");
        let metrics = world.list(&list_by(who, METRICS, "")).await.unwrap();
        assert_eq!(metrics.head.status, LegStatus::Forbidden);
    }
    assert_eq!(world.sim.stats().count(Verb::Create, REVIEWS), 0, "refused before anything is sent");
    assert!(world.asked("").iter().all(|asked| asked.caller().is_none()));
}

#[tokio::test(start_paused = true)]
async fn impersonation_that_comes_from_outside_goes_nowhere() {
    let world = world_with(rights());
    let body = serde_json::to_vec(&get_by(caller("ann", &[]), "default", "colours")).unwrap();
    let request = Request::post(paths::GET)
        .header("content-type", "application/json")
        .header("impersonate-user", "carol")
        .header("impersonate-group", "system:masters")
        .header("impersonate-uid", "1")
        .header("impersonate-extra-scopes", "all");
    let response = world.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let gets = world.asked("/configmaps/colours");
    assert_eq!(gets.len(), 1);
    assert_eq!(gets[0].caller(), Some("ann"));
    for name in ["impersonate-group", "impersonate-uid", "impersonate-extra-scopes"] {
        assert!(!gets[0].headers.contains_key(name), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_word_of_the_server_is_believed_for_ten_seconds() {
    let world = world_with(rights());
    let reviews = || world.sim.stats().count(Verb::Create, REVIEWS);
    let ask = async |user: &str, name: &str| {
        world.get(&get_by(caller(user, &["developers"]), "shop", name)).await.unwrap().head.status
    };
    assert_eq!(ask("ann", "sizes").await, LegStatus::Ok);
    assert_eq!(reviews(), 1);
    ask("ann", "sizes").await;
    assert_eq!(reviews(), 1, "the same question");
    ask("bob", "sizes").await;
    assert_eq!(reviews(), 2, "somebody else's");

    world.sim.set_policy(Policy::enforced().user(TOKEN, User::new("agent", &[])));
    assert_eq!(ask("ann", "sizes").await, LegStatus::Forbidden, "the read itself is decided by the server");
    sleep(Duration::from_secs(11)).await;
    world.sim.set_policy(rights());
    assert_eq!(ask("ann", "sizes").await, LegStatus::Ok);
    assert_eq!(reviews(), 3);
}

#[tokio::test(start_paused = true)]
async fn kinds_without_a_watch_are_read_as_their_caller_and_shared_with_nobody() {
    let world = world_with(rights());
    let lists = || world.sim.stats().count(Verb::List, METRICS);
    let all = world.list(&list_by(caller("bob", &["developers"]), METRICS, "")).await.unwrap();
    assert_eq!((all.head.status, all.head.source), (LegStatus::Forbidden, Source::Live));
    assert!(all.head.message.unwrap().contains("bob may not list pods.metrics.k8s.io in the whole cluster"));
    assert_eq!(lists(), 0, "although the agent may");
    for (user, expected) in [("bob", 1), ("bob", 1), ("ann", 2)] {
        let shop = world.list(&list_by(caller(user, &["developers"]), METRICS, "shop")).await.unwrap();
        assert_eq!((shop.head.status, lists()), (LegStatus::Ok, expected), "{user}");
        assert!(shop.rows().count() > 3 && shop.rows().all(|row| row.key.namespace == "shop"));
    }
    let other = world.list(&list_by(caller("ann", &[]), METRICS, "shop")).await.unwrap();
    assert_eq!(other.head.status, LegStatus::Forbidden, "ann, without the group");
    assert!(world.asked("/apis/metrics.k8s.io/v1beta1/").iter().all(|asked| asked.caller().is_some()));
}

#[tokio::test(start_paused = true)]
async fn what_everybody_may_read_a_caller_may_too() {
    let world = world_with(rights());
    let mut request = list_by(caller("ann", &[]), "ingressclasses.networking.k8s.io", "");
    request.context.freshness = Freshness::Live;
    let answer = world.list(&request).await.unwrap();
    assert_eq!(answer.head.status, LegStatus::Ok, "{:?}", answer.head.message);
}

#[tokio::test(start_paused = true)]
async fn where_live_reads_are_refused_nobodys_rights_count() {
    let policy = Policy::allow_all();
    let world = World::of(SimConfig { policy, ..small() }, config().with_live_reads(LiveReads::Refused));
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "default"}, "data": {"a": "b"}});
    world.sim.apply(map).unwrap();
    let answer = world.get(&get_of("configmaps", "default", "m")).await.unwrap();
    assert_eq!((answer.head.status, answer.objects.len()), (LegStatus::Forbidden, 0));
    assert_eq!(world.sim.stats().count(Verb::Get, "configmaps"), 0);
    assert_eq!(
        world.list(&list_of("configmaps")).await.unwrap().head.status,
        LegStatus::Ok,
        "keys and sizes"
    );
}
