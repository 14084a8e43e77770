//! Whatever happens to clusters and links, and whoever asks: what is given again is what would be given anew, to the same
//! caller, no older than what was pushed.

mod model;
mod turn;
mod world;

use std::time::Duration;

use futures::future::join_all;
use kubeplex_proto::call::Identity;
use kubeplex_proto::ids::CallId;
use kubeplex_proto::visibility::Visibility;
use serde_json::json;

use super::*;
use crate::request::LegContext;
use crate::request::fixtures::{cluster, fleet, list_query};
use world::{Told, World};

const ONE: &str = "team-a";
const OTHER: &str = "team-b";

#[tokio::test(start_paused = true)]
async fn as_long_as_nothing_changes_nobody_is_asked_again() {
    let world = World::of(&["eu", "us"]);
    let first = world.call(ONE).await;
    assert_eq!((first.told("eu"), first.told("us")), (&world.now("eu", ONE), &world.now("us", ONE)));
    assert_eq!(first.kept(), ["-", "-"]);
    for _ in 0..3 {
        let again = world.call(ONE).await;
        assert_eq!((again.structured(), again.text()), (first.structured(), first.text()));
        assert_eq!(again.kept(), ["page", "page"]);
    }
    assert_eq!(world.asked(), [1, 1]);
    let metrics = world.metrics();
    for line in [
        r#"kubeplex_gateway_kept_results_total{kept="page",outcome="hit"} 3"#,
        r#"kubeplex_gateway_kept_results_total{kept="page",outcome="missed"} 1"#,
        r#"kubeplex_gateway_kept_results_total{kept="answer",outcome="missed"} 2"#,
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_costs_one_question_to_the_cluster_that_it_happened_in() {
    let world = World::of(&["eu", "us"]);
    world.call(ONE).await;
    world.change("us");
    assert_eq!(world.call(ONE).await.kept(), ["page", "page"], "what was not pushed can't be known");
    world.push("us");
    let after = world.call(ONE).await;
    assert_eq!(after.kept(), ["answer", "-"]);
    assert_eq!(after.told("us"), &world.now("us", ONE));
    assert_eq!(world.asked(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn callers_share_the_answers_to_what_both_may_see_and_nothing_else() {
    let world = World::of(&["eu"]);
    world.call(ONE).await;
    let other = world.call(OTHER).await;
    assert_eq!(other.kept(), ["-"]);
    assert_eq!(other.told("eu"), &world.now("eu", OTHER));
    assert_eq!(world.call_as("somebody else", ONE).await.kept(), ["answer"], "a page has one caller");
    assert_eq!(world.asked(), [2]);
}

#[tokio::test(start_paused = true)]
async fn what_stands_behind_a_push_is_asked_for_and_may_be_unchanged() {
    let world = World::of(&["eu"]);
    world.change("eu");
    world.call(ONE).await;
    // The answer is ahead of what was pushed, so another caller's page is not known to be what they would get.
    assert_eq!(world.call_as("somebody else", ONE).await.kept(), ["unchanged"]);
    world.push("eu");
    assert_eq!(world.call_as("a third", ONE).await.kept(), ["answer"]);
    assert_eq!((world.asked(), world.scanned()), (vec![2], vec![1]));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_says_nothing_for_eight_seconds_is_asked() {
    let world = World::of(&["eu"]);
    world.call(ONE).await;
    tokio::time::advance(Duration::from_millis(7_900)).await;
    assert_eq!(world.call(ONE).await.kept(), ["page"]);
    tokio::time::advance(Duration::from_millis(200)).await;
    assert_eq!(world.call(ONE).await.kept(), ["unchanged"]);
    world.heartbeat("eu");
    assert_eq!(world.call(ONE).await.kept(), ["page"], "nothing has changed all the while");
}

#[tokio::test(start_paused = true)]
async fn what_came_over_another_link_is_not_comparable() {
    let world = World::of(&["eu"]);
    world.call(ONE).await;
    world.reconnect("eu");
    assert_eq!(world.call(ONE).await.told("eu"), &world.now("eu", ONE), "before the first report");
    world.push("eu");
    let after = world.call(ONE).await;
    assert_eq!(after.told("eu"), &world.now("eu", ONE));
    assert_eq!(world.scanned(), [2], "the answer of the new agent is kept");
    assert_eq!(after.kept(), ["answer"]);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_dials_anew_has_no_need_to_answer_anew() {
    let world = World::of(&["eu"]);
    world.call(ONE).await;
    world.relink("eu");
    assert_eq!(world.call(ONE).await.kept(), ["unchanged"]);
    world.push("eu");
    assert_eq!(world.call(ONE).await.kept(), ["answer"]);
    assert_eq!(world.scanned(), [1]);
}

#[tokio::test(start_paused = true)]
async fn ages_go_on() {
    let world = World::of(&["eu"]);
    let first = world.call(ONE).await;
    assert_eq!(first.structured()["clusters"]["ageMs"], 0);
    tokio::time::advance(Duration::from_millis(3_000)).await;
    let again = world.call(ONE).await;
    assert_eq!(again.kept(), ["page"]);
    assert_eq!(again.structured()["clusters"]["ageMs"], 3_000);
    assert!(again.text().contains("data at most 3000 ms old\n"), "{}", again.text());
    let answer = world.call_as("somebody else", ONE).await;
    assert_eq!(answer.kept(), ["answer"]);
    assert_eq!(answer.structured()["clusters"]["ageMs"], 3_000);
}

#[tokio::test(start_paused = true)]
async fn the_time_that_one_cluster_keeps_an_answer_waiting_counts_for_the_others() {
    let world = World::of(&["eu", "us"]);
    world.hang("us");
    let woken = async {
        tokio::time::sleep(Duration::from_millis(3_000)).await;
        world.wake("us");
    };
    let (answer, ()) = tokio::join!(world.call(ONE), woken);
    assert_eq!(answer.structured()["clusters"]["ageMs"], 3_000);
    tokio::time::advance(Duration::from_millis(500)).await;
    let again = world.call(ONE).await;
    assert_eq!(again.kept(), ["page", "page"]);
    // The agent of eu vouched for its rows at the same moment as it answered, and for nothing later.
    assert_eq!(again.structured()["clusters"]["ageMs"], 3_500);
}

#[tokio::test(start_paused = true)]
async fn calls_that_ask_the_same_at_once_ask_once() {
    let world = World::of(&["eu", "us"]);
    for round in 1..=3 {
        let calls = join_all((0..16).map(|_| world.call(ONE))).await;
        assert!(calls.iter().all(|call| call.told("eu") == &world.now("eu", ONE)));
        assert_eq!(world.asked(), [1, round], "one asks for all");
        world.change("us");
        world.push("us");
    }
    let users = ["a", "b", "c", "d"].map(|user| world.call_as(user, OTHER));
    join_all(users).await;
    assert_eq!(world.asked(), [2, 4], "callers who see the same, too");
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_or_waits_for_a_cluster_that_hangs_keeps_nobody() {
    let world = World::of(&["eu"]);
    world.hang("eu");
    let mut first = Box::pin(world.call(ONE));
    let waited = tokio::time::timeout(Duration::from_millis(50), first.as_mut()).await;
    assert!(waited.is_err(), "it hangs");
    let mut second = Box::pin(world.call(ONE));
    assert!(tokio::time::timeout(Duration::from_millis(50), second.as_mut()).await.is_err());
    assert_eq!(world.asked(), [1], "the second call waits for the first");
    assert!(tokio::time::timeout(Duration::from_secs(1), second.as_mut()).await.is_err());
    assert_eq!(world.asked(), [2], "and not for long");
    world.wake("eu");
    drop(first);
    assert_eq!(world.call(ONE).await.told("eu"), &world.now("eu", ONE));
}

#[tokio::test(start_paused = true)]
async fn who_wants_it_live_gets_it_live() {
    let world = World::of(&["eu"]);
    world.call(ONE).await;
    for asked in [2, 3] {
        let live = world.ask("somebody", ONE, &json!({"freshness": "live"})).await;
        assert_eq!((live.kept(), world.asked()), (vec!["-"], vec![asked]));
    }
    assert_eq!(world.call(ONE).await.kept(), ["page"]);
}

#[tokio::test(start_paused = true)]
async fn of_size_nought_nothing_is_kept() {
    let world = World::keeping(0, &["eu"]);
    for _ in 0..2 {
        assert_eq!(world.call(ONE).await.kept(), ["-"]);
    }
    assert_eq!(world.scanned(), [2]);
    let calls = join_all((0..4).map(|_| world.call(ONE))).await;
    assert!(calls.iter().all(|call| call.told("eu") == &Told { ..world.now("eu", ONE) }));
    assert_eq!(world.scanned(), [6]);
}

#[test]
fn what_goes_by_the_time_of_the_call_or_is_read_live_has_no_key() {
    let fleet = fleet(vec![cluster("eu", &[])]);
    for (tool, arguments, kept) in [
        ("pods_list", json!({}), true),
        ("events_list", json!({}), false),
        ("events_list", json!({"since": "2026-11-23T10:00:00Z"}), true),
        ("events_list", json!({"since": "2026-11-23T10:00:00Z", "until": "10m"}), false),
        ("top", json!({}), false),
        ("top", json!({"kind": "nodes"}), false),
    ] {
        let query = list_query(&fleet, tool, &arguments);
        let context = LegContext {
            call_id: CallId("c".to_owned()),
            deadline_ms: 0,
            caller: Identity { user: "anna".to_owned(), groups: Vec::new() },
            visibility: Visibility::everything(),
        };
        let cluster = &query.targets[0].cluster;
        let request = query.leg_request(cluster, 50, 1_000, None, context);
        assert_eq!(answers::key(&cluster.id, &request).is_some(), kept, "{tool} {arguments}");
    }
}

#[test]
fn what_is_kept_stays_within_its_bytes() {
    struct Text(String);
    impl Weighs for Text {
        fn weight(&self) -> usize {
            self.0.len()
        }
    }
    let kept = Kept::new(100_000);
    for at in 0..1_000 {
        kept.insert(Key::of(&at).unwrap(), Arc::new(Text("x".repeat(1_000))));
    }
    let cache = kept.0.as_ref().unwrap();
    cache.run_pending_tasks();
    assert!(cache.weighted_size() <= 100_000, "{}", cache.weighted_size());
    assert!(cache.entry_count() > 50, "{}", cache.entry_count());
}
