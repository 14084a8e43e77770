//! Label sets: the replicas of a workload carry the same one, so it is stored once.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::strings::{ALLOCATION, PLACES, Strings, Symbol};

/// A label set of one [`LabelSets`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LabelSetId(u32);

impl LabelSetId {
    pub(super) fn id(self) -> u32 {
        self.0
    }
}

/// Interned label sets with counted references. A set holds one reference to each of its strings.
#[derive(Default)]
pub(super) struct LabelSets {
    entries: Vec<Entry>,
    free: Vec<u32>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
    pairs: usize,
}

struct Entry {
    labels: Box<[(Symbol, Symbol)]>,
    references: u32,
}

impl LabelSets {
    /// The set of these labels, in the order given, with one more reference to it.
    pub(super) fn take(&mut self, labels: &[(String, String)], strings: &mut Strings) -> LabelSetId {
        let labels: Box<[_]> =
            labels.iter().map(|(key, value)| (strings.take(key), strings.take(value))).collect();
        let hash = self.hasher.hash_one(&labels);
        if let Some(id) = self.index.find(hash, |id| self.entries[*id as usize].labels == labels) {
            let id = *id;
            self.entries[id as usize].references += 1;
            release_strings(&labels, strings);
            return LabelSetId(id);
        }
        let id = self.insert(labels);
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.index.insert_unique(hash, id, |id| hasher.hash_one(&entries[*id as usize].labels));
        LabelSetId(id)
    }

    /// One reference less; the last one frees the set and its strings.
    pub(super) fn release(&mut self, set: LabelSetId, strings: &mut Strings) {
        let entry = &mut self.entries[set.0 as usize];
        entry.references -= 1;
        if entry.references > 0 {
            return;
        }
        let labels = std::mem::take(&mut entry.labels);
        self.pairs -= labels.len();
        let hash = self.hasher.hash_one(&labels);
        if let Ok(occupied) = self.index.find_entry(hash, |id| *id == set.0) {
            occupied.remove();
        }
        self.free.push(set.0);
        release_strings(&labels, strings);
    }

    pub(super) fn get(&self, set: LabelSetId) -> &[(Symbol, Symbol)] {
        &self.entries[set.0 as usize].labels
    }

    /// An upper bound of the ids in use.
    pub(super) fn id_bound(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.pairs * size_of::<(Symbol, Symbol)>()
            + self.index.len() * ALLOCATION
            + self.entries.capacity() * size_of::<Entry>()
            + self.free.capacity() * size_of::<u32>()
            + self.index.allocation_size()
    }

    /// What the sets in use cost, without spare capacity and without their strings.
    pub(super) fn live_bytes(&self) -> usize {
        let sets = self.index.len() * (ALLOCATION + size_of::<Entry>() + PLACES);
        self.pairs * size_of::<(Symbol, Symbol)>() + sets
    }

    /// Gives spare capacity back.
    pub(super) fn shrink(&mut self) {
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.index.shrink_to_fit(|id| hasher.hash_one(&entries[*id as usize].labels));
        self.entries.shrink_to_fit();
        self.free.shrink_to_fit();
    }

    fn insert(&mut self, labels: Box<[(Symbol, Symbol)]>) -> u32 {
        self.pairs += labels.len();
        let entry = Entry { labels, references: 1 };
        if let Some(id) = self.free.pop() {
            self.entries[id as usize] = entry;
            return id;
        }
        self.entries.push(entry);
        (self.entries.len() - 1) as u32
    }
}

fn release_strings(labels: &[(Symbol, Symbol)], strings: &mut Strings) {
    for (key, value) in labels {
        strings.release(*key);
        strings.release(*value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(hash: &str) -> Vec<(String, String)> {
        vec![("app".to_owned(), "cart".to_owned()), ("pod-template-hash".to_owned(), hash.to_owned())]
    }

    #[test]
    fn replicas_share_a_set_and_its_strings() {
        let (mut sets, mut strings) = (LabelSets::default(), Strings::default());
        let first = sets.take(&labels("a"), &mut strings);
        let second = sets.take(&labels("a"), &mut strings);
        assert_eq!(first, second);
        assert_eq!(strings.len(), 4);
        sets.release(first, &mut strings);
        let read: Vec<_> = sets.get(second).iter().map(|(k, v)| (strings.get(*k), strings.get(*v))).collect();
        assert_eq!(read, [("app", "cart"), ("pod-template-hash", "a")]);
        sets.release(second, &mut strings);
        assert_eq!((strings.len(), sets.pairs), (0, 0));
    }

    #[test]
    fn a_thousand_rollouts_leave_one_set() {
        let (mut sets, mut strings) = (LabelSets::default(), Strings::default());
        let mut current = sets.take(&labels("0"), &mut strings);
        for rollout in 1..1_000 {
            let next = sets.take(&labels(&rollout.to_string()), &mut strings);
            sets.release(std::mem::replace(&mut current, next), &mut strings);
        }
        assert_eq!((sets.index.len(), strings.len()), (1, 4));
        assert!(sets.entries.len() <= 2, "{} slots", sets.entries.len());
    }
}
