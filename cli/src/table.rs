//! A page of rows as a table: a line a row, with its cluster and namespace, in columns that fit the terminal.

use console::{measure_text_width, pad_str, truncate_str};
use serde_json::Value;

/// Between two columns.
const GAP: usize = 2;

/// A column is not made narrower than this, however narrow the terminal: its cells would say nothing.
const NARROWEST: usize = 5;

/// The header and the rows, as text.
#[derive(Debug)]
pub(crate) struct Table {
    lines: Vec<Vec<String>>,
}

impl Table {
    /// From the structured content of a listing; without rows there is no header either.
    pub(crate) fn of(content: &Value) -> Self {
        let groups = || content["groups"].as_array().into_iter().flatten();
        let places: Vec<&str> = ["cluster", "namespace"]
            .into_iter()
            .filter(|place| groups().any(|group| group[*place].is_string()))
            .collect();
        let columns: Vec<&str> =
            content["columns"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let header = places.iter().chain(&columns).map(|name| (*name).to_owned()).collect();
        let mut lines: Vec<Vec<String>> = vec![header];
        for group in groups() {
            for row in group["rows"].as_array().into_iter().flatten() {
                let place = places.iter().map(|place| cell(&group[*place]));
                lines.push(
                    place.chain(columns.iter().enumerate().map(|(at, name)| value(row, at, name))).collect(),
                );
            }
        }
        if lines.len() == 1 {
            lines.clear();
        }
        Self { lines }
    }

    /// As wide as it takes.
    pub(crate) fn whole(&self) -> String {
        self.written(&self.widths())
    }

    /// At most so wide: the widest columns are cut, and show it.
    pub(crate) fn fitted(&self, width: usize) -> String {
        let mut widths = self.widths();
        let room = width.saturating_sub(GAP * widths.len().saturating_sub(1));
        let headers: Vec<usize> =
            self.lines.first().into_iter().flatten().map(|name| measure_text_width(name)).collect();
        // What a column is called is read before what stands in it: headers are cut only where nothing else is left.
        let floor = |at: usize| headers[at].max(NARROWEST);
        while widths.iter().sum::<usize>() > room {
            let above_floor =
                (0..widths.len()).filter(|at| widths[*at] > floor(*at)).max_by_key(|at| widths[*at]);
            let widest = above_floor.or_else(|| {
                (0..widths.len()).filter(|at| widths[*at] > NARROWEST).max_by_key(|at| widths[*at])
            });
            match widest {
                Some(at) => widths[at] -= 1,
                None => break,
            }
        }
        self.written(&widths)
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.lines.first().map_or(0, Vec::len);
        let width =
            |at: usize| self.lines.iter().map(|line| measure_text_width(&line[at])).max().unwrap_or(0);
        (0..columns).map(width).collect()
    }

    fn written(&self, widths: &[usize]) -> String {
        let mut text = String::new();
        for line in &self.lines {
            let cells = line.iter().zip(widths).map(|(cell, width)| {
                let cut = truncate_str(cell, *width, "…");
                pad_str(&cut, *width, console::Alignment::Left, None).into_owned()
            });
            let written = cells.collect::<Vec<_>>().join(&" ".repeat(GAP));
            text.push_str(written.trim_end());
            text.push('\n');
        }
        text
    }
}

/// A row is a list of cells, or an object by column.
fn value(row: &Value, at: usize, name: &str) -> String {
    cell(if row.is_array() { &row[at] } else { &row[name] })
}

fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(fields) if fields.values().all(Value::is_string) => {
            let fields =
                fields.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
            fields.collect::<Vec<_>>().join(",")
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

    #[test]
    fn every_row_names_its_place() {
        assert_eq!(
            table().whole(),
            "cluster  namespace    name                             restarts  labels\n\
             prod-eu  kube-system  a-very-long-name-of-a-pod-x7f9q  12        env=prod\n\
             us       -            b c                              -         -\n"
        );
    }

    #[test]
    fn it_fits_any_terminal_that_can_hold_its_columns() {
        for width in 33..90 {
            let text = table().fitted(width);
            assert!(text.lines().all(|line| measure_text_width(line) <= width), "{width}:\n{text}");
        }
        assert_eq!(
            table().fitted(60).lines().next(),
            Some("cluster  namespace    name                restarts  labels")
        );
        assert!(table().fitted(60).contains("a-very-long-name-…"), "{}", table().fitted(60));
        assert_eq!(table().fitted(200), table().whole());
    }

    #[test]
    fn no_rows_are_no_table() {
        assert_eq!(Table::of(&json!({"columns": ["name"], "groups": []})).fitted(80), "");
    }
}
