//! From what a witness is told to what is written down.

use kubeplex_proto::changes::{Deed, FieldChange};
use kubeplex_proto::kind::KindInfo;

use super::record::{self, Owner, Record};
use crate::cache::{Area, Before, Prepared, Writer};
use crate::watch::{Fate, Sighting};

/// News that is older than this is told with the time that the object itself gives; below it, that of its arrival is nearer
/// and finer.
const LATE_MS: i64 = 2_000;

/// When something came to be known, and since when it may have been so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    /// By the cluster's clock, in milliseconds since 1970.
    pub(super) now_ms: i64,
    /// Set where a list told it after a gap that began then.
    pub(super) since_ms: Option<i64>,
    /// Since when every object of the kind is known.
    pub(super) known_since_ms: i64,
}

/// What happened to an object, where anybody means it.
pub(super) fn record(kind: &KindInfo, arrival: Arrival, sighting: &Sighting<'_>) -> Option<Record> {
    let blank = |deed: Deed, owner: Option<Owner>| Record {
        at_ms: arrival.now_ms,
        after_ms: arrival.since_ms,
        group: kind.id.group.clone(),
        resource: kind.id.resource.clone(),
        kind_name: kind.kind.clone(),
        namespace: sighting.namespace.map(str::to_owned),
        name: sighting.name.to_owned(),
        uid: String::new(),
        deed,
        fields: Vec::new(),
        more_fields: 0,
        by: None,
        owner,
        inferred: false,
    };
    match &sighting.fate {
        Fate::Created(after) => {
            // What is older than the first list was there, and could not be read for a while.
            let created_ms = after.created_ms.unwrap_or(arrival.now_ms);
            let is_new = created_ms >= arrival.known_since_ms - LATE_MS;
            let at_ms = arrival.at(Some(created_ms));
            let by = after.last_writer.as_ref().map(|writer| writer.manager.clone());
            let owner = record::owner(&after.json);
            is_new.then(|| Record {
                at_ms,
                after_ms: None,
                uid: after.uid.clone(),
                by,
                ..blank(Deed::Created, owner)
            })
        }
        Fate::Updated { before, after } => changed(kind, arrival, (*before)?, after, blank),
        Fate::Replaced { before, after } => {
            let told = before.and_then(|before| record::changed(kind, &before.json, &after.json));
            let (_, fields, more_fields) = told.unwrap_or((Deed::Changed, Vec::new(), 0));
            let by = after.last_writer.as_ref().map(|writer| writer.manager.clone());
            let at_ms = arrival.at(after.created_ms);
            let owner = record::owner(&after.json);
            let uid = after.uid.clone();
            Some(Record { at_ms, uid, fields, more_fields, by, ..blank(Deed::Replaced, owner) })
        }
        Fate::Deleted { before } => {
            let owner = before.and_then(|before| record::owner(&before.json));
            let uid = before.map(|before| before.uid.clone()).unwrap_or_default();
            Some(Record { uid, ..blank(Deed::Deleted, owner) })
        }
        Fate::Unreadable | Fate::Forgotten => None,
    }
}

fn changed(
    kind: &KindInfo,
    arrival: Arrival,
    before: &Before,
    after: &Prepared,
    blank: impl Fn(Deed, Option<Owner>) -> Record,
) -> Option<Record> {
    let (deed, fields, more_fields) = record::changed(kind, &before.json, &after.json)?;
    let author = author(arrival, before, after, fields.first());
    Some(Record {
        at_ms: arrival.at(author.and_then(|author| author.time_ms)),
        uid: after.uid.clone(),
        fields,
        more_fields,
        by: author.map(|author| author.manager.to_owned()),
        ..blank(deed, record::owner(&after.json))
    })
}

/// Who did something, and when, where that is known.
#[derive(Debug, Clone, Copy)]
struct Author<'a> {
    manager: &'a str,
    time_ms: Option<i64>,
}

/// Who wrote what differs: of those who own such fields now the one who wrote last, where that was since the state before.
/// Whoever takes a field away may leave no trace. Times of managers have whole seconds, so one who writes twice in a second
/// leaves no other trace. One who leaves no time is known by owning such fields alone, as who changes a field does.
fn author<'a>(
    arrival: Arrival,
    before: &Before,
    after: &'a Prepared,
    field: Option<&FieldChange>,
) -> Option<Author<'a>> {
    let area = field.map(|field| area(&field.path));
    let owns = |writer: &&Writer| area.is_some_and(|area| writer.areas.hold(area));
    let owners: Vec<&Writer> = after.writers.iter().filter(owns).collect();
    if let [only] = owners.as_slice()
        && !only.is_timed
    {
        return Some(Author { manager: &only.wrote.manager, time_ms: None });
    }
    let timed = owners.iter().filter(|writer| writer.is_timed).map(|writer| &writer.wrote);
    let writer = timed.max_by_key(|wrote| wrote.time_ms).or(after.last_writer.as_ref())?;
    let known = before.last_writer.as_ref();
    let wrote = known.is_none_or(|known| writer.time_ms >= known.time_ms && writer != known);
    let just_now = writer.time_ms + LATE_MS >= arrival.now_ms;
    (wrote || just_now).then_some(Author { manager: &writer.manager, time_ms: Some(writer.time_ms) })
}

fn area(path: &str) -> Area {
    let first = path.split(['.', '[']).next().unwrap_or_default();
    match first {
        "status" => Area::Status,
        "metadata" => Area::Metadata,
        "data" | "binaryData" | "stringData" => Area::Data,
        _ if path == "spec.replicas" => Area::Replicas,
        _ => Area::Rest,
    }
}

