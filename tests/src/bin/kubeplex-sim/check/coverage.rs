//! What an answer says that it covers, and whether a call may fail as it did.

use std::time::Duration;

use kubeplex_gateway::error::{CallError, ErrorCode};
use serde_json::Value;

use super::deadline;
use crate::ask::Asked;
use crate::people::Person;
use crate::question::{Freshness, Question};
use crate::world::World;

/// How long ago an API server may have said that it has no such kind: discovery is believed for so long.
pub(super) const ABSENT_BELIEVED: Duration = Duration::from_secs(10);

/// What an answer has of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All there is, though perhaps not as it is now.
    All,
    /// What came before something went wrong.
    Cut,
    Missing,
    /// The cluster is said not to have the kind.
    Absent,
}

/// What must hold of a call whatever it asks for. Its answer, where there is one that may be looked at.
pub(super) fn answer<'a>(
    world: &World,
    person: &Person,
    question: &Question,
    asked: &'a Asked,
) -> Option<&'a Value> {
    deadline(world, asked);
    match &asked.result {
        Ok(answer) => {
            covers(world, person, question, asked, answer);
            Some(answer)
        }
        Err(Some(error)) => {
            failed(world, person, question, asked, error);
            None
        }
        Err(None) => None,
    }
}

/// What the answer says of clusters agrees with itself, with who was asked and with what they were asked for.
fn covers(world: &World, person: &Person, question: &Question, asked: &Asked, answer: &Value) {
    let (said, expected) = (&answer["clusters"], question.clusters(world, person).len());
    let answered = said["answered"].as_u64().and_then(|answered| usize::try_from(answered).ok());
    let answered = answered.unwrap_or(usize::MAX);
    if said["expected"] != expected {
        world.trail.violated(format_args!("{} asked {expected} clusters and is told of {said}", person.name));
    }
    let out = list(said, "problems").filter(|problem| is_unanswered(problem)).count();
    if answered.saturating_add(out + list(said, "rejoined").count()) != expected {
        world.trail.violated(format_args!("{answered} clusters are said to have answered: {said}"));
    }
    let partial = answer.get("partial").is_some();
    if partial == is_complete(answer) {
        world.trail.violated(format_args!("the answer is partial: {partial}, and says {said}"));
    }
    if question.min_coverage.is_some_and(|percent| !are_enough(answered, expected, percent)) {
        world.trail.violated(format_args!("{answered} clusters are fewer than were wanted: {question:?}"));
    }
    if question.freshness == Freshness::Live && age(answer) > asked.took {
        world.trail.violated(format_args!("what was read after {:?} was asked before: {said}", asked.took));
    }
}

/// A call fails only where the answer would be nothing, and says why.
fn failed(world: &World, person: &Person, question: &Question, asked: &Asked, error: &CallError) {
    let clusters = question.clusters(world, person);
    let answered = asked.legs.iter().filter(|leg| leg.status.answered()).count();
    let is_right = match error.code {
        ErrorCode::Unavailable | ErrorCode::Timeout => match (question.min_coverage, too_few(error)) {
            (Some(percent), Some(told)) => {
                let agrees = asked.legs.is_empty() || told == (answered, clusters.len());
                agrees && !are_enough(told.0, clusters.len(), percent)
            }
            _ => answered == 0,
        },
        ErrorCode::Forbidden => clusters.iter().all(|cluster| !question.is_allowed(person, cluster.name)),
        // That there is no such object is for those to judge who asked for one.
        ErrorCode::NotFound if question.name.is_some() => true,
        // No cluster has told of the kind. An agent that does not follow what is served tells of it once it is asked.
        ErrorCode::NotFound => {
            let began = world.trail.began();
            clusters.iter().any(|cluster| cluster.truth(question.kind).served_since(began).contains(&false))
        }
        // Told by `deadline`.
        ErrorCode::Internal => true,
        _ => false,
    };
    if !is_right {
        world.trail.violated(format_args!("{question:?} of {} failed: {}: {error}", person.name, error.code));
    }
}

/// How many of how many clusters answered, where the call failed because they are too few.
fn too_few(error: &CallError) -> Option<(usize, usize)> {
    let (answered, rest) = error.message.strip_prefix("minCoverage: ")?.split_once(" of ")?;
    let (expected, _) = rest.split_once(' ')?;
    Some((answered.parse().ok()?, expected.parse().ok()?))
}

/// What the answer has of a cluster.
pub(super) fn part(answer: &Value, cluster: &str) -> Part {
    let said = &answer["clusters"];
    if list(said, "absent").any(|absent| absent == cluster) {
        return Part::Absent;
    }
    if list(said, "rejoined").any(|rejoined| rejoined == cluster) {
        return Part::Missing;
    }
    match problem(answer, cluster)["rowsShown"].as_str() {
        Some("none") => Part::Missing,
        Some("partial") => Part::Cut,
        _ => Part::All,
    }
}

/// What is said against a cluster; `null` where there is nothing.
pub(super) fn problem<'a>(answer: &'a Value, cluster: &str) -> &'a Value {
    let mut problems = list(&answer["clusters"], "problems");
    problems.find(|problem| problem["cluster"] == cluster).unwrap_or(&Value::Null)
}

/// Whether nothing is missing from an answer, or may be.
pub(crate) fn is_complete(answer: &Value) -> bool {
    let said = &answer["clusters"];
    list(said, "problems").next().is_none() && list(said, "rejoined").next().is_none()
}

pub(super) fn age(answer: &Value) -> Duration {
    Duration::from_millis(answer["clusters"]["ageMs"].as_u64().unwrap_or_default())
}

fn list<'a>(said: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    said[name].as_array().into_iter().flatten()
}

fn is_unanswered(problem: &Value) -> bool {
    match problem["status"].as_str() {
        Some("ok") => false,
        Some("stale") => problem["rowsShown"] == "partial",
        _ => true,
    }
}

/// Whether so many are at least `percent` of a hundred.
fn are_enough(answered: usize, expected: usize, percent: usize) -> bool {
    answered * 100 >= percent * expected
}
