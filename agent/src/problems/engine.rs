//! The verdicts of a cluster, and which of them are to be made anew. No time passes here and nobody waits: what changed is
//! told, what is due is taken, and what came of it is put back.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use kubeplex_proto::kind::GroupResource;

use super::judge::Judged;
use super::look::{Look, Readers};
use super::sight::{Sight, events};
use super::{Finding, ObjectRef};

/// How much is remembered at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Objects of which something is remembered: what is wrong, or what their verdict hangs on.
    pub(super) objects: usize,
    /// Looks at others, over all objects.
    pub(super) looks: usize,
}

#[derive(Debug)]
pub(super) struct Engine {
    room: Room,
    kept: BTreeMap<Arc<ObjectRef>, Arc<Kept>>,
    readers: Readers,
    alarms: BTreeSet<(i64, Arc<ObjectRef>)>,
    dirty: BTreeSet<Arc<ObjectRef>>,
    /// Kinds that are gone through from the beginning, and the last object that was taken of each.
    sweeps: BTreeMap<GroupResource, Option<ObjectRef>>,
    /// Hashes of objects for which there was no room.
    left_out: BTreeSet<u64>,
}

/// What is remembered of an object.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) findings: Vec<Found>,
    pub(super) owners: Vec<ObjectRef>,
    looks: Vec<Look>,
    look_again_ms: Option<i64>,
}

/// A finding, and when it was first made.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) finding: Finding,
    pub(super) found_ms: i64,
}

impl Engine {
    pub(super) fn new(room: Room) -> Self {
        Self {
            room,
            kept: BTreeMap::new(),
            readers: Readers::default(),
            alarms: BTreeSet::new(),
            dirty: BTreeSet::new(),
            sweeps: BTreeMap::new(),
            left_out: BTreeSet::new(),
        }
    }

    /// An object came, changed or went.
    pub(super) fn changed(&mut self, object: ObjectRef, is_judged: bool, sight: &dyn Sight) {
        let object = Arc::new(object);
        let (kind, namespace) = (&object.kind, object.namespace.as_deref());
        let mut concerned: Vec<Arc<ObjectRef>> = Vec::new();
        let mut concern = |look: &Look| concerned.extend(self.readers.of(look).cloned());
        concern(&Look::Object(Arc::clone(&object)));
        concern(&Look::Kind(kind.clone(), None));
        if let Some(namespace) = namespace {
            concern(&Look::Kind(kind.clone(), Some(namespace.to_owned())));
        }
        if *kind == events()
            && let Some(told_of) = sight.told_of(&object)
        {
            concern(&Look::Events(Arc::new(told_of)));
        }
        if let Some(namespace) = namespace {
            let labels = sight.labels(&object);
            concerned.extend(self.readers.of_labels(kind, namespace, &labels).cloned());
        }
        self.dirty.extend(concerned);
        if is_judged {
            self.dirty.insert(object);
        }
    }

    /// Anything of a kind may be other than it was, or be known now.
    pub(super) fn anew(&mut self, kind: &GroupResource, is_judged: bool) {
        let concerned: Vec<_> = self.readers.of_kind(kind, *kind == events()).cloned().collect();
        self.dirty.extend(concerned);
        let of_kind = self.kept.keys().filter(|object| object.kind == *kind).cloned();
        self.dirty.extend(of_kind.collect::<Vec<_>>());
        if is_judged {
            self.sweeps.insert(kind.clone(), None);
        }
    }

    /// Up to so many objects that are to be judged.
    pub(super) fn take(&mut self, most: usize, sight: &dyn Sight) -> Vec<Arc<ObjectRef>> {
        let now_ms = sight.now_ms();
        while let Some((at_ms, _)) = self.alarms.first()
            && *at_ms <= now_ms
        {
            self.dirty.extend(self.alarms.pop_first().map(|(_, object)| object));
        }
        let mut taken = Vec::new();
        while taken.len() < most {
            let Some(object) = self.dirty.pop_first() else { break };
            taken.push(object);
        }
        while taken.len() < most {
            let Some((kind, last)) = self.sweeps.pop_first() else { break };
            let wanted = most - taken.len();
            let objects = sight.after(&kind, last.as_ref(), wanted);
            if objects.len() == wanted {
                self.sweeps.insert(kind, objects.last().cloned());
            }
            taken.extend(objects.into_iter().map(Arc::new));
        }
        taken
    }

