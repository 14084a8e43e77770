//! What of an answer moves while nothing changes in the clusters: the ages of its rows, and that of its data.

use std::ops::Range;

use kubeplex_proto::column::CellFormat;
use kubeplex_proto::duration::human_duration_holds_ms;

use super::Rendered;
use super::list::age_ms;
use super::reply::AgedJson;
use crate::clock::Steady;
use crate::merge::{Answered, ListPage, Merged};
use crate::request::ListQuery;

/// What stands before the age of the data, in the text and in the structured answer.
const AGE_IN_TEXT: &str = ", data at most ";
const AGE_IN_JSON: &str = "\"ageMs\":";

/// How a page may be shown again: until the first of its ages reads differently, with the age of its data as it is then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Again {
    /// When it is rendered, and when it would read differently.
    moments: Range<Steady>,
    /// Of the data.
    as_of: Steady,
    /// What the answer may have in all.
    max_bytes: usize,
    /// What each cluster's rows show, in the order of the question's targets.
    revisions: Vec<u64>,
}

/// A rendered page that can be shown again, written as it is sent.
#[derive(Debug)]
pub(crate) struct Lasting {
    structured: AgedJson,
    /// The text, as a JSON string.
    text: AgedJson,
    again: Again,
    /// Digits that the age of its data may have.
    most_digits: usize,
}

impl Again {
    /// `None` for what is no list, or no page that is complete, current and from caches: what it says of its clusters moves,
    /// too.
    pub(crate) fn of_merged(merged: &Merged<'_>, now: Steady) -> Option<Self> {
        match merged.answered() {
            Answered::List(query, page) => Self::of(query, page, now),
            Answered::Clusters(_)
            | Answered::Kinds(..)
            | Answered::Groups(..)
            | Answered::Get(..)
            | Answered::Diff(..)
            | Answered::Changes(..)
            | Answered::Problems(..)
            | Answered::Logs(..)
            | Answered::Sheets(..)
            | Answered::Health(..)
            | Answered::Explain(..) => None,
        }
    }

    pub(super) fn of(query: &ListQuery, page: &ListPage, now: Steady) -> Option<Self> {
        let revisions = page.coverage.legs.iter().map(|leg| leg.is_plain().then_some(leg.revision).flatten());
        let revisions = revisions.collect::<Option<Vec<_>>>()?;
        let columns = page.columns.iter().enumerate();
        let aged: Vec<usize> =
            columns.filter(|(_, column)| column.format == CellFormat::Age).map(|(at, _)| at).collect();
        let ages = page.rows.iter().flat_map(|row| {
            aged.iter().filter_map(|at| age_ms(&row.cells[*at], page.clocks[row.leg.0], now))
        });
        let holds_ms = ages.map(human_duration_holds_ms).min().unwrap_or(i64::MAX);
        Some(Self {
            moments: now..now.in_ms(holds_ms.unsigned_abs()),
            as_of: page.coverage.as_of()?,
            max_bytes: query.options.max_bytes,
            revisions,
        })
    }

    pub(crate) fn revisions(&self) -> &[u64] {
        &self.revisions
    }

    /// `rendered` is the page that this is of.
    pub(crate) fn page(self, rendered: &Rendered) -> Option<Lasting> {
        let age_ms = self.moments.start.since_ms(self.as_of);
        let structured = serde_json::to_string(&rendered.structured).ok()?;
        let room = self.max_bytes.saturating_sub(structured.len());
        let line = format!("{AGE_IN_TEXT}{age_ms} ms old\n");
        // The last of either form: what rows say stands before it.
        let in_text = rendered.text.rfind(&line)? + AGE_IN_TEXT.len();
        let in_structured = structured.rfind(AGE_IN_JSON)? + AGE_IN_JSON.len();
        Some(Lasting {
            most_digits: digits(age_ms) + room,
            structured: AgedJson::of(&structured, in_structured, age_ms)?,
            text: AgedJson::of_text(&rendered.text, in_text, age_ms)?,
            again: self,
        })
    }
}

impl Lasting {
    /// Whether the page says at this moment what a new one would, where its data has this age.
    pub(crate) fn holds(&self, now: Steady, age_ms: u64) -> bool {
        self.again.moments.contains(&now) && digits(age_ms) <= self.most_digits
    }

    pub(super) fn structured(&self) -> &AgedJson {
        &self.structured
    }

    pub(super) fn text(&self) -> &AgedJson {
        &self.text
    }

    /// When its data was last known to be current, as far as the page knows.
    pub(crate) fn as_of(&self) -> Steady {
        self.again.as_of
    }

    /// What it takes in memory, beside itself.
    pub(crate) fn bytes(&self) -> usize {
        self.structured.len() + self.text.len() + self.again.revisions.len() * size_of::<u64>()
    }
}

fn digits(number: u64) -> usize {
    1 + number.checked_ilog10().unwrap_or_default() as usize
}
