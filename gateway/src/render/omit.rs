//! Leaving out what does not fit: a subtree becomes `{"omittedBytes":n}`, and its path says how to ask for it.

use kubeplex_proto::json_len::json_len;
use serde_json::{Value, json};

/// A smaller subtree than this is not worth replacing: the marker takes about as much.
const SMALLEST: usize = 64;
/// First words of `fields` that are not taken for a field of the object.
const OF_ROWS: [&str; 3] = ["cluster", "namespace", "column"];
/// The longest name of an object, in its quotes.
const LONGEST_NAME: usize = 255;

/// Replaces subtrees of the objects until `over` bytes are gone, or nothing worth it is left. The smallest subtree that
/// is large enough goes first, so that as little as possible is lost. Identity (apiVersion, kind, name, namespace)
/// stays.
///
/// The paths of what was left out, in the grammar of `fields`.
pub(super) fn shorten_objects(objects: &mut [&mut Value], mut over: usize) -> Vec<String> {
    let mut paths = Vec::new();
    while over > 0 {
        let mut candidates = Vec::new();
        for (at, object) in objects.iter().enumerate() {
            collect(object, &mut Vec::new(), &mut |size, path| candidates.push((size, at, path.to_vec())));
        }
        let enough =
            candidates.iter().filter(|(size, ..)| *size >= over + SMALLEST).min_by_key(|(size, ..)| *size);
        let Some((size, at, path)) = enough.or_else(|| candidates.iter().max_by_key(|(size, ..)| *size))
        else {
            break;
        };
        let Some(place) = find(objects[*at], path) else { break };
        let marker = json!({ "omittedBytes": size });
        over = over.saturating_sub(size.saturating_sub(json_len(&marker)));
        *place = marker;
        let path = spelled(path);
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// The same for the cells of a row, but for those that may be names; whether anything was replaced.
pub(super) fn shorten_cells(cells: &mut [Value], over: usize) -> bool {
    let mut large: Vec<_> = cells.iter_mut().filter(|cell| json_len(cell) > LONGEST_NAME).collect();
    let mut objects: Vec<_> = large.iter_mut().map(|cell| json!({ "cell": cell.take() })).collect();
    let replaced = !shorten_objects(&mut objects.iter_mut().collect::<Vec<_>>(), over).is_empty();
    for (cell, object) in large.iter_mut().zip(&mut objects) {
        **cell = object["cell"].take();
    }
    replaced
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// Tells of every subtree below the root that is worth replacing.
fn collect(value: &Value, path: &mut Vec<Step>, tell: &mut impl FnMut(usize, &[Step])) {
    let below: Vec<(Step, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (Step::Key(key.clone()), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, value)| (Step::Index(at), value)).collect(),
        _ => return,
    };
    for (step, value) in below {
        let size = json_len(value);
        if size < SMALLEST {
            continue;
        }
        path.push(step);
        if !is_identity(path) {
            tell(size, path);
        }
        collect(value, path, tell);
        path.pop();
    }
}

/// `metadata` as a whole holds the name, so only what is in it may go.
fn is_identity(path: &[Step]) -> bool {
    let is = |step: &Step, keys: &[&str]| matches!(step, Step::Key(key) if keys.contains(&key.as_str()));
    match path {
        [root] => is(root, &["apiVersion", "kind", "metadata"]),
        [root, below] => is(root, &["metadata"]) && is(below, &["name", "namespace"]),
        _ => false,
    }
}

fn find<'v>(value: &'v mut Value, path: &[Step]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get_mut(key),
        Step::Index(at) => value.get_mut(at),
    })
}

/// `spec.containers[0].env`, `data['app.conf']`: in `fields` it leads to exactly this place.
fn spelled(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Index(at) => text.push_str(&format!("[{at}]")),
            Step::Key(key) if is_plain(key) && !(text.is_empty() && OF_ROWS.contains(&key.as_str())) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            Step::Key(key) => {
                text.push_str(&format!("['{}']", key.replace('\\', "\\\\").replace('\'', "\\'")));
            }
        }
    }
    text
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_subtree_that_is_enough_goes() {
        let long = "x".repeat(500);
        let mut object = json!({"kind": "ConfigMap", "metadata": {"name": "a"},
            "data": {"app.conf": long, "other": "y".repeat(200)}, "spec": {"list": [{"env": "z".repeat(90)}]}});
        let paths = shorten_objects(&mut [&mut object], 300);
        assert_eq!(paths, ["data['app.conf']"]);
        assert_eq!(object["data"]["app.conf"], json!({"omittedBytes": 502}));
        let paths = shorten_objects(&mut [&mut object], 20);
        assert_eq!(paths, ["spec.list[0].env"]);
    }

    #[test]
    fn identity_stays_whatever_the_budget() {
        let name = "n".repeat(253);
        let mut object = json!({"kind": "Pod", "metadata": {"name": name, "labels": {"a": "b".repeat(80)}},
            "spec": {"x": "y".repeat(100)}});
        shorten_objects(&mut [&mut object], 10_000);
        assert_eq!(object["metadata"]["name"], name);
        assert!(json_len(&object) < 500, "{object}");
    }

    #[test]
    fn paths_are_spelled_so_that_fields_takes_them() {
        let key = |text: &str| Step::Key(text.to_owned());
        for (path, spelling) in [
            (vec![key("spec"), key("list"), Step::Index(3), key("env")], "spec.list[3].env"),
            (vec![key("data"), key("app.conf")], "data['app.conf']"),
            (vec![key("data"), key("a/b[c],d")], "data['a/b[c],d']"),
            (vec![key("data"), key("it's \\n"), key("x")], r"data['it\'s \\n'].x"),
            (vec![key("data"), key("")], "data['']"),
            (vec![key("namespace"), key("namespace")], "['namespace'].namespace"),
            (vec![key("cluster"), key("labels")], "['cluster'].labels"),
        ] {
            assert_eq!(spelled(&path), spelling);
        }
    }

    #[test]
    fn cells_become_markers() {
        let name = "n".repeat(253);
        let mut cells = vec![json!(name), json!({"a": "x".repeat(300)})];
        assert!(shorten_cells(&mut cells, 100));
        assert_eq!(cells[0], name);
        assert!(json_len(&cells[1]) < 100);
        assert!(!shorten_cells(&mut cells, 100));
    }
}
