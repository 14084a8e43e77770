//! Answers with whole objects.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kubeplex_gateway::error::ErrorCode;
use serde_json::Value;

use super::coverage;
use super::judge::{Judge, before};
use crate::ask::Asked;
use crate::cluster::Cluster;
use crate::kind::Kind;
use crate::people::Person;
use crate::question::{Freshness, Question};
use crate::truth::{Place, State};
use crate::world::World;

/// An answer that finds nothing tells no age: a silent watch is believed for two minutes, and a little longer until that is
/// found out.
const BELIEVED: Duration = Duration::from_secs(125);

/// An object is as it was at a moment that is not longer ago than the answer says, and found nowhere only where it was not.
pub(crate) fn objects(world: &World, person: &Person, question: &Question, asked: &Asked) {
    if let Err(Some(error)) = &asked.result
        && error.code == ErrorCode::NotFound
    {
        not_found(world, person, question, asked, &error.message);
    }
    let Some(answer) = coverage::answer(world, person, question, asked) else { return };
    let judge = Judge { world, person, question, asked, answer };
    let mut shown = shown(world, question.kind, answer);
    for cluster in question.clusters(world, person) {
        judge.rows(cluster, &shown.remove(cluster.name).unwrap_or_default());
    }
    for (cluster, objects) in shown {
        world.trail.violated(format_args!("{} was shown {objects:?} of {cluster}", person.name));
    }
}

/// What is shown by cluster, once it is seen to be nothing but objects as they are.
fn shown(world: &World, kind: Kind, answer: &Value) -> BTreeMap<String, State> {
    let mut shown: BTreeMap<String, State> = BTreeMap::new();
    for found in answer["objects"].as_array().into_iter().flatten() {
        let object = &found["object"];
        let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default().to_owned();
        let place: Place = (text("namespace"), text("name"));
        let number = kind.number_of(object);
        let whole = kind.object(&place, number, jiff::Timestamp::UNIX_EPOCH);
        let differs = |key: &&str| whole[*key] != object[*key];
        if let Some(key) = ["kind", "spec", "status"].iter().find(|key| differs(key)) {
            world.trail.violated(format_args!("{place:?} has another {key}: {object}"));
        }
        for cluster in found["clusters"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if shown.entry(cluster.to_owned()).or_default().insert(place.clone(), number).is_some() {
                world.trail.violated(format_args!("{place:?} of {cluster} is shown twice: {answer}"));
            }
        }
    }
    shown
}

/// A cluster that has not told of its kinds is named with the reason.
fn not_found(world: &World, person: &Person, question: &Question, asked: &Asked, message: &str) {
    let since = match question.freshness {
        Freshness::Live => asked.began,
        Freshness::Cache => before(world, asked.began, BELIEVED),
    };
    let is_named = |cluster: &&Arc<Cluster>| message.contains(&format!("{} (", cluster.name));
    for cluster in question.clusters(world, person).into_iter().filter(|cluster| !is_named(cluster)) {
        let still = cluster.truth(question.kind).still(since);
        if let Some(place) = still.iter().find(|place| question.means(person, place)) {
            let (name, who) = (cluster.name, person.name);
            world.trail.violated(format_args!("{name}: {place:?} was there and {who} is told of none"));
        }
    }
}
