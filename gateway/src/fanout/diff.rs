//! Comparing: digests of every cluster, then what those objects are made of that differ, from one cluster for each that is
//! different.

use std::collections::BTreeMap;

use kubeplex_proto::digest::ObjectRef;
use kubeplex_proto::paths;

use super::Asked;
use super::gather::gather;
use super::leg::Leg;
use crate::error::CallError;
use crate::merge::{DiffPage, DigestTable};
use crate::request::{DiffQuery, LegId, legs as legs_of};

pub(super) async fn compare(
    query: &DiffQuery,
    asked: Asked<'_>,
    legs: Vec<Leg<'_>>,
) -> Result<DiffPage, CallError> {
    let digests = gather(asked, legs, paths::DIGESTS, |_, context| query.digests_of_leg(context)).await?;
    let table = DigestTable::new(query, digests)?;
    let wanted: BTreeMap<LegId, Vec<ObjectRef>> = table.wanted();
    if wanted.is_empty() {
        return Ok(table.into_page(Vec::new()));
    }
    let second = legs_of(&query.targets)
        .filter(|(id, _)| wanted.contains_key(id))
        .map(|(id, cluster)| Leg::new(asked, id, cluster));
    let question =
        |id: LegId, context| query.intents_of_leg(wanted.get(&id).cloned().unwrap_or_default(), context);
    let intents = gather(asked, second.collect(), paths::INTENTS, question).await;
    // That none of those asked again answers is no reason to keep back what is known.
    Ok(table.into_page(intents.map(|gathered| gathered.items).unwrap_or_default()))
}
