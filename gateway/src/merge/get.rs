//! Objects of many legs, equal ones once.

use std::collections::HashMap;
use std::sync::Arc;

use kubeplex_proto::compare::{drop_managed_fields, keep_common, without_noise};
use kubeplex_proto::get::{FoundObject, GetEnd, GetHead};
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::status::LegStatus;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::error::{CallError, ErrorCode};
use crate::fleet::ClusterView;
use crate::limits::MAX_DISTINCT_OBJECTS;
use crate::request::{GetQuery, LegId};

use super::not_found::{asked, not_found};
use super::{Coverage, Heard, LegFailure, LegOutcome, RowsShown};

/// Feeds in any order: `head` once a leg, then `object` as they come, then `finish`. Every leg is needed to its end.
///
/// Memory holds one copy of each distinct object, and no more of them than may be shown.
pub struct GetMerge {
    legs: Vec<Leg>,
    kind: GroupResource,
    /// What was asked for, for messages.
    asked: String,
    /// By the hash of what is compared.
    objects: HashMap<[u8; 32], SharedObject>,
    too_many: bool,
}

struct Leg {
    cluster: Arc<ClusterView>,
    head: Option<Heard<GetHead>>,
    objects: u64,
    end: Option<Result<(), LegFailure>>,
}

/// Distinct objects with their clusters, and what every leg said.
#[derive(Debug, Clone)]
pub struct GetPage {
    /// By namespace and name, the most common of a name first.
    pub objects: Vec<SharedObject>,
    pub coverage: Coverage,
}

/// An object, and the clusters that hold it.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedObject {
    pub namespace: Option<String>,
    pub name: String,
    /// What all its clusters agree on.
    pub object: Value,
    pub legs: Vec<LegId>,
}

impl GetMerge {
    pub fn new(query: &GetQuery) -> Self {
        let legs = query.targets.iter().map(|target| Leg {
            cluster: Arc::clone(&target.cluster),
            head: None,
            objects: 0,
            end: None,
        });
        Self {
            legs: legs.collect(),
            kind: query.kind.clone(),
            asked: asked(&query.kind, &query.names),
            objects: HashMap::new(),
            too_many: false,
        }
    }

    pub fn head(&mut self, leg: LegId, heard: Heard<GetHead>) {
        let Some(state) = self.legs.get_mut(leg.0).filter(|leg| leg.end.is_none() && leg.head.is_none())
        else {
            return;
        };
        let head = &heard.head;
        if !head.status.answered() {
            let message = head.message.clone().unwrap_or_else(|| "its agent gave no reason".to_owned());
            state.end = Some(Err(LegFailure::new(head.status, message)));
            return;
        }
        self.too_many |= head.total > MAX_DISTINCT_OBJECTS as u64;
        state.head = Some(heard);
    }

    pub fn object(&mut self, leg: LegId, found: FoundObject) {
        let Some(state) = self.legs.get_mut(leg.0).filter(|leg| leg.end.is_none() && leg.head.is_some())
        else {
            return;
        };
        state.objects += 1;
        let FoundObject { namespace, name, mut object } = found;
        let compared = hash(without_noise(&object));
        drop_managed_fields(&mut object);
        if let Some(known) = self.objects.get_mut(&compared) {
            keep_common(&mut known.object, &object);
            known.legs.push(leg);
        } else if self.objects.len() < MAX_DISTINCT_OBJECTS {
            self.objects.insert(compared, SharedObject { namespace, name, object, legs: vec![leg] });
        } else {
            self.too_many = true;
        }
    }

    /// The leg is over. A leg that ends before its head has failed.
    pub fn finish(&mut self, leg: LegId, end: Result<GetEnd, LegFailure>) {
        let Some(state) = self.legs.get_mut(leg.0).filter(|leg| leg.end.is_none()) else { return };
        state.end = Some(match end {
            Err(failure) => Err(failure),
            Ok(_) if state.head.is_none() => {
                Err(LegFailure::new(LegStatus::Error, "its agent's reply ended before it began"))
            }
            Ok(GetEnd { cut: Some(cut) }) => Err(LegFailure::new(cut.status, cut.message)),
            Ok(GetEnd { cut: None }) => Ok(()),
        });
    }

    /// # Errors
    /// Every leg failed; nothing found in any (`not_found`); more distinct objects than may be shown (`too_large`).
    pub fn into_page(self) -> Result<GetPage, CallError> {
        let coverage = Coverage { legs: self.legs.iter().map(|leg| leg.outcome(&self.kind)).collect() };
        if let Some(error) = coverage.failure() {
            return Err(error);
        }
        if self.too_many {
            return Err(self.too_large());
        }
        if self.objects.is_empty() && !coverage.is_partial() {
            return Err(not_found(&self.kind, &self.asked, &coverage));
        }
        let mut objects: Vec<_> = self.objects.into_values().collect();
        for object in &mut objects {
            object.legs.sort_unstable();
        }
        objects.sort_by(|a, b| {
            let by_name = (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name));
            by_name.then_with(|| b.legs.len().cmp(&a.legs.len())).then_with(|| a.legs.cmp(&b.legs))
        });
        Ok(GetPage { objects, coverage })
    }

    fn too_large(&self) -> CallError {
        let mut counts: Vec<_> = self
            .legs
            .iter()
            .filter_map(|leg| Some((leg.cluster.id.as_str(), leg.head.as_ref()?.head.total)))
            .filter(|(_, count)| *count > 0)
            .collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let all: u64 = counts.iter().map(|(_, count)| count).sum();
        let shown: Vec<_> =
            counts.iter().take(10).map(|(cluster, count)| format!("{cluster} {count}")).collect();
        let more = if counts.len() > shown.len() { ", …" } else { "" };
        let message = format!(
            "{} matches {all} objects, more than {MAX_DISTINCT_OBJECTS} of them distinct ({}{more})",
            self.asked,
            shown.join(", ")
        );
        CallError::new(ErrorCode::TooLarge, message)
            .with_hint("narrow name, namespace or cluster, or take resources_list for a table")
    }
}

impl Leg {
    fn status(&self) -> Option<LegStatus> {
        self.head.as_ref().map(|heard| heard.head.status)
    }

    fn outcome(&self, kind: &GroupResource) -> LegOutcome {
        let mut outcome = match &self.end {
            Some(Err(failure)) => {
                // `ok` here: the agent's own byte budget was used up.
                let is_cut = self.objects > 0 || failure.status.answered();
                let rows = if is_cut { RowsShown::Partial } else { RowsShown::None };
                LegOutcome::failed(&self.cluster, failure.clone(), rows)
            }
            Some(Ok(())) => {
                LegOutcome::answered(self.cluster.id.clone(), self.status().unwrap_or(LegStatus::Ok))
            }
            None => {
                let failure = LegFailure::new(LegStatus::Timeout, "its answer was not waited for");
                LegOutcome::failed(&self.cluster, failure, RowsShown::None)
            }
        };
        outcome.last_known = self.cluster.last_known_objects(kind);
        outcome.with_head(self.head.as_ref().map(Into::into))
    }
}

/// Of the canonical text: keys sorted, because two API servers need not agree on their order.
fn hash(mut value: Value) -> [u8; 32] {
    value.sort_all_objects();
    Sha256::digest(value.to_string()).into()
}

#[cfg(test)]
mod tests;
