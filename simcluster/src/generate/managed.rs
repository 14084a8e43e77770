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
    fn fields_follow_the_object() {
        let spec = json!({"containers": [{"name": "c", "image": "i"}], "args": ["a"]});
        let expected = json!({"f:spec": {
            "f:containers": {".": {}, "k:{\"name\":\"c\"}": {"f:name": {}, "f:image": {}, ".": {}}},
            "f:args": {}}});
        assert_eq!(entry("kubelet", "v1", "t", "", &[("spec", &spec)])["fieldsV1"], expected);
    }
}
