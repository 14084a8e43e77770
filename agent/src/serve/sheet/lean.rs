//! An object cut down to what matters of it.

use kubeplex_proto::json_len::json_len;
use serde_json::{Map, Value, json};

use crate::limits::SHEET_OBJECT_BYTES;

/// What the description tells elsewhere, or nobody asks a description for.
const LEFT_OUT: [&[&str]; 14] = [
    &["metadata", "uid"],
    &["metadata", "resourceVersion"],
    &["metadata", "generation"],
    &["metadata", "creationTimestamp"],
    &["metadata", "generateName"],
    &["metadata", "ownerReferences"],
    &["metadata", "managedFields"],
    &["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"],
    &["spec", "template", "spec", "volumes"],
    &["spec", "volumes"],
    &["spec", "tolerations"],
    &["status", "observedGeneration"],
    &["status", "images"],
    &["status", "collisionCount"],
];

/// Of a pod's spec, wherever it stands: how it is mounted is told as what it uses.
const OF_CONTAINERS: [&str; 5] =
    ["volumeMounts", "terminationMessagePath", "terminationMessagePolicy", "imageID", "containerID"];

/// Items of a list, characters of a text, and levels, from generous to narrow.
const BOUNDS: [(usize, usize, usize); 5] = [(8, 160, 10), (5, 100, 8), (3, 80, 7), (2, 60, 6), (2, 40, 4)];

pub(super) fn lean(mut object: Value) -> Value {
    for path in LEFT_OUT {
        remove(&mut object, path);
    }
    let cut = BOUNDS.iter().map(|(items, characters, depth)| cut(&object, *items, *characters, *depth));
    let mut last = Value::Null;
    for candidate in cut {
        last = candidate;
        if json_len(&last) <= SHEET_OBJECT_BYTES {
            break;
        }
    }
    last
}

fn remove(object: &mut Value, path: &[&str]) {
    let Some((last, parents)) = path.split_last() else { return };
    let parent = parents.iter().try_fold(object, |value, key| value.get_mut(*key));
    if let Some(fields) = parent.and_then(Value::as_object_mut) {
        fields.remove(*last);
    }
}

/// The same within bounds, without what is empty.
fn cut(value: &Value, items: usize, characters: usize, depth: usize) -> Value {
    match value {
        Value::String(text) if text.chars().count() > characters => {
            let head: String = text.chars().take(characters).collect();
            json!(format!("{head}…"))
        }
        Value::Array(_) | Value::Object(_) if depth == 0 => json!("…"),
        Value::Array(all) => {
            let mut kept: Vec<Value> =
                all.iter().take(items).map(|item| cut(item, items, characters, depth - 1)).collect();
            if all.len() > items {
                kept.push(json!(format!("and {} more", all.len() - items)));
            }
            Value::Array(kept)
        }
        Value::Object(fields) => {
            let kept = fields
                .iter()
                .filter(|(key, value)| !OF_CONTAINERS.contains(&key.as_str()) && !is_empty(value));
            let kept = kept.map(|(key, value)| (key.clone(), cut(value, items, characters, depth - 1)));
            Value::Object(kept.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_stays_and_the_rest_is_cut() {
        let object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "cart", "uid": "u", "labels": {"app": "cart"}, "annotations": {}},
            "spec": {"replicas": 2, "template": {"spec": {
                "volumes": [{"name": "v"}],
                "containers": [{"name": "app", "image": "cart:1", "volumeMounts": [{"name": "v"}]}]}}},
            "status": {"observedGeneration": 3, "readyReplicas": 1},
        });
        assert_eq!(
            lean(object),
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "cart", "labels": {"app": "cart"}},
                "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "app", "image": "cart:1"}]}}},
                "status": {"readyReplicas": 1},
            })
        );
    }

    #[test]
    fn however_large_it_is_it_fits() {
        let entry = json!({"name": "x".repeat(300), "values": (0..100).collect::<Vec<_>>(), "deep": {"a": {"b": {"c": "d"}}}});
        let object =
            json!({"kind": "Thing", "metadata": {"name": "large"}, "spec": {"entries": vec![entry; 50]}});
        let lean = lean(object);
        assert!(json_len(&lean) <= SHEET_OBJECT_BYTES, "{}", json_len(&lean));
        assert_eq!(lean["metadata"]["name"], "large");
        assert!(lean["spec"]["entries"].as_array().unwrap().last().unwrap().to_string().contains("more"));
    }
}
