//! An answer on standard output, in the form that was asked for.

use std::collections::HashSet;

use kubeplex_program::output;
use serde_json::Value;

use crate::answer::{self, Look};
use crate::table::Table;

use super::flags::Output;
use super::pages::Answer;
use super::question::Question;

/// # Errors
/// When it can't be written.
pub(super) fn content(answer: &Answer, question: &Question) -> anyhow::Result<()> {
    let text = match (question.output, &answer.content, &answer.error) {
        // A program finds the error where it reads.
        (Output::Json | Output::Yaml, None, Some(error)) => document(error, question.output)?,
        (_, None, _) => return Ok(()),
        (Output::Json | Output::Yaml, Some(content), _) => document(content, question.output)?,
        (Output::Name, Some(content), _) => names(content, question.kind.as_deref()).join("\n"),
        (Output::Table, Some(content), _) => answer::body(content, &answer.text, Look::of_stdout()),
        (Output::Wide, Some(content), _) => {
            answer::body(content, &answer.text, Look::of_stdout().unbounded())
        }
    };
    if !text.trim().is_empty() {
        output::line(text.trim_end())?;
    }
    Ok(())
}

fn document(content: &Value, output: Output) -> anyhow::Result<String> {
    Ok(match output {
        Output::Yaml => serde_saphyr::to_string(content)?,
        _ => serde_json::to_string_pretty(content)?,
    })
}

/// `KIND/NAME`, each once, whichever clusters have it: what other commands take.
fn names(content: &Value, kind: Option<&str>) -> Vec<String> {
    let of_object = |shared: &Value| {
        let object = &shared["object"];
        let kind = object["kind"].as_str()?.to_lowercase();
        Some(format!("{kind}/{}", object["metadata"]["name"].as_str()?))
    };
    let objects = content["objects"].as_array().into_iter().flatten().filter_map(of_object);
    let mut seen = HashSet::new();
    let names = objects.chain(names_of_rows(&Table::of(content), kind));
    names.filter(|name| seen.insert(name.clone())).collect()
}

/// A row says its kind itself, or within what it calls its object, or is of the kind that was asked for.
fn names_of_rows(table: &Table, asked: Option<&str>) -> Vec<String> {
    let at = |column: &str| table.header().iter().position(|name| name == column);
    let Some(name) = at("object").or_else(|| at("name")) else { return Vec::new() };
    let kind = at("kind");
    let named = |row: &Vec<String>| {
        let name = &row[name];
        match kind.map(|at| row[at].as_str()).or(asked) {
            Some(kind) if !name.contains('/') => format!("{}/{name}", kind.to_lowercase()),
            _ => name.clone(),
        }
    };
    table.rows().iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_what_other_commands_take() {
        let rows = |columns: Value, rows: Value| json!({"columns": columns, "groups": [{"cluster": "eu", "rows": rows}, {"cluster": "us", "rows": rows}]});
        for (content, kind, wanted) in [
            (
                rows(json!(["name", "ready"]), json!([["a", "1/1"], ["b", "0/1"]])),
                Some("deploy"),
                vec!["deploy/a", "deploy/b"],
            ),
            (rows(json!(["kind", "name"]), json!([["Pod", "a"]])), None, vec!["pod/a"]),
            (rows(json!(["object", "reason"]), json!([["pod/a", "x"]])), Some("pods"), vec!["pod/a"]),
            (rows(json!(["name"]), json!([["eu"]])), None, vec!["eu"]),
            (rows(json!(["status", "count"]), json!([["Running", 3]])), Some("pods"), vec![]),
            (
                json!({"objects": [{"clusters": ["eu"], "object": {"kind": "Deployment", "metadata": {"name": "a"}}}]}),
                None,
                vec!["deployment/a"],
            ),
        ] {
            assert_eq!(names(&content, kind), wanted, "{content}");
        }
    }

    #[test]
    fn documents_are_the_answer_itself() {
        let content = json!({"groups": [{"rows": [{"name": "a: b", "labels": {"x": "1"}, "restarts": 1, "node": null}]}]});
        assert_eq!(
            serde_json::from_str::<Value>(&document(&content, Output::Json).unwrap()).unwrap(),
            content
        );
        let yaml = document(&content, Output::Yaml).unwrap();
        assert_eq!(serde_saphyr::from_str::<Value>(&yaml).unwrap(), content, "{yaml}");
    }
}