    /// Whether anything is to be judged now.
    pub(super) fn is_idle(&self, now_ms: i64) -> bool {
        let rings = self.alarms.first().is_some_and(|(at_ms, _)| *at_ms <= now_ms);
        self.dirty.is_empty() && self.sweeps.is_empty() && !rings
    }

    /// When time alone makes an object due.
    pub(super) fn next_alarm_ms(&self) -> Option<i64> {
        self.alarms.first().map(|(at_ms, _)| *at_ms)
    }

    /// What came of an object; `None` where it is not there. Of a healthy one that hangs on nothing but itself nothing is kept.
    pub(super) fn put(&mut self, object: Arc<ObjectRef>, judged: Option<Judged>, now_ms: i64) {
        let before = self.remove(&object);
        let Judged { verdict, owners, looks } = judged.unwrap_or_default();
        if verdict.findings.is_empty() && verdict.look_again_ms.is_none() && looks.is_empty() {
            return;
        }
        let has_room =
            self.kept.len() < self.room.objects && self.readers.looks() + looks.len() <= self.room.looks;
        if !has_room {
            self.left_out.insert(hash(&object));
            return;
        }
        looks.iter().for_each(|look| self.readers.add(&object, look));
        self.alarms.extend(verdict.look_again_ms.map(|at_ms| (at_ms, Arc::clone(&object))));
        let known_since = |finding: &Finding| {
            let known = before.iter().flat_map(|kept| &kept.findings);
            let same = known.filter(|found| found.finding.cause == finding.cause);
            same.map(|found| found.found_ms).min()
        };
        let found = |finding: Finding| Found { found_ms: known_since(&finding).unwrap_or(now_ms), finding };
        let kept = Kept {
            findings: verdict.findings.into_iter().map(found).collect(),
            owners,
            looks,
            look_again_ms: verdict.look_again_ms,
        };
        self.kept.insert(object, Arc::new(kept));
    }

    fn remove(&mut self, object: &Arc<ObjectRef>) -> Option<Arc<Kept>> {
        self.left_out.remove(&hash(object));
        let kept = self.kept.remove(object)?;
        kept.looks.iter().for_each(|look| self.readers.remove(object, look));
        if let Some(at_ms) = kept.look_again_ms {
            self.alarms.remove(&(at_ms, Arc::clone(object)));
        }
        Some(kept)
    }

    /// Objects with which something is wrong.
    pub(super) fn found(&self) -> Vec<(Arc<ObjectRef>, Arc<Kept>)> {
        let troubled = self.kept.iter().filter(|(_, kept)| !kept.findings.is_empty());
        troubled.map(|(object, kept)| (Arc::clone(object), Arc::clone(kept))).collect()
    }

    /// How many objects there was no room for.
    pub(super) fn left_out(&self) -> usize {
        self.left_out.len()
    }

    /// Goes through all kinds again where there was no room for some objects, and is now.
    pub(super) fn retry_left_out(&mut self, judged: impl Iterator<Item = GroupResource>) {
        let has_room =
            self.kept.len() < self.room.objects / 10 * 9 && self.readers.looks() < self.room.looks / 10 * 9;
        if has_room && !self.left_out.is_empty() {
            self.left_out.clear();
            self.sweeps.extend(judged.map(|kind| (kind, None)));
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.room);
    }
}

#[cfg(test)]
impl Kept {
    pub(super) fn by_hand(findings: Vec<Found>, owners: Vec<ObjectRef>) -> Self {
        Self { findings, owners, looks: Vec::new(), look_again_ms: None }
    }
}

fn hash(object: &ObjectRef) -> u64 {
    let mut hasher = DefaultHasher::new();
    object.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
