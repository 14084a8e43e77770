//! A page of rows as a table: a line a row, with its cluster and namespace, in columns that fit the terminal.

mod beneath;
mod colour;

use console::{Style, measure_text_width, truncate_str};
use serde_json::Value;

use crate::next;

/// What stands for no value.
pub(crate) const NOTHING: &str = "-";

/// Between two columns.
const GAP: usize = 2;

/// A column is not made narrower than this, however narrow the terminal: its cells would say nothing.
const NARROWEST: usize = 5;

/// Below this the cells of a column that could be wider tell little; other columns make room for it before.
const LEGIBLE: usize = 12;

/// What the rows of a group may have in common.
pub(crate) const PLACES: [&str; 3] = ["date", "cluster", "namespace"];

/// What a row is about, and how it is. These columns are there as long as there is any room.
const KEPT: [&str; 7] = ["cluster", "namespace", "kind", "name", "object", "status", "verdict"];

/// The header and the rows, as text.
#[derive(Debug)]
pub(crate) struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// Whether there is colour.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint(pub(crate) bool);

/// Where the cells of a row stand.
struct Layout {
    /// How wide each column is; `None` where there is no room for it, and for what stands below.
    widths: Vec<Option<usize>>,
    /// Columns whose cells stand below the row.
    beneath: Vec<usize>,
    room: usize,
}

impl Table {
    /// From the structured content of a listing, or of rows that stand in no groups.
    pub(crate) fn of(content: &Value) -> Self {
        let ungrouped = content["rows"].is_array().then_some(content);
        let groups = || content["groups"].as_array().into_iter().flatten().chain(ungrouped);
        let places: Vec<&str> =
            PLACES.into_iter().filter(|place| groups().any(|group| group[*place].is_string())).collect();
        let columns: Vec<&str> =
            content["columns"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut table = Self {
            header: places.iter().chain(&columns).map(|name| (*name).to_owned()).collect(),
            rows: Vec::new(),
        };
        for group in groups() {
            for row in group["rows"].as_array().into_iter().flatten() {
                let place = places.iter().map(|place| cell(&group[*place]));
                let cells = columns.iter().enumerate().map(|(at, name)| value(row, at, name));
                table.rows.push(place.chain(cells).collect());
            }
        }
        table.in_order();
        table
    }

    /// A cluster comes before the namespace in it, whichever of them a group says.
    fn in_order(&mut self) {
        if self.header.starts_with(&["namespace".to_owned(), "cluster".to_owned()]) {
            std::iter::once(&mut self.header).chain(&mut self.rows).for_each(|cells| cells.swap(0, 1));
        }
    }

    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    pub(crate) fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    /// As wide as it takes, or at most so wide: texts stand below their rows then, the widest columns are cut, and show it,
    /// and the last ones left out where that is not enough. Without rows there is no header either.
    pub(crate) fn text(&self, width: Option<usize>, paint: Paint) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let layout = self.layout(width);
        let header = written(&self.header, &layout.widths, |_, text| match paint {
            Paint(true) => Style::new().bold().force_styling(true).apply_to(text).to_string(),
            Paint(false) => text.to_owned(),
        });
        let mut text = format!("{header}\n");
        for row in &self.rows {
            text.push_str(&self.painted(row, &layout, paint));
            text.push('\n');
        }
        let left_out = self.header.iter().enumerate().filter(|(at, _)| layout.leaves_out(*at));
        let left_out: Vec<_> = left_out.map(|(_, name)| name.as_str()).collect();
        if !left_out.is_empty() {
            text.push_str(&format!("(no room for: {})\n", left_out.join(", ")));
        }
        text
    }

    /// One row, in the columns that the table has.
    pub(crate) fn line(&self, row: &[String], width: Option<usize>, paint: Paint) -> String {
        self.painted(row, &self.layout(width), paint)
    }

    /// With the lines of what stands below.
    fn painted(&self, row: &[String], layout: &Layout, paint: Paint) -> String {
        let mut lines = vec![written(row, &layout.widths, |at, text| match self.header.get(at) {
            Some(column) if paint.0 => colour::of_cell(column, text),
            _ => text.to_owned(),
        })];
        let label = layout.beneath.iter().map(|at| self.header[*at].len()).max().unwrap_or_default();
        for at in layout.beneath.iter().filter(|at| row[**at] != NOTHING) {
            lines.extend(beneath::lines(&self.header[*at], &row[*at], label, layout.room));
        }
        lines.join("\n")
    }

