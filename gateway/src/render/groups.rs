//! Counts instead of rows.

use serde_json::Map;

use crate::escape::escaped;
use crate::merge::{Coverage, GroupPage, SearchNotes};
use crate::request::{CallOptions, GroupBy, PageQuery};

use super::coverage::Nouns;
use super::{Page, PageCursor, Place, PlacedRow, RenderContext, Rendered};

/// What is rendered: a question for groups, and its answer.
pub(crate) struct Groups<'a> {
    pub(crate) by: &'a GroupBy,
    pub(crate) page: &'a PageQuery,
    pub(crate) options: &'a CallOptions,
    pub(crate) groups: GroupPage,
    pub(crate) search: Option<&'a SearchNotes>,
    pub(crate) coverage: &'a Coverage,
    pub(crate) nouns: Nouns<'a>,
}

impl Groups<'_> {
    pub(crate) fn render(self, context: &RenderContext<'_>) -> Rendered {
        let Self { by, page, options, groups, search, coverage, nouns } = self;
        let (keys, rows): (Vec<_>, Vec<_>) = groups.rows.into_iter().unzip();
        let place = |cells: Vec<_>| PlacedRow {
            place: Place::default(),
            cells: cells.into_iter().map(escaped).collect(),
        };
        let fitted = Page {
            columns: by.columns(),
            rows: rows.into_iter().map(place).collect(),
            more: groups.more,
            total: groups.total,
            status_counts: &Map::new(),
            search,
            coverage,
            nouns,
            options,
        };
        fitted.render(&PageCursor { fingerprint: &page.fingerprint, context }, |at| &keys[at])
    }
}
