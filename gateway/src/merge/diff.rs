//! Objects of many legs that are called alike, compared.
//!
//! Legs tell digests first. Of an object that not all have alike, one of each that are different is asked for, and what these
//! are made of is compared path by path, the one that the others are compared with first.

mod paths;

use std::collections::{BTreeMap, BTreeSet};

use kubeplex_proto::digest::{DigestItem, Look, ObjectDigest, ObjectIntent, ObjectRef};
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::pattern::Pattern;
use serde_json::Value;

use crate::error::{CallError, ErrorCode};
use crate::limits::{MAX_DIFFERING_OBJECTS, MAX_SIDES};
use crate::request::{Against, DiffQuery, LegId};

use super::not_found::{asked, not_found};
use super::{Coverage, Gathered};

pub use paths::Difference;

/// What is compared with the others: a cluster, one of two namespaces of one, or a manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    Manifest,
    Cluster(LegId),
    Namespace(LegId, String),
}

/// What objects that are compared have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Called {
    pub kind: GroupResource,
    /// Empty for what is in none, and where two namespaces are compared.
    pub namespace: String,
    pub name: String,
}

/// The digests of all legs.
pub struct DigestTable<'q> {
    query: &'q DiffQuery,
    /// By what they are called, and by their digests.
    objects: BTreeMap<Called, BTreeMap<String, Vec<(Side, ObjectRef)>>>,
    looks: BTreeMap<GroupResource, BTreeMap<LegId, Look>>,
    coverage: Coverage,
}

/// What differs, and what every leg said.
#[derive(Debug, Clone)]
pub struct DiffPage {
    /// All objects that were compared.
    pub total: usize,
    /// Of them those that are everywhere alike.
    pub equal: usize,
    /// The others, as many as are compared at once; where there is but one, that one.
    pub objects: Vec<ObjectDiff>,
    /// How many more differ.
    pub more: usize,
    /// Whether there are ConfigMaps among them.
    pub config_maps: bool,
    /// Kinds that some of the clusters do not have, or could not be looked at there.
    pub kinds: BTreeMap<GroupResource, BTreeMap<Look, Vec<LegId>>>,
    pub coverage: Coverage,
}

/// How objects that are called alike differ.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectDiff {
    pub called: Called,
    /// Those that are alike, and that the others are compared with.
    pub agree: Vec<Side>,
    pub differ: Vec<Difference>,
    /// Where there is none.
    pub missing: Vec<Side>,
    /// Those that differ, and of which nobody could tell by what.
    pub unread: Vec<Side>,
}

impl<'q> DigestTable<'q> {
    /// # Errors
    /// `not_found` where no cluster has any of the objects.
    pub fn new(query: &'q DiffQuery, gathered: Gathered<DigestItem>) -> Result<Self, CallError> {
        let Gathered { items, coverage, .. } = gathered;
        let mut table = Self { query, objects: BTreeMap::new(), looks: BTreeMap::new(), coverage };
        for (leg, item) in items {
            match item {
                DigestItem::Kind(look) => {
                    table.looks.entry(look.kind).or_default().insert(leg, look.state);
                }
                DigestItem::Object(found) => table.add(leg, found),
            }
        }
        if let Against::Manifest(written) = &query.against {
            let known = std::mem::take(&mut table.objects);
            for written in written {
                let called = called(query, &written.object);
                let mut by_digest = known.get(&called).cloned().unwrap_or_default();
                let digest = kubeplex_proto::compare::digest(&written.intent);
                by_digest.entry(digest).or_default().push((Side::Manifest, written.object.clone()));
                table.objects.insert(called, by_digest);
            }
        }
        if table.objects.is_empty() && !table.coverage.is_partial() {
            return Err(table.nothing_found());
        }
        Ok(table)
    }

    fn add(&mut self, leg: LegId, found: ObjectDigest) {
        let side = match &self.query.to_namespace {
            Some(_) => Side::Namespace(leg, found.object.namespace.clone()),
            None => Side::Cluster(leg),
        };
        let by_digest = self.objects.entry(called(self.query, &found.object)).or_default();
        by_digest.entry(found.digest).or_default().push((side, found.object));
    }

