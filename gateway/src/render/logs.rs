//! Logs: lines in the order of their times, each with whose it is where that is not the same of all.

mod columns;
mod notes;

use kubeplex_proto::json_len::json_len;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::merge::LogPage;
use crate::request::LogsQuery;

use super::coverage::{CoverageContent, Nouns, is_zero};
use super::{RenderContext, Rendered, is_false, plain};
use crate::escape::one_line;
use columns::Columns;
use notes::{Note, notes};

const NOUNS: Nouns<'_> = Nouns { shown: "lines", kind: "pods", lack: None };
/// Clocks that are off by less are not told of: that may be the way here.
const OFFSET_TOLD_MS: u64 = 2_000;
/// What notes on containers may take of an answer, as a divisor of its budget.
const NOTES_SHARE: usize = 4;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogContent {
    /// What is the same of all lines: cluster, namespace, pod, container, date.
    #[serde(flatten)]
    shared: Map<String, Value>,
    columns: Vec<&'static str>,
    rows: Vec<Vec<Value>>,
    shown: usize,
    /// Lines that match, or sorts of them, shown or not.
    total: u64,
    /// The oldest that are meant and left out for size.
    #[serde(skip_serializing_if = "is_zero")]
    cut: usize,
    /// Lines of which the end is left out.
    #[serde(skip_serializing_if = "is_zero")]
    shortened: usize,
    /// Lines of too many sorts.
    #[serde(skip_serializing_if = "is_zero")]
    others: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<Note>,
    #[serde(skip_serializing_if = "is_zero")]
    more_notes: usize,
    /// How far clusters' clocks are ahead.
    #[serde(skip_serializing_if = "Map::is_empty")]
    clock_offset_ms: Map<String, Value>,
    clusters: CoverageContent,
    #[serde(skip_serializing_if = "is_false")]
    partial: bool,
}

/// The reply to a [`LogsQuery`].
pub(crate) fn logs(query: &LogsQuery, page: &LogPage, context: &RenderContext<'_>) -> Rendered {
    let max_bytes = query.options.max_bytes;
    let mut clusters = CoverageContent::new(&page.coverage, NOUNS, false, context.now);
    clusters.leave_room(max_bytes);
    let (notes, more_notes) = notes(query, page, max_bytes / NOTES_SHARE);
    let sum = |of: fn(&crate::merge::LogOrigin) -> u64| page.origins.iter().map(of).sum::<u64>();
    let mut content = LogContent {
        shared: Map::new(),
        columns: Vec::new(),
        rows: Vec::new(),
        shown: 0,
        total: sum(|origin| origin.over.matched),
        cut: sum(|origin| origin.over.dropped) as usize,
        shortened: sum(|origin| origin.over.shortened) as usize,
        others: page.others as usize,
        notes,
        more_notes,
        clock_offset_ms: offsets(query, page),
        clusters,
        partial: page.coverage.is_partial(),
    };
    match query.patterns {
        true => content.show_templates(page, max_bytes),
        false => content.show_lines(query, page, max_bytes),
    }
    content.shown = content.rows.len();
    Rendered { text: content.text(), structured: serde_json::to_value(&content).unwrap_or_default() }
}

impl LogContent {
    /// The newest that fit.
    fn show_lines(&mut self, query: &LogsQuery, page: &LogPage, max_bytes: usize) {
        let columns = Columns::of(query, page);
        self.columns = columns.names();
        self.shared = columns.shared();
        let mut room = max_bytes.saturating_sub(self.frame_bytes());
        let rows = page.lines.iter().rev().map(|line| columns.row(line)).map_while(|row| {
            room = room.checked_sub(json_len(&row) + 1)?;
            Some(row)
        });
        self.rows = rows.collect();
        self.rows.reverse();
        let left_out = &page.lines[..page.lines.len() - self.rows.len()];
        self.cut += left_out.iter().filter(|line| !line.beside).count();
    }

    /// The commonest that fit.
    fn show_templates(&mut self, page: &LogPage, max_bytes: usize) {
        self.columns = vec!["count", "pattern", "containers", "first", "last"];
        self.total = page.templates.len() as u64;
        let mut room = max_bytes.saturating_sub(self.frame_bytes());
        let rows = page.templates.iter().map(|template| {
            let time = |ns: Option<i64>| ns.and_then(columns::time).map_or(Value::Null, Value::from);
            vec![
                template.count.into(),
                one_line(&template.text).into(),
                template.sources.len().into(),
                time(template.first_ns),
                time(template.last_ns),
            ]
        });
        let rows = rows.map_while(|row| {
            room = room.checked_sub(json_len(&row) + 1)?;
            Some(row)
        });
        self.rows = rows.collect();
    }

    /// All but the rows, with room for numbers that grow.
    fn frame_bytes(&self) -> usize {
        json_len(self) + 32
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let shared: Vec<_> =
            self.shared.iter().map(|(name, value)| format!("{name} {}", plain::cell(value))).collect();
        if !shared.is_empty() {
            text.push_str(&format!("# {}\n", shared.join(", ")));
        }
        match self.rows.is_empty() {
            true => text.push_str("no lines\n"),
            false => plain::line(&mut text, self.columns.iter().copied()),
        }
        for row in &self.rows {
            let cells: Vec<_> = row.iter().map(plain::cell).collect();
            plain::line(&mut text, cells.iter().map(String::as_str));
        }
        text.push_str(&format!("{} of {} shown\n", self.shown, self.total));
        for (count, what) in [
            (self.cut, "of the oldest lines left out for size: ask with a larger maxBytes, or for fewer"),
            (self.shortened, "lines shown without their ends"),
            (self.others, "lines are of still other sorts"),
        ] {
            if count > 0 {
                text.push_str(&format!("{count} {what}\n"));
            }
        }
        for note in &self.notes {
            text.push_str(&format!("{note}\n"));
        }
        if self.more_notes > 0 {
            text.push_str(&format!("and {} more notes on containers\n", self.more_notes));
        }
        for (cluster, offset) in &self.clock_offset_ms {
            text.push_str(&format!(
                "the clock of {cluster} is {offset} ms ahead: its lines stand that much too late\n"
            ));
        }
        plain::coverage(&mut text, &self.clusters, self.partial);
        text
    }
}

fn offsets(query: &LogsQuery, page: &LogPage) -> Map<String, Value> {
    let told = page.offsets_ms.iter().filter(|(_, offset)| offset.unsigned_abs() >= OFFSET_TOLD_MS);
    told.map(|(leg, offset)| (query.targets[leg.0].cluster.id.to_string(), Value::from(*offset))).collect()
}

#[cfg(test)]
mod tests;
