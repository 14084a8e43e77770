//! Searches: which kinds are looked through, and what is said of the others.

use std::collections::BTreeMap;

use kubeplex_proto::search::{Condition, NotSearched, Phrase, Search, SearchHead, Term};
use kubeplex_proto::sort::{Direction, KeyValue, SortBy, SortTerm};
use kubeplex_proto::status::LegStatus;
use kubeplex_proto::visibility::{Reach, VisibilityRule};
use simcluster::{Fault, FaultAction, Policy, Rule, Subject, User};

use super::*;
use crate::config::Deny;

fn term(condition: Condition) -> Term {
    Term { negated: false, condition }
}

fn word(text: &str) -> Term {
    term(Condition::Word(Phrase::Part(text.to_owned())))
}

fn kind(name: &str) -> Term {
    term(Condition::Kind(vec![Pattern::new(name)]))
}

fn search_for(terms: Vec<Term>) -> ListRequest {
    let by = |by| SortTerm { by, direction: Direction::Ascending };
    let field = |word: &str| by(SortBy::Field(word.to_owned()));
    ListRequest {
        search: Some(Search { terms }),
        sort: vec![field("match"), field("kind"), by(SortBy::Constant(KeyValue::text("sim")))],
        ..list_of("objects")
    }
}

fn said(answer: &ListAnswer) -> &SearchHead {
    answer.head.search.as_ref().unwrap()
}

fn left_out(answer: &ListAnswer, why: NotSearched) -> Vec<&str> {
    said(answer).not_searched.get(&why).into_iter().flatten().map(String::as_str).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_watched_is_searched_and_the_rest_is_named() {
    let world = World::start();
    // Of its kinds only nodes and namespaces are watched before somebody asks.
    let answer = world.list(&search_for(vec![word("shop")])).await.unwrap();
    assert_eq!((answer.head.status, answer.head.message.as_deref()), (LegStatus::Ok, None));
    assert_eq!(answer.columns(), ["kind", "name", "status", "age", "match"]);
    assert!(said(&answer).kinds.keys().all(|kind| kind == "namespaces"), "{:?}", said(&answer).kinds);
    let not_watched = left_out(&answer, NotSearched::NotWatched);
    assert!(not_watched.contains(&"pods") && !not_watched.contains(&"nodes"), "{not_watched:?}");

    let named = world.list(&search_for(vec![kind("pods")])).await.unwrap();
    let pods = world.sim.count(&simcluster::Gvr::core("pods")) as u64;
    assert_eq!(said(&named).kinds, BTreeMap::from([("pods".to_owned(), pods)]));
    assert_eq!(said(&named).not_searched, BTreeMap::new(), "nothing else is meant");
    assert_eq!((named.head.total, named.rows().count() as u64), (pods, pods));

    // From then on it is watched, and found without being named.
    let name = named.rows().next().unwrap().key.name.clone();
    let found = world.list(&search_for(vec![word(&name)])).await.unwrap();
    assert_eq!(found.rows().next().map(|row| row.key.name.as_str()), Some(name.as_str()));
}

#[tokio::test(start_paused = true)]
async fn events_are_searched_where_they_are_named() {
    let world = World::start();
    world.list(&list_of("events")).await.unwrap();
    let answer = world.list(&search_for(vec![word("a")])).await.unwrap();
    assert_eq!(left_out(&answer, NotSearched::OnlyByName), ["events"]);
    let named = world.list(&search_for(vec![kind("events")])).await.unwrap();
    assert!(said(&named).kinds["events"] > 0);
}

#[tokio::test(start_paused = true)]
async fn kinds_that_a_caller_may_not_see_are_like_none() {
    let world = World::start();
    world.list(&list_of("pods")).await.unwrap();
    let only = |kinds: &str, namespaces: &str| {
        let reach = |name| Reach::Only(vec![Pattern::new(name)]);
        Visibility::of(vec![VisibilityRule::of(reach(kinds), reach(namespaces))])
    };
    let mut request = search_for(vec![word("o")]);
    request.context.visibility = only("pods", "shop");
    let answer = world.list(&request).await.unwrap();
    assert_eq!(said(&answer).not_searched, BTreeMap::new());
    assert!(answer.rows().count() > 0);
    assert!(answer.rows().all(|row| row.cells[0] == "pods" && row.key.namespace == "shop"));
    assert_eq!(answer.head.total, answer.rows().count() as u64);
    request.context.visibility = Visibility::nothing();
    assert_eq!(world.list(&request).await.unwrap().head.total, 0);
}

#[tokio::test(start_paused = true)]
async fn what_the_agent_may_not_watch_is_said_without_waiting() {
    let agent = User::new("agent", &[]);
    let policy = Policy::enforced()
        .user(TOKEN, agent.clone())
        .grant(Subject::User(agent.name), Rule::new("get,list,watch", "nodes,namespaces"));
    let deny = Deny::new(vec![Pattern::new("services")], vec![]);
    let world = World::of(SimConfig { policy, ..small() }, config().with_deny(deny));
    let asked = vec![term(Condition::Kind(patterns(&["pods", "services", "nodes"])))];
    let answer = world.list(&search_for(asked)).await.unwrap();
    assert_eq!(left_out(&answer, NotSearched::Forbidden), ["services", "pods"]);
    assert_eq!((answer.head.status, answer.head.message.as_deref()), (LegStatus::Ok, None));
    assert_eq!(said(&answer).kinds["nodes"], answer.head.total);
}

#[tokio::test(start_paused = true)]
async fn rows_that_are_missing_or_old_are_said() {
    let world = World::start();
    world.list(&list_of("nodes")).await.unwrap();
    world.sim.faults().add(Fault::new(FaultAction::Hang).resource("pods"));
    let started = tokio::time::Instant::now();
    let answer =
        world.list(&search_for(vec![term(Condition::Kind(patterns(&["pods", "nodes"])))])).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(3), "the nodes are there: {:?}", started.elapsed());
    assert_eq!(left_out(&answer, NotSearched::Syncing), ["pods"]);
    // An `ok` that says something is not complete.
    assert_eq!(answer.head.status, LegStatus::Ok);
    assert!(answer.head.message.as_deref().is_some_and(|message| message.starts_with("pods: ")));
    assert_eq!(said(&answer).kinds["nodes"], answer.head.total);
}

fn patterns(names: &[&str]) -> Vec<Pattern> {
    names.iter().copied().map(Pattern::new).collect()
}
