//! Changes on their way into a store, and what they did there, as witnesses are told it.

use std::collections::HashMap;

use super::event::ObjectMeta;
use super::witness::{Fate, Sighting};
use crate::cache::{Applied, Before, KindStore, Prepared, RowRef};
use crate::limits::SWEPT_COMPARED;

/// One object's next state.
pub(super) enum Write {
    Put(Box<Prepared>),
    Delete(ObjectMeta),
    /// The object is there, in a state that can't be read.
    Lose(ObjectMeta),
}

/// What a write did that a reader could notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Created,
    Updated,
    Replaced,
    Deleted,
    Lost,
}

/// Rows that go, to be told of when they are gone.
pub(super) struct Gone {
    names: Vec<(Option<String>, String)>,
    /// In step with the names, where somebody compares.
    before: Vec<Option<Before>>,
    compared: bool,
}

impl Write {
    pub(super) fn object(&mut self) -> Option<&mut Prepared> {
        match self {
            Self::Put(object) => Some(object),
            Self::Delete(_) | Self::Lose(_) => None,
        }
    }

    pub(super) fn version(&self) -> &str {
        match self {
            Self::Put(object) => object.resource_version(),
            Self::Delete(meta) | Self::Lose(meta) => &meta.resource_version,
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Put(object) => object.name(),
            Self::Delete(meta) | Self::Lose(meta) => &meta.name,
        }
    }

    pub(super) fn namespace(&self) -> Option<&str> {
        match self {
            Self::Put(object) => object.namespace(),
            Self::Delete(meta) | Self::Lose(meta) => meta.namespace.as_deref(),
        }
    }

    /// What it will find in the store.
    pub(super) fn before(&self, store: &KindStore) -> Option<Before> {
        match self {
            Self::Put(object) => store.before(object),
            Self::Delete(_) => store.get(self.namespace(), self.name()).and_then(Before::of_row),
            Self::Lose(_) => None,
        }
    }

    fn fate<'a>(&'a self, outcome: Outcome, before: Option<&'a Before>) -> Fate<'a> {
        match (self, outcome) {
            (Self::Put(after), Outcome::Created) => Fate::Created(after),
            (Self::Put(after), Outcome::Replaced) => Fate::Replaced { before, after },
            (Self::Put(after), _) => Fate::Updated { before, after },
            (Self::Delete(_), _) => Fate::Deleted { before },
            (Self::Lose(_), _) => Fate::Unreadable,
        }
    }
}

impl Outcome {
    pub(super) fn of(applied: Applied) -> Option<Self> {
        match applied {
            Applied::Created => Some(Self::Created),
            Applied::Updated => Some(Self::Updated),
            Applied::Replaced => Some(Self::Replaced),
            Applied::Unchanged => None,
        }
    }
}

/// What each object was before its write, from what was in the store before all of them: of several writes to one object, a
/// later one finds what the one before it left.
pub(super) fn in_turn(writes: &[Write], found: &mut [Option<Before>], outcomes: &[Option<Outcome>]) {
    if writes.len() < 2 || found.is_empty() {
        return;
    }
    let mut left: HashMap<(Option<&str>, &str), Option<usize>> = HashMap::new();
    for (at, (write, outcome)) in writes.iter().zip(outcomes).enumerate() {
        let key = (write.namespace(), write.name());
        if let Some(earlier) = left.get(&key) {
            found[at] = earlier.and_then(|earlier| match &writes[earlier] {
                Write::Put(object) => Some(Before::of(object)),
                Write::Delete(_) | Write::Lose(_) => None,
            });
        }
        if outcome.is_some() {
            left.insert(key, Some(at));
        }
    }
}

/// What the writes did, one after the other.
pub(super) fn sightings<'a>(
    writes: &'a [Write],
    before: &'a [Option<Before>],
    outcomes: &[Option<Outcome>],
) -> Vec<Sighting<'a>> {
    let told = writes.iter().zip(outcomes).enumerate().filter_map(|(at, (write, outcome))| {
        let fate = write.fate((*outcome)?, before.get(at).and_then(Option::as_ref));
        Some(Sighting { namespace: write.namespace(), name: write.name(), fate })
    });
    told.collect()
}

impl Gone {
    pub(super) fn new(compared: bool) -> Self {
        Self { names: Vec::new(), before: Vec::new(), compared }
    }

    pub(super) fn add(&mut self, row: RowRef<'_>) {
        self.names.push((row.namespace().map(str::to_owned), row.name().to_owned()));
        // Of very many, what the first were tells enough of what the others were.
        if self.compared && self.before.len() < SWEPT_COMPARED {
            self.before.push(Before::of_row(row));
        }
    }

    pub(super) fn deleted(&self) -> Vec<Sighting<'_>> {
        let before = |at: usize| self.before.get(at).and_then(Option::as_ref);
        self.sightings(|at| Fate::Deleted { before: before(at) })
    }

    pub(super) fn forgotten(&self) -> Vec<Sighting<'_>> {
        self.sightings(|_| Fate::Forgotten)
    }

    fn sightings<'a>(&'a self, fate: impl Fn(usize) -> Fate<'a>) -> Vec<Sighting<'a>> {
        let named = self.names.iter().enumerate();
        let sighting = |(at, (namespace, name)): (usize, &'a (Option<String>, String))| Sighting {
            namespace: namespace.as_deref(),
            name,
            fate: fate(at),
        };
        named.map(sighting).collect()
    }
}

#[cfg(test)]
#[path = "writes_tests.rs"]
mod tests;
