//! The pods behind other objects, as kubectl finds them: by the selector of a workload or a service. What has none owns pods,
//! or something that does, as a CronJob its jobs.

use kubeplex_proto::log::{LogPodsRequest, PodName};
use kubeplex_proto::selector::{LabelRequirement, LabelSelector, LabelTest};
use kubeplex_proto::status::{AgentError, AgentErrorCode};
use kubeplex_proto::visibility::Visibility;
use parking_lot::RwLock;
use serde_json::Value;

use super::budget::ScanBudget;
use super::field::Candidate;
use super::filter::Filter;
use super::scan::{Decode, parse, scan};
use crate::cache::KindStore;
use crate::limits::LOG_WORKLOADS;

/// An object that may have pods.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    namespace: Option<String>,
    uid: String,
    selector: Option<LabelSelector>,
}

/// Some of the pods that are meant, and how many there are.
#[derive(Debug, Default, PartialEq)]
pub struct PodsFound {
    pub total: u64,
    pub pods: Vec<PodName>,
}

impl Workload {
    /// Whether it says itself which pods are its own.
    pub fn selects(&self) -> bool {
        self.selector.is_some()
    }

    fn of(candidate: Candidate<'_>) -> Self {
        let row = candidate.row;
        Self {
            namespace: row.namespace().map(str::to_owned),
            uid: row.uid().into_owned(),
            selector: candidate.object.and_then(selector),
        }
    }

    fn has(&self, candidate: Candidate<'_>) -> bool {
        let row = candidate.row;
        if self.namespace.is_some() && self.namespace.as_deref() != row.namespace() {
            return false;
        }
        match &self.selector {
            Some(selector) => selector.matches(|key| row.label(key)),
            None => candidate.object.is_some_and(|object| owners(object).any(|owner| owner == self.uid)),
        }
    }
}

/// The pods that a request names themselves.
///
/// # Errors
/// `timeout` when the budget is used up.
pub fn pods_named(
    store: &RwLock<KindStore>,
    request: &LogPodsRequest,
    budget: &ScanBudget,
) -> Result<PodsFound, AgentError> {
    let shape = store.read().shape().clone();
    let patterns = (request.namespaces.as_slice(), request.names.as_slice());
    let mut filter = Filter::new(&shape, &request.context.visibility, patterns, &request.label_selector);
    let mut found = PodsFound::default();
    scan(store, &shape, &mut filter, Decode::Rows, budget, &mut |candidate| {
        found.add(candidate, request.limit);
    })?;
    Ok(found)
}

/// The objects that a request names.
///
/// # Errors
/// `timeout` when the budget is used up; `too_large` where they are too many to be gone after.
pub fn workloads(
    store: &RwLock<KindStore>,
    request: &LogPodsRequest,
    budget: &ScanBudget,
) -> Result<Vec<Workload>, AgentError> {
    let shape = store.read().shape().clone();
    let patterns = (request.namespaces.as_slice(), request.names.as_slice());
    let mut filter = Filter::new(&shape, &request.context.visibility, patterns, &request.label_selector);
    let mut workloads = Vec::new();
    scan(store, &shape, &mut filter, Decode::Objects, budget, &mut |candidate| {
        workloads.push(Workload::of(candidate));
    })?;
    few(workloads)
}

/// The visible objects of another kind that these own.
///
/// # Errors
/// As [`workloads`].
pub fn owned(
    store: &RwLock<KindStore>,
    visibility: &Visibility,
    by: &[Workload],
    budget: &ScanBudget,
) -> Result<Vec<Workload>, AgentError> {
    let (shape, all) = (store.read().shape().clone(), LabelSelector::default());
    let mut filter = Filter::new(&shape, visibility, (&[], &[]), &all);
    let mut workloads = Vec::new();
    scan(store, &shape, &mut filter, Decode::Objects, budget, &mut |candidate| {
        let is_owned = |owner: &str| by.iter().any(|workload| workload.uid == owner);
        if candidate.object.is_some_and(|object| owners(object).any(is_owned)) {
            workloads.push(Workload::of(candidate));
        }
    })?;
    few(workloads)
}

