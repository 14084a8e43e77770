//! The text of an answer, for clients that read only that: tabs between cells, a line a row, then what must be said.

use serde_json::Value;

use super::coverage::CoverageContent;
use super::page::{Group, PageContent, Place, RowContent};
use super::word;
use crate::escape::one_line;

/// A page as text.
pub(super) fn page(content: &PageContent<'_>) -> String {
    let mut text = String::new();
    if content.shown == 0 {
        text.push_str("nothing found\n");
    } else {
        line(&mut text, content.columns.iter().map(String::as_str));
    }
    for group in &content.groups {
        heading(&mut text, group);
        for row in &group.rows {
            let cells: Vec<String> = match row {
                RowContent::Cells(cells) => cells.iter().map(cell).collect(),
                RowContent::Keyed(cells) => cells.values().map(cell).collect(),
            };
            line(&mut text, cells.iter().map(String::as_str));
        }
    }
    // Rows of a cluster that broke off are shown, and not in the total.
    match (content.shown, content.total) {
        (shown, total) if shown as u64 > total => {
            text.push_str(&format!("{shown} shown, {total} in clusters that answered in full"));
        }
        (shown, total) => text.push_str(&format!("{shown} of {total} shown")),
    }
    if let Some(cursor) = &content.cursor {
        text.push_str(&format!("; for the next page repeat the call with continue {cursor}"));
    }
    text.push('\n');
    if let Some(counts) = content.status_counts {
        let counts: Vec<_> =
            counts.iter().map(|(status, count)| format!("{} {count}", one_line(status))).collect();
        text.push_str(&format!("by status: {}\n", counts.join(", ")));
    }
    if !content.kind_counts.is_empty() {
        let counts: Vec<_> =
            content.kind_counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        text.push_str(&format!("by kind: {}\n", counts.join(", ")));
    }
    for (why, kinds) in &content.not_searched {
        text.push_str(&format!("not searched, {why}: {}\n", kinds.join(", ")));
    }
    coverage(&mut text, &content.clusters, content.partial);
    text
}

/// How many clusters answered, and what is wrong with the others.
pub(super) fn coverage(text: &mut String, clusters: &CoverageContent, partial: bool) {
    let age = clusters.age_ms.map(|age| format!(", data at most {age} ms old"));
    let age = age.or_else(|| clusters.heard_ms.map(|ago| format!(", all heard within the last {ago} ms")));
    text.push_str(&format!(
        "clusters: {} of {} answered{}\n",
        clusters.answered,
        clusters.expected,
        age.unwrap_or_default()
    ));
    if !clusters.counts.is_empty() {
        let counts: Vec<_> =
            clusters.counts.iter().map(|(cluster, count)| format!("{cluster} {count}")).collect();
        text.push_str(&format!("by cluster: {}\n", counts.join(", ")));
    }
    if !clusters.absent.is_empty() {
        text.push_str(&format!("no such kind in: {}\n", clusters.absent.join(", ")));
    }
    for problem in &clusters.problems {
        let status = word(&problem.status);
        let since = problem.since.as_deref().map(|since| format!(" since {since}")).unwrap_or_default();
        text.push_str(&format!("{} {status}{since}: {}\n", problem.cluster, problem.message));
    }
    for (status, count) in &clusters.more_problems {
        text.push_str(&format!("and {count} more clusters {}\n", word(status)));
    }
    if !clusters.rejoined.is_empty() || clusters.more_rejoined > 0 {
        text.push_str(&format!(
            "back, but out of these pages: {}{}; repeat the call without continue to include them\n",
            clusters.rejoined.join(", "),
            match clusters.more_rejoined {
                0 => String::new(),
                more => format!(" and {more} more"),
            }
        ));
    }
    if partial {
        text.push_str("PARTIAL: what is missing or old is said above\n");
    }
}

fn heading(text: &mut String, group: &Group<'_>) {
    let Place { date, cluster, namespace } = group.place;
    let parts = [("date", date), ("cluster", cluster), ("namespace", namespace)];
    let parts: Vec<_> =
        parts.iter().filter_map(|(what, name)| Some(format!("{what} {}", name.as_deref()?))).collect();
    if !parts.is_empty() {
        text.push_str(&format!("# {}\n", parts.join(", ")));
    }
}

pub(super) fn line<'c>(text: &mut String, cells: impl Iterator<Item = &'c str>) {
    let cells: Vec<_> = cells.collect();
    text.push_str(&cells.join("\t"));
    text.push('\n');
}

pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => one_line(text).into_owned(),
        other => one_line(&other.to_string()).into_owned(),
    }
}
