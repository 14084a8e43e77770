//! How objects differ: of one object its paths, of several an entry each.

use std::collections::BTreeMap;

use kubeplex_proto::digest::Look;
use kubeplex_proto::json_len::json_len;
use serde_json::{Map, Value, json};

use super::coverage::{CoverageContent, Nouns};
use super::{RenderContext, Rendered, plain, word};
use crate::escape::{escaped, one_line};
use crate::merge::{DiffPage, Difference, ObjectDiff, Side};
use crate::request::{Against, DiffQuery, LegId};

/// What agents put in the place of what may not be read.
const MASK: &str = "[redacted]";
/// A smaller value is not worth replacing: the marker takes about as much.
const SMALLEST: usize = 48;
/// Kinds named one by one of which the same is to be said.
const MAX_KINDS: usize = 20;
/// Clusters named one by one for one value.
const MAX_NAMED: usize = 20;

/// The reply to a [`DiffQuery`].
pub(crate) fn diff(query: &DiffQuery, page: &DiffPage, context: &RenderContext<'_>) -> Rendered {
    let mut objects: Vec<Value> = page.objects.iter().map(|object| entry(query, object)).collect();
    let mut clusters = CoverageContent::new(
        &page.coverage,
        Nouns { shown: "objects", kind: "objects", lack: None },
        false,
        context.now,
    );
    clusters.leave_room(query.options.max_bytes);
    let clusters_value = serde_json::to_value(&clusters).unwrap_or_default();
    let mut left_out = page.more;
    let content = loop {
        let content = content(query, page, &objects, left_out, &clusters_value);
        let over = json_len(&content).saturating_sub(query.options.max_bytes);
        if over == 0 || !shorten(&mut objects, over, &mut left_out) {
            break content;
        }
    };
    let mut text = text(&content);
    plain::coverage(&mut text, &clusters, page.coverage.is_partial());
    Rendered { structured: content, text }
}

fn content(
    query: &DiffQuery,
    page: &DiffPage,
    objects: &[Value],
    left_out: usize,
    clusters: &Value,
) -> Value {
    let mut content = Map::new();
    let mut put = |key: &str, value: Value| drop(content.insert(key.to_owned(), value));
    put("baseline", baseline(query).into());
    match objects {
        // One object that is compared needs no list.
        [Value::Object(only)] if page.total == 1 => {
            only.iter().for_each(|(key, value)| put(key, value.clone()));
        }
        _ => {
            put("total", page.total.into());
            put("equal", page.equal.into());
            put("objects", objects.into());
        }
    }
    if left_out > 0 {
        put("moreObjects", left_out.into());
    }
    let kinds = kinds(query, page);
    if !kinds.is_empty() {
        put("kinds", kinds.into());
    }
    let notes = notes(page);
    if !notes.is_empty() {
        put("notes", notes.into());
    }
    put("clusters", clusters.clone());
    if page.coverage.is_partial() {
        put("partial", true.into());
    }
    Value::Object(content)
}

fn entry(query: &DiffQuery, diff: &ObjectDiff) -> Value {
    let named = |sides: &[Side]| sides_said(query, sides);
    let called = &diff.called;
    let object = match called.namespace.as_str() {
        "" => format!("{} {}", called.kind, one_line(&called.name)),
        namespace => format!("{} {namespace}/{}", called.kind, one_line(&called.name)),
    };
    let differ = diff.differ.iter().map(|Difference { path, values }| {
        let values = values
            .iter()
            .map(|(value, sides)| json!({"value": escaped(value.clone()), "clusters": named(sides)}));
        json!({"path": path, "values": values.collect::<Vec<_>>()})
    });
    let mut entry = json!({"object": object, "agree": named(&diff.agree)});
    for (key, value) in [
        ("differ", Value::from(differ.collect::<Vec<_>>())),
        ("missing", named(&diff.missing).into()),
        ("unread", named(&diff.unread).into()),
    ] {
        if value.as_array().is_some_and(|items| !items.is_empty()) {
            entry[key] = value;
        }
    }
    entry
}

fn baseline(query: &DiffQuery) -> String {
    match &query.against {
        Against::Majority => "majority".to_owned(),
        Against::Cluster(leg) => query.targets[leg.0].cluster.id.to_string(),
        Against::Manifest(_) => "manifest".to_owned(),
    }
}

fn sides_said(query: &DiffQuery, sides: &[Side]) -> Vec<String> {
    let said = |side: &Side| match side {
        Side::Manifest => "manifest".to_owned(),
        Side::Cluster(leg) => query.targets[leg.0].cluster.id.to_string(),
        Side::Namespace(leg, namespace) => format!("{}/{namespace}", query.targets[leg.0].cluster.id),
    };
    let mut named: Vec<String> = sides.iter().take(MAX_NAMED).map(said).collect();
    named.sort();
    if sides.len() > MAX_NAMED {
        named.push(format!("and {} more", sides.len() - MAX_NAMED));
    }
    named
}

