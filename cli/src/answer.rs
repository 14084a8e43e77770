//! What a tool answered, for a person: rows as a table that fits the terminal, objects indented, and below them what the
//! answer covers and how it goes on.

mod description;
mod difference;

use std::fmt::Write as _;

use console::{Style, Term, style};
use serde_json::{Value, json};

use crate::client::{Endpoint, Exchange};
use crate::hints;
use crate::table::{Paint, Table};

/// How an answer is to look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// Columns of the terminal; a pipe or a file has as many as it takes.
    pub(crate) width: Option<usize>,
    pub(crate) colour: bool,
}

impl Look {
    pub(crate) fn of_stdout() -> Self {
        let term = Term::stdout();
        let width = term.size_checked().map(|(_, columns)| usize::from(columns));
        Self { width: width.filter(|_| term.is_term()), colour: console::colors_enabled() }
    }

    pub(crate) fn of_stderr() -> Self {
        Self { width: None, colour: console::colors_enabled_stderr() }
    }

    /// Whatever the terminal has.
    pub(crate) fn unbounded(self) -> Self {
        Self { width: None, ..self }
    }

    pub(crate) fn paint(self, text: &str, colour: Style) -> String {
        if self.colour { colour.force_styling(true).apply_to(text).to_string() } else { text.to_owned() }
    }
}

/// What an answer is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Logs: lines stand as they were written, however long they are.
    Lines,
    Rows,
    Difference,
    Descriptions,
    Objects,
    /// Of which only the gateway knows how it is shown.
    Other,
}

impl Shape {
    fn of(content: &Value) -> Self {
        let has = |name: &str| content["columns"].as_array().is_some_and(|all| all.iter().any(|c| c == name));
        if content["rows"].is_array() && has("line") {
            Self::Lines
        } else if content["groups"].is_array() || has("pattern") {
            Self::Rows
        } else if difference::is(content) {
            Self::Difference
        } else if description::is(content) {
            Self::Descriptions
        } else if content["objects"].is_array() {
            Self::Objects
        } else {
            Self::Other
        }
    }
}

/// The whole answer as text.
pub(crate) fn render(exchange: &Exchange, endpoint: &Endpoint, look: Look) -> String {
    let Ok(content) = exchange.structured() else { return lines(exchange.text()) };
    let mut text = body(content, exchange.text(), look);
    let shape = Shape::of(content);
    if shape == Shape::Rows && !text.is_empty() {
        text.push('\n');
    }
    // What the gateway says in words says all of it.
    if shape != Shape::Other {
        text.push_str(&footer(content, look, true));
    }
    if let Some(next) = next_page(exchange, content, endpoint) {
        // Writing to a String can't fail, here and below.
        let _ = writeln!(text, "next page:\n  {next}");
    }
    text
}

/// What was found: nothing else.
pub(crate) fn body(content: &Value, said: &str, look: Look) -> String {
    match Shape::of(content) {
        Shape::Lines => written_lines(content).iter().map(|line| format!("{line}\n")).collect(),
        Shape::Rows => Table::of(content).text(look.width, Paint(look.colour)),
        Shape::Difference => difference::text(content, look),
        Shape::Descriptions => description::text(content, look),
        Shape::Objects => objects(content, look),
        Shape::Other if said.is_empty() => indented(content),
        Shape::Other => lines(said),
    }
}

/// What is to be said of it: how much there is and what it covers, or only what is amiss.
pub(crate) fn footer(content: &Value, look: Look, is_whole: bool) -> String {
    let mut text = String::new();
    if is_whole {
        counted(&mut text, content);
        covered(&mut text, content);
    }
    amiss(&mut text, content, look);
    text
}

/// Each line with whose it is before it, where that is not the same of all.
pub(crate) fn written_lines(content: &Value) -> Vec<String> {
    let rows = content["rows"].as_array().into_iter().flatten();
    let cells = |row: &Value| {
        let cells = row.as_array().into_iter().flatten().filter(|cell| !cell.is_null());
        cells.map(|cell| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned)).collect::<Vec<_>>()
    };
    // The gateway escapes what a container wrote; this holds for whatever else may answer.
    rows.map(|row| cells(row).join("  ").replace(char::is_control, " ")).collect()
}

fn lines(text: &str) -> String {
    text.lines().map(|line| format!("{line}\n")).collect()
}

