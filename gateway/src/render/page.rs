//! A page of rows, fitted into its budget: the shape that every listing tool answers in.

use std::collections::BTreeMap;

use kubeplex_proto::json_len::json_len;
use kubeplex_proto::sort::RowKey;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::clock::Now;
use crate::merge::{Coverage, SearchNotes};
use crate::request::{CallOptions, Fingerprint, Output, Resume};

use super::coverage::{CoverageContent, Nouns};
use super::{RenderContext, Rendered, is_false, omit, plain, search};

/// What a listing tool has to say, before it is fitted.
pub(crate) struct Page<'a> {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<PlacedRow>,
    /// Whether more rows follow.
    pub(crate) more: bool,
    pub(crate) total: u64,
    pub(crate) status_counts: &'a Map<String, Value>,
    /// Where a search is answered.
    pub(crate) search: Option<&'a SearchNotes>,
    pub(crate) coverage: &'a Coverage,
    pub(crate) nouns: Nouns<'a>,
    pub(crate) options: &'a CallOptions,
}

/// A row, and the group that it stands in.
pub(crate) struct PlacedRow {
    pub(crate) place: Place,
    pub(crate) cells: Vec<Value>,
}

/// What is the same for a whole group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Place {
    /// Of times that stand without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cluster: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) namespace: Option<String>,
}

/// What is said of the rows that were cut: by status, and by cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counts {
    Told,
    /// The budget holds hardly a row.
    LeftOut,
}

/// Makes the cursor behind a row.
pub(crate) struct PageCursor<'a> {
    pub(crate) fingerprint: &'a Fingerprint,
    pub(crate) context: &'a RenderContext<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageContent<'a> {
    pub(super) columns: &'a [String],
    pub(super) groups: Vec<Group<'a>>,
    pub(super) total: u64,
    pub(super) shown: usize,
    #[serde(rename = "continue", skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status_counts: Option<&'a Map<String, Value>>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(super) kind_counts: Map<String, Value>,
    /// Kinds that a search did not look through, by the reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) not_searched: BTreeMap<String, Vec<String>>,
    pub(super) clusters: CoverageContent,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) partial: bool,
}

#[derive(Serialize)]
pub(super) struct Group<'a> {
    #[serde(flatten)]
    pub(super) place: &'a Place,
    pub(super) rows: Vec<RowContent<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum RowContent<'a> {
    Cells(&'a [Value]),
    Keyed(Map<String, Value>),
}

impl PageCursor<'_> {
    /// One nonce serves all attempts at fitting a page, because only the last one's cursor leaves the gateway.
    fn seal(&self, after: &RowKey, coverage: &Coverage) -> String {
        let resume = Resume { after: after.clone(), missing: coverage.missing() };
        self.context.sealer.seal(
            &resume,
            self.fingerprint,
            self.context.nonce,
            self.context.now.since_1970_ms,
        )
    }
}

impl Page<'_> {
    /// Cuts at a row until the answer fits. One row always stays: without it the next page would begin in the same
    /// place. `key_of` is the key of the row at an index.
    pub(crate) fn render<'k>(
        mut self,
        cursor: &PageCursor<'_>,
        key_of: impl Fn(usize) -> &'k RowKey,
    ) -> Rendered {
        let mut shown = self.rows.len();
        let mut counts = Counts::Told;
        loop {
            let content = self.content(shown, counts, cursor, &key_of);
            let over = json_len(&content).saturating_sub(self.options.max_bytes);
            if over > 0 && shown > 1 {
                shown = self.fewer(shown, over);
            } else if over > 0 && counts == Counts::Told {
                counts = Counts::LeftOut;
            } else if over == 0 || !self.shorten_only_row(over) {
                return self.content(shown, counts, cursor, &key_of).rendered();
            }
        }
    }

    /// How many rows stay when at least `over` bytes go: each counts with what it takes in this output.
    fn fewer(&self, shown: usize, over: usize) -> usize {
        let mut freed = 0;
        let mut left = shown;
        while left > 1 && freed < over {
            left -= 1;
            freed += json_len(&self.row(&self.rows[left])) + 1;
        }
        left
    }

    /// Whether something could be left out of the one row that there is.
    fn shorten_only_row(&mut self, over: usize) -> bool {
        self.rows.first_mut().is_some_and(|row| omit::shorten_cells(&mut row.cells, over))
    }

    fn content<'k>(
        &self,
        shown: usize,
        counts: Counts,
        cursor: &PageCursor<'_>,
        key_of: impl Fn(usize) -> &'k RowKey,
    ) -> PageContent<'_> {
        let cut = self.more || shown < self.rows.len();
        let counted = cut && counts == Counts::Told;
        PageContent {
            columns: &self.columns,
            groups: self.groups(shown),
            total: self.total,
            shown,
            cursor: (cut && shown > 0).then(|| cursor.seal(key_of(shown - 1), self.coverage)),
            status_counts: (counted && !self.status_counts.is_empty()).then_some(self.status_counts),
            kind_counts: self.search.filter(|_| counted).map(search::kind_counts).unwrap_or_default(),
            not_searched: self
                .search
                .map(|notes| search::not_searched(notes, self.options.max_bytes))
                .unwrap_or_default(),
            clusters: self.clusters(counted, cursor.context.now),
            partial: self.coverage.is_partial(),
        }
    }

    fn clusters(&self, counted: bool, now: Now) -> CoverageContent {
        let mut clusters = CoverageContent::new(self.coverage, self.nouns, counted, now);
        clusters.leave_room(self.options.max_bytes);
        clusters
    }

    fn groups(&self, shown: usize) -> Vec<Group<'_>> {
        let by_place = self.rows[..shown].chunk_by(|a, b| a.place == b.place);
        let groups = by_place.filter_map(|rows| {
            let place = &rows.first()?.place;
            Some(Group { place, rows: rows.iter().map(|row| self.row(row)).collect() })
        });
        groups.collect()
    }

    fn row<'r>(&self, row: &'r PlacedRow) -> RowContent<'r> {
        match self.options.output {
            Output::Table => RowContent::Cells(&row.cells),
            Output::Json => {
                RowContent::Keyed(self.columns.iter().cloned().zip(row.cells.iter().cloned()).collect())
            }
        }
    }
}

impl PageContent<'_> {
    fn rendered(&self) -> Rendered {
        Rendered { structured: serde_json::to_value(self).unwrap_or_default(), text: plain::page(self) }
    }
}