/// Kinds that were not compared everywhere: why, and where not; those of which the same is to be said in one entry.
fn kinds(query: &DiffQuery, page: &DiffPage) -> Vec<Value> {
    let mut alike: BTreeMap<(Look, &[LegId]), Vec<String>> = BTreeMap::new();
    for (kind, looks) in &page.kinds {
        for (look, legs) in looks {
            // A kind that no cluster has is told by the clusters that have none.
            if *look == Look::Absent && legs.len() == page.coverage.expected() {
                continue;
            }
            alike.entry((*look, legs)).or_default().push(kind.to_string());
        }
    }
    let said = alike.into_iter().map(|((look, legs), mut kinds)| {
        let more = kinds.len().saturating_sub(MAX_KINDS);
        if more > 0 {
            kinds.truncate(MAX_KINDS);
            kinds.push(format!("and {more} more"));
        }
        let sides: Vec<Side> = legs.iter().map(|leg| Side::Cluster(*leg)).collect();
        json!({"kinds": kinds, "are": word(&look), "clusters": sides_said(query, &sides)})
    });
    said.collect()
}

/// What was compared by less than all of it.
fn notes(page: &DiffPage) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if page.config_maps {
        notes.push("values of ConfigMaps are compared by their length");
    }
    if page.objects.iter().flat_map(|object| &object.differ).any(is_masked) {
        notes.push("redacted values are compared as they are shown");
    }
    if page.kinds.values().any(|looks| looks.contains_key(&Look::NotWatched)) {
        notes.push("a kind that is not watched is compared when kind names it");
    }
    notes
}

fn is_masked(difference: &Difference) -> bool {
    difference.values.iter().any(|(value, _)| value.to_string().contains(MASK))
}

/// Makes the answer shorter: the largest values first, then the last objects. False where nothing is left to leave out.
fn shorten(objects: &mut Vec<Value>, over: usize, left_out: &mut usize) -> bool {
    let mut freed = 0;
    while freed < over {
        let values = objects.iter_mut().filter_map(|object| object.get_mut("differ")?.as_array_mut());
        let values =
            values.flatten().filter_map(|difference| difference.get_mut("values")?.as_array_mut()).flatten();
        let values = values.filter_map(|value| value.get_mut("value"));
        let Some((size, value)) = values.map(|value| (json_len(value), value)).max_by_key(|(size, _)| *size)
        else {
            break;
        };
        if size < SMALLEST {
            break;
        }
        *value = json!({ "omittedBytes": size });
        freed += size - json_len(&*value);
    }
    while freed < over && objects.len() > 1 {
        freed += objects.pop().map_or(0, |object| json_len(&object));
        *left_out += 1;
    }
    if freed < over
        && let Some(differ) = objects.first_mut().and_then(|object| object.get_mut("differ")?.as_array_mut())
    {
        while freed < over && differ.len() > 1 {
            freed += differ.pop().map_or(0, |difference| json_len(&difference));
        }
    }
    freed > 0
}

fn text(content: &Value) -> String {
    let mut text = format!("compared with {}\n", content["baseline"].as_str().unwrap_or_default());
    let one = [content.clone()];
    let objects = content["objects"].as_array().map_or(&one[..], Vec::as_slice);
    if let Some(equal) = content["equal"].as_u64() {
        text.push_str(&format!("{equal} of {} objects are alike everywhere\n", content["total"]));
    }
    let names = |value: &Value| {
        let names = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        names.collect::<Vec<_>>().join(", ")
    };
    for object in objects {
        let Some(called) = object["object"].as_str() else { continue };
        text.push_str(&format!("# {called}\nalike: {}\n", names(&object["agree"])));
        for difference in object["differ"].as_array().into_iter().flatten() {
            text.push_str(&format!("{}\n", difference["path"].as_str().unwrap_or_default()));
            for value in difference["values"].as_array().into_iter().flatten() {
                let shown = one_line(&value["value"].to_string()).into_owned();
                text.push_str(&format!("\t{shown}\t{}\n", names(&value["clusters"])));
            }
        }
        for (key, said) in [("missing", "missing in"), ("unread", "differs, and could not be read, in")] {
            if object.get(key).is_some() {
                text.push_str(&format!("{said}: {}\n", names(&object[key])));
            }
        }
    }
    if let Some(more) = content["moreObjects"].as_u64() {
        text.push_str(&format!("and {more} more objects differ: narrow kind, namespace or name\n"));
    }
    for kind in content["kinds"].as_array().into_iter().flatten() {
        let are = kind["are"].as_str().unwrap_or_default();
        text.push_str(&format!("{are} in {}: {}\n", names(&kind["clusters"]), names(&kind["kinds"])));
    }
    for note in content["notes"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        text.push_str(&format!("{note}\n"));
    }
    text
}