    /// What must be read to tell by what objects differ: of each that are alike the first.
    pub fn wanted(&self) -> BTreeMap<LegId, Vec<ObjectRef>> {
        let mut wanted: BTreeMap<LegId, Vec<ObjectRef>> = BTreeMap::new();
        let differing = self.objects.values().filter(|by_digest| by_digest.len() > 1);
        for by_digest in differing.take(MAX_DIFFERING_OBJECTS) {
            for alike in by_digest.values() {
                let (Some((side, object)), false) = (alike.first(), is_written(alike)) else { continue };
                if let Side::Cluster(leg) | Side::Namespace(leg, _) = side {
                    wanted.entry(*leg).or_default().push(object.clone());
                }
            }
        }
        wanted
    }

    /// `intents` is what was read of what was wanted.
    pub fn into_page(self, intents: Vec<(LegId, ObjectIntent)>) -> DiffPage {
        let read: BTreeMap<(LegId, ObjectRef), Value> =
            intents.into_iter().map(|(leg, found)| ((leg, found.object), found.intent)).collect();
        let (total, mut equal, mut more) = (self.objects.len(), 0, 0);
        let mut objects = Vec::new();
        for (called, by_digest) in &self.objects {
            let missing = self.missing(&called.kind, by_digest);
            let is_equal = by_digest.len() == 1 && missing.is_empty();
            equal += usize::from(is_equal);
            // Of one object also that it is equal is told by name.
            if is_equal && total > 1 {
                continue;
            }
            if objects.len() == MAX_DIFFERING_OBJECTS {
                more += 1;
            } else {
                objects.push(self.diff(called, by_digest, missing, &read));
            }
        }
        let config_maps = GroupResource::new("", "configmaps");
        let config_maps = self.objects.keys().any(|called| called.kind == config_maps);
        let kinds = self.kinds_apart();
        DiffPage { total, equal, objects, more, kinds, config_maps, coverage: self.coverage }
    }

    fn diff(
        &self,
        called: &Called,
        by_digest: &BTreeMap<String, Vec<(Side, ObjectRef)>>,
        missing: Vec<Side>,
        read: &BTreeMap<(LegId, ObjectRef), Value>,
    ) -> ObjectDiff {
        let mut groups: Vec<&Vec<(Side, ObjectRef)>> = by_digest.values().collect();
        groups.sort_by(|a, b| {
            let leads = |group: &[(Side, ObjectRef)]| group.iter().any(|(side, _)| self.is_baseline(side));
            let most = b.len().cmp(&a.len());
            leads(b).cmp(&leads(a)).then(most).then_with(|| a.first().cmp(&b.first()))
        });
        let sides =
            |group: &[(Side, ObjectRef)]| group.iter().map(|(side, _)| side.clone()).collect::<Vec<_>>();
        let (mut compared, mut unread) = (Vec::new(), Vec::new());
        for group in &groups {
            match self.intent_of(group, read) {
                Some(intent) => compared.push((sides(group), intent)),
                None if groups.len() > 1 => unread.extend(sides(group)),
                None => {}
            }
        }
        let agree = groups.first().map(|group| sides(group)).unwrap_or_default();
        ObjectDiff { called: called.clone(), agree, differ: paths::compare(&compared), missing, unread }
    }