fn indented(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Each object below the clusters that have it.
fn objects(content: &Value, look: Look) -> String {
    let mut text = String::new();
    for shared in content["objects"].as_array().into_iter().flatten() {
        let clusters = names(&shared["clusters"]).unwrap_or_default();
        let more =
            shared["moreClusters"].as_u64().map(|more| format!(" and {more} more")).unwrap_or_default();
        let heading = look.paint(&format!("# in {clusters}{more}"), Style::new().bold());
        let _ = write!(text, "{heading}\n{}", indented(&shared["object"]));
    }
    text
}

/// Whether there is nothing of what was asked for. That nothing differs is something.
pub(crate) fn is_empty(content: &Value) -> bool {
    let none = |list: &str| content[list].as_array().is_some_and(Vec::is_empty);
    match Shape::of(content) {
        Shape::Difference => content["total"] == 0,
        Shape::Descriptions => none("descriptions"),
        _ => content["shown"] == 0 || none("groups") || none("objects") || none("rows"),
    }
}

fn counted(text: &mut String, content: &Value) {
    let shape = Shape::of(content);
    if shape == Shape::Difference && !is_empty(content) {
        difference::counted(text, content);
    } else if is_empty(content) {
        text.push_str("nothing found\n");
    } else if let (Some(shown), Shape::Rows | Shape::Lines) = (content["shown"].as_u64(), shape) {
        let of = content["total"].as_u64().map(|total| format!(" of {total}")).unwrap_or_default();
        let _ = writeln!(text, "{shown}{of} shown");
    }
    for (field, of) in [("statusCounts", "status"), ("kindCounts", "kind")] {
        if let Some(counts) = counts(&content[field]) {
            let _ = writeln!(text, "by {of}: {counts}");
        }
    }
    for (why, kinds) in content["notSearched"].as_object().into_iter().flatten() {
        let _ = writeln!(text, "not searched, {}: {}", in_words(why), few(kinds));
    }
    if let Some(paths) = names(&content["omitted"]) {
        let _ = writeln!(text, "left out for size: {paths}; repeat the call with fields to get one of them");
    }
}

fn covered(text: &mut String, content: &Value) {
    let clusters = &content["clusters"];
    let age = match (clusters["ageMs"].as_u64(), clusters["heardMs"].as_u64()) {
        (Some(ms), _) if ms < 1_000 => ", data less than 1 s old".to_owned(),
        (Some(ms), _) => format!(", data at most {} s old", ms.div_ceil(1_000)),
        (None, Some(ms)) if ms < 1_000 => ", all heard within the last second".to_owned(),
        (None, Some(ms)) => format!(", all heard within the last {} s", ms.div_ceil(1_000)),
        (None, None) => String::new(),
    };
    if clusters.is_object() {
        let _ = writeln!(text, "{} of {} clusters answered{age}", clusters["answered"], clusters["expected"]);
    }
    if let Some(counts) = counts(&clusters["counts"]) {
        let _ = writeln!(text, "by cluster: {counts}");
    }
    if let Some(names) = names(&clusters["absent"]) {
        let _ = writeln!(text, "no such kind in: {names}");
    }
}

fn amiss(text: &mut String, content: &Value, look: Look) {
    let clusters = &content["clusters"];
    let warning = |line: String| look.paint(&format!("! {line}"), Style::new().yellow());
    for problem in clusters["problems"].as_array().into_iter().flatten() {
        let since = problem["since"].as_str().map(|since| format!(" since {since}")).unwrap_or_default();
        let said = |key: &str| problem[key].as_str().unwrap_or_default();
        let line = format!("{} {}{since}: {}", said("cluster"), said("status"), said("message"));
        let _ = writeln!(text, "{}", warning(line));
    }
    if let Some(more) = counts(&clusters["moreProblems"]) {
        let _ = writeln!(text, "{}", warning(format!("and more clusters: {more}")));
    }
    for note in content["notes"].as_array().into_iter().flatten() {
        let word = |said: &Value| said.as_str().map_or_else(|| said.to_string(), str::to_owned);
        let said = match note {
            Value::Object(parts) => parts.values().map(word).collect::<Vec<_>>().join(" "),
            other => word(other),
        };
        let _ = writeln!(text, "{}", warning(said));
    }
    if let Some(names) = names(&clusters["rejoined"]) {
        let back =
            format!("back, but out of these pages: {names}; call again from the first page to include them");
        let _ = writeln!(text, "{}", warning(back));
    }
    if content["partial"] == true {
        let partial = style("PARTIAL: what is missing or old is said above").yellow().bold();
        let _ = writeln!(
            text,
            "{}",
            if look.colour { partial.force_styling(true) } else { partial.force_styling(false) }
        );
    }
}

/// Why a search left kinds out.
fn in_words(why: &str) -> &str {
    match why {
        "notWatched" => "because nobody asked for them yet (kind:NAME does)",
        "onlyByName" => "unless it is asked for by kind:NAME",
        why => why,
    }
}

/// The first of many names, and how many more there are: the last may say that itself.
fn few(names: &Value) -> String {
    const SHOWN: usize = 4;
    let names: Vec<_> = names.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let unnamed = |name: &&str| name.strip_prefix("and ")?.strip_suffix(" more")?.parse::<usize>().ok();
    let beyond = names.iter().skip(SHOWN).map(|name| unnamed(name).unwrap_or(1)).sum::<usize>();
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if beyond > 0 { format!("{shown} and {beyond} more") } else { shown }
}

/// `Running 162, Pending 3`.
fn counts(counts: &Value) -> Option<String> {
    let counts = counts.as_object().filter(|counts| !counts.is_empty())?;
    Some(counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", "))
}

fn names(names: &Value) -> Option<String> {
    let names = names.as_array().filter(|names| !names.is_empty())?;
    Some(names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
}

/// The same call with the cursor, to be pasted.
fn next_page(exchange: &Exchange, content: &Value, endpoint: &Endpoint) -> Option<String> {
    let cursor = content["continue"].as_str()?;
    let mut arguments = exchange.request["params"]["arguments"].clone();
    arguments["continue"] = json!(cursor);
    Some(hints::call(&endpoint.to_string(), exchange.tool(), &arguments.to_string()))
}

#[cfg(test)]
mod tests;
