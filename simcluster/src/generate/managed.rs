//! `managedFields`, made from the object itself: who set which field, in the FieldsV1 form.

use serde_json::{Map, Value, json};

/// An entry for the given parts of an object, as `manager` would have left it. `subresource` is empty for the object itself.
pub(crate) fn entry(
    manager: &str,
    api_version: &str,
    time: &str,
    subresource: &str,
    parts: &[(&str, &Value)],
) -> Value {
    let owned: Map<String, Value> =
        parts.iter().map(|(name, part)| (format!("f:{name}"), fields(part))).collect();
    let mut entry = json!({"manager": manager, "operation": "Update", "apiVersion": api_version, "time": time, "fieldsType": "FieldsV1"});
    entry["fieldsV1"] = owned.into();
    if !subresource.is_empty() {
        entry["subresource"] = subresource.into();
    }
    entry
}

/// Notes that `manager` brought the object from `before` to what it is: its entry names what that write changed. `subresource` is
/// empty for the object itself.
pub(crate) fn note(
    object: &mut Value,
    before: &Value,
    (manager, subresource): (&str, &str),
    api_version: &str,
    time: &str,
) {
    let part = |name| Some((name, changed(before.get(name), object.get(name)?)?));
    let parts: Vec<(&str, Value)> =
        ["metadata", "spec", "data", "status"].into_iter().filter_map(part).collect();
    if parts.is_empty() {
        return;
    }
    let mut new = entry(manager, api_version, time, subresource, &[]);
    new["fieldsV1"] =
        parts.into_iter().map(|(name, fields)| (format!("f:{name}"), fields)).collect::<Map<_, _>>().into();
    let mut entries = crate::json::items(object, "/metadata/managedFields").to_vec();
    let is_same = |entry: &Value| {
        crate::json::text(entry, "/manager") == manager
            && crate::json::text(entry, "/subresource") == subresource
    };
    match entries.iter_mut().find(|entry| is_same(entry)) {
        Some(old) => *old = new,
        None => entries.push(new),
    }
    crate::json::set(object, "/metadata/managedFields", entries);
}

/// Sets the time of the entries for a subresource, whose fields stay the same.
pub(crate) fn renew(object: &mut Value, subresource: &str, time: &str) {
    let entries = object.pointer_mut("/metadata/managedFields").and_then(Value::as_array_mut);
    for entry in entries.into_iter().flatten().filter(|entry| entry["subresource"] == subresource) {
        entry["time"] = time.into();
    }
}

/// The fields that differ; nothing where none does.
fn changed(before: Option<&Value>, after: &Value) -> Option<Value> {
    match (before, after) {
        (Some(before), after) if before == after => None,
        (Some(Value::Object(before)), Value::Object(after)) => {
            let differing = after.iter().filter(|(key, _)| *key != "managedFields");
            let differing = differing
                .filter_map(|(key, value)| Some((format!("f:{key}"), changed(before.get(key), value)?)));
            Some(differing.collect::<Map<_, _>>().into())
        }
        (Some(Value::Array(before)), Value::Array(after)) => {
            let element = |element: &Value| {
                let key = merge_key(element)?;
                let old = before.iter().find(|old| merge_key(old).as_ref() == Some(&key));
                Some((key, changed(old, element)))
            };
            let elements: Option<Vec<_>> = after.iter().map(element).collect();
            let Some(elements) = elements else { return Some(json!({})) };
            let differing = elements.into_iter().filter_map(|(key, fields)| Some((key, fields?)));
            Some(differing.collect::<Map<_, _>>().into())
        }
        (_, after) => Some(fields(after)),
    }
}

fn fields(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            map.iter().map(|(key, value)| (format!("f:{key}"), fields(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(elements) => list(elements),
        _ => Value::Object(Map::new()),
    }
}

/// Lists whose elements have a key are sets of elements; any other is one value.
fn list(elements: &[Value]) -> Value {
    let nothing = || Value::Object(Map::new());
    let keys: Option<Vec<String>> = elements.iter().map(merge_key).collect();
    let Some(keys) = keys.filter(|keys| !keys.is_empty()) else { return nothing() };
    let mut map = Map::new();
    map.insert(".".into(), nothing());
    for (key, element) in keys.into_iter().zip(elements) {
        let mut inner = fields(element);
        if let Some(inner) = inner.as_object_mut() {
            inner.insert(".".into(), nothing());
        }
        map.insert(key, inner);
    }
    map.into()
}

fn merge_key(element: &Value) -> Option<String> {
    let element = element.as_object()?;
    if let (Some(port), protocol) = (element.get("containerPort"), element.get("protocol")) {
        let protocol = protocol.and_then(Value::as_str).unwrap_or("TCP");
        return Some(format!("k:{{\"containerPort\":{port},\"protocol\":\"{protocol}\"}}"));
    }
    let key = ["uid", "mountPath", "ip", "name", "type", "topologyKey"]
        .into_iter()
        .find(|key| element.contains_key(*key))?;
    Some(format!("k:{{\"{key}\":{}}}", element[key]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_noted_with_what_it_changed() {
        let before = json!({"metadata": {"managedFields": [{"manager": "helm"}]}, "spec": {"replicas": 2, "containers": [{"name": "c", "image": "i:1"}, {"name": "d", "image": "j"}]}});
        let mut after = before.clone();
        after["spec"]["containers"][0]["image"] = "i:2".into();
        note(&mut after, &before, ("kubectl-set", ""), "apps/v1", "t");
        let entries = after["metadata"]["managedFields"].as_array().unwrap();
        assert_eq!((entries.len(), &entries[1]["manager"]), (2, &json!("kubectl-set")));
        let image = json!({"f:spec": {"f:containers": {"k:{\"name\":\"c\"}": {"f:image": {}}}}});
        assert_eq!(entries[1]["fieldsV1"], image);
        let unchanged = after.clone();
        note(&mut after, &unchanged, ("nobody", ""), "apps/v1", "t");
        assert_eq!(after, unchanged);
    }

    #[test]
    fn fields_follow_the_object() {
        let spec = json!({"containers": [{"name": "c", "image": "i"}], "args": ["a"]});
        let expected = json!({"f:spec": {
            "f:containers": {".": {}, "k:{\"name\":\"c\"}": {"f:name": {}, "f:image": {}, ".": {}}},
            "f:args": {}}});
        assert_eq!(entry("kubelet", "v1", "t", "", &[("spec", &spec)])["fieldsV1"], expected);
    }
}
