//! Anything in any order, checked against what the agents would say.

use std::time::Duration;

use futures::future::join_all;
use proptest::prelude::*;

use super::world::World;

const CLUSTERS: [&str; 3] = ["ap", "eu", "us"];
const TEAMS: [&str; 2] = ["team-a", "team-b"];

#[derive(Debug, Clone)]
enum Event {
    Change(usize),
    Push(usize),
    Heartbeat(usize),
    Reconnect(usize),
    Relink(usize),
    Stale(usize, bool),
    Silence(u64),
    /// Calls at once, each of a team, and a change while they are under way.
    Calls(Vec<usize>, Option<usize>),
}

fn event() -> impl Strategy<Value = Event> {
    let cluster = || 0..CLUSTERS.len();
    let teams = prop::collection::vec(0..TEAMS.len(), 1..5);
    prop_oneof![
        4 => cluster().prop_map(Event::Change),
        3 => cluster().prop_map(Event::Push),
        1 => cluster().prop_map(Event::Heartbeat),
        1 => cluster().prop_map(Event::Reconnect),
        1 => cluster().prop_map(Event::Relink),
        1 => (cluster(), any::<bool>()).prop_map(|(cluster, stale)| Event::Stale(cluster, stale)),
        1 => (1_u64..10_000).prop_map(Event::Silence),
        8 => (teams, prop::option::of(cluster())).prop_map(|(teams, changes)| Event::Calls(teams, changes)),
    ]
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

/// Every answer is the caller's own, of the agent that is there now, no older than what it had pushed.
async fn calls(world: &World, teams: &[usize], changes: Option<usize>) -> Result<(), TestCaseError> {
    let pushed = CLUSTERS.map(|cluster| world.pushed(cluster));
    let change = async {
        tokio::task::yield_now().await;
        if let Some(cluster) = changes {
            world.change(CLUSTERS[cluster]);
            world.push(CLUSTERS[cluster]);
        }
    };
    let calls = join_all(teams.iter().map(|team| world.call(TEAMS[*team])));
    let (answers, ()) = tokio::join!(calls, change);
    for (answer, team) in answers.iter().zip(teams) {
        for (cluster, pushed) in CLUSTERS.iter().zip(pushed) {
            let (told, now) = (answer.told(cluster), world.now(cluster, TEAMS[*team]));
            prop_assert_eq!(&told.team, &now.team);
            prop_assert_eq!(told.instance, now.instance);
            prop_assert!(
                (pushed..=now.revision).contains(&told.revision),
                "{cluster} shows {told:?}; now {now:?}, pushed {pushed}"
            );
        }
        let is_stale = CLUSTERS.iter().any(|cluster| world.is_stale(cluster));
        prop_assert_eq!(answer.structured()["partial"].as_bool().unwrap_or_default(), is_stale);
    }
    Ok(())
}

async fn play(events: &[Event]) -> Result<(), TestCaseError> {
    let world = World::of(&CLUSTERS);
    for event in events {
        match event {
            Event::Change(cluster) => world.change(CLUSTERS[*cluster]),
            Event::Push(cluster) => world.push(CLUSTERS[*cluster]),
            Event::Heartbeat(cluster) => world.heartbeat(CLUSTERS[*cluster]),
            Event::Reconnect(cluster) => world.reconnect(CLUSTERS[*cluster]),
            Event::Relink(cluster) => world.relink(CLUSTERS[*cluster]),
            Event::Stale(cluster, stale) => world.turn_stale(CLUSTERS[*cluster], *stale),
            Event::Silence(ms) => tokio::time::advance(Duration::from_millis(*ms)).await,
            Event::Calls(teams, changes) => calls(&world, teams, *changes).await?,
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_is_what_would_be_answered_anew_since_the_last_push(
        events in prop::collection::vec(event(), 1..60),
    ) {
        runtime().block_on(play(&events))?;
    }
}
