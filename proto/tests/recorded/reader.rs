//! Fixtures, read as this version and as a later one would have written them.

use std::fmt::Debug;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Every line of a fixture, as it is and as it is read. What is written again must be what was read: nothing that a version
/// said may be lost, or be called otherwise, while that version is spoken.
pub(crate) fn read<T>(version: u32, name: &str) -> Vec<T>
where
    T: DeserializeOwned + Serialize + PartialEq + Debug,
{
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/v{version}/{name}.jsonl"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines: Vec<(Value, T)> = text
        .lines()
        .map(|line| {
            let read = serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error} in {line}"));
            (serde_json::from_str(line).unwrap(), read)
        })
        .collect();
    for (line, read) in &lines {
        assert_eq!(&serde_json::to_value(read).unwrap(), line, "{name}: written otherwise than read");
        for (place, later) in with_unknown_fields(line) {
            let later: T = serde_json::from_value(later.clone()).unwrap_or_else(|error| {
                panic!("{name}: an unknown field at \"{place}\" is no offence: {error} in {later}")
            });
            assert_eq!(&later, read, "{name}: an unknown field at \"{place}\" changes nothing");
        }
    }
    lines.into_iter().map(|(_, read)| read).collect()
}

/// The same message as a later version might say it: a field more in one of its objects. Not where names are data: in maps, in
/// objects of a cluster, and where the one name of an object says which kind of value it holds.
fn with_unknown_fields(line: &Value) -> Vec<(String, Value)> {
    let mut places = Vec::new();
    visit(line, String::new(), &mut places);
    let later = |place: &String| {
        let mut later = line.clone();
        let object = later.pointer_mut(place).unwrap().as_object_mut().unwrap();
        object.insert("aFieldOfTomorrow".to_owned(), json!({"x": [1]}));
        later
    };
    places.iter().map(|place| (place.clone(), later(place))).collect()
}

fn visit(value: &Value, place: String, places: &mut Vec<String>) {
    const TAGS: [&str; 39] = [
        "hello",
        "report",
        "welcome",
        "refused",
        "head",
        "rows",
        "groups",
        "object",
        "end",
        "unchanged",
        "only",
        "fields",
        "field",
        "constant",
        "in",
        "notIn",
        "greaterThan",
        "lessThan",
        "ago",
        "at",
        "items",
        "change",
        "gap",
        "source",
        "lines",
        "templates",
        "over",
        "word",
        "part",
        "glob",
        "kind",
        "namespace",
        "name",
        "image",
        "label",
        "node",
        "status",
        "restarts",
        "age",
    ];
    match value {
        Value::Object(fields) => {
            let is_tag = fields.len() == 1 && fields.keys().all(|key| TAGS.contains(&key.as_str()));
            if !is_tag {
                places.push(place.clone());
            }
            for (key, below) in fields {
                let by_kind = place.ends_with("/search") && (key == "kinds" || key == "notSearched");
                let is_data = key == "statusCounts"
                    || key == "kubelets"
                    || key == "c"
                    || (key == "object" && !is_tag)
                    || key == "arguments"
                    || key == "intent"
                    || by_kind;
                if !is_data {
                    visit(below, format!("{place}/{key}"), places);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                visit(item, format!("{place}/{index}"), places);
            }
        }
        _ => {}
    }
}
