//! Answers with counts.

use std::collections::BTreeMap;

use kubeplex_tests::rows as listing;
use serde_json::Value;

use super::coverage::{self, Part, part};
use super::judge::Judge;
use crate::ask::Asked;
use crate::kind::Kind;
use crate::people::Person;
use crate::question::Question;
use crate::world::World;

/// Counts and sums by namespace, or altogether.
pub(crate) type Counts = BTreeMap<String, (u64, i64)>;

/// What an answer counts, by cluster; where clusters are no key, as of the one that was asked.
pub(crate) fn shown(answer: &Value, question: &Question) -> BTreeMap<String, Counts> {
    let sum = format!("sum({})", question.kind.number_column());
    let mut shown: BTreeMap<String, Counts> = BTreeMap::new();
    for row in listing::of(answer) {
        let counted =
            (row.cell("count").as_u64().unwrap_or_default(), row.cell(&sum).as_i64().unwrap_or_default());
        let cluster = question.cluster.map_or(row.cluster.clone(), str::to_owned);
        shown.entry(cluster).or_default().insert(row.namespace, counted);
    }
    shown
}

/// Of every cluster that answered there are as many as there were at a moment that is not longer ago than the answer says, and
/// no cluster is counted that did not answer.
pub(crate) fn groups(world: &World, person: &Person, question: &Question, asked: &Asked) {
    let Some(answer) = coverage::answer(world, person, question, asked) else { return };
    let judge = Judge { world, person, question, asked, answer };
    let mut shown = shown(answer, question);
    let columns = listing::columns(answer);
    let by_namespace = columns.iter().any(|column| column == "namespace");
    for cluster in question.clusters(world, person) {
        let counts = shown.remove(cluster.name).unwrap_or_default();
        judge.told(cluster, !counts.is_empty());
        match part(answer, cluster.name) {
            Part::Cut if !counts.is_empty() => judge.violated(cluster, "it is counted in part"),
            Part::Cut | Part::Missing | Part::Absent => {}
            Part::All => {
                let states = judge.states(cluster);
                if !states.iter().any(|state| Kind::counted(state, by_namespace) == counts) {
                    judge.violated(cluster, format_args!("there were never {counts:?}"));
                }
            }
        }
    }
    for (cluster, counts) in shown {
        world.trail.violated(format_args!("{} is told of {counts:?} of {cluster}", person.name));
    }
}
