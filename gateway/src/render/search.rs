//! What an answer says of a search beside its rows.

use std::collections::BTreeMap;

use kubeplex_proto::json_len::json_len;
use serde_json::{Map, Value};

use super::word;
use crate::escape::one_line;
use crate::merge::SearchNotes;

/// Kinds named for one reason.
const MAX_KINDS: usize = 20;
/// What kinds that were not looked through may take of an answer, as a divisor of its budget.
const SHARE: usize = 8;

/// Matches by kind, the commonest first.
pub(super) fn kind_counts(notes: &SearchNotes) -> Map<String, Value> {
    let mut counts: Vec<_> = notes.kinds.iter().collect();
    counts.sort_by(|(a, more), (b, less)| less.cmp(more).then_with(|| a.cmp(b)));
    counts.into_iter().map(|(kind, count)| (one_line(kind).into_owned(), (*count).into())).collect()
}

/// The kinds that were not looked through, by the reason; those for which it is so in some clusters only say in how many.
pub(super) fn not_searched(notes: &SearchNotes, max_bytes: usize) -> BTreeMap<String, Vec<String>> {
    let share = max_bytes / SHARE / notes.not_searched.len().max(1);
    let mut shown = BTreeMap::new();
    for (why, kinds) in &notes.not_searched {
        let mut named: Vec<String> = Vec::new();
        let mut bytes = 0;
        for (kind, clusters) in kinds {
            let kind = one_line(kind);
            let name = match clusters.len() {
                all if all == notes.clusters => kind.into_owned(),
                some => format!("{kind} (in {some} of {} clusters)", notes.clusters),
            };
            bytes += json_len(&name) + 1;
            if named.len() == MAX_KINDS || !named.is_empty() && bytes > share {
                named.push(format!("and {} more", kinds.len() - named.len()));
                break;
            }
            named.push(name);
        }
        if !named.is_empty() {
            shown.insert(word(why), named);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::search::NotSearched;

    use super::*;
    use crate::request::LegId;

    #[test]
    fn kinds_are_named_as_far_as_there_is_room() {
        let everywhere =
            |count: usize| (0..count).map(|at| (format!("kind{at:02}"), [LegId(0), LegId(1)].into()));
        let mut notes = SearchNotes { clusters: 2, ..SearchNotes::default() };
        notes.not_searched.insert(NotSearched::NotWatched, everywhere(30).collect());
        notes.not_searched.insert(NotSearched::Forbidden, [("secrets".to_owned(), [LegId(1)].into())].into());
        let shown = not_searched(&notes, 7_500);
        assert_eq!(shown["forbidden"], ["secrets (in 1 of 2 clusters)"]);
        let named = &shown["notWatched"];
        assert_eq!((named.len(), named[0].as_str(), named[20].as_str()), (21, "kind00", "and 10 more"));
        assert_eq!(not_searched(&notes, 500)["notWatched"].last().unwrap(), "and 27 more");
    }
}