impl Arrival {
    /// When it was, if `told_ms` is when it says that it was.
    fn at(self, told_ms: Option<i64>) -> i64 {
        let is_late = |told: &i64| {
            *told + LATE_MS < self.now_ms && self.since_ms.is_none_or(|since| *told + LATE_MS >= since)
        };
        // Times that objects give have whole seconds, and what was not there when a gap began came after that.
        let told_ms = told_ms.filter(is_late).map(|told| self.since_ms.map_or(told, |since| told.max(since)));
        told_ms.unwrap_or(self.now_ms)
    }
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::kind::{GroupResource, Scope};
    use kubeplex_test_support::kind::kind;
    use serde_json::{Value, json};

    use super::*;
    use crate::cache::KindShape;
    use crate::columns::Columns;
    use crate::ingest::prepare_value;
    use crate::redact::DigestKey;

    #[test]
    fn what_a_list_tells_after_a_gap_was_within_it() {
        let arrival = |since_ms| Arrival { now_ms: 60_000, since_ms, known_since_ms: 0 };
        for (since_ms, told_ms, at_ms) in [
            (None, Some(50_000), 50_000),
            (None, Some(59_000), 60_000),
            (None, None, 60_000),
            (Some(40_300), Some(50_000), 50_000),
            (Some(40_300), Some(40_000), 40_300),
            (Some(40_300), Some(30_000), 60_000),
        ] {
            assert_eq!(arrival(since_ms).at(told_ms), at_ms, "{since_ms:?} {told_ms:?}");
        }
    }

    /// In place of the second of an entry.
    const UNTIMED: u32 = u32::MAX;

    fn prepared(spec: Value, status: Value, managers: &[(&str, u32, &str, Value)]) -> Prepared {
        let id = GroupResource::new("apps", "deployments");
        let shape = KindShape {
            columns: Columns::builtin(&id).unwrap().into(),
            id,
            api_version: "apps/v1".to_owned(),
            kind: "Deployment".to_owned(),
            scope: Scope::Namespaced,
            digest_key: DigestKey::new([7; 32]),
        };
        let entries = managers.iter().map(|(manager, second, subresource, fields)| {
            let time = (*second != UNTIMED).then(|| format!("1970-01-01T00:00:{second:02}Z"));
            json!({"manager": manager, "operation": "Update", "apiVersion": "apps/v1", "fieldsV1": fields,
                "time": time, "subresource": subresource})
        });
        let object = json!({"metadata": {"name": "cart", "namespace": "shop", "managedFields": entries.collect::<Vec<_>>()},
            "spec": spec, "status": status});
        prepare_value(&shape, object).unwrap()
    }

    /// Who is told, of two states and when the second came.
    fn by(before: &Prepared, after: &Prepared, now_s: i64) -> Option<String> {
        let arrival = Arrival { now_ms: now_s * 1_000, since_ms: None, known_since_ms: 0 };
        let before = Before::of(before);
        let fate = Fate::Updated { before: Some(&before), after };
        let sighting = Sighting { namespace: Some("shop"), name: "cart", fate };
        record(&kind("apps", "deployments", Scope::Namespaced), arrival, &sighting)?.by
    }

    #[test]
    fn a_change_is_by_who_wrote_such_fields_last() {
        let (spec, replicas) = (json!({"f:spec": {"f:template": {}}}), json!({"f:spec": {"f:replicas": {}}}));
        let template = spec.clone();
        let (all, status) =
            (json!({"f:spec": {"f:replicas": {}, "f:template": {}}}), json!({"f:status": {}}));
        let before = prepared(
            json!({"replicas": 2, "paused": false}),
            json!({"readyReplicas": 2}),
            &[("helm", 5, "", all.clone()), ("controller", 9, "status", status.clone())],
        );
        let after = |paused: bool, count: u32, ready: u32, managers: &[(&str, u32, &str, Value)]| {
            prepared(json!({"replicas": count, "paused": paused}), json!({"readyReplicas": ready}), managers)
        };
        let controller = |second| ("controller", second, "status", status.clone());
        // The status is written in the same second as the rest, by another.
        let paused = after(
            true,
            2,
            2,
            &[("helm", 5, "", replicas.clone()), ("kubectl", 20, "", spec.clone()), controller(20)],
        );
        assert_eq!(by(&before, &paused, 40).as_deref(), Some("kubectl"));
        let scaled =
            after(false, 3, 2, &[("hpa", 20, "scale", replicas), ("kubectl", 20, "", spec), controller(9)]);
        assert_eq!(by(&before, &scaled, 20).as_deref(), Some("hpa"));
        // kubectl scale leaves no time.
        let replicas = json!({"f:spec": {"f:replicas": {}}});
        let by_hand = [("helm", 5, "", template), ("kubectl", UNTIMED, "scale", replicas), controller(9)];
        assert_eq!(by(&before, &after(false, 3, 2, &by_hand), 20).as_deref(), Some("kubectl"));
        let ready = after(false, 2, 1, &[("helm", 5, "", all.clone()), controller(20)]);
        assert_eq!(by(&before, &ready, 40).as_deref(), Some("controller"));
        // Who took something away is not among the writers.
        let gone = prepared(
            json!({"replicas": 2}),
            json!({"readyReplicas": 2}),
            &[("helm", 5, "", all), controller(9)],
        );
        assert_eq!(by(&before, &gone, 40), None);
    }
}
