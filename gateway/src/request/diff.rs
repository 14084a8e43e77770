//! A question for how objects differ.

use kubeplex_proto::call::Freshness;
use kubeplex_proto::digest::{DigestRequest, IntentRequest, ObjectRef};
use kubeplex_proto::kind::{GroupResource, Scope};
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::selector::LabelSelector;
use serde_json::Value;

use super::{CallOptions, LegContext, LegId, Target};
use crate::limits::{MAX_COMPARED_OBJECTS, MAX_MAX_BYTES};
use crate::resolve::Understood;

/// Objects that are called alike, compared over the targets.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct DiffQuery {
    pub targets: Vec<Target>,
    /// Empty: every kind in namespaces that somebody makes objects of for their own sake.
    pub kinds: Vec<GroupResource>,
    /// `None` where nobody said it, or it is of several kinds.
    pub scope: Option<Scope>,
    pub namespaces: Vec<Pattern>,
    pub names: Vec<Pattern>,
    pub label_selector: LabelSelector,
    /// Set where objects of two namespaces are compared, of which this is the second.
    pub to_namespace: Option<String>,
    pub against: Against,
    /// Paths that are not compared.
    pub ignore: Vec<String>,
    pub options: CallOptions,
    pub understood: Understood,
}

/// What the others are compared with.
#[derive(Debug, Clone)]
pub enum Against {
    /// What most of them have.
    Majority,
    Cluster(LegId),
    /// What somebody wrote.
    Manifest(Vec<WrittenObject>),
}

/// An object of a manifest, as far as it is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenObject {
    pub object: ObjectRef,
    pub intent: Value,
}

impl DiffQuery {
    /// The first request of a leg.
    pub fn digests_of_leg(&self, context: LegContext) -> DigestRequest {
        DigestRequest {
            context: context.into_call(MAX_MAX_BYTES as u64, Freshness::Cache),
            kinds: self.kinds.clone(),
            namespaces: self.namespaces.clone(),
            names: self.names.clone(),
            label_selector: self.label_selector.clone(),
            ignore: self.ignore.clone(),
            limit: MAX_COMPARED_OBJECTS,
        }
    }

    /// The second one, for what differs.
    pub fn intents_of_leg(&self, objects: Vec<ObjectRef>, context: LegContext) -> IntentRequest {
        let context = context.into_call(MAX_MAX_BYTES as u64, Freshness::Cache);
        IntentRequest { context, objects, ignore: self.ignore.clone() }
    }
}
