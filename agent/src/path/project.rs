//! The part of an object that some paths name, in the object's own shape.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Path;
use super::walk::{self, Place};

/// What the paths lead to, at the same keys and in the same order as in `object`. Of an array only the elements are
/// kept that a path leads to or into. `null` where no path leads anywhere.
pub fn project(paths: &[Path], object: &Value) -> Value {
    let mut kept = Kept::default();
    for path in paths {
        walk::places(&path.steps, object, &mut |_, trail| kept.keep(trail));
    }
    if kept.is_empty() { Value::Null } else { kept.copy(object) }
}

/// Which parts of a value are kept.
#[derive(Default)]
struct Kept<'a> {
    whole: bool,
    parts: BTreeMap<Place<'a>, Kept<'a>>,
}

impl<'a> Kept<'a> {
    fn keep(&mut self, trail: &[Place<'a>]) {
        let Some((place, rest)) = trail.split_first() else {
            self.whole = true;
            return;
        };
        self.parts.entry(*place).or_default().keep(rest);
    }

    fn is_empty(&self) -> bool {
        !self.whole && self.parts.is_empty()
    }

    fn copy(&self, value: &'a Value) -> Value {
        match value {
            Value::Object(map) if !self.whole => Value::Object(self.copy_map(map)),
            Value::Array(items) if !self.whole => {
                let part = |(at, item)| self.parts.get(&Place::Index(at)).map(|kept| kept.copy(item));
                Value::Array(items.iter().enumerate().filter_map(part).collect())
            }
            value => value.clone(),
        }
    }

    fn copy_map(&self, map: &'a Map<String, Value>) -> Map<String, Value> {
        let part = |(key, value): (&'a String, &'a Value)| {
            let kept = self.parts.get(&Place::Key(key))?;
            Some((key.clone(), kept.copy(value)))
        };
        map.iter().filter_map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(paths: &[&str], expected: &Value) {
        let pod = json!({
            "metadata": {"name": "cart", "labels": {"a/b": "c", "d": "e"}},
            "spec": {"containers": [{"name": "web", "image": "w:1"}, {"name": "log", "image": "l:2"}]},
            "status": {"phase": "Running"},
        });
        let paths: Vec<_> = paths.iter().map(|path| Path::parse(path).unwrap()).collect();
        assert_eq!(&project(&paths, &pod), expected, "{paths:?}");
    }

    #[test]
    fn the_shape_of_the_object_is_kept() {
        check(
            &["status.phase", "metadata.name"],
            &json!({"metadata": {"name": "cart"}, "status": {"phase": "Running"}}),
        );
        check(&["metadata.labels['a/b']"], &json!({"metadata": {"labels": {"a/b": "c"}}}));
        check(&["spec.containers[1].image"], &json!({"spec": {"containers": [{"image": "l:2"}]}}));
        check(
            &["spec.containers[*].name"],
            &json!({"spec": {"containers": [{"name": "web"}, {"name": "log"}]}}),
        );
        check(
            &["spec.containers[?(@.name=='log')]", "spec.containers[0].name"],
            &json!({"spec": {"containers": [{"name": "web"}, {"name": "log", "image": "l:2"}]}}),
        );
    }

    #[test]
    fn the_whole_wins_over_its_parts_in_either_order() {
        let labels = json!({"metadata": {"labels": {"a/b": "c", "d": "e"}}});
        check(&["metadata.labels", "metadata.labels.d"], &labels);
        check(&["metadata.labels.d", "metadata.labels"], &labels);
    }

    #[test]
    fn paths_that_lead_nowhere_leave_nothing() {
        check(&["spec.nothing", "status.phase.deeper"], &Value::Null);
        check(&["spec.nothing", "status.phase"], &json!({"status": {"phase": "Running"}}));
    }
}
