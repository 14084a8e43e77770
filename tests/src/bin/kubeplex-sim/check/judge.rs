//! Whether what an answer shows of one cluster was true when it says so.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::coverage::{ABSENT_BELIEVED, Part, age, part, problem};
use crate::ask::Asked;
use crate::cluster::Cluster;
use crate::people::Person;
use crate::question::{Freshness, Question};
use crate::truth::{Place, State};
use crate::world::World;

/// Ages are told in whole milliseconds, by the agent and by the gateway.
const ROUNDING: Duration = Duration::from_millis(3);

/// An answer, and who asked for it.
pub(super) struct Judge<'a> {
    pub(super) world: &'a World,
    pub(super) person: &'a Person,
    pub(super) question: &'a Question,
    pub(super) asked: &'a Asked,
    pub(super) answer: &'a Value,
}

impl Judge<'_> {
    /// Judges what is shown of a cluster; `shown` is nothing where the cluster is not in the answer.
    pub(super) fn rows(&self, cluster: &Cluster, shown: &State) {
        self.told(cluster, !shown.is_empty());
        match part(self.answer, cluster.name) {
            Part::Missing | Part::Absent => {}
            Part::Cut => {
                let truth = cluster.truth(self.question.kind);
                for (place, number) in shown.iter().filter(|(place, number)| !truth.ever(place, **number)) {
                    self.violated(cluster, format_args!("{place:?} was never {number}"));
                }
            }
            Part::All => {
                if let Some(wrong) = never_so(shown, &self.states(cluster)) {
                    self.violated(cluster, wrong);
                }
            }
        }
    }

    /// Judges what is said of a cluster in place of rows, or beside them.
    pub(super) fn told(&self, cluster: &Cluster, is_shown: bool) {
        let part = part(self.answer, cluster.name);
        if is_shown && matches!(part, Part::Missing | Part::Absent) {
            self.violated(cluster, format_args!("it is shown, and said to be {part:?}"));
        }
        if part == Part::Absent {
            let believed = ABSENT_BELIEVED + cluster.line.late_since(self.asked.began);
            let since = before(self.world, self.asked.began, believed);
            if !cluster.truth(self.question.kind).served_since(since).contains(&false) {
                self.violated(cluster, "it is said not to have a kind that it has");
            }
        }
        let is_forbidden = problem(self.answer, cluster.name)["status"] == "forbidden";
        match self.question.is_allowed(self.person, cluster.name) {
            true if is_forbidden => self.violated(cluster, "it is forbidden to who may"),
            false if part != Part::Missing && part != Part::Absent => {
                self.violated(cluster, "it is shown to who may not");
            }
            _ => {}
        }
    }

    /// What of the truth the question is about, at each moment at which the answer may have been right.
    pub(super) fn states(&self, cluster: &Cluster) -> Vec<State> {
        let states = cluster.truth(self.question.kind).since(self.since(cluster));
        states.iter().map(|state| self.question.meant(self.person, state)).collect()
    }

    /// The first moment at which what is shown of a cluster may have been true.
    fn since(&self, cluster: &Cluster) -> Instant {
        match self.question.freshness {
            Freshness::Live => self.asked.began,
            Freshness::Cache => {
                // An age is counted from when the gateway heard of it.
                let heard = before(self.world, self.asked.ended(), age(self.answer) + ROUNDING);
                before(self.world, heard, cluster.line.late_since(heard))
            }
        }
    }

    pub(super) fn violated(&self, cluster: &Cluster, what: impl std::fmt::Display) {
        let Self { world, person, question, answer, .. } = self;
        world
            .trail
            .violated(format_args!("{}: {what}; {question:?} of {}: {answer}", cluster.name, person.name));
    }
}

/// So long before a moment, or the beginning.
pub(super) fn before(world: &World, moment: Instant, duration: Duration) -> Instant {
    moment.checked_sub(duration).unwrap_or_else(|| world.trail.began())
}

/// What an answer shows that was true at none of these moments, or leaves out that was there at all of them. A cluster may be
/// asked for its rows in several parts, so rows of one answer need not be of one moment.
fn never_so(shown: &State, states: &[State]) -> Option<String> {
    let invented =
        shown.iter().find(|(place, number)| states.iter().all(|state| state.get(*place) != Some(*number)));
    let stood = |place: &&Place| states.iter().all(|state| state.contains_key(*place));
    let left_out = states.first()?.keys().filter(stood).find(|place| !shown.contains_key(*place));
    match (invented, left_out) {
        (Some((place, number)), _) => Some(format!("{place:?} is shown as {number}, which it was not")),
        (None, Some(place)) => Some(format!("{place:?} was there and is left out")),
        (None, None) => None,
    }
}
