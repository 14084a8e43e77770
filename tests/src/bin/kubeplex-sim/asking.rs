//! What people ask all the while.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::check;
use crate::cluster::{NAMES, NAMESPACES};
use crate::dice::Dice;
use crate::kind::Kind;
use crate::people::Person;
use crate::question::{Freshness, Question};
use crate::schedule::CLUSTERS;
use crate::world::World;

/// What `groupBy` may say beside sums.
const GROUPS: [&str; 3] = ["cluster,namespace", "namespace,cluster", "cluster"];

/// One person's time.
pub(crate) async fn all_the_while(person: Person, world: Arc<World>, mut dice: Dice) {
    let dice = &mut dice;
    loop {
        sleep(dice.pause(1, 3_000)).await;
        match dice.below(19) {
            0..4 => look(&person, &world, dice, Kind::Pods).await,
            4 => look(&person, &world, dice, Kind::Widgets).await,
            5 => look(&person, &world, dice, Kind::Events).await,
            6..9 => turn_pages(&person, &world, dice).await,
            9 => look_live(&person, &world, dice).await,
            10..12 => count(&person, &world, dice).await,
            12..14 => get(&person, &world, dice).await,
            14 => look_at_clusters(&person, &world, dice).await,
            15 => search(&person, &world, dice).await,
            16..18 => look_around(&person, &world, dice).await,
            _ => look_at_kinds(&person, &world, dice).await,
        }
    }
}

/// One answer with everything, or everything in one namespace.
async fn look(person: &Person, world: &World, dice: &mut Dice, kind: Kind) {
    let question = asked_of(dice, kind);
    let sort_by = match kind {
        Kind::Pods => &["-restarts", "name", "-age"][..],
        Kind::Widgets => &["-spec.size", "name"],
        Kind::Events => &["-count", "object"],
    };
    let sort_by = dice.one_in(4).then(|| *dice.of(sort_by));
    list(person, world, dice, &question, question.kind.listed_by(), sort_by).await;
}

/// The same rows, found by a search.
async fn search(person: &Person, world: &World, dice: &mut Dice) {
    let kind = *dice.of(&[Kind::Pods, Kind::Widgets]);
    let question = asked_of(dice, kind);
    if let Some(by) = question.kind.searched_by() {
        list(person, world, dice, &question, by, None).await;
    }
}

/// What other tools say of everything, or of one namespace. Nobody keeps a truth of it: judged is what they cover.
async fn look_around(person: &Person, world: &World, dice: &mut Dice) {
    let (tool, mut arguments) = dice
        .of(&[
            ("problems_list", json!({})),
            ("problems_list", json!({"groupBy": "cause"})),
            ("changes_list", json!({"since": "1h"})),
            ("changes_list", json!({"since": "1h", "groupBy": "cluster"})),
            ("cluster_health", json!({})),
            ("fleet_diff", json!({"kind": "pods"})),
        ])
        .clone();
    let question = match tool {
        "cluster_health" => Question::all(Kind::Pods),
        "fleet_diff" => Question { cluster: None, min_coverage: None, ..asked_of(dice, Kind::Pods) },
        _ => asked_of(dice, Kind::Pods),
    };
    arguments["timeoutSeconds"] = timeout_s(dice);
    let asked = person.ask(world, tool, question.arguments(arguments)).await;
    check::told(world, person, &question, &asked);
}

/// The same, from the API servers.
async fn look_live(person: &Person, world: &World, dice: &mut Dice) {
    let kind = *dice.of(&[Kind::Pods, Kind::Widgets]);
    let question = Question { freshness: Freshness::Live, ..asked_of(dice, kind) };
    list(person, world, dice, &question, question.kind.listed_by(), None).await;
}

async fn list(
    person: &Person,
    world: &World,
    dice: &mut Dice,
    question: &Question,
    (tool, mut arguments): (&str, Value),
    sort_by: Option<&str>,
) {
    arguments["limit"] = json!(1000);
    arguments["timeoutSeconds"] = timeout_s(dice);
    if let Some(sort_by) = sort_by {
        arguments["sortBy"] = json!(sort_by);
    }
    let asked = person.ask(world, tool, question.arguments(arguments)).await;
    check::rows(world, person, question, &asked);
}

