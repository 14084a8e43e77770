//! Deltas by cases and by their property: what a delta says, put upon the state before, is the state after.

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;

fn of(before: &Value, after: &Value) -> Vec<FieldChange> {
    delta(before.to_string().as_bytes(), after.to_string().as_bytes())
}

fn told(before: &Value, after: &Value) -> Vec<String> {
    let or_nothing = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
    let line = |change: FieldChange| {
        format!("{} {} {}", change.path, or_nothing(&change.old), or_nothing(&change.new))
    };
    of(before, after).into_iter().map(line).collect()
}

#[test]
fn fields_are_named_as_people_name_them() {
    let container = |name: &str, image: &str| json!({"name": name, "image": image});
    let template = |containers: Value| json!({"spec": {"template": {"spec": {"containers": containers}}}});
    let (app, side) = (container("app", "shop:1.8.1"), container("side", "proxy:2"));
    for (before, after, expected) in [
        (
            template(json!([app, side])),
            template(json!([side, container("app", "shop:1.8.2")])),
            vec![r#"spec.template.spec.containers[app].image "shop:1.8.1" "shop:1.8.2""#],
        ),
        (
            template(json!([app])),
            template(json!([app, side])),
            vec![r#"spec.template.spec.containers[side] - {"name":"side","image":"proxy:2"}"#],
        ),
        (
            json!({"spec": {"replicas": 1, "args": ["a", "b"]}}),
            json!({"spec": {"replicas": 3, "args": ["b"]}}),
            vec!["spec.replicas 1 3", r#"spec.args ["a","b"] ["b"]"#],
        ),
        (
            json!({"metadata": {"name": "x"}}),
            json!({"metadata": {"name": "x", "labels": {"app.kubernetes.io/name": "y"}}}),
            vec![r#"metadata.labels[app.kubernetes.io/name] - "y""#],
        ),
        (
            json!({"data": {"a": {"hash": "1", "bytes": 7}, "b": {"hash": "2", "bytes": 7}}}),
            json!({"data": {"a": {"hash": "3", "bytes": 7}}}),
            vec![
                r#"data.a {"hash":"1","bytes":7} {"hash":"3","bytes":7}"#,
                r#"data.b {"hash":"2","bytes":7} -"#,
            ],
        ),
        (
            json!({"spec": {"ports": [{"port": 80}, {"port": 443}]}}),
            json!({"spec": {"ports": [{"port": 443, "targetPort": 8443}]}}),
            vec!["spec.ports[443].targetPort - 8443", r#"spec.ports[80] {"port":80} -"#],
        ),
        (
            json!({"status": {"conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": "a"}]}}),
            json!({"status": {"conditions": [{"type": "Ready", "status": "False", "lastHeartbeatTime": "b"}]}}),
            vec![r#"status.conditions[Ready].status "True" "False""#],
        ),
    ] {
        let (mut told, mut expected) = (told(&before, &after), expected);
        told.sort();
        expected.sort_unstable();
        assert_eq!(told, expected);
    }
}

#[test]
fn noise_is_no_change() {
    for (before, after) in [
        (
            json!({"metadata": {"resourceVersion": "1", "generation": 1}}),
            json!({"metadata": {"resourceVersion": "2", "generation": 2}}),
        ),
        (
            json!({"metadata": {"name": "x"}}),
            json!({"metadata": {"name": "x", "annotations": {"deployment.kubernetes.io/revision": "2"}}}),
        ),
        (
            json!({"status": {"observedGeneration": 1, "currentMetrics": [1]}}),
            json!({"status": {"observedGeneration": 2, "currentMetrics": [2]}}),
        ),
        (
            json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}]}}),
            json!({"spec": {"containers": [{"name": "b"}, {"name": "a"}]}}),
        ),
    ] {
        assert!(told(&before, &after).is_empty(), "{:?}", told(&before, &after));
    }
    assert!(delta(b"[1]", b"{}").is_empty() && delta(b"{", b"{}").is_empty());
}

/// Puts a change upon an object.
fn apply(object: &mut Value, steps: &[Step], new: Option<&Value>) {
    match steps {
        [] => {}
        [Step::Key(key)] => {
            if object.is_null() {
                *object = Value::Object(Map::new());
            }
            let Some(map) = object.as_object_mut() else { return };
            match new {
                Some(new) => drop(map.insert(key.clone(), new.clone())),
                None => drop(map.remove(key)),
            }
        }
        [Step::Key(key), rest @ ..] => {
            if object.is_null() {
                *object = Value::Object(Map::new());
            }
            apply(&mut object[key.as_str()], rest, new);
        }
        [Step::Item { key, value }, rest @ ..] => {
            let Some(items) = object.as_array_mut() else { return };
            let at = items.iter().position(|item| item.get(key) == Some(value));
            match (at, rest, new) {
                (Some(at), [], None) => drop(items.remove(at)),
                (Some(at), [], Some(new)) => items[at] = new.clone(),
                (None, [], Some(new)) => items.push(new.clone()),
                (Some(at), rest, new) => apply(&mut items[at], rest, new),
                (None, ..) => {}
            }
        }
    }
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        (0..5_i64).prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
        Just(Value::Null),
    ]
}

fn object() -> impl Strategy<Value = Value> {
    let value = scalar().prop_recursive(4, 40, 5, |inner| {
        let named = proptest::collection::btree_map("[a-c]", inner.clone(), 0..3).prop_map(|items| {
            let items = items.into_iter().map(|(name, value)| json!({"name": name, "value": value}));
            Value::Array(items.collect())
        });
        prop_oneof![
            proptest::collection::btree_map("[a-e./]{1,3}", inner.clone(), 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
            proptest::collection::vec(inner, 0..3).prop_map(Value::Array),
            named,
        ]
    });
    let keys = prop_oneof![Just("spec"), Just("data"), Just("status"), Just("rules")].prop_map(str::to_owned);
    proptest::collection::btree_map(keys, value, 0..4)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_delta_of_two_states_leads_from_one_to_the_other(before in object(), after in object()) {
        let mut reached = before.clone();
        for FieldChange { path, new, .. } in of(&before, &after) {
            apply(&mut reached, path.steps(), new.as_ref());
        }
        prop_assert!(of(&reached, &after).is_empty(), "{before} to {after} reached {reached}");
    }

    #[test]
    fn nothing_differs_from_itself(object in object()) {
        prop_assert!(of(&object, &object).is_empty());
    }

    #[test]
    fn a_delta_tells_what_was(before in object(), after in object()) {
        for FieldChange { path, old, .. } in of(&before, &after) {
            prop_assert_eq!(look(&before, path.steps()), old);
        }
    }
}

fn look(object: &Value, steps: &[Step]) -> Option<Value> {
    steps
        .iter()
        .try_fold(object, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Item { key, value: wanted } => {
                value.as_array()?.iter().find(|item| item.get(key) == Some(wanted))
            }
        })
        .cloned()
}
