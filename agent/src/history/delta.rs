//! What is different between two states of an object.
//!
//! Both are compact JSON. Most of it is the same, byte by byte, and is not even parsed: only on the way to what differs are
//! objects and lists taken apart.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::merge_keys;
use super::noise;

/// One field that is not what it was. `None`: it was not there, or is not any more.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FieldChange {
    pub(crate) path: Path,
    pub(crate) old: Option<Value>,
    pub(crate) new: Option<Value>,
}

/// The way from an object's root to a field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    /// The item of a list in which `key` has this value.
    Item {
        key: &'static str,
        value: Value,
    },
}

/// A JSON object, of which only the keys are read.
struct RawObject<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// Where a missing map is the same as an empty one, so that a first label is one label and not a whole map.
const MAPS: [&[&str]; 6] = [
    &["metadata", "annotations"],
    &["metadata", "labels"],
    &["data"],
    &["binaryData"],
    &["status"],
    &["spec", "template", "metadata", "annotations"],
];

/// The fields that differ, noise left out, in the order of the object after; what went comes behind what stands beside it.
/// Empty where one of them is no JSON object.
pub(crate) fn delta(before: &[u8], after: &[u8]) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    if let (Ok(before), Ok(after)) = (serde_json::from_slice(before), serde_json::from_slice(after)) {
        of_objects(&mut Path::default(), &before, &after, &mut changes);
    }
    changes
}

fn of_values(path: &mut Path, before: &RawValue, after: &RawValue, changes: &mut Vec<FieldChange>) {
    if before.get() == after.get() || noise::is_noise(path) {
        return;
    }
    let shapes = (before.get().as_bytes().first(), after.get().as_bytes().first());
    if let (Some(b'{'), Some(b'{')) = shapes
        && !is_digest(path, after)
        && let (Ok(before), Ok(after)) =
            (serde_json::from_str(before.get()), serde_json::from_str(after.get()))
    {
        return of_objects(path, &before, &after, changes);
    }
    if let (Some(b'['), Some(b'[')) = shapes
        && let (Ok(before), Ok(after)) =
            (serde_json::from_str::<Vec<_>>(before.get()), serde_json::from_str::<Vec<_>>(after.get()))
        && let Some(key) = merge_keys::of(path.last_key(), &before, &after)
    {
        return of_items(path, key, &before, &after, changes);
    }
    let value = |raw: &RawValue| serde_json::from_str(raw.get()).ok();
    changes.push(FieldChange { path: path.clone(), old: value(before), new: value(after) });
}

fn of_objects(
    path: &mut Path,
    before: &RawObject<'_>,
    after: &RawObject<'_>,
    changes: &mut Vec<FieldChange>,
) {
    for (at, (key, value)) in after.0.iter().enumerate() {
        let known = before.get(key, at);
        path.within(Step::Key(key.to_string()), |path| match known {
            Some(known) => of_values(path, known, value, changes),
            None => came_or_went(path, None, Some(value), changes),
        });
    }
    for (at, (key, value)) in before.0.iter().enumerate() {
        if after.get(key, at).is_none() {
            path.within(Step::Key(key.to_string()), |path| came_or_went(path, Some(value), None, changes));
        }
    }
}

/// Items that are the same by their key are compared; in which order they stand is nobody's intent.
fn of_items(
    path: &mut Path,
    key: &'static str,
    before: &[&RawValue],
    after: &[&RawValue],
    changes: &mut Vec<FieldChange>,
) {
    let (before, after) = (merge_keys::keyed(key, before), merge_keys::keyed(key, after));
    let find = |items: &[(Value, &RawValue)], wanted: &Value| {
        items.iter().find(|(value, _)| value == wanted).map(|(_, item)| (*item).to_owned())
    };
    for (value, item) in &after {
        let known = find(&before, value);
        path.within(Step::Item { key, value: value.clone() }, |path| match known {
            Some(known) => of_values(path, &known, item, changes),
            None => came_or_went(path, None, Some(item), changes),
        });
    }
    for (value, item) in &before {
        if find(&after, value).is_none() {
            path.within(Step::Item { key, value: value.clone() }, |path| {
                came_or_went(path, Some(item), None, changes);
            });
        }
    }
}

fn came_or_went(
    path: &mut Path,
    old: Option<&RawValue>,
    new: Option<&RawValue>,
    changes: &mut Vec<FieldChange>,
) {
    if noise::is_noise(path) {
        return;
    }
    let parsed = |raw: Option<&RawValue>| raw.and_then(|raw| serde_json::from_str(raw.get()).ok());
    let whole = |raw: Option<&'_ RawValue>| raw.map_or("{}", RawValue::get).to_owned();
    if path.is_one_of(&MAPS)
        && let (Ok(old), Ok(new)) = (serde_json::from_str(&whole(old)), serde_json::from_str(&whole(new)))
    {
        return of_objects(path, &old, &new, changes);
    }
    changes.push(FieldChange { path: path.clone(), old: parsed(old), new: parsed(new) });
}

/// What stands for a value of a ConfigMap says only together that it is another one.
fn is_digest(path: &Path, value: &RawValue) -> bool {
    matches!(path.0.as_slice(), [Step::Key(first), _] if first == "data" || first == "binaryData")
        && value.get().starts_with("{\"hash\":")
}

impl<'a> RawObject<'a> {
    /// Two states of an object have their keys in nearly the same places.
    fn get(&self, key: &str, near: usize) -> Option<&'a RawValue> {
        let is = |(known, _): &&(Cow<'a, str>, &'a RawValue)| known == key;
        let found = self.0.get(near).filter(is).or_else(|| self.0.iter().find(is));
        found.map(|(_, value)| *value)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawObject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = RawObject<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    fields.push((field.0.0, field.1));
                }
                Ok(RawObject(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// A key that is borrowed where it has nothing escaped in it.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl Path {
    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The last key; of an item the key of its list.
    fn last_key(&self) -> &str {
        self.0.iter().rev().find_map(Step::key).unwrap_or_default()
    }

    fn is_one_of(&self, paths: &[&[&str]]) -> bool {
        paths.iter().any(|path| {
            path.len() == self.0.len() && self.0.iter().zip(*path).all(|(step, key)| step.is_key(key))
        })
    }

    fn within(&mut self, step: Step, with: impl FnOnce(&mut Self)) {
        self.0.push(step);
        with(self);
        self.0.pop();
    }
}

impl Step {
    pub(crate) fn key(&self) -> Option<&str> {
        match self {
            Self::Key(key) => Some(key),
            Self::Item { .. } => None,
        }
    }

    pub(crate) fn is_key(&self, wanted: &str) -> bool {
        self.key() == Some(wanted)
    }
}

/// `spec.template.spec.containers[app].image`, `metadata.labels[app.kubernetes.io/name]`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if key.contains(['.', '/', '[', ']']) => write!(f, "[{key}]")?,
                Step::Key(key) if at == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Item { value: Value::String(text), .. } => write!(f, "[{text}]")?,
                Step::Item { value, .. } => write!(f, "[{value}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "delta_tests.rs"]
mod tests;
