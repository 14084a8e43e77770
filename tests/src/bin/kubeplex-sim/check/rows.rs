//! Answers with rows.

use std::collections::BTreeMap;

use kubeplex_tests::rows as listing;
use serde_json::Value;

use super::coverage;
use super::judge::Judge;
use crate::ask::Asked;
use crate::kind::Kind;
use crate::people::Person;
use crate::question::Question;
use crate::truth::{Place, State};
use crate::world::World;

/// What an answer shows, by cluster.
pub(crate) fn shown(answer: &Value, kind: Kind) -> BTreeMap<String, State> {
    let mut shown: BTreeMap<String, State> = BTreeMap::new();
    for (cluster, place, number) in listed(answer, kind) {
        shown.entry(cluster).or_default().insert(place, number);
    }
    shown
}

/// Every row, one by one.
pub(super) fn listed(answer: &Value, kind: Kind) -> Vec<(String, Place, i64)> {
    let one = |row: listing::Row| {
        let (place, number) = kind.shown_in(&row);
        (row.cluster, place, number)
    };
    listing::of(answer).into_iter().map(one).collect()
}

/// An answer with everything shows what was true at a moment that is not longer ago than it says.
pub(crate) fn rows(world: &World, person: &Person, question: &Question, asked: &Asked) {
    let Some(answer) = coverage::answer(world, person, question, asked) else { return };
    reach(world, person, question, answer);
    if answer.get("continue").is_some() {
        return world.trail.violated("an answer with room for everything goes on on another page");
    }
    let shown = shown(answer, question.kind);
    if listed(answer, question.kind).len() != shown.values().map(BTreeMap::len).sum::<usize>() {
        world.trail.violated("an answer shows a row twice");
    }
    let judge = Judge { world, person, question, asked, answer };
    for cluster in question.clusters(world, person) {
        judge.rows(cluster, shown.get(cluster.name).unwrap_or(&State::new()));
    }
}

/// Nothing is shown that is not the person's to see.
pub(super) fn reach(world: &World, person: &Person, question: &Question, answer: &Value) {
    let clusters: Vec<_> = question.clusters(world, person).iter().map(|cluster| cluster.name).collect();
    for (cluster, place, _) in listed(answer, question.kind) {
        if !clusters.contains(&cluster.as_str()) || !question.means(person, &place) {
            world.trail.violated(format_args!("{} was shown {place:?} of {cluster}", person.name));
        }
    }
}
