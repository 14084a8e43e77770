//! Paths that are not compared.

use serde_json::Value;

/// A path into objects, as `ignore` takes it: `spec.replicas`, `metadata.annotations['a.b/c']`,
/// `spec.template.spec.containers[*].image`, `spec.template.spec.containers[name=app].env`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    /// Every key or element.
    Any,
    /// An element by what it is called: `[name=app]`, or by its place: `[0]`.
    Element(String),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{path}\": {problem}; spec.replicas, metadata.annotations['a.b/c'] and spec.containers[*].image are paths"
)]
pub struct InvalidIgnore {
    path: String,
    problem: &'static str,
}

impl Ignore {
    /// # Errors
    /// What is wrong with the path.
    pub fn parse(text: &str) -> Result<Self, InvalidIgnore> {
        let wrong = |problem| InvalidIgnore { path: text.chars().take(80).collect(), problem };
        let mut steps = Vec::new();
        let mut rest = text.strip_prefix('.').unwrap_or(text);
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let (step, behind) = bracket(inner).ok_or_else(|| wrong("a bracket is not closed"))?;
                steps.push(step);
                rest = behind.strip_prefix('.').unwrap_or(behind);
                continue;
            }
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let key = &rest[..end];
            if key.is_empty() {
                return Err(wrong("a part between dots is empty"));
            }
            steps.push(if key == "*" { Step::Any } else { Step::Key(key.to_owned()) });
            rest = &rest[end..];
            rest = rest.strip_prefix('.').unwrap_or(rest);
        }
        if steps.is_empty() {
            return Err(wrong("it is empty"));
        }
        Ok(Self(steps))
    }

    /// Takes what the path leads to out of an [`intent`](super::intent).
    pub(super) fn remove(&self, intent: &mut Value) {
        remove(intent, &self.0);
    }
}

/// What stands in a bracket, and the rest behind it.
fn bracket(inner: &str) -> Option<(Step, &str)> {
    if let Some(quote @ ('\'' | '"')) = inner.chars().next() {
        let (key, rest) = inner[1..].split_once(quote)?;
        return Some((Step::Key(key.to_owned()), rest.strip_prefix(']')?));
    }
    let (element, rest) = inner.split_once(']')?;
    let step = if element == "*" { Step::Any } else { Step::Element(format!("[{element}]")) };
    Some((step, rest))
}

fn remove(value: &mut Value, steps: &[Step]) {
    let [step, rest @ ..] = steps else { return };
    match (value, step) {
        (Value::Object(map), Step::Any) if rest.is_empty() => map.clear(),
        (Value::Object(map), Step::Any) => map.values_mut().for_each(|below| remove(below, rest)),
        (Value::Object(map), Step::Key(key) | Step::Element(key)) if rest.is_empty() => {
            map.swap_remove(key);
        }
        (Value::Object(map), Step::Key(key) | Step::Element(key)) => {
            if let Some(below) = map.get_mut(key) {
                remove(below, rest);
            }
        }
        (Value::Array(items), Step::Any) if rest.is_empty() => items.clear(),
        (Value::Array(items), Step::Any) => items.iter_mut().for_each(|below| remove(below, rest)),
        (Value::Array(items), Step::Element(place)) => {
            let at = place.trim_matches(['[', ']']).parse::<usize>().ok();
            if let Some(below) = at.and_then(|at| items.get_mut(at)) {
                // The other elements keep their places.
                if rest.is_empty() { *below = Value::Null } else { remove(below, rest) }
            }
        }
        _ => {}
    }
}