    fn layout(&self, room: Option<usize>) -> Layout {
        let natural: Vec<usize> = (0..self.header.len()).map(|at| self.natural_width(at)).collect();
        let mut widths: Vec<Option<usize>> = natural.iter().copied().map(Some).collect();
        let fits = |room: &usize| needed(natural.iter().copied()) <= *room;
        let Some(room) = room.filter(|room| !fits(room)) else {
            return Layout { widths, beneath: Vec::new(), room: usize::MAX };
        };
        let mut texts = beneath::texts(&self.header);
        texts.retain(|at| natural[*at] > LEGIBLE);
        texts.sort_by_key(|at| natural[*at]);
        let mut beneath = Vec::new();
        while needed(widths.iter().flatten().copied()) > room
            && let Some(longest) = texts.pop()
        {
            widths[longest] = None;
            beneath.push(longest);
        }
        beneath.sort_unstable();
        self.squeeze(&mut widths, &natural, room);
        Layout { widths, beneath, room }
    }

    fn squeeze(&self, widths: &mut [Option<usize>], natural: &[usize], room: usize) {
        let legible = |at: usize| natural[at].min(LEGIBLE).max(measure_text_width(&self.header[at]));
        while needed((0..widths.len()).filter(|at| widths[*at].is_some()).map(legible)) > room {
            let last = (0..widths.len())
                .rev()
                .find(|at| widths[*at].is_some() && !KEPT.contains(&self.header[*at].as_str()));
            match last {
                Some(at) => widths[at] = None,
                None => break,
            }
        }
        while needed(widths.iter().flatten().copied()) > room {
            let at_most = |floor: &dyn Fn(usize) -> usize| {
                let wider =
                    (0..widths.len()).filter(|at| widths[*at].is_some_and(|width| width > floor(*at)));
                wider.max_by_key(|at| widths[*at])
            };
            let is_kept = |at: usize| KEPT.contains(&self.header[at].as_str());
            let others = |at: usize| if is_kept(at) { usize::MAX } else { legible(at) };
            match at_most(&others).or_else(|| at_most(&legible)).or_else(|| at_most(&|_| NARROWEST)) {
                Some(at) => widths[at] = widths[at].map(|width| width - 1),
                None => break,
            }
        }
    }

    fn natural_width(&self, at: usize) -> usize {
        let cells = self.rows.iter().map(|row| measure_text_width(&row[at]));
        cells.max().unwrap_or(0).max(measure_text_width(&self.header[at]))
    }
}

impl Layout {
    fn leaves_out(&self, at: usize) -> bool {
        self.widths[at].is_none() && !self.beneath.contains(&at)
    }
}

/// How wide a column of such cells is.
pub(crate) fn column(cells: &[String]) -> usize {
    cells.iter().map(|cell| measure_text_width(cell)).max().unwrap_or_default()
}

/// With the gaps between them.
fn needed(widths: impl Iterator<Item = usize>) -> usize {
    widths.map(|width| width + GAP).sum::<usize>().saturating_sub(GAP)
}

/// The cells in columns so wide; `paint` is given the place and the text of each.
fn written(cells: &[String], widths: &[Option<usize>], paint: impl Fn(usize, &str) -> String) -> String {
    let shown =
        cells.iter().zip(widths).enumerate().filter_map(|(at, (cell, width))| Some((at, cell, (*width)?)));
    let mut line = String::new();
    let mut pending = 0;
    for (at, cell, width) in shown {
        let cut = truncate_str(cell, width, "…");
        line.push_str(&" ".repeat(pending));
        line.push_str(&paint(at, &cut));
        pending = GAP + width.saturating_sub(measure_text_width(&cut));
    }
    line.trim_end().to_owned()
}

/// A row is a list of cells, or an object by column.
fn value(row: &Value, at: usize, name: &str) -> String {
    cell(if row.is_array() { &row[at] } else { &row[name] })
}

fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => NOTHING.to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(_) if value["tool"].is_string() => {
            next::command(value).unwrap_or_else(|| value.to_string())
        }
        Value::Object(fields) if fields.values().all(Value::is_string) => {
            let fields =
                fields.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
            fields.collect::<Vec<_>>().join(",")
        }
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let items: Vec<_> = items.iter().filter_map(Value::as_str).collect();
            let are_sentences = items.iter().any(|item| item.contains(' '));
            items.join(if are_sentences { "; " } else { "," })
        }
        other => other.to_string(),
    };
    // The gateway escapes what a cluster says; this holds for whatever else may answer.
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table() -> Table {
        Table::of(&json!({
            "columns": ["name", "restarts", "labels"],
            "groups": [
                {"cluster": "prod-eu", "namespace": "kube-system", "rows": [["a-very-long-name-of-a-pod-x7f9q", 12, {"env": "prod"}]]},
                {"cluster": "us", "rows": [{"name": "b\tc", "labels": null}]},
            ],
        }))
    }

    fn whole(table: &Table) -> String {
        table.text(None, Paint(false))
    }

    fn fitted(width: usize) -> String {
        table().text(Some(width), Paint(false))
    }

    #[test]
    fn every_row_names_its_place() {
        assert_eq!(
            whole(&table()),
            "cluster  namespace    name                             restarts  labels\n\
             prod-eu  kube-system  a-very-long-name-of-a-pod-x7f9q  12        env=prod\n\
             us       -            b c                              -         -\n"
        );
    }

    #[test]
    fn it_fits_any_terminal_that_can_hold_what_a_row_is_about() {
        for width in 19..90 {
            let text = fitted(width);
            let of_table = text.lines().filter(|line| !line.starts_with('('));
            assert!(of_table.clone().all(|line| measure_text_width(line) <= width), "{width}:\n{text}");
            assert_eq!(of_table.count(), 3, "{width}:\n{text}");
        }
        assert_eq!(
            fitted(60).lines().next(),
            Some("cluster  namespace    name                restarts  labels")
        );
        assert!(fitted(60).contains("a-very-long-name-…"), "{}", fitted(60));
        assert_eq!(fitted(200), whole(&table()));
    }

    #[test]
    fn columns_are_left_out_from_the_end_and_that_is_said() {
        for (width, header, left_out) in [
            (54, "cluster  namespace    name          restarts  labels", None),
            (53, "cluster  namespace    name                   restarts", Some("(no room for: labels)")),
            (40, "cluster  namespace    name", Some("(no room for: restarts, labels)")),
        ] {
            let text = fitted(width);
            assert_eq!(text.lines().next(), Some(header), "{width}:\n{text}");
            assert_eq!(text.lines().find(|line| line.starts_with('(')), left_out, "{width}:\n{text}");
        }
    }

    #[test]
    fn texts_stand_below_where_there_is_no_room_beside() {
        let call = json!({"tool": "resources_describe", "arguments": {"name": "nodes/n1", "cluster": "eu"}});
        let table = Table::of(&json!({
            "columns": ["cause", "object", "message", "evidence", "since", "next"],
            "groups": [{"rows": [["NodeNotReady", "nodes/n1", "its kubelet is silent", null, "35m", call]]}],
        }));
        assert_eq!(
            table.text(Some(60), Paint(false)),
            "cause         object    evidence  since\n\
             NodeNotReady  nodes/n1  -         35m\n    message  its kubelet is silent\n    \
             next     kubeplex describe nodes/n1 --cluster eu\n"
        );
        let wide = table.text(None, Paint(false));
        assert!(wide.lines().count() == 2 && wide.contains("silent  -         35m"), "{wide}");
    }

    #[test]
    fn colour_takes_no_room() {
        let plain = whole(&table());
        let painted = table().text(None, Paint(true));
        assert_ne!(painted, plain);
        assert_eq!(console::strip_ansi_codes(&painted), plain);
    }

    #[test]
    fn clusters_come_before_namespaces_and_sentences_are_told_apart() {
        let table = Table::of(&json!({
            "columns": ["cluster", "reasons"],
            "groups": [{"namespace": "shop", "rows": [["eu", ["one reason", "another"]], ["us", ["a", "b"]]]}],
        }));
        assert_eq!(
            whole(&table),
            "cluster  namespace  reasons\neu       shop       one reason; another\nus       shop       a,b\n"
        );
    }

    #[test]
    fn no_rows_are_no_table() {
        let empty = Table::of(&json!({"columns": ["name"], "groups": []}));
        assert_eq!(empty.text(Some(80), Paint(false)), "");
    }
}
