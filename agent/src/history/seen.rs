//! From what a witness is told to what is written down.

use kubeplex_proto::changes::Deed;
use kubeplex_proto::kind::KindInfo;

use super::record::{self, Owner, Record};
use crate::cache::{Before, LastWriter, Prepared};
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
    let writer = writer(arrival, before, after);
    Some(Record {
        at_ms: arrival.at(writer.map(|writer| writer.time_ms)),
        uid: after.uid.clone(),
        fields,
        more_fields,
        by: writer.map(|writer| writer.manager.clone()),
        ..blank(deed, record::owner(&after.json))
    })
}

/// Who wrote the state after: its last writer, where that wrote anything since the state before. Times of managers have whole
/// seconds, so one who writes twice in a second leaves no other trace.
fn writer<'a>(arrival: Arrival, before: &Before, after: &'a Prepared) -> Option<&'a LastWriter> {
    let writer = after.last_writer.as_ref()?;
    let wrote = before.last_writer.as_ref() != Some(writer);
    let just_now = writer.time_ms + LATE_MS >= arrival.now_ms;
    (wrote || just_now).then_some(writer)
}

impl Arrival {
    /// When it was, if `told_ms` is when it says that it was.
    fn at(self, told_ms: Option<i64>) -> i64 {
        let is_late = |told: &i64| {
            *told + LATE_MS < self.now_ms && self.since_ms.is_none_or(|since| *told + LATE_MS >= since)
        };
        told_ms.filter(is_late).unwrap_or(self.now_ms)
    }
}
