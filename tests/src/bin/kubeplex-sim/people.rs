//! People who ask all the while, and what they make of the answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use kubeplex_tests::caller;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::ask::Asked;
use crate::check;
use crate::cluster::{Cluster, NAMESPACES};
use crate::dice::Dice;
use crate::truth::Pod;
use crate::world::World;

/// Somebody with a token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    pub(crate) name: &'static str,
    clusters: &'static [&'static str],
    namespaces: &'static [&'static str],
}

/// Everybody.
pub(crate) fn all() -> [Person; 3] {
    let everything = &["*"];
    [
        Person { name: "anna", clusters: everything, namespaces: everything },
        Person { name: "bert", clusters: everything, namespaces: everything },
        Person { name: "clara", clusters: &["alpha", "bravo"], namespaces: &["shop"] },
    ]
}

impl Person {
    /// As the configuration of the gateway has them.
    pub(crate) fn section(&self) -> String {
        caller::section(self.name, &self.token(), self.clusters, self.namespaces)
    }

    pub(crate) fn token(&self) -> String {
        format!("the-token-of-{}", self.name)
    }

    /// The clusters that exist for them.
    pub(crate) fn clusters<'a>(&self, world: &'a World) -> impl Iterator<Item = &'a Arc<Cluster>> {
        world.clusters.iter().filter(|cluster| reaches(self.clusters, cluster.name))
    }

    pub(crate) fn sees(&self, (namespace, _): &Pod) -> bool {
        reaches(self.namespaces, namespace)
    }

    pub(crate) async fn ask_all_the_while(self, world: Arc<World>, mut dice: Dice) {
        loop {
            sleep(dice.pause(1, 4_000)).await;
            if dice.one_in(3) {
                self.turn_pages(&world, &mut dice).await;
            } else {
                self.look(&world, &mut dice).await;
            }
        }
    }

    /// One answer with everything, or everything in one namespace.
    async fn look(&self, world: &World, dice: &mut Dice) {
        let mut arguments = json!({"limit": 1000, "maxBytes": 1 << 20, "timeoutSeconds": timeout_s(dice)});
        let namespace = dice.one_in(4).then(|| *dice.of(&NAMESPACES));
        if let Some(namespace) = namespace {
            arguments["namespace"] = json!(namespace);
        }
        if dice.one_in(5) {
            arguments["minCoverage"] = json!(100);
        }
        if dice.one_in(4) {
            arguments["sortBy"] = json!(dice.of(&["-restarts", "name", "-age"]));
        }
        let asked = self.ask(world, arguments).await;
        check::answer(world, self, &asked, namespace);
    }

    /// Page after page of one listing.
    async fn turn_pages(&self, world: &World, dice: &mut Dice) {
        let mut arguments = json!({"limit": 3 + dice.below(20), "timeoutSeconds": timeout_s(dice)});
        if dice.one_in(2) {
            arguments["sortBy"] = json!(dice.of(&["name", "-name"]));
        }
        let began = Instant::now();
        let mut pages = Vec::new();
        loop {
            let asked = self.ask(world, arguments.clone()).await;
            check::deadline(world, &asked);
            let Ok(page) = &asked.result else { return };
            let next = page.get("continue").cloned();
            pages.push(asked);
            let Some(next) = next else { break };
            arguments["continue"] = next;
            sleep(dice.pause(0, 1_500)).await;
        }
        check::pages(world, self, &pages, began);
    }

    pub(crate) async fn ask(&self, world: &World, arguments: Value) -> Asked {
        let asked = Asked::ask(&world.front.site(), &self.token(), arguments).await;
        world.trail.step(format_args!("{}: {}", self.name, asked.told()));
        asked
    }
}

/// Asks until everybody sees everything that they may, as it is.
pub(crate) async fn converge(world: &World) {
    for person in all() {
        loop {
            let arguments = json!({"limit": 1000, "maxBytes": 1 << 20});
            let asked = person.ask(world, arguments).await;
            check::answer(world, &person, &asked, None);
            if asked.result.as_ref().is_ok_and(|answer| is_whole(world, &person, answer)) {
                break;
            }
            sleep(std::time::Duration::from_secs(1)).await;
        }
    }
}

/// Whether nothing is missing, and everything is as it is now.
fn is_whole(world: &World, person: &Person, answer: &Value) -> bool {
    let rows = check::rows(answer);
    let true_now = |cluster: &Arc<Cluster>| {
        let mut state = (*cluster.truth.now()).clone();
        state.retain(|pod, _| person.sees(pod));
        rows.get(cluster.name).cloned().unwrap_or_default() == state.into_iter().collect::<BTreeMap<_, _>>()
    };
    answer.get("partial").is_none()
        && answer["clusters"].get("problems").is_none()
        && person.clusters(world).all(true_now)
}

fn reaches(patterns: &[&str], name: &str) -> bool {
    patterns.iter().any(|pattern| *pattern == "*" || *pattern == name)
}

fn timeout_s(dice: &mut Dice) -> u64 {
    *dice.of(&[1, 3, 10, 10, 30])
}
