//! What somebody wanted of objects: a digest of each, and the whole of some.

use kubeplex_proto::compare::{self, Ignore};
use kubeplex_proto::digest::{DigestRequest, IntentRequest, ObjectDigest, ObjectIntent, ObjectRef};
use kubeplex_proto::status::{AgentError, AgentErrorCode};
use parking_lot::RwLock;

use super::budget::ScanBudget;
use super::filter::Filter;
use super::scan::{Decode, parse, scan};
use crate::cache::KindStore;

/// The digests of the objects of a store that a request may see and means, in the order of namespace and name.
///
/// # Errors
/// `invalid_argument` for a path that can't be read; `too_large` for more than `room` objects; `timeout` when the budget is
/// used up.
pub fn digests(
    store: &RwLock<KindStore>,
    request: &DigestRequest,
    room: usize,
    budget: &ScanBudget,
) -> Result<Vec<ObjectDigest>, AgentError> {
    let shape = store.read().shape().clone();
    let ignored = ignored(&request.ignore)?;
    // Where kinds are named, all of their objects are meant.
    let only_intended = request.kinds.is_empty();
    let patterns = (request.namespaces.as_slice(), request.names.as_slice());
    let mut filter = Filter::new(&shape, &request.context.visibility, patterns, &request.label_selector);
    let (mut found, mut too_many) = (Vec::new(), false);
    scan(store, &shape, &mut filter, Decode::Objects, budget, &mut |candidate| {
        let Some(object) = candidate.object else { return };
        if only_intended && !compare::is_intended(object) {
            return;
        }
        if found.len() == room {
            too_many = true;
            return;
        }
        let object_ref = ObjectRef {
            kind: shape.id.clone(),
            namespace: candidate.row.namespace().unwrap_or_default().to_owned(),
            name: candidate.row.name().to_owned(),
        };
        let digest = compare::digest(&compare::intent(object, &ignored));
        found.push(ObjectDigest { object: object_ref, digest });
    })?;
    if too_many {
        let message =
            format!("more than {} objects are meant, the most that are compared at once", request.limit);
        return Err(AgentError::new(AgentErrorCode::TooLarge, message)
            .with_hint("narrow kind, namespace, name or labelSelector"));
    }
    Ok(found)
}

/// What one object of a store is made of, if it is there and visible.
///
/// # Errors
/// `invalid_argument` for a path that can't be read; `timeout` when the budget is used up.
pub fn intent(
    store: &RwLock<KindStore>,
    request: &IntentRequest,
    object: &ObjectRef,
    budget: &ScanBudget,
) -> Result<Option<ObjectIntent>, AgentError> {
    budget.check()?;
    let ignored = ignored(&request.ignore)?;
    let namespace = (!object.namespace.is_empty()).then_some(object.namespace.as_str());
    let seen = request.context.visibility.for_kind(&object.kind);
    let is_namespaces = object.kind.group.is_empty() && object.kind.resource == "namespaces";
    let is_seen =
        if is_namespaces { seen.shows_namespace(&object.name) } else { seen.shows(namespace, &object.name) };
    if !is_seen {
        return Ok(None);
    }
    let found = {
        let store = store.read();
        store.get(namespace, &object.name).and_then(|row| parse(row, &mut Vec::new()))
    };
    Ok(found.map(|whole| ObjectIntent { object: object.clone(), intent: compare::intent(&whole, &ignored) }))
}

fn ignored(paths: &[String]) -> Result<Vec<Ignore>, AgentError> {
    let parse = |path: &String| {
        Ignore::parse(path)
            .map_err(|error| AgentError::new(AgentErrorCode::InvalidArgument, error.to_string()))
    };
    paths.iter().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::pattern::Pattern;
    use kubeplex_proto::visibility::{Reach, Visibility, VisibilityRule};

    use super::*;
    use crate::query::tests::{budget, list_of, pods};

    fn asked(visibility: Visibility) -> DigestRequest {
        let mut context = list_of("pods").context;
        context.visibility = visibility;
        DigestRequest {
            context,
            kinds: vec![list_of("pods").kind],
            namespaces: Vec::new(),
            names: Vec::new(),
            label_selector: "".parse().unwrap(),
            ignore: Vec::new(),
            limit: 100,
        }
    }

    #[test]
    fn digests_tell_objects_apart_as_far_as_they_are_compared_and_seen() {
        let store = pods(6);
        let all = digests(&store, &asked(Visibility::everything()), 100, &budget()).unwrap();
        let mut distinct: Vec<_> = all.iter().map(|found| &found.digest).collect();
        distinct.sort();
        distinct.dedup();
        assert_eq!((all.len(), distinct.len()), (6, 6));
        let paths = ["metadata.labels", "spec"].map(str::to_owned).to_vec();
        let same = DigestRequest { ignore: paths, ..asked(Visibility::everything()) };
        let same = digests(&store, &same, 100, &budget()).unwrap();
        assert!(same.iter().all(|found| found.digest == same[0].digest));
        let shop = Reach::Only(vec![Pattern::new("shop")]);
        let narrow = asked(Visibility::of(vec![VisibilityRule::of(Reach::All, shop)]));
        let seen = digests(&store, &narrow, 100, &budget()).unwrap();
        assert!(!seen.is_empty() && seen.iter().all(|found| found.object.namespace == "shop"));
        let error = digests(&store, &asked(Visibility::everything()), 5, &budget()).unwrap_err();
        assert_eq!(error.code, AgentErrorCode::TooLarge);
        let wrong = DigestRequest { ignore: vec!["a..b".to_owned()], ..asked(Visibility::everything()) };
        assert_eq!(digests(&store, &wrong, 9, &budget()).unwrap_err().code, AgentErrorCode::InvalidArgument);
    }

    #[test]
    fn an_intent_is_what_its_digest_is_of_and_only_for_who_may_see_it() {
        let store = pods(3);
        let digest = digests(&store, &asked(Visibility::everything()), 9, &budget()).unwrap().remove(0);
        let mut request = IntentRequest {
            context: asked(Visibility::everything()).context,
            objects: vec![digest.object.clone()],
            ignore: Vec::new(),
        };
        let found = intent(&store, &request, &digest.object, &budget()).unwrap().unwrap();
        assert_eq!(compare::digest(&found.intent), digest.digest);
        request.context.visibility = Visibility::nothing();
        assert_eq!(intent(&store, &request, &digest.object, &budget()).unwrap(), None);
    }
}
