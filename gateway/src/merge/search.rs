//! What agents say of a search beside their rows, put together.

use std::collections::{BTreeMap, BTreeSet};

use kubeplex_proto::list::ListHead;
use kubeplex_proto::search::NotSearched;

use crate::request::LegId;

/// What was found of each kind, and what was not looked through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchNotes {
    /// Rows that match, by kind, over the clusters that answered.
    pub kinds: BTreeMap<String, u64>,
    /// By reason and kind the clusters where it is so.
    pub not_searched: BTreeMap<NotSearched, BTreeMap<String, BTreeSet<LegId>>>,
    /// Clusters that said anything.
    pub clusters: usize,
}

impl SearchNotes {
    /// Of the heads of clusters that answered; `None` where they answer no search.
    pub(super) fn of<'h>(heads: impl Iterator<Item = (LegId, &'h ListHead)>) -> Option<Self> {
        let mut notes = None;
        for (leg, head) in heads {
            let Some(said) = &head.search else { continue };
            let notes: &mut Self = notes.get_or_insert_default();
            notes.clusters += 1;
            for (kind, count) in &said.kinds {
                *notes.kinds.entry(kind.clone()).or_insert(0) += count;
            }
            for (why, kinds) in &said.not_searched {
                let known = notes.not_searched.entry(*why).or_default();
                for kind in kinds {
                    known.entry(kind.clone()).or_default().insert(leg);
                }
            }
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::search::SearchHead;
    use kubeplex_test_support::list;

    use super::*;

    #[test]
    fn counts_add_up_and_kinds_are_named_once() {
        let head = |kinds: &[(&str, u64)], left_out: &[&str]| {
            let kinds = kinds.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect();
            let left_out = left_out.iter().map(|kind| (*kind).to_owned()).collect();
            let search = SearchHead { kinds, not_searched: [(NotSearched::NotWatched, left_out)].into() };
            ListHead { search: Some(search), ..list::head(Vec::new(), 0) }
        };
        let (eu, us) =
            (head(&[("pods", 3)], &["leases"]), head(&[("pods", 2), ("services", 1)], &["leases", "x"]));
        let notes = SearchNotes::of([(LegId(0), &eu), (LegId(2), &us)].into_iter()).unwrap();
        assert_eq!(notes.kinds, BTreeMap::from([("pods".to_owned(), 5), ("services".to_owned(), 1)]));
        let left_out = &notes.not_searched[&NotSearched::NotWatched];
        assert_eq!(left_out["leases"], BTreeSet::from([LegId(0), LegId(2)]));
        assert_eq!((left_out["x"].len(), notes.clusters), (1, 2));
        assert_eq!(SearchNotes::of([(LegId(0), &list::head(Vec::new(), 0))].into_iter()), None);
    }
}
