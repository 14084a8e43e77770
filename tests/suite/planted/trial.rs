//! The trial: faults are planted, and it is looked at what is named.

use std::time::Duration;

use kubeplex_tests::fleet::TestFleet;
use kubeplex_tests::rows::{self, Row};
use kubeplex_tests::server::{Server, text};
use serde_json::{Value, json};

use super::fault::{Fault, Reach};
use super::plant::{self, PREFIX};
use super::{caused, well, written};

/// Where faults are planted one at a time, where in threes, and where nothing is wrong.
const ALONE: &str = "eu-1";
const IN_THREES: &str = "ap-1";
const WELL: &str = "us-1";

/// The longest that anything has to last before it is a problem is five minutes.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// What was named of one fault.
pub(super) struct Named {
    pub(super) fault: &'static Fault,
    /// The row that names the cause, counted from 1.
    pub(super) rank: Option<usize>,
    /// Cause and message of the first row.
    pub(super) first: String,
}

/// What was named of three faults in one namespace.
pub(super) struct Three {
    pub(super) faults: Vec<&'static Fault>,
    /// Causes of as many rows as there are faults, from the first.
    pub(super) causes: Vec<String>,
}

#[derive(Default)]
pub(super) struct Outcome {
    pub(super) alone: Vec<Named>,
    pub(super) in_threes: Vec<Three>,
    /// What was named where nothing is wrong.
    pub(super) well: Vec<String>,
}

impl Named {
    fn is_right(&self) -> bool {
        self.rank == Some(1)
    }
}

impl Three {
    fn is_right(&self) -> bool {
        let mut expected: Vec<_> = self.faults.iter().map(|fault| fault.cause).collect();
        let mut named: Vec<_> = self.causes.iter().map(String::as_str).collect();
        expected.sort_unstable();
        named.sort_unstable();
        expected == named
    }
}

impl Outcome {
    /// What is not as it should be, in words.
    pub(super) fn wrong(&self) -> Vec<String> {
        let alone = self.alone.iter().filter(|named| !named.is_right()).map(|named| {
            format!("{}: expected {}, named first: {}", named.fault.name, named.fault.cause, named.first)
        });
        let threes = self.in_threes.iter().filter(|three| !three.is_right()).map(|three| {
            let names: Vec<_> =
                three.faults.iter().map(|fault| format!("{} ({})", fault.name, fault.cause)).collect();
            format!("{}: named {}", names.join(", "), three.causes.join(", "))
        });
        let well = self.well.iter().map(|row| format!("where nothing is wrong: {row}"));
        alone.chain(threes).chain(well).collect()
    }
}

pub(super) fn faults() -> impl Iterator<Item = &'static Fault> {
    caused::FAULTS.iter().chain(written::FAULTS)
}

/// Faults that leave each other alone, by threes in which no cause is there twice.
pub(super) fn threes() -> Vec<Vec<&'static Fault>> {
    let mut threes: Vec<Vec<&'static Fault>> = Vec::new();
    for fault in faults().filter(|fault| fault.reach == Reach::Own) {
        let has_room = |three: &&mut Vec<&'static Fault>| {
            three.len() < 3 && three.iter().all(|other| other.cause != fault.cause)
        };
        match threes.iter_mut().find(has_room) {
            Some(three) => three.push(fault),
            None => threes.push(vec![fault]),
        }
    }
    threes
}

/// Plants all faults, and waits until each is named or long enough.
pub(super) async fn run(fleet: &TestFleet) -> Outcome {
    clear(fleet).await;
    let asked = plant_all([ALONE, IN_THREES, WELL].map(|name| fleet.server(name))).await;
    watch(fleet, &asked).await
}

/// Takes the faults out again.
pub(super) async fn clear(fleet: &TestFleet) {
    for name in [ALONE, IN_THREES, WELL] {
        plant::clear(fleet.server(name)).await;
    }
}

/// Which question belongs to each fault that is planted alone.
type Asked = Vec<(&'static Fault, Value)>;

async fn plant_all([alone, in_threes, well]: [&Server; 3]) -> Asked {
    let namespace = format!("{PREFIX}well");
    plant::namespace(well, &namespace).await;
    plant::sow(well, well::plan(&namespace)).await;
    for (number, three) in threes().into_iter().enumerate() {
        let namespace = three_namespace(number);
        plant::namespace(in_threes, &namespace).await;
        for fault in three {
            plant::plant(in_threes, &namespace, fault).await;
        }
    }
    let mut asked = Vec::new();
    for fault in faults() {
        let namespace = format!("{PREFIX}{}", fault.name);
        plant::namespace(alone, &namespace).await;
        let question = match plant::plant(alone, &namespace, fault).await {
            Some((kind, name)) => json!({"cluster": ALONE, "kind": kind, "name": name}),
            None => json!({"cluster": ALONE, "namespace": namespace}),
        };
        asked.push((fault, question));
    }
    for fault in faults() {
        plant::make_last(alone, &format!("{PREFIX}{}", fault.name), fault).await;
    }
    asked
}

fn three_namespace(number: usize) -> String {
    format!("{PREFIX}three-{}", number + 1)
}

async fn watch(fleet: &TestFleet, asked: &Asked) -> Outcome {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut looks = tokio::time::interval(Duration::from_secs(5));
    loop {
        looks.tick().await;
        let outcome = look(fleet, asked).await;
        let wrong = outcome.wrong();
        if wrong.is_empty() || tokio::time::Instant::now() >= deadline {
            return outcome;
        }
        eprintln!("not named yet:\n{}", wrong.join("\n"));
    }
}

async fn look(fleet: &TestFleet, asked: &Asked) -> Outcome {
    let mut outcome = Outcome::default();
    for (fault, question) in asked {
        let rows = problems(fleet, question.clone()).await;
        let rank = rows.iter().position(|row| cause(row) == fault.cause).map(|index| index + 1);
        outcome.alone.push(Named { fault, rank, first: rows.first().map_or("nothing".to_owned(), words) });
    }
    for (number, faults) in threes().into_iter().enumerate() {
        let rows = problems(fleet, json!({"cluster": IN_THREES, "namespace": three_namespace(number)})).await;
        let causes = rows.iter().take(faults.len()).map(cause).collect();
        outcome.in_threes.push(Three { faults, causes });
    }
    for namespace in ["payments", &format!("{PREFIX}well")] {
        let rows = problems(fleet, json!({"cluster": WELL, "namespace": namespace})).await;
        outcome.well.extend(rows.iter().map(|row| format!("{namespace}: {}", words(row))));
    }
    outcome
}

async fn problems(fleet: &TestFleet, question: Value) -> Vec<Row> {
    rows::of(&fleet.call("problems_list", question).await)
}

fn cause(row: &Row) -> String {
    text(row.cell("cause"))
}

fn words(row: &Row) -> String {
    format!("`{}`: {}", cause(row), text(row.cell("message")))
}
