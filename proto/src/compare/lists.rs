//! Lists by what their elements are called, as the API server merges them.

use serde_json::{Map, Value};

/// The lists of Kubernetes' own kinds whose elements are found by some of their fields, whatever their order; the first entry
/// whose fields every element has counts. As `x-kubernetes-list-map-keys` of their schemas and `patchMergeKey` say.
const KEYS: &[(&str, &[&str])] = &[
    ("containers", &["name"]),
    ("initContainers", &["name"]),
    ("ephemeralContainers", &["name"]),
    ("env", &["name"]),
    ("volumes", &["name"]),
    ("volumeMounts", &["mountPath"]),
    ("volumeDevices", &["devicePath"]),
    ("imagePullSecrets", &["name"]),
    ("hostAliases", &["ip"]),
    ("resourceClaims", &["name"]),
    ("claims", &["name"]),
    ("topologySpreadConstraints", &["topologyKey", "whenUnsatisfiable"]),
    ("ports", &["containerPort", "protocol"]),
    ("ports", &["port", "protocol"]),
    ("ports", &["port"]),
    ("ports", &["containerPort"]),
    ("conditions", &["type"]),
    ("ownerReferences", &["kind", "name"]),
    ("subjects", &["kind", "namespace", "name"]),
    ("subjects", &["kind", "name"]),
    ("secrets", &["name"]),
    ("webhooks", &["name"]),
    ("volumeClaimTemplates", &["metadata.name"]),
    ("versions", &["name"]),
    ("additionalPrinterColumns", &["name"]),
    ("tls", &["secretName"]),
];

/// Lists of texts whose order says nothing.
const SETS: [&str; 6] =
    ["finalizers", "accessModes", "policyTypes", "ipFamilies", "shortNames", "categories"];

/// Makes every such list an object by the names of its elements, in brackets. A list that has one name twice stays a list.
pub(super) fn by_key(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (field, below) in map.iter_mut() {
                by_key(below);
                if let Value::Array(items) = below {
                    if SETS.contains(&field.as_str()) && items.iter().all(Value::is_string) {
                        items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
                    } else if let Some(keyed) = keyed(field, items) {
                        *below = keyed;
                    }
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(by_key),
        _ => {}
    }
}

fn keyed(field: &str, items: &[Value]) -> Option<Value> {
    let mut candidates = KEYS.iter().filter(|(known, _)| *known == field);
    candidates.find_map(|(_, keys)| object_of(keys, items))
}

fn object_of(keys: &[&str], items: &[Value]) -> Option<Value> {
    let mut object = Map::new();
    for item in items {
        let names: Option<Vec<String>> = keys.iter().map(|key| named(item, key)).collect();
        if object.insert(format!("[{}]", names?.join(",")), item.clone()).is_some() {
            return None;
        }
    }
    (!items.is_empty()).then_some(Value::Object(object))
}

/// `name=app`; a field of an element, or one below.
fn named(item: &Value, key: &str) -> Option<String> {
    let value = key.split('.').try_fold(item, |value, part| value.get(part))?;
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(format!("{}={text}", key.rsplit('.').next().unwrap_or(key)))
}

/// Whether a value is a list by names.
pub fn is_keyed(value: &Value) -> bool {
    let is_name = |key: &String| key.starts_with('[') && key.ends_with(']') && key.contains('=');
    value.as_object().is_some_and(|map| !map.is_empty() && map.keys().all(is_name))
}

/// A value as objects have it, lists and all.
pub fn listed(value: &Value) -> Value {
    match value {
        Value::Object(map) if is_keyed(value) => map.values().map(listed).collect(),
        Value::Object(map) => map.iter().map(|(key, below)| (key.clone(), listed(below))).collect(),
        Value::Array(items) => items.iter().map(listed).collect(),
        other => other.clone(),
    }
}