/// The visible pods of these.
///
/// # Errors
/// `timeout` when the budget is used up.
pub fn pods_of(
    store: &RwLock<KindStore>,
    visibility: &Visibility,
    workloads: &[Workload],
    limit: u32,
    budget: &ScanBudget,
) -> Result<PodsFound, AgentError> {
    let (shape, all) = (store.read().shape().clone(), LabelSelector::default());
    let mut filter = Filter::new(&shape, visibility, (&[], &[]), &all);
    let decode = if workloads.iter().all(Workload::selects) { Decode::Rows } else { Decode::Objects };
    let mut found = PodsFound::default();
    if workloads.is_empty() {
        return Ok(found);
    }
    scan(store, &shape, &mut filter, decode, budget, &mut |candidate| {
        if workloads.iter().any(|workload| workload.has(candidate)) {
            found.add(candidate, limit);
        }
    })?;
    Ok(found)
}

/// Whole pods, where they are there and visible.
pub fn pods(store: &RwLock<KindStore>, visibility: &Visibility, names: &[PodName]) -> Vec<Option<Value>> {
    let store = store.read();
    let visible = visibility.for_kind(&store.shape().id);
    let mut json = Vec::new();
    let read = |PodName { namespace, name }: &PodName| {
        let row = store.get(Some(namespace), name).filter(|_| visible.shows(Some(namespace), name))?;
        parse(row, &mut json)
    };
    names.iter().map(read).collect()
}

impl PodsFound {
    fn add(&mut self, candidate: Candidate<'_>, limit: u32) {
        self.total += 1;
        if self.pods.len() < limit as usize {
            let namespace = candidate.row.namespace().unwrap_or_default().to_owned();
            self.pods.push(PodName { namespace, name: candidate.row.name().to_owned() });
        }
    }
}

fn few(workloads: Vec<Workload>) -> Result<Vec<Workload>, AgentError> {
    if workloads.len() <= LOG_WORKLOADS {
        return Ok(workloads);
    }
    let message = format!(
        "{} objects may have pods, more than {LOG_WORKLOADS}, the most that are gone after",
        workloads.len()
    );
    Err(AgentError::new(AgentErrorCode::TooLarge, message).with_hint("narrow name or namespace"))
}

fn owners(object: &Value) -> impl Iterator<Item = &str> {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    owners.into_iter().flatten().filter_map(|owner| owner["uid"].as_str())
}

/// The selector of an object, in either of the forms that there are; `None` where it selects nothing.
fn selector(object: &Value) -> Option<LabelSelector> {
    let selector = object.pointer("/spec/selector")?.as_object()?;
    let labels = match (selector.get("matchLabels"), selector.get("matchExpressions")) {
        (None, None) => Some(selector),
        (labels, _) => labels.and_then(Value::as_object),
    };
    let equal = labels.into_iter().flatten().filter_map(|(key, value)| {
        Some(LabelRequirement { key: key.clone(), test: LabelTest::In(vec![value.as_str()?.to_owned()]) })
    });
    let expressions = selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten();
    let requirements: Vec<_> = equal.chain(expressions.filter_map(requirement)).collect();
    (!requirements.is_empty()).then_some(LabelSelector { requirements })
}

fn requirement(expression: &Value) -> Option<LabelRequirement> {
    let values = || {
        let values = expression["values"].as_array().into_iter().flatten();
        values.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let test = match expression["operator"].as_str()? {
        "In" => LabelTest::In(values()),
        "NotIn" => LabelTest::NotIn(values()),
        "Exists" => LabelTest::Exists,
        "DoesNotExist" => LabelTest::Missing,
        _ => return None,
    };
    Some(LabelRequirement { key: expression["key"].as_str()?.to_owned(), test })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_are_read_in_both_forms() {
        for (spec, labels, matches) in [
            (json!({"selector": {"app": "cart"}}), &[("app", "cart"), ("x", "y")][..], true),
            (json!({"selector": {"app": "cart"}}), &[("app", "search")], false),
            (json!({"selector": {"matchLabels": {"app": "cart"}}}), &[("app", "cart")], true),
            (
                json!({"selector": {"matchLabels": {"app": "cart"}, "matchExpressions": [
                    {"key": "tier", "operator": "NotIn", "values": ["cache"]}]}}),
                &[("app", "cart"), ("tier", "cache")],
                false,
            ),
            (
                json!({"selector": {"matchExpressions": [{"key": "tier", "operator": "Exists"}]}}),
                &[("tier", "web")],
                true,
            ),
        ] {
            let selector = selector(&json!({ "spec": spec })).unwrap();
            let label = |key: &str| labels.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
            assert_eq!(selector.matches(label), matches, "{spec} {labels:?}");
        }
        for spec in [json!({}), json!({"selector": {}}), json!({"selector": null})] {
            assert_eq!(selector(&json!({ "spec": spec })), None, "{spec}: everything is not what is meant");
        }
    }
}
