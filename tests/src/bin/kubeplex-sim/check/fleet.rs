//! Answers about clusters and kinds, which nobody is asked for.

use std::time::Duration;

use kubeplex_link::timings::Timings;
use kubeplex_tests::rows::{self as listing, Row};
use serde_json::{Value, json};

use super::coverage::{self, Part, part, problem};
use super::judge::{Judge, before};
use crate::ask::Asked;
use crate::cluster::Cluster;
use crate::kind::Kind;
use crate::people::Person;
use crate::question::Question;
use crate::world::World;

/// Between two looks at whether a link is silent.
const LOOKS: Duration = Duration::from_secs(1);

/// How long an undisturbed agent may take to tell what is served: it looks twice after an announcement, the second time after
/// five seconds.
const KINDS_NOTICED: Duration = Duration::from_secs(10);

/// What a question for kinds says.
pub(crate) fn of_kinds() -> Value {
    json!({"kind": "pods,widgets", "fields": "name,group,clusters,in,missing"})
}

/// Each cluster is named once, with a link that agrees with what happened to it.
pub(crate) fn clusters(world: &World, person: &Person, question: &Question, asked: &Asked) {
    let Some(answer) = coverage::answer(world, person, question, asked) else { return };
    let (rows, clusters) = (listing::of(answer), question.clusters(world, person));
    let judge = Judge { world, person, question, asked, answer };
    for cluster in &clusters {
        match rows.iter().filter(|row| row.name() == cluster.name).collect::<Vec<_>>().as_slice() {
            [row] => link(&judge, cluster, row),
            rows => judge.violated(cluster, format_args!("it has {} rows", rows.len())),
        }
    }
    if rows.len() != clusters.len() {
        world.trail.violated(format_args!("{} is told of {answer}", person.name));
    }
}

fn link(judge: &Judge<'_>, cluster: &Cluster, row: &Row) {
    let (link, timings) = (row.cell("link").as_str().unwrap_or_default(), Timings::default());
    let silent = cluster.deeds.silent_for().saturating_sub(judge.asked.took);
    if silent >= timings.suspect_after + LOOKS && link == "connected" {
        judge.violated(cluster, format_args!("it is connected and silent for {silent:?}"));
    }
    if silent >= timings.lost_after + LOOKS && link == "suspect" {
        judge.violated(cluster, format_args!("it is not lost and silent for {silent:?}"));
    }
    let seen = judge.world.links_seen.last(cluster.name);
    if link == "connected" {
        judge.world.links_seen.connected(cluster.name);
    } else if seen.is_some_and(|seen| cluster.deeds.link_untouched_since(seen)) {
        judge.violated(cluster, format_args!("nothing happened to its link, and it is {link}"));
    }
    let is_out = matches!(link, "lost" | "never");
    if is_out != (problem(judge.answer, cluster.name)["status"] == "disconnected") {
        judge.violated(cluster, format_args!("it is {link}, and said to be otherwise"));
    }
}

/// A kind that a cluster serves is not missing unsaid.
pub(crate) fn kinds(world: &World, person: &Person, question: &Question, asked: &Asked) {
    let Some(answer) = coverage::answer(world, person, question, asked) else { return };
    let judge = Judge { world, person, question, asked, answer };
    let rows = listing::of(answer);
    for (kind, name, group) in
        [(Kind::Pods, "pods", Value::Null), (Kind::Widgets, "widgets", json!("example.com"))]
    {
        let row = rows.iter().find(|row| row.name() == name && *row.cell("group") == group);
        for cluster in question.clusters(world, person) {
            has(&judge, cluster, kind, row);
        }
    }
}

fn has(judge: &Judge<'_>, cluster: &Cluster, kind: Kind, row: Option<&Row>) {
    let names = |column: &str| {
        let named = row.and_then(|row| row.cell(column).as_str()).unwrap_or_default();
        named.split(", ").any(|name| name == cluster.name)
    };
    let (has, lacks) = (names("in"), names("missing"));
    if has && lacks {
        judge.violated(cluster, format_args!("it has {kind:?} and does not"));
    }
    if part(judge.answer, cluster.name) != Part::All {
        return;
    }
    if row.is_some() && !has && !lacks {
        judge.violated(cluster, format_args!("nothing is said of its {kind:?}"));
    }
    let since = |before_that| before(judge.world, judge.asked.began, before_that);
    let served = |since| cluster.truth(kind).served_since(since);
    // One that was never gone is there whatever happens.
    let ever = served(judge.world.trail.began());
    let lately = if cluster.deeds.unharmed() { served(since(KINDS_NOTICED)) } else { ever };
    if lately.len() == 1 && !lately.contains(&has) {
        judge.violated(cluster, format_args!("it has {kind:?}: {has}"));
    }
}
