//! What must hold of every answer, whatever goes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kubeplex_gateway::error::ErrorCode;
use kubeplex_tests::rows as listing;
use serde_json::Value;
use tokio::time::Instant;

use crate::ask::Asked;
use crate::people::Person;
use crate::truth::{Pod, State};
use crate::world::World;

/// Ages are told in whole milliseconds, by the agent and by the gateway.
const ROUNDING: Duration = Duration::from_millis(3);

/// What an answer shows, by cluster.
pub(crate) fn rows(answer: &Value) -> BTreeMap<String, State> {
    let mut shown: BTreeMap<String, State> = BTreeMap::new();
    for (cluster, pod, change) in listed(answer) {
        shown.entry(cluster).or_default().insert(pod, change);
    }
    shown
}

/// Every row, one by one.
fn listed(answer: &Value) -> Vec<(String, Pod, i64)> {
    let one = |row: listing::Row| {
        let pod = (row.namespace.clone(), row.name().to_owned());
        let change = row.cell("restarts").as_i64().unwrap_or(-1);
        (row.cluster, pod, change)
    };
    listing::of(answer).into_iter().map(one).collect()
}

/// A call is over in time, never by a defect, and asks no cluster that is known to be lost.
pub(crate) fn deadline(world: &World, asked: &Asked) {
    if asked.took > asked.patience {
        world.trail.violated(format_args!("a call took {:?} and may take {:?}", asked.took, asked.patience));
    }
    if let Err(Some(error)) = &asked.result
        && error.code == ErrorCode::Internal
    {
        world.trail.violated(format_args!("a call failed by a defect: {error}"));
    }
    for leg in asked.legs.iter().filter(|leg| asked.lost.contains(leg.cluster.as_str())) {
        if leg.sent_micros.is_some() {
            world.trail.violated(format_args!("{} was known to be lost and was asked", leg.cluster));
        }
    }
}

/// An answer with everything shows what was true at a moment that is not longer ago than it says.
pub(crate) fn answer(world: &World, person: &Person, asked: &Asked, namespace: Option<&str>) {
    deadline(world, asked);
    let Ok(answer) = &asked.result else { return };
    reach(world, person, answer);
    if answer.get("continue").is_some() {
        return world.trail.violated("an answer with room for everything goes on on another page");
    }
    let mut shown = rows(answer);
    if listed(answer).len() != shown.values().map(BTreeMap::len).sum::<usize>() {
        world.trail.violated("an answer shows a row twice");
    }
    let problems = problems(answer);
    let whole = answer.get("partial").is_none();
    let heard = before(world, asked.ended(), age(answer) + ROUNDING);
    for cluster in person.clusters(world) {
        // An age is counted from when the gateway heard of it.
        let since = before(world, heard, cluster.line.late_since(heard));
        let shown = shown.remove(cluster.name).unwrap_or_default();
        match problems.get(cluster.name).map(String::as_str) {
            Some("none") if whole => world
                .trail
                .violated(format_args!("{} is missing and the answer is not partial", cluster.name)),
            Some("none") if shown.is_empty() => {}
            Some("none") => {
                world.trail.violated(format_args!("{} is said to be missing, and is shown", cluster.name));
            }
            Some("partial") => {
                for (pod, change) in shown.iter().filter(|(pod, change)| !cluster.truth.ever(pod, **change)) {
                    world.trail.violated(format_args!("{}: {pod:?} was never {change}", cluster.name));
                }
            }
            _ => {
                let visible = |state: &State| -> State {
                    let seen = state
                        .iter()
                        .filter(|(pod, _)| person.sees(pod) && namespace.is_none_or(|only| pod.0 == only));
                    seen.map(|(pod, change)| (pod.clone(), *change)).collect()
                };
                let states: Vec<_> = cluster.truth.since(since).iter().map(|state| visible(state)).collect();
                if let Some(wrong) = never_so(&shown, &states) {
                    world.trail.violated(format_args!("{}: {wrong}; {answer}", cluster.name));
                }
            }
        }
    }
}

