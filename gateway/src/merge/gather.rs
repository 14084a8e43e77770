//! Items of many legs, each answer read whole. What they come to together is each tool's own.

use std::sync::Arc;

use kubeplex_proto::gather::{GatherEnd, GatherHead};
use kubeplex_proto::status::LegStatus;

use crate::error::CallError;
use crate::fleet::ClusterView;
use crate::request::{LegId, Target};

use super::{Coverage, Heard, LegFailure, LegOutcome, RowsShown};

/// Feeds in any order: `head` once a leg, then `items` as they come, then `finish`. Every leg is needed to its end.
pub struct Gather<T> {
    legs: Vec<Leg<T>>,
}

struct Leg<T> {
    cluster: Arc<ClusterView>,
    head: Option<Heard<GatherHead>>,
    items: Vec<T>,
    end: Option<Result<(), LegFailure>>,
}

/// What every leg said.
#[derive(Debug, Clone)]
pub struct Gathered<T> {
    /// By leg, and in the order in which each sent them.
    pub items: Vec<(LegId, T)>,
    /// One for each leg; `None` where it has none.
    pub heads: Vec<Option<Heard<GatherHead>>>,
    pub coverage: Coverage,
}

impl<T> Gather<T> {
    pub fn new(targets: &[Target]) -> Self {
        let leg = |target: &Target| Leg {
            cluster: Arc::clone(&target.cluster),
            head: None,
            items: Vec::new(),
            end: None,
        };
        Self { legs: targets.iter().map(leg).collect() }
    }

    pub fn head(&mut self, leg: LegId, heard: Heard<GatherHead>) {
        let Some(state) = self.legs.get_mut(leg.0).filter(|leg| leg.end.is_none() && leg.head.is_none())
        else {
            return;
        };
        if !heard.head.status.answered() {
            let message = heard.head.message.clone();
            let message = message.unwrap_or_else(|| "its agent gave no reason".to_owned());
            state.end = Some(Err(LegFailure::new(heard.head.status, message)));
        }
        state.head = Some(heard);
    }

    pub fn items(&mut self, leg: LegId, items: Vec<T>) {
        let open = self.legs.get_mut(leg.0).filter(|leg| leg.end.is_none() && leg.head.is_some());
        if let Some(state) = open {
            state.items.extend(items);
        }
    }

    /// The leg is over. A leg that ends before its head has failed.
    pub fn finish(&mut self, leg: LegId, end: Result<GatherEnd, LegFailure>) {
        let Some(state) = self.legs.get_mut(leg.0).filter(|leg| leg.end.is_none()) else { return };
        state.end = Some(match end {
            Err(failure) => Err(failure),
            Ok(_) if state.head.is_none() => {
                Err(LegFailure::new(LegStatus::Error, "its agent's reply ended before it began"))
            }
            Ok(GatherEnd { cut: Some(cut) }) => Err(LegFailure::new(cut.status, cut.message)),
            Ok(GatherEnd { cut: None }) => Ok(()),
        });
    }

    /// What each leg came to so far; `None` for one that was not asked.
    pub(super) fn outcomes(&self) -> Vec<Option<LegOutcome>> {
        let was_asked = |leg: &&Leg<T>| leg.head.is_some() || leg.end.is_some();
        self.legs.iter().map(|leg| Some(leg).filter(was_asked).map(Leg::outcome)).collect()
    }

    pub(super) fn heads(&self) -> impl Iterator<Item = (LegId, Option<&Heard<GatherHead>>)> {
        self.legs.iter().enumerate().map(|(at, leg)| (LegId(at), leg.head.as_ref()))
    }

    /// # Errors
    /// Every leg failed.
    pub fn into_gathered(self) -> Result<Gathered<T>, CallError> {
        let coverage = Coverage { legs: self.legs.iter().map(Leg::outcome).collect() };
        if let Some(error) = coverage.failure() {
            return Err(error);
        }
        let (mut items, mut heads) = (Vec::new(), Vec::with_capacity(self.legs.len()));
        for (at, leg) in self.legs.into_iter().enumerate() {
            items.extend(leg.items.into_iter().map(|item| (LegId(at), item)));
            heads.push(leg.head);
        }
        Ok(Gathered { items, heads, coverage })
    }
}

impl<T> Leg<T> {
    fn outcome(&self) -> LegOutcome {
        let status = self.head.as_ref().map(|heard| heard.head.status);
        let outcome = match &self.end {
            Some(Err(failure)) => {
                // `ok` here: the agent's own byte budget was used up.
                let is_cut = !self.items.is_empty() || failure.status.answered();
                let rows = if is_cut { RowsShown::Partial } else { RowsShown::None };
                LegOutcome::failed(&self.cluster, failure.clone(), rows)
            }
            Some(Ok(())) => LegOutcome::answered(self.cluster.id.clone(), status.unwrap_or(LegStatus::Ok)),
            None => {
                let failure = LegFailure::new(LegStatus::Timeout, "its answer was not waited for");
                LegOutcome::failed(&self.cluster, failure, RowsShown::None)
            }
        };
        outcome.with_head(self.head.as_ref().map(Into::into))
    }
}