    fn intent_of<'r>(
        &'r self,
        group: &[(Side, ObjectRef)],
        read: &'r BTreeMap<(LegId, ObjectRef), Value>,
    ) -> Option<&'r Value> {
        if let (Against::Manifest(written), Some((_, object))) =
            (&self.query.against, group.iter().find(|(side, _)| *side == Side::Manifest))
        {
            return written.iter().find(|written| written.object == *object).map(|written| &written.intent);
        }
        match group.first()? {
            (Side::Cluster(leg) | Side::Namespace(leg, _), object) => read.get(&(*leg, object.clone())),
            (Side::Manifest, _) => None,
        }
    }

    fn is_baseline(&self, side: &Side) -> bool {
        match (&self.query.against, side) {
            (Against::Manifest(_), Side::Manifest) => true,
            (Against::Cluster(baseline), Side::Cluster(leg)) => leg == baseline,
            (Against::Cluster(baseline), Side::Namespace(leg, namespace)) => {
                leg == baseline && Some(namespace) != self.query.to_namespace.as_ref()
            }
            _ => false,
        }
    }

    /// The sides that looked at the kind and have no such object; those without the kind are told once.
    fn missing(
        &self,
        kind: &GroupResource,
        by_digest: &BTreeMap<String, Vec<(Side, ObjectRef)>>,
    ) -> Vec<Side> {
        let have: BTreeSet<&Side> = by_digest.values().flatten().map(|(side, _)| side).collect();
        let looks = self.looks.get(kind);
        let looked =
            looks.into_iter().flatten().filter(|(_, look)| matches!(look, Look::Taken | Look::Absent));
        let answered = looked.map(|(leg, _)| *leg).filter(|leg| self.coverage.legs[leg.0].is_answered());
        let sides = answered.flat_map(|leg| match &self.query.to_namespace {
            None => vec![Side::Cluster(leg)],
            Some(_) => {
                let names = self.query.namespaces.iter().filter_map(|name| name.literal());
                names.map(|name| Side::Namespace(leg, name.to_owned())).collect()
            }
        });
        sides.filter(|side| !have.contains(side)).take(MAX_SIDES).collect()
    }

    /// Kinds that were not looked at everywhere.
    fn kinds_apart(&self) -> BTreeMap<GroupResource, BTreeMap<Look, Vec<LegId>>> {
        let mut apart: BTreeMap<GroupResource, BTreeMap<Look, Vec<LegId>>> = BTreeMap::new();
        let legs: BTreeSet<LegId> = self.looks.values().flat_map(BTreeMap::keys).copied().collect();
        for (kind, looks) in &self.looks {
            for leg in &legs {
                let look = looks.get(leg).copied().unwrap_or_else(|| self.unsaid(*leg, kind));
                if look != Look::Taken {
                    apart.entry(kind.clone()).or_default().entry(look).or_default().push(*leg);
                }
            }
        }
        apart
    }

    /// Of a kind that an agent said nothing of: whether its cluster is known not to have it.
    fn unsaid(&self, leg: LegId, kind: &GroupResource) -> Look {
        let known = self.query.targets[leg.0].cluster.kinds.as_ref();
        if known.is_some_and(|table| table.get(kind).is_none()) { Look::Absent } else { Look::Unknown }
    }

    fn nothing_found(&self) -> CallError {
        let query = self.query;
        if let [kind] = query.kinds.as_slice() {
            return not_found(kind, &asked(kind, &query.names), &self.coverage);
        }
        let namespaces: Vec<_> = query.namespaces.iter().map(Pattern::as_str).collect();
        let message =
            format!("none of the clusters asked has any object in the namespace {}", namespaces.join(", "));
        let is_unwatched =
            |looks: &&BTreeMap<LegId, Look>| looks.values().any(|look| *look == Look::NotWatched);
        let unwatched = match self.looks.values().filter(is_unwatched).count() {
            0 => String::new(),
            kinds => format!(
                "; {kinds} kinds that nobody has asked for yet were not looked through: give kind to compare one"
            ),
        };
        CallError::new(ErrorCode::NotFound, message).with_hint(format!(
            "resources_list shows the names that there are; fleet_search finds them by words{unwatched}"
        ))
    }
}

fn is_written(alike: &[(Side, ObjectRef)]) -> bool {
    alike.iter().any(|(side, _)| *side == Side::Manifest)
}

fn called(query: &DiffQuery, object: &ObjectRef) -> Called {
    let namespace = if query.to_namespace.is_some() { String::new() } else { object.namespace.clone() };
    Called { kind: object.kind.clone(), namespace, name: object.name.clone() }
}

#[cfg(test)]
mod tests;
