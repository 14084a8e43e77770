//! `managedFields`, made from the object itself: who set which field, in the FieldsV1 form.

use serde_json::{Map, Value, json};

/// An entry for the fields of `part`, as `manager` would have left it. `subresource` is empty for the object itself.
pub(crate) fn entry(manager: &str, api_version: &str, time: &str, subresource: &str, part: &Value) -> Value {
    let mut entry = json!({
        "manager": manager, "operation": "Update", "apiVersion": api_version, "time": time,
        "fieldsType": "FieldsV1", "fieldsV1": fields(part),
    });
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
        _ => json!({}),
    }
}

/// Lists whose elements have a key are sets of elements; any other is one value.
fn list(elements: &[Value]) -> Value {
    let keys: Option<Vec<String>> = elements.iter().map(merge_key).collect();
    let Some(keys) = keys.filter(|keys| !keys.is_empty()) else { return json!({}) };
    let mut map = Map::new();
    map.insert(".".into(), json!({}));
    for (key, element) in keys.into_iter().zip(elements) {
        let mut inner = fields(element);
        if let Some(inner) = inner.as_object_mut() {
            inner.insert(".".into(), json!({}));
        }
        map.insert(key, inner);
    }
    map.into()
}

fn merge_key(element: &Value) -> Option<String> {
    let element = element.as_object()?;
    if let (Some(port), protocol) = (element.get("containerPort"), element.get("protocol")) {
        return Some(format!("k:{{\"containerPort\":{port},\"protocol\":{}}}", protocol.unwrap_or(&json!("TCP"))));
    }
    let key = ["uid", "mountPath", "ip", "name", "type", "topologyKey"].into_iter().find(|key| element.contains_key(*key))?;
    Some(format!("k:{{\"{key}\":{}}}", element[key]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_follow_the_object() {
        let part = json!({"spec": {"containers": [{"name": "c", "image": "i"}], "args": ["a"]}});
        let expected = json!({"f:spec": {
            "f:containers": {".": {}, "k:{\"name\":\"c\"}": {"f:name": {}, "f:image": {}, ".": {}}},
            "f:args": {}}});
        assert_eq!(entry("kubelet", "v1", "t", "status", &part)["fieldsV1"], expected);
    }
}
