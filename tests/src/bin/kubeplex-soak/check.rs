//! What must hold of every answer, as far as that can be told while time passes for everybody.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use kubeplex_gateway::limits::HANDLER_GRACE;
use kubeplex_tests::rows as listing;
use serde_json::Value;

use crate::people::{Asked, Person};
use crate::stage::Stage;
use crate::truth::Pod;

/// What a busy machine may be late: a change on its way from a store through a watch into a cache, and whoever looks at the clock.
const LATE: Duration = Duration::from_secs(5);

/// The rows of each cluster, in the order of the answer.
pub(crate) fn rows(answer: &Value) -> BTreeMap<String, Vec<(Pod, i64)>> {
    let mut shown: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for row in listing::of(answer) {
        let pod = (row.namespace.clone(), row.name().to_owned());
        let state = row.cell("restarts").as_i64().unwrap_or(-1);
        shown.entry(row.cluster).or_default().push((pod, state));
    }
    shown
}

/// A call is over in time, and fails only for want of clusters.
pub(crate) fn deadline(stage: &Stage, person: &Person, asked: &Asked) {
    let (took, most) = (asked.ended - asked.began, asked.timeout + HANDLER_GRACE + LATE);
    if took > most {
        stage.violated(format_args!("a call of {} took {took:?} and may take {most:?}", person.name));
    }
    if let Err(error) = &asked.result
        && !["unavailable", "timeout"].contains(&error["code"].as_str().unwrap_or_default())
    {
        stage.violated(format_args!("a call of {} failed: {error}", person.name));
    }
}

/// An answer with everything shows what was true at a moment that is not longer ago than it says, and leaves nothing out
/// without a word.
pub(crate) fn answer(stage: &Stage, person: &Person, asked: &Asked, namespace: Option<&str>) {
    deadline(stage, person, asked);
    let Ok(answer) = &asked.result else { return };
    reach(stage, person, answer);
    let mut shown = rows(answer);
    let problems = problems(answer);
    let Some(since) = since(asked.began, answer) else { return };
    for cluster in person.clusters(stage) {
        let rows = shown.remove(cluster.name).unwrap_or_default();
        let places: BTreeSet<&Pod> = rows.iter().map(|(pod, _)| pod).collect();
        if places.len() < rows.len() {
            stage.violated(format_args!("{} shows a row twice: {answer}", cluster.name));
        }
        for (pod, state) in &rows {
            if !cluster.truth.was(pod, *state, since, asked.ended) {
                stage.violated(format_args!("{}: {pod:?} was not {state}: {answer}", cluster.name));
            }
        }
        match problems.get(cluster.name).map(String::as_str) {
            Some("none") if rows.is_empty() => {}
            Some("none") => {
                stage
                    .violated(format_args!("{} is said to be missing, and is shown: {answer}", cluster.name));
            }
            Some("partial") => {}
            _ => {
                let wanted = |pod: &&Pod| person.sees(pod) && namespace.is_none_or(|only| pod.0 == only);
                let stood = cluster.truth.stood(since, asked.ended);
                if let Some(pod) = stood.iter().filter(wanted).find(|pod| !places.contains(pod)) {
                    stage.violated(format_args!("{}: {pod:?} is left out: {answer}", cluster.name));
                }
            }
        }
    }
}

/// Over the pages of a listing, whatever stood still is shown once.
pub(crate) fn pages(stage: &Stage, person: &Person, pages: &[Asked]) {
    let answers: Vec<&Value> = pages.iter().filter_map(|asked| asked.result.as_ref().ok()).collect();
    let (Some(first), Some(last)) = (pages.first(), pages.last()) else { return };
    let mut shown: BTreeMap<(String, Pod), usize> = BTreeMap::new();
    let mut incomplete = BTreeSet::new();
    for answer in &answers {
        reach(stage, person, answer);
        incomplete.extend(problems(answer).into_keys());
        let rejoined = answer["clusters"]["rejoined"].as_array().into_iter().flatten();
        incomplete.extend(rejoined.filter_map(Value::as_str).map(str::to_owned));
        for (cluster, rows) in rows(answer) {
            rows.into_iter().for_each(|(pod, _)| *shown.entry((cluster.clone(), pod)).or_default() += 1);
        }
    }
    let Some(since) = answers.iter().map(|answer| self::since(first.began, answer)).min().flatten() else {
        return;
    };
    for cluster in person.clusters(stage) {
        for pod in cluster.truth.stood(since, last.ended).into_iter().filter(|pod| person.sees(pod)) {
            let times = shown.get(&(cluster.name.to_owned(), pod.clone())).copied().unwrap_or_default();
            if times > 1 || times == 0 && !incomplete.contains(cluster.name) {
                let (name, count) = (cluster.name, pages.len());
                stage
                    .violated(format_args!("{name}: {pod:?} stood still and is on {times} of {count} pages"));
            }
        }
    }
}

/// Nothing is shown that is not the person's to see, and no cluster that exists for them is left out of the count.
fn reach(stage: &Stage, person: &Person, answer: &Value) {
    let clusters: BTreeSet<_> = person.clusters(stage).map(|cluster| cluster.name).collect();
    for (cluster, rows) in rows(answer) {
        if !clusters.contains(cluster.as_str()) || rows.iter().any(|(pod, _)| !person.sees(pod)) {
            stage.violated(format_args!("{} was shown too much of {cluster}: {answer}", person.name));
        }
    }
    if answer["clusters"]["expected"].as_u64() != Some(clusters.len() as u64) {
        stage.violated(format_args!("{} is told of {}", person.name, answer["clusters"]));
    }
}

/// What of the rows of troubled clusters is shown.
fn problems(answer: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let problems = answer["clusters"]["problems"].as_array().into_iter().flatten();
    problems.map(|problem| (text(&problem["cluster"]), text(&problem["rowsShown"]))).collect()
}

/// From when on what an answer shows may be; `None` where that is before there was a clock.
fn since(began: Instant, answer: &Value) -> Option<Instant> {
    let age = Duration::from_millis(answer["clusters"]["ageMs"].as_u64().unwrap_or_default());
    began.checked_sub(age + LATE)
}
