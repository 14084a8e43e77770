//! The tools as a page for people: what the catalogue says, what its arguments mean, and an example of each that went
//! through the real stages.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Tool, catalogue};
use crate::limits::{CURSOR_LIFE, MAX_ARGUMENT_BYTES, MAX_LIST_PARTS};

mod arguments;
mod examples;
mod layout;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/tools.md");

/// Set it to write the page instead of comparing it.
const UPDATE: &str = "KUBEPLEX_UPDATE_DOCS";

fn page() -> String {
    let mut page = format!(
        "# Tools\n\n\
        Every tool answers in one shape, which [answers.md](answers.md) explains: rows or objects, what they cover, what is\n\
        missing. All of them only read. `kubeplex call TOOL '{{…}}'` calls one from a shell; `--json` prints the structured\n\
        answer that is shown here, `--trace` where its time went.\n\n\
        Unknown arguments are refused, with the nearest name. Some that are often meant are taken for the right one:\n\
        `clusters` and `context` for `cluster`, `ns` for `namespace`, `selector` for `labelSelector`, an array for a comma\n\
        list. `null` and what is empty are the same as no argument. A text may have {} bytes, a list {} parts. A cursor in\n\
        `continue` holds for {} minutes, and until the gateway restarts unless it has a `cursor_key_file`.\n\n\
        This page is rendered from `gateway/src/tools`, and a test keeps the two equal.\n",
        MAX_ARGUMENT_BYTES,
        MAX_LIST_PARTS,
        CURSOR_LIFE.as_secs() / 60,
    );
    for tool in catalogue().tools() {
        describe(&mut page, tool);
    }
    page
}

// Writing to a string can't fail.
fn describe(page: &mut String, tool: &Tool) {
    let _ = write!(page, "\n## {}\n\n{}. {}\n\n", tool.name, tool.title, tool.description);
    page.push_str("| argument | type | default | meaning |\n|---|---|---|---|\n");
    let schema = tool.input_schema();
    let required =
        |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name));
    for (name, argument) in schema["properties"].as_object().into_iter().flatten() {
        let meaning = arguments::meaning(tool.name, name);
        let default = if required(name) { "required" } else { &meaning.default };
        let _ = writeln!(page, "| `{name}` | {} | {default} | {} |", type_of(argument), meaning.text);
    }
    for example in examples::of(tool.name) {
        let call = example.arguments.to_string();
        let _ = write!(page, "\n{}\n\n```\nkubeplex call {} '{call}'\n```\n", example.about, tool.name);
        let _ = write!(page, "\n```json\n{}\n```\n", layout::laid_out(&example.answer()));
    }
}

fn type_of(argument: &Value) -> String {
    if let Some(choices) = argument["enum"].as_array() {
        let choices: Vec<_> =
            choices.iter().filter_map(Value::as_str).map(|choice| format!("`{choice}`")).collect();
        return choices.join(" or ");
    }
    match argument["type"].as_str() {
        Some("integer") => format!("integer, {} to {}", argument["minimum"], argument["maximum"]),
        Some("string") => "text".to_owned(),
        Some("boolean") => "`true` or `false`".to_owned(),
        other => panic!("the page has no words for an argument of type {other:?}"),
    }
}

#[test]
fn the_page_is_the_catalogue() {
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(PAGE, page()).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(written == page(), "docs/tools.md is not what the catalogue says: run this test with {UPDATE}=1");
}

/// That page is written by hand, and must know every word that an answer may hold.
#[test]
fn answers_knows_every_code_and_status() {
    const ANSWERS: &str = include_str!("../../../docs/answers.md");
    use crate::error::ErrorCode;
    use kubeplex_proto::status::LegStatus;
    let statuses = [
        LegStatus::Ok,
        LegStatus::Absent,
        LegStatus::Syncing,
        LegStatus::Stale,
        LegStatus::Disconnected,
        LegStatus::Forbidden,
        LegStatus::Timeout,
        LegStatus::Error,
    ];
    let statuses = statuses.map(|status| serde_json::to_value(status).unwrap());
    let words =
        ErrorCode::ALL.iter().map(|code| code.as_str()).chain(statuses.iter().filter_map(Value::as_str));
    for word in words {
        assert!(ANSWERS.contains(&format!("`{word}`")), "docs/answers.md does not say what {word} means");
    }
}