/// Page after page of one listing.
async fn turn_pages(person: &Person, world: &World, dice: &mut Dice) {
    let question = Question::all(*dice.of(&[Kind::Pods, Kind::Pods, Kind::Widgets]));
    let (tool, mut arguments) = question.kind.listed_by();
    arguments["limit"] = json!(3 + dice.below(20));
    arguments["timeoutSeconds"] = timeout_s(dice);
    if dice.one_in(2) {
        arguments["sortBy"] = json!(dice.of(&["name", "-name"]));
    }
    let began = Instant::now();
    let mut pages = Vec::new();
    loop {
        let asked = person.ask(world, tool, arguments.clone()).await;
        check::deadline(world, &asked);
        let Ok(page) = &asked.result else { return };
        let next = page.get("continue").cloned();
        pages.push(asked);
        let Some(next) = next else { break };
        arguments["continue"] = next;
        sleep(dice.pause(0, 1_500)).await;
    }
    check::pages(world, person, &question, &pages, began);
}

/// How many there are, and the sum of their numbers.
async fn count(person: &Person, world: &World, dice: &mut Dice) {
    let kind = *dice.of(&Kind::ALL);
    let question = asked_of(dice, kind);
    let by = if question.cluster.is_some() { "namespace" } else { *dice.of(&GROUPS) };
    let (tool, mut arguments) = kind.listed_by();
    // Columns are those of the groups.
    arguments.as_object_mut().and_then(|arguments| arguments.remove("fields"));
    arguments["groupBy"] = json!(format!("{by},sum({})", kind.number_column()));
    arguments["timeoutSeconds"] = timeout_s(dice);
    let asked = person.ask(world, tool, question.arguments(arguments)).await;
    check::groups(world, person, &question, &asked);
}

/// One object, or its namesakes.
async fn get(person: &Person, world: &World, dice: &mut Dice) {
    let kind = *dice.of(&[Kind::Pods, Kind::Widgets]);
    let freshness = if dice.one_in(4) { Freshness::Live } else { Freshness::Cache };
    let question = Question {
        name: Some(*dice.of(&NAMES)),
        namespace: dice.one_in(2).then(|| *dice.of(&NAMESPACES)),
        freshness,
        min_coverage: None,
        ..asked_of(dice, kind)
    };
    let arguments = json!({"kind": kind.name(), "timeoutSeconds": timeout_s(dice)});
    let asked = person.ask(world, "resources_get", question.arguments(arguments)).await;
    check::objects(world, person, &question, &asked);
}

async fn look_at_clusters(person: &Person, world: &World, dice: &mut Dice) {
    let question = Question { namespace: None, ..asked_of(dice, Kind::Pods) };
    let asked = person.ask(world, "clusters_list", question.arguments(json!({}))).await;
    check::clusters(world, person, &question, &asked);
}

async fn look_at_kinds(person: &Person, world: &World, dice: &mut Dice) {
    let question = Question { namespace: None, ..asked_of(dice, Kind::Widgets) };
    let asked = person.ask(world, "api_resources_list", question.arguments(check::of_kinds())).await;
    check::kinds(world, person, &question, &asked);
}

/// Of everything mostly, and of any answer.
fn asked_of(dice: &mut Dice, kind: Kind) -> Question {
    Question {
        cluster: dice.one_in(6).then(|| *dice.of(&CLUSTERS[..2])),
        namespace: dice.one_in(4).then(|| *dice.of(&NAMESPACES)),
        min_coverage: dice.one_in(4).then(|| *dice.of(&[1, 34, 50, 67, 100])),
        ..Question::all(kind)
    }
}

fn timeout_s(dice: &mut Dice) -> Value {
    json!(dice.of(&[1, 3, 10, 10, 30]))
}
