//! What `resources_describe` answered: each object as YAML, and below it what is around it, a line a fact.

use std::fmt::Write as _;

use console::Style;
use serde_json::Value;

use super::{Look, names};

pub(super) fn is(content: &Value) -> bool {
    content["descriptions"].is_array()
}

pub(super) fn text(content: &Value, look: Look) -> String {
    let descriptions = content["descriptions"].as_array().into_iter().flatten();
    descriptions.map(|description| one(description, look)).collect::<Vec<_>>().join("\n")
}

fn one(description: &Value, look: Look) -> String {
    let bold = |text: &str| look.paint(text, Style::new().bold());
    let clusters = names(&description["clusters"]).unwrap_or_default();
    let more =
        description["moreClusters"].as_u64().map(|more| format!(" and {more} more")).unwrap_or_default();
    let mut text = format!("{}\n{}", bold(&format!("# in {clusters}{more}")), yaml(&description["object"]));
    for (part, value) in description.as_object().into_iter().flatten() {
        // Writing to a String can't fail, here and below.
        let _ = match value {
            _ if matches!(part.as_str(), "clusters" | "moreClusters" | "object") => Ok(()),
            Value::Array(facts) => {
                let facts = facts.iter().filter_map(Value::as_str);
                writeln!(text, "{}", bold(&format!("{part}:"))).and_then(|()| lines(&mut text, facts))
            }
            Value::Object(figures) => {
                let facts = figures.iter().map(|(name, figure)| match figure {
                    Value::String(figure) => format!("{name}: {figure}"),
                    figure => format!("{name}: {figure}"),
                });
                let facts: Vec<_> = facts.collect();
                writeln!(text, "{}", bold(&format!("{part}:")))
                    .and_then(|()| lines(&mut text, facts.iter().map(String::as_str)))
            }
            Value::String(fact) => writeln!(text, "{} {fact}", bold(&format!("{part}:"))),
            other => writeln!(text, "{} {other}", bold(&format!("{part}:"))),
        };
    }
    text
}

fn lines<'a>(text: &mut String, facts: impl Iterator<Item = &'a str>) -> std::fmt::Result {
    facts.into_iter().try_for_each(|fact| writeln!(text, "  {}", fact.replace(char::is_control, " ")))
}

fn yaml(object: &Value) -> String {
    let written = serde_saphyr::to_string(object).unwrap_or_else(|_| format!("{object:#}"));
    format!("{}\n", written.trim_end())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_yaml_and_each_fact_a_line() {
        let description = json!({"clusters": ["eu", "us"], "object": {"kind": "Pod", "spec": {"nodeName": "n1"}},
            "age": "3d", "events": ["2m ago Warning BackOff", "3m ago"], "usage": {"pods": 1, "cpu": "3m used"},
            "leftOut": 2});
        assert_eq!(
            text(&json!({"descriptions": [description]}), Look { width: None, colour: false }),
            "# in eu, us\nkind: Pod\nspec:\n  nodeName: n1\nage: 3d\nevents:\n  2m ago Warning BackOff\n  3m ago\n\
             usage:\n  pods: 1\n  cpu: 3m used\nleftOut: 2\n"
        );
    }
}
