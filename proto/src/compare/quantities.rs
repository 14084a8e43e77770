//! Quantities as the API server writes them: `0.1` is `100m`, and `1024Mi` is `1Gi`.

use serde_json::Value;

use crate::quantity::parse_quantity;

/// From the largest, with its power of ten above a billionth.
const DECIMAL: [(&str, u32); 10] =
    [("E", 27), ("P", 24), ("T", 21), ("G", 18), ("M", 15), ("k", 12), ("", 9), ("m", 6), ("u", 3), ("n", 0)];

/// From the largest, with its power of two.
const BINARY: [(&str, u32); 7] =
    [("Ei", 60), ("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10), ("", 0)];

/// A billion billionths.
const ONE: i128 = 1_000_000_000;

/// Where objects of Kubernetes' own kinds have quantities: an object of them below such a key, in one of these.
const OF_RESOURCES: [&str; 2] = ["requests", "limits"];
const OF_RANGES: [&str; 4] = ["max", "min", "default", "defaultRequest"];

/// Writes them alike in a whole object.
pub(super) fn alike(kind: &str, object: &mut Value) {
    match kind {
        "ResourceQuota" => all_at(object, "/spec/hard"),
        "PersistentVolume" => all_at(object, "/spec/capacity"),
        "LimitRange" => {
            let limits = object.pointer_mut("/spec/limits").and_then(Value::as_array_mut);
            for limit in limits.into_iter().flatten() {
                all_of(limit, &OF_RANGES);
            }
        }
        _ => below(object),
    }
}

/// `resources` of containers, claims and whatever else asks for some.
fn below(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if key == "resources" {
                    all_of(value, &OF_RESOURCES);
                } else if key == "averageValue" {
                    one(value);
                } else {
                    below(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(below),
        _ => {}
    }
}

fn all_at(object: &mut Value, pointer: &str) {
    object.pointer_mut(pointer).into_iter().for_each(all);
}

fn all_of(value: &mut Value, keys: &[&str]) {
    for key in keys {
        value.get_mut(*key).into_iter().for_each(all);
    }
}

fn all(quantities: &mut Value) {
    quantities.as_object_mut().into_iter().flat_map(serde_json::Map::values_mut).for_each(one);
}

fn one(quantity: &mut Value) {
    let text = match &*quantity {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return,
    };
    if let Some(written) = canonical(&text) {
        *quantity = written.into();
    }
}

/// As `CanonicalizeBytes` of <https://pkg.go.dev/k8s.io/apimachinery/pkg/api/resource#Quantity> writes it; `None` for what is no
/// quantity, and for one with an exponent, which keeps it.
fn canonical(text: &str) -> Option<String> {
    let nano = parse_quantity(text)?;
    if text.ends_with(|c: char| c.is_ascii_digit()) && text.contains(['e', 'E']) {
        return None;
    }
    if nano == 0 {
        return Some("0".to_owned());
    }
    if text.ends_with('i') && nano % ONE == 0 {
        let (suffix, power) = BINARY.into_iter().find(|(_, power)| (nano / ONE) % (1 << power) == 0)?;
        return Some(format!("{}{suffix}", (nano / ONE) >> power));
    }
    let (suffix, power) = DECIMAL.into_iter().find(|(_, power)| nano % 10_i128.pow(*power) == 0)?;
    Some(format!("{}{suffix}", nano / 10_i128.pow(power)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantities_are_written_as_the_server_writes_them() {
        for (text, written) in [
            ("0.1", "100m"),
            ("4000m", "4"),
            ("1500m", "1500m"),
            ("1000", "1k"),
            ("1024", "1024"),
            ("1024Mi", "1Gi"),
            ("1000Mi", "1000Mi"),
            ("0.5Gi", "512Mi"),
            ("0", "0"),
            ("0Mi", "0"),
            ("1G", "1G"),
            ("-2000m", "-2"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(written), "{text}");
        }
        for text in ["1e3", "large", ""] {
            assert_eq!(canonical(text), None, "{text}");
        }
    }

    #[test]
    fn only_quantities_are_touched() {
        let mut deployment = json!({"spec": {"containers": [{"resources": {"requests": {"cpu": 1, "memory": "1024Mi"}}, "args": ["1000"]}],
            "limits": {"max": "1000"}}});
        alike("Deployment", &mut deployment);
        assert_eq!(
            deployment,
            json!({"spec": {"containers": [{"resources": {"requests": {"cpu": "1", "memory": "1Gi"}}, "args": ["1000"]}],
                "limits": {"max": "1000"}}})
        );
        let mut range = json!({"spec": {"limits": [{"type": "Pod", "max": {"cpu": "4000m"}}]}});
        alike("LimitRange", &mut range);
        assert_eq!(range["spec"]["limits"][0]["max"]["cpu"], "4");
        let mut quota = json!({"spec": {"hard": {"configmaps": "50", "requests.memory": "2048Mi"}}});
        alike("ResourceQuota", &mut quota);
        assert_eq!(quota["spec"]["hard"], json!({"configmaps": "50", "requests.memory": "2Gi"}));
    }
}
