//! What may stand for each argument whose values only the clusters know.
//!
//! Each function is named in the declaration of the arguments that it completes. A completer is handed the word that is being
//! written; what else it needs stands on the [`Line`].

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use kubeplex_gateway::tools::catalogue;

use super::line::Line;
use super::question::{Question, Row};

/// What has pods, as the argument of `logs` may name it.
const WITH_PODS: [&str; 6] = ["deployment/", "statefulset/", "daemonset/", "replicaset/", "job/", "cronjob/"];

type Words = Vec<(String, Option<String>)>;

/// A cluster.
pub(crate) fn cluster() -> ArgValueCompleter {
    completer(|line, current| matching(known_clusters(line), "", current))
}

/// Clusters, as a comma list.
pub(crate) fn clusters() -> ArgValueCompleter {
    completer(|line, current| listed(current, |_| known_clusters(line)))
}

/// A namespace of the clusters that the line names.
pub(crate) fn namespace() -> ArgValueCompleter {
    completer(|line, current| matching(names(line, "namespaces", current), "", current))
}

/// Namespaces, as a comma list.
pub(crate) fn namespaces() -> ArgValueCompleter {
    completer(|line, current| listed(current, |last| names(line, "namespaces", last)))
}

/// `KIND`, `KIND/NAME`, or a name after a kind.
pub(crate) fn object() -> ArgValueCompleter {
    completer(|line, current| match (line.object().as_slice(), current.split_once('/')) {
        (_, Some((kind, name))) => matching(names(line, kind, name), &format!("{kind}/"), name),
        ([kind, given @ ..], None) if !given.is_empty() => {
            let mut named = names(line, kind, current);
            named.retain(|(name, _)| name == current || !given.contains(&name.as_str()));
            matching(named, "", current)
        }
        _ => matching(kinds(line), "", current),
    })
}

/// A pod, or `KIND/NAME` of what has pods.
pub(crate) fn logged() -> ArgValueCompleter {
    completer(|line, current| match current.split_once('/') {
        Some((kind, name)) => matching(names(line, kind, name), &format!("{kind}/"), name),
        None => {
            let mut words = names(line, "pods", current);
            words.extend(WITH_PODS.map(|kind| (kind.to_owned(), None)));
            matching(words, "", current)
        }
    })
}

/// A tool that can be called.
pub(crate) fn tool() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let tools = catalogue().tools().iter();
        let words = tools.map(|tool| (tool.name.to_owned(), Some(tool.title.to_owned()))).collect();
        matching(words, "", &current.to_string_lossy())
    })
}

fn completer(of: fn(&Line, &str) -> Vec<CompletionCandidate>) -> ArgValueCompleter {
    ArgValueCompleter::new(move |current: &OsStr| {
        let line = Line::of_process();
        line.map_or_else(Vec::new, |line| of(&line, &current.to_string_lossy()))
    })
}

/// Those words that begin as what is written; `before` stands before each.
fn matching(words: Words, before: &str, begun: &str) -> Vec<CompletionCandidate> {
    let words = words.into_iter().filter(|(word, _)| word.starts_with(begun));
    words
        .map(|(word, said)| CompletionCandidate::new(format!("{before}{word}")).help(said.map(Into::into)))
        .collect()
}

/// The last word of a comma list; what stands before it stays, and is not offered again.
fn listed(current: &str, words: impl FnOnce(&str) -> Words) -> Vec<CompletionCandidate> {
    let Some((before, last)) = current.rsplit_once(',') else { return matching(words(current), "", current) };
    let given: HashSet<&str> = before.split(',').collect();
    let mut words = words(last);
    words.retain(|(word, _)| !given.contains(word.as_str()));
    matching(words, &format!("{before},"), last)
}

fn known_clusters(line: &Line) -> Words {
    let question = Question::of("clusters_list", ["name", "link"]).about("fields", Some("name,link"));
    ask(line, question).into_iter().filter_map(|[name, link]| Some((name?, link))).collect()
}

/// What can be listed: by the short name where that says enough, else with the group.
fn kinds(line: &Line) -> Words {
    let question = Question::of("api_resources_list", ["name", "group", "verbs"]);
    let question = within(line, question.about("fields", Some("name,group,verbs")));
    let listed = |verbs: &str| verbs == "all" || verbs.split(',').any(|verb| verb == "list");
    let kinds = ask(line, question).into_iter().filter(|[.., verbs]| verbs.as_deref().is_some_and(listed));
    let kinds: Words = kinds.filter_map(|[name, group, _]| Some((name?, group))).collect();
    let mut groups = HashMap::new();
    for (name, _) in &kinds {
        *groups.entry(name.clone()).or_insert(0) += 1;
    }
    let whole = |(name, group): (String, Option<String>)| match &group {
        Some(of) if groups[&name] > 1 => (format!("{name}.{of}"), group),
        _ => (name, group),
    };
    kinds.into_iter().map(whole).collect()
}

/// Names of a kind that begin so, each once, however many clusters have it.
fn names(line: &Line, kind: &str, begun: &str) -> Words {
    let can_stand =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte));
    if kind.is_empty() || !can_stand(kind) || !can_stand(begun) {
        return Vec::new();
    }
    let query = format!("kind:{kind} name:{begun}*");
    let question = Question::of("fleet_search", ["name"]).about("query", Some(&query));
    let question = within(line, question.about("groupBy", Some("name")));
    let namespace = line.value("namespace").filter(|_| kind != "namespaces");
    let rows = ask(line, question.about("namespace", namespace));
    rows.into_iter().filter_map(|[name]| Some((name?, None))).collect()
}

/// In the clusters that the line names.
fn within<const N: usize>(line: &Line, question: Question<N>) -> Question<N> {
    let question = question.about("cluster", line.value("cluster"));
    question.about("clusterSelector", line.value("cluster_selector"))
}

fn ask<const N: usize>(line: &Line, question: Question<N>) -> Vec<Row<N>> {
    line.target().map_or_else(Vec::new, |target| question.ask(target))
}
