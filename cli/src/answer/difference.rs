//! What `fleet_diff` answered: each object that differs, with its paths and the values that clusters have there.

use std::fmt::Write as _;

use console::Style;
use serde_json::Value;

use super::{Look, names};
use crate::table::column;

/// Nothing where there is no such thing.
const NONE: &str = "(none)";

pub(super) fn is(content: &Value) -> bool {
    content["baseline"].is_string()
}

/// The objects that differ.
pub(super) fn text(content: &Value, look: Look) -> String {
    let one = [content.clone()];
    let objects = content["objects"].as_array().map_or(&one[..], Vec::as_slice);
    let parts: Vec<_> = objects.iter().filter_map(|object| of_object(object, look)).collect();
    parts.join("\n")
}

fn of_object(object: &Value, look: Look) -> Option<String> {
    let called = object["object"].as_str()?;
    let mut text = format!("{}\n", look.paint(&format!("# {called}"), Style::new().bold()));
    for difference in object["differ"].as_array().into_iter().flatten() {
        // Writing to a String can't fail, here and below.
        let _ = writeln!(text, "{}", difference["path"].as_str().unwrap_or_default());
        let values: Vec<_> = difference["values"].as_array().into_iter().flatten().collect();
        let shown: Vec<_> = values.iter().map(|value| shown(&value["value"])).collect();
        let width = column(&shown);
        for (value, shown) in values.iter().zip(&shown) {
            let places = names(&value["clusters"]).unwrap_or_default();
            let _ = writeln!(text, "  {shown:width$}  {places}");
        }
    }
    for (key, said) in [
        ("missing", "missing in"),
        ("unread", "differs, and could not be read, in"),
        ("agree", "the others are compared with"),
    ] {
        if let Some(places) = names(&object[key]) {
            let _ = writeln!(text, "{said}: {places}");
        }
    }
    if object.get("differ").is_none() && object.get("missing").is_none() && object.get("unread").is_none() {
        text = format!("{called} is alike in {}\n", names(&object["agree"]).unwrap_or_default());
    }
    Some(text)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => NONE.to_owned(),
        other => other.to_string().replace(char::is_control, " "),
    }
}

/// How many there are, and what was not compared.
pub(super) fn counted(text: &mut String, content: &Value) {
    let _ = writeln!(text, "compared with {}", content["baseline"].as_str().unwrap_or_default());
    if let (Some(equal), Some(total)) = (content["equal"].as_u64(), content["total"].as_u64()) {
        let _ = writeln!(text, "{equal} of {total} objects are alike everywhere");
    }
    if let Some(more) = content["moreObjects"].as_u64() {
        let _ = writeln!(text, "{more} more objects differ: narrow kind, namespace or name to see them");
    }
    for kind in content["kinds"].as_array().into_iter().flatten() {
        let (are, said) =
            (kind["are"].as_str().unwrap_or_default(), |key| names(&kind[key]).unwrap_or_default());
        let _ = writeln!(text, "{are} in {}: {}", said("clusters"), said("kinds"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PLAIN: Look = Look { width: None, colour: false };

    #[test]
    fn an_object_has_its_paths_and_values() {
        let content = json!({"baseline": "majority", "object": "deployments.apps shop/cart", "agree": ["eu", "us"],
            "differ": [{"path": "spec.replicas", "values": [{"value": 10, "clusters": ["eu", "us"]}, {"value": null, "clusters": ["ap"]}]}],
            "missing": ["dev"]});
        assert_eq!(
            text(&content, PLAIN),
            "# deployments.apps shop/cart\nspec.replicas\n  10      eu, us\n  (none)  ap\n\
             missing in: dev\nthe others are compared with: eu, us\n"
        );
        let alike =
            json!({"baseline": "majority", "object": "deployments.apps shop/cart", "agree": ["eu", "us"]});
        assert_eq!(text(&alike, PLAIN), "deployments.apps shop/cart is alike in eu, us\n");
    }

    #[test]
    fn of_several_each_is_a_part() {
        let entry = |name: &str| json!({"object": name, "agree": ["eu"], "missing": ["us"]});
        let content = json!({"baseline": "eu", "total": 9, "equal": 7, "objects": [entry("a"), entry("b")],
            "kinds": [{"kinds": ["canaries.x", "certificates.y"], "are": "absent", "clusters": ["us"]}]});
        let (shown, mut said) = (text(&content, PLAIN), String::new());
        counted(&mut said, &content);
        assert_eq!(shown.matches("missing in: us").count(), 2, "{shown}");
        assert_eq!(
            said,
            "compared with eu\n7 of 9 objects are alike everywhere\nabsent in us: canaries.x, certificates.y\n"
        );
    }
}
