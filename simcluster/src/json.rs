//! Short ways to read JSON values: Kubernetes objects leave out what is empty, so a missing field reads as empty or zero.

use serde_json::Value;

/// The text at a JSON pointer, empty where there is none.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// The number at a JSON pointer, zero where there is none.
pub(crate) fn int(value: &Value, pointer: &str) -> i64 {
    value.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}

/// The boolean at a JSON pointer, false where there is none.
pub(crate) fn flag(value: &Value, pointer: &str) -> bool {
    value.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
}

/// The elements of the array at a JSON pointer, none where there is no array.
pub(crate) fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether the condition of this type is true in `status.conditions`.
pub(crate) fn flag_condition(object: &Value, condition: &str) -> bool {
    items(object, "/status/conditions")
        .iter()
        .any(|found| text(found, "/type") == condition && text(found, "/status") == "True")
}

/// Sets the field `key` of the object at `pointer`, making the objects on the way.
pub(crate) fn set(value: &mut Value, pointer: &str, new: impl Into<Value>) {
    let mut place = value;
    for part in pointer.split('/').skip(1) {
        if !place.is_object() {
            *place = Value::Object(serde_json::Map::new());
        }
        let Value::Object(map) = place else { return };
        let part = part.replace("~1", "/").replace("~0", "~");
        place = map.entry(part).or_insert(Value::Null);
    }
    *place = new.into();
}

/// Removes the field at `pointer`, if it is there.
pub(crate) fn remove(value: &mut Value, pointer: &str) -> Option<Value> {
    let (parent, key) = pointer.rsplit_once('/')?;
    value.pointer_mut(parent)?.as_object_mut()?.remove(key)
}

/// RFC 7386: objects merge, `null` removes, anything else replaces.
pub(crate) fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(map) = target else { return };
    for (key, change) in changes {
        if change.is_null() {
            map.shift_remove(key);
        } else {
            merge_patch(map.entry(key.clone()).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn merge_patch_follows_the_rfc() {
        let mut value = json!({"a": "b", "c": {"d": "e", "f": "g"}});
        merge_patch(&mut value, &json!({"a": "z", "c": {"f": null}, "new": {"x": null, "y": 1}}));
        assert_eq!(value, json!({"a": "z", "c": {"d": "e"}, "new": {"y": 1}}));
    }

    #[test]
    fn set_makes_the_way() {
        let mut value = json!({});
        set(&mut value, "/metadata/annotations/a~1b", "c");
        assert_eq!(value, json!({"metadata": {"annotations": {"a/b": "c"}}}));
    }
}
