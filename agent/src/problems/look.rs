//! What verdicts were made from, and whose are to be made anew when that changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::selector::LabelSelector;

use super::ObjectRef;

/// One thing that was looked at beside the object itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    /// An object, there or not.
    Object(Arc<ObjectRef>),
    /// All of a kind, in one namespace or in all.
    Kind(GroupResource, Option<String>),
    /// No object in a namespace had such labels, or only those that were looked at themselves.
    Labels(GroupResource, String, LabelSelector),
    Events(Arc<ObjectRef>),
    /// Whether all of a kind are known.
    Known(GroupResource),
}

/// Who looked at what.
#[derive(Debug, Default)]
pub(super) struct Readers {
    by_look: BTreeMap<Look, BTreeSet<Arc<ObjectRef>>>,
    looks: usize,
}

impl Look {
    fn kind(&self) -> &GroupResource {
        match self {
            Self::Object(object) | Self::Events(object) => &object.kind,
            Self::Kind(kind, _) | Self::Labels(kind, ..) | Self::Known(kind) => kind,
        }
    }
}

impl Readers {
    pub(super) fn add(&mut self, reader: &Arc<ObjectRef>, look: &Look) {
        let is_new = self.by_look.entry(look.clone()).or_default().insert(Arc::clone(reader));
        self.looks += usize::from(is_new);
    }

    pub(super) fn remove(&mut self, reader: &ObjectRef, look: &Look) {
        let Some(readers) = self.by_look.get_mut(look) else { return };
        self.looks -= usize::from(readers.remove(reader));
        if readers.is_empty() {
            self.by_look.remove(look);
        }
    }

    /// How many looks are remembered, over all readers.
    pub(super) fn looks(&self) -> usize {
        self.looks
    }

    pub(super) fn of(&self, look: &Look) -> impl Iterator<Item = &Arc<ObjectRef>> {
        self.by_look.get(look).into_iter().flatten()
    }

    /// Those for whom an object with these labels may be a new one.
    pub(super) fn of_labels<'a>(
        &'a self,
        kind: &'a GroupResource,
        namespace: &'a str,
        labels: &'a [(String, String)],
    ) -> impl Iterator<Item = &'a Arc<ObjectRef>> {
        let label =
            |wanted: &str| labels.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_str());
        let first = Look::Labels(kind.clone(), namespace.to_owned(), LabelSelector::default());
        let here = self.by_look.range(first..).map_while(move |(look, readers)| match look {
            Look::Labels(of, place, selector) if of == kind && place == namespace => {
                Some((selector, readers))
            }
            _ => None,
        });
        here.filter(move |(selector, _)| selector.matches(label)).flat_map(|(_, readers)| readers)
    }

    /// Those who looked at anything of a kind, or at events where it is those.
    pub(super) fn of_kind<'a>(
        &'a self,
        kind: &'a GroupResource,
        is_events: bool,
    ) -> impl Iterator<Item = &'a Arc<ObjectRef>> {
        let concerns = move |look: &Look| match look {
            Look::Events(_) => is_events,
            other => other.kind() == kind,
        };
        self.by_look.iter().filter(move |(look, _)| concerns(look)).flat_map(|(_, readers)| readers)
    }
}