/// Over the pages of a listing, whatever stood still is shown once.
pub(crate) fn pages(world: &World, person: &Person, pages: &[Asked], began: Instant) {
    let answers: Vec<&Value> = pages.iter().filter_map(|asked| asked.result.as_ref().ok()).collect();
    let mut shown: BTreeMap<(String, Pod), usize> = BTreeMap::new();
    let mut incomplete = BTreeSet::new();
    for answer in &answers {
        reach(world, person, answer);
        incomplete.extend(problems(answer).into_keys());
        let rejoined = answer["clusters"]["rejoined"].as_array().into_iter().flatten();
        incomplete.extend(rejoined.filter_map(Value::as_str).map(str::to_owned));
        for (cluster, pod, change) in listed(answer) {
            let truth = world.clusters.iter().find(|known| known.name == cluster).map(|known| &known.truth);
            if !truth.is_some_and(|truth| truth.ever(&pod, change)) {
                world.trail.violated(format_args!("{cluster}: {pod:?} was never {change}"));
            }
            *shown.entry((cluster, pod)).or_default() += 1;
        }
    }
    let oldest = answers.iter().map(|answer| age(answer)).max().unwrap_or_default();
    let since = before(world, began, oldest + ROUNDING);
    for cluster in person.clusters(world) {
        for pod in cluster.truth.still(since).into_iter().filter(|pod| person.sees(pod)) {
            let times = shown.get(&(cluster.name.to_owned(), pod.clone())).copied().unwrap_or_default();
            if times > 1 || times == 0 && !incomplete.contains(cluster.name) {
                world.trail.violated(format_args!(
                    "{}: {pod:?} stood still and is shown {times} times over {} pages",
                    cluster.name,
                    pages.len()
                ));
            }
        }
    }
}

/// Nothing is shown that is not the person's to see, and no cluster that exists for them is left out of the count.
fn reach(world: &World, person: &Person, answer: &Value) {
    let clusters: BTreeSet<_> = person.clusters(world).map(|cluster| cluster.name).collect();
    for (cluster, pod, _) in listed(answer) {
        if !clusters.contains(cluster.as_str()) || !person.sees(&pod) {
            world.trail.violated(format_args!("{} was shown {pod:?} of {cluster}", person.name));
        }
    }
    if answer["clusters"]["expected"].as_u64() != Some(clusters.len() as u64) {
        world.trail.violated(format_args!("{} is told of {}", person.name, answer["clusters"]));
    }
    if let Some(absent) = answer["clusters"].get("absent") {
        world.trail.violated(format_args!("every cluster has pods, and {absent} are said not to"));
    }
}

/// What of the rows of troubled clusters is shown.
fn problems(answer: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let problems = answer["clusters"]["problems"].as_array().into_iter().flatten();
    problems.map(|problem| (text(&problem["cluster"]), text(&problem["rowsShown"]))).collect()
}

/// So long before a moment, or the beginning.
fn before(world: &World, moment: Instant, duration: Duration) -> Instant {
    moment.checked_sub(duration).unwrap_or_else(|| world.trail.began())
}

fn age(answer: &Value) -> Duration {
    Duration::from_millis(answer["clusters"]["ageMs"].as_u64().unwrap_or_default())
}

/// What an answer shows that was true at none of these moments, or leaves out that was there at all of them. A cluster may be
/// asked for its rows in several parts, so rows of one answer need not be of one moment.
fn never_so(shown: &State, states: &[State]) -> Option<String> {
    let invented =
        shown.iter().find(|(pod, change)| states.iter().all(|state| state.get(*pod) != Some(*change)));
    let stood = |pod: &&Pod| states.iter().all(|state| state.contains_key(*pod));
    let left_out = states.first()?.keys().filter(stood).find(|pod| !shown.contains_key(*pod));
    match (invented, left_out) {
        (Some((pod, change)), _) => Some(format!("{pod:?} is shown as {change}, which it was not")),
        (None, Some(pod)) => Some(format!("{pod:?} was there and is left out")),
        (None, None) => None,
    }
}
