//! One object's verdict, with all that it hangs on.

use std::sync::Arc;

use kubeplex_proto::kind::GroupResource;
use serde_json::Value;

use super::analysers::Judges;
use super::look::Look;
use super::sight::{Recorder, Sight};
use super::{ObjectRef, Subject, Verdict};

/// Owners above each other: a pod's ReplicaSet, its Deployment, and what made that.
const OWNERS: usize = 5;

/// A verdict, and what it was made from.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    /// Whom the object belongs to, the nearest first; only where something is wrong.
    pub(super) owners: Vec<ObjectRef>,
    pub(super) looks: Vec<Look>,
}

/// `None` where the object is not there, or was too large to be kept.
pub(super) fn judge(judges: &Judges, object: &ObjectRef, sight: &dyn Sight) -> Option<Judged> {
    let whole = sight.get(object)?;
    let written_as = sight.written_as(object);
    let recorder = Recorder::new(sight);
    let subject = Subject { kind: &object.kind, object: &whole, written_as: written_as.as_deref() };
    let mut verdict = Verdict::default();
    judges.analysers.iter().for_each(|analyser| analyser(&subject, &recorder, &mut verdict));
    let mut looks = recorder.into_looks();
    let owners =
        if verdict.findings.is_empty() { Vec::new() } else { owners(object, &whole, sight, &mut looks) };
    Some(Judged { verdict, owners, looks })
}

/// Who owns an object never changes as long as it is there, so nothing is remembered but owners that are not known yet.
fn owners(
    object: &ObjectRef,
    whole: &Arc<Value>,
    sight: &dyn Sight,
    looks: &mut Vec<Look>,
) -> Vec<ObjectRef> {
    let mut owners: Vec<ObjectRef> = Vec::new();
    let (mut owned, mut namespace) = (Arc::clone(whole), object.namespace.clone());
    while owners.len() < OWNERS {
        let Some(owner) = owner(&owned, namespace, sight) else { break };
        if owner == *object || owners.contains(&owner) {
            break;
        }
        let found = sight.get(&owner);
        namespace = owner.namespace.clone();
        owners.push(owner.clone());
        match found {
            Some(found) => owned = found,
            None => {
                looks.push(Look::Object(Arc::new(owner)));
                break;
            }
        }
    }
    owners
}

/// Nodes own the pods that they start themselves; those belong to nobody.
fn owner(owned: &Value, namespace: Option<String>, sight: &dyn Sight) -> Option<ObjectRef> {
    let references = owned["metadata"]["ownerReferences"].as_array()?;
    let controller = references.iter().find(|owner| owner["controller"] == true);
    let reference = controller.or_else(|| references.first())?;
    let text = |field: &str| reference[field].as_str();
    let kind = sight.named(text("apiVersion")?, text("kind")?)?;
    let is_node = kind == GroupResource::new("", "nodes");
    (!is_node).then_some(ObjectRef { kind, namespace, name: text("name")?.to_owned() })
}
