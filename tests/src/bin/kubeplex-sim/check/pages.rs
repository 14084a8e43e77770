//! Listings that are read page by page.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tokio::time::Instant;

use super::coverage::{self, Part, age, part};
use super::judge::{Judge, before};
use super::rows::{listed, reach};
use crate::ask::Asked;
use crate::people::Person;
use crate::question::Question;
use crate::truth::Place;
use crate::world::World;

/// Over the pages of a listing, whatever stood still is shown once.
pub(crate) fn pages(world: &World, person: &Person, question: &Question, pages: &[Asked], began: Instant) {
    let mut shown: BTreeMap<(String, Place), usize> = BTreeMap::new();
    let (mut incomplete, mut oldest) = (BTreeSet::new(), began);
    for asked in pages {
        let Some(answer) = coverage::answer(world, person, question, asked) else { continue };
        oldest = oldest.min(before(world, began, age(answer)));
        reach(world, person, question, answer);
        incomplete.extend(incomplete_in(world, person, question, asked, answer));
        for (cluster, place, number) in listed(answer, question.kind) {
            let known = world.clusters.iter().find(|known| known.name == cluster);
            if !known.is_some_and(|known| known.truth(question.kind).ever(&place, number)) {
                world.trail.violated(format_args!("{cluster}: {place:?} was never {number}"));
            }
            *shown.entry((cluster, place)).or_default() += 1;
        }
    }
    for cluster in question.clusters(world, person) {
        let still = cluster.truth(question.kind).still(oldest);
        for place in still.into_iter().filter(|place| question.means(person, place)) {
            let times = shown.get(&(cluster.name.to_owned(), place.clone())).copied().unwrap_or_default();
            if times > 1 || times == 0 && !incomplete.contains(cluster.name) {
                world.trail.violated(format_args!(
                    "{}: {place:?} stood still and is shown {times} times over {} pages",
                    cluster.name,
                    pages.len()
                ));
            }
        }
    }
}

/// The clusters of which the page says that something is missing, or may be.
fn incomplete_in(
    world: &World,
    person: &Person,
    question: &Question,
    asked: &Asked,
    answer: &Value,
) -> Vec<&'static str> {
    let judge = Judge { world, person, question, asked, answer };
    let clusters = question.clusters(world, person);
    clusters.iter().for_each(|cluster| judge.told(cluster, false));
    let is_whole = |name| part(answer, name) == Part::All && coverage::problem(answer, name).is_null();
    clusters.iter().map(|cluster| cluster.name).filter(|name| !is_whole(name)).collect()
}
