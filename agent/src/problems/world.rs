//! What an analyser may look at.

use std::sync::Arc;

use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::selector::LabelSelector;
use serde_json::Value;

use super::ObjectRef;

#[cfg(test)]
pub mod fixture;

/// The object that is judged.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub kind: &'a GroupResource,
    /// As it is kept: redacted, without managedFields.
    pub object: &'a Value,
    /// The apiVersion that its last writer wrote it in, where known.
    pub written_as: Option<&'a str>,
}

/// The rest of the cluster, as far as its kinds are watched. Whatever is looked at is remembered: the verdict is made anew
/// when it changes.
///
/// What is remembered of a healthy object takes memory too, so look at others where there is a suspicion, or ask for
/// [`one`](Self::one), which costs a single memory however many there are. Of lists at most
/// [`PROBLEM_OBJECTS_LISTED`](crate::limits::PROBLEM_OBJECTS_LISTED) objects come.
pub trait World {
    /// Milliseconds since 1970, by the cluster's clock.
    fn now_ms(&self) -> i64;

    /// Whether all objects of a kind are known, so that what is not found is not there.
    fn knows(&self, kind: &GroupResource) -> bool;

    /// `None` where it is not there or not known.
    fn get(&self, kind: &GroupResource, namespace: Option<&str>, name: &str) -> Option<Arc<Value>>;

    /// One of the objects of this namespace whose labels match; which one must not matter.
    fn one(&self, kind: &GroupResource, namespace: &str, labels: &LabelSelector) -> Option<Arc<Value>>;

    /// Those in this namespace whose labels match.
    fn select(&self, kind: &GroupResource, namespace: &str, labels: &LabelSelector) -> Vec<Arc<Value>>;

    /// All of a kind, in one namespace or in all: for kinds of which there are few.
    fn list(&self, kind: &GroupResource, namespace: Option<&str>) -> Vec<Arc<Value>>;

    /// Events that tell of an object, the newest first.
    fn events_of(&self, object: &ObjectRef) -> Vec<Arc<Value>>;
}
