//! What everybody sees once nothing goes wrong any more.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::ask::Asked;
use crate::check;
use crate::kind::Kind;
use crate::people::{self, Person};
use crate::question::{Freshness, Question};
use crate::truth::State;
use crate::world::World;

/// Asks until everybody sees everything that they may, as it is.
pub(crate) async fn converge(world: &World) {
    for person in people::all() {
        for kind in Kind::ALL {
            until(async || lists(world, &person, &Question::all(kind)).await).await;
            until(async || counts(world, &person, kind).await).await;
        }
        until(async || clusters(world, &person).await).await;
        until(async || kinds(world, &person).await).await;
    }
    let [anna, ..] = people::all();
    for kind in [Kind::Pods, Kind::Widgets] {
        let live = Question { freshness: Freshness::Live, ..Question::all(kind) };
        until(async || lists(world, &anna, &live).await).await;
    }
}

async fn until(mut is_whole: impl AsyncFnMut() -> bool) {
    while !is_whole().await {
        sleep(Duration::from_secs(1)).await;
    }
}

async fn lists(world: &World, person: &Person, question: &Question) -> bool {
    let (tool, mut arguments) = question.kind.listed_by();
    arguments["limit"] = json!(1000);
    let asked = person.ask(world, tool, question.arguments(arguments)).await;
    check::rows(world, person, question, &asked);
    let shown = |answer: &Value| check::shown_rows(answer, question.kind);
    complete(&asked).map(shown).is_some_and(|shown| {
        let clusters = question.clusters(world, person);
        clusters.iter().all(|cluster| {
            let now = question.meant(person, &cluster.truth(question.kind).now());
            *shown.get(cluster.name).unwrap_or(&State::new()) == now
        })
    })
}

async fn counts(world: &World, person: &Person, kind: Kind) -> bool {
    let question = Question::all(kind);
    let (tool, mut arguments) = kind.listed_by();
    arguments.as_object_mut().and_then(|arguments| arguments.remove("fields"));
    arguments["groupBy"] = json!(format!("cluster,namespace,sum({})", kind.number_column()));
    let asked = person.ask(world, tool, question.arguments(arguments)).await;
    check::groups(world, person, &question, &asked);
    let shown = |answer: &Value| check::shown_groups(answer, &question);
    complete(&asked).map(shown).is_some_and(|mut shown| {
        let clusters = question.clusters(world, person);
        clusters.iter().all(|cluster| {
            let now = question.meant(person, &cluster.truth(kind).now());
            shown.remove(cluster.name).unwrap_or_default() == Kind::counted(&now, true)
        })
    })
}

async fn clusters(world: &World, person: &Person) -> bool {
    let question = Question::all(Kind::Pods);
    let asked = person.ask(world, "clusters_list", question.arguments(json!({}))).await;
    check::clusters(world, person, &question, &asked);
    complete(&asked).is_some()
}

async fn kinds(world: &World, person: &Person) -> bool {
    let question = Question::all(Kind::Widgets);
    let asked = person.ask(world, "api_resources_list", question.arguments(check::of_kinds())).await;
    check::kinds(world, person, &question, &asked);
    let rows = complete(&asked).map(kubeplex_tests::rows::of).unwrap_or_default();
    let everywhere = |name: &str, group: Value| {
        let mut named = rows.iter().filter(|row| row.name() == name && *row.cell("group") == group);
        named.any(|row| *row.cell("clusters") == person.clusters(world).count())
    };
    everywhere("pods", Value::Null) && everywhere("widgets", json!("example.com"))
}

/// An answer from which nothing is missing: every cluster has every kind by now.
fn complete(asked: &Asked) -> Option<&Value> {
    let is_whole = |answer: &&Value| check::is_complete(answer) && answer["clusters"].get("absent").is_none();
    asked.result.as_ref().ok().filter(is_whole)
}
