//! What objects still tell of a time that nobody recorded: when they were created, who wrote them last, which templates a
//! workload had before, how containers ended, to which size something was scaled.
//!
//! Worked out when somebody asks, from what there is then: what is gone by then tells nothing.

mod templates;

use std::collections::HashMap;

use kubeplex_proto::changes::{Class, Deed, FieldChange};
use kubeplex_proto::kind::{GroupResource, KindInfo};
use kubeplex_proto::quantity::parse_time_ms;
use serde_json::Value;

use super::noise;
use super::record::{self, Owner, Record};
use super::stores::Stores;
use crate::cache::{CellRef, Manager, RowRef};
use crate::watch::KindHandle;
use crate::workload::items;

/// Managers that write what others decided: a state, mostly.
const MACHINERY: [&str; 5] =
    ["kubelet", "kube-controller-manager", "kube-scheduler", "cloud-controller-manager", "kube-apiserver"];

/// Kinds that nobody writes by hand, so that their last writer tells of no change.
const MADE_BY_OTHERS: [(&str, &str); 5] = [
    ("", "pods"),
    ("", "nodes"),
    ("apps", "replicasets"),
    ("apps", "controllerrevisions"),
    ("batch", "jobs"),
];

/// Objects of one kind that are taken apart for one answer.
const DECODED: usize = 5_000;

/// A creation and its first writing have times that differ so much.
const FIRST_WRITING_MS: i64 = 2_000;

/// The times of which nothing was recorded, of those that are asked about.
#[derive(Debug, Clone, Default)]
pub(super) struct Unrecorded {
    /// What is asked about, both ends included.
    pub(super) asked: (i64, i64),
    /// When each kind was first known …
    pub(super) known_since: HashMap<GroupResource, i64>,
    /// … and when those that are not among them.
    pub(super) others_since: i64,
    /// Spans in which the agent did not run, both ends included.
    pub(super) away: Vec<(i64, i64)>,
}

/// Which objects are asked about.
pub(super) type IsWanted<'a> = &'a dyn Fn(&GroupResource, Option<&str>, &str) -> bool;

impl Unrecorded {
    pub(super) fn holds(&self, kind: &GroupResource, at_ms: i64) -> bool {
        let since = self.known_since.get(kind).copied().unwrap_or(self.others_since);
        let is_asked = (self.asked.0..=self.asked.1).contains(&at_ms);
        is_asked && (at_ms < since || self.away.iter().any(|(from, to)| (*from..=*to).contains(&at_ms)))
    }

    /// Whether there is any such time.
    fn is_empty(&self) -> bool {
        let since = self.known_since.values().copied().max().unwrap_or_default().max(self.others_since);
        self.asked.0 >= since && self.away.is_empty()
    }
}

/// What is told of the unrecorded spans, in no order.
pub(super) fn inferred(
    stores: Stores<'_>,
    handles: &[std::sync::Arc<KindHandle>],
    spans: &Unrecorded,
    is_wanted: IsWanted<'_>,
) -> Vec<Record> {
    if spans.is_empty() {
        return Vec::new();
    }
    let mut records = Vec::new();
    for handle in
        handles.iter().filter(|handle| noise::is_recorded(&handle.info.id.group, &handle.info.id.resource))
    {
        of_rows(handle, spans, is_wanted, &mut records);
    }
    templates::changes(stores, spans, is_wanted, &mut records);
    rescales(stores, spans, is_wanted, &mut records);
    records
}

fn of_rows(handle: &KindHandle, spans: &Unrecorded, is_wanted: IsWanted<'_>, records: &mut Vec<Record>) {
    let kind = &handle.info;
    let id = (kind.id.group.as_str(), kind.id.resource.as_str());
    let by_hand = !MADE_BY_OTHERS.contains(&id);
    let restarts = if id == ("", "pods") { handle.narrow_column("restarts") } else { None };
    let mut names = Vec::new();
    for row in handle.store.read().rows() {
        let is_created = row.created_ms().is_some_and(|at| spans.holds(&kind.id, at));
        let is_written =
            by_hand && row.last_manager().is_some_and(|writer| is_writing(kind, row, writer, spans));
        // What ended was started again.
        let has_ended = restarts.is_some_and(|at| row.cell(at) != CellRef::Integer(0));
        if (is_created || is_written || has_ended)
            && is_wanted(&kind.id, row.namespace(), row.name())
            && names.len() < DECODED
        {
            names.push((row.namespace().map(str::to_owned), row.name().to_owned(), has_ended));
        }
    }
    for (namespace, name, has_ended) in names {
        let store = handle.store.read();
        let Some(row) = store.get(namespace.as_deref(), &name) else { continue };
        of_row(kind, row, (by_hand, has_ended), spans, records);
    }
}

fn of_row(
    kind: &KindInfo,
    row: RowRef<'_>,
    (by_hand, has_ended): (bool, bool),
    spans: &Unrecorded,
    records: &mut Vec<Record>,
) {
    let mut json = Vec::new();
    let owner = if row.object(&mut json) { record::owner(&json) } else { None };
    let told = |at_ms: i64, deed: Deed| inferred_record(kind, row, at_ms, deed, owner.clone());
    let created_ms = row.created_ms().unwrap_or(i64::MIN);
    let writer = row.last_manager();
    if spans.holds(&kind.id, created_ms) {
        // A controller that wrote the status since has made nothing of what people make.
        let first = writer.filter(|writer| writer.time_ms <= created_ms + FIRST_WRITING_MS);
        let first = first.filter(|writer| !by_hand || !MACHINERY.contains(&writer.manager));
        records.push(Record {
            by: first.map(|writer| writer.manager.to_owned()),
            ..told(created_ms, Deed::Created)
        });
    }
    if let Some(writer) = writer.filter(|writer| by_hand && is_writing(kind, row, *writer, spans)) {
        records.push(Record { by: Some(writer.manager.to_owned()), ..told(writer.time_ms, Deed::Changed) });
    }
    if has_ended {
        let pod: Value = serde_json::from_slice(&json).unwrap_or_default();
        for status in items(&pod["status"]["containerStatuses"]) {
            records.extend(ended(status, &|at| spans.holds(&kind.id, at), &told));
        }
    }
}

/// Whether the last writing tells of a change, rather than of the creation or of what others decided.
fn is_writing(kind: &KindInfo, row: RowRef<'_>, writer: Manager<'_>, spans: &Unrecorded) -> bool {
    spans.holds(&kind.id, writer.time_ms)
        && writer.time_ms > row.created_ms().unwrap_or(i64::MIN) + FIRST_WRITING_MS
        && !MACHINERY.contains(&writer.manager)
}

/// How a container ended last.
fn ended(
    status: &Value,
    is_unrecorded: &dyn Fn(i64) -> bool,
    told: &dyn Fn(i64, Deed) -> Record,
) -> Option<Record> {
    let ended = &status["lastState"]["terminated"];
    let at_ms = parse_time_ms(ended["finishedAt"].as_str()?).filter(|at| is_unrecorded(*at))?;
    let name = status["name"].as_str().unwrap_or_default();
    let field = FieldChange {
        path: format!("status.containerStatuses[{name}].lastState.terminated.reason"),
        class: Class::Status,
        old: Value::Null,
        new: ended["reason"].clone(),
    };
    Some(Record { fields: vec![field], by: Some("kubelet".to_owned()), ..told(at_ms, Deed::Changed) })
}

fn inferred_record(kind: &KindInfo, row: RowRef<'_>, at_ms: i64, deed: Deed, owner: Option<Owner>) -> Record {
    Record {
        at_ms,
        after_ms: None,
        group: kind.id.group.clone(),
        resource: kind.id.resource.clone(),
        kind_name: kind.kind.clone(),
        namespace: row.namespace().map(str::to_owned),
        name: row.name().to_owned(),
        uid: row.uid().into_owned(),
        deed,
        fields: Vec::new(),
        more_fields: 0,
        by: None,
        owner,
        inferred: true,
    }
}

/// What autoscalers told of their deeds.
fn rescales(stores: Stores<'_>, spans: &Unrecorded, is_wanted: IsWanted<'_>, records: &mut Vec<Record>) {
    let events = GroupResource::new("", "events");
    let told =
        stores.objects(&events, None, DECODED, &|row| row.created_ms().is_some_and(|at| at >= spans.asked.0));
    for event in told.iter().filter(|event| event["reason"] == "SuccessfulRescale") {
        records.extend(rescale(stores, event, spans, is_wanted));
    }
}

fn rescale(stores: Stores<'_>, event: &Value, spans: &Unrecorded, is_wanted: IsWanted<'_>) -> Option<Record> {
    let scaler = &event["involvedObject"];
    let kind = GroupResource::new("autoscaling", "horizontalpodautoscalers");
    let (namespace, name) = (scaler["namespace"].as_str(), scaler["name"].as_str()?);
    let target = stores.object(&kind, namespace, name)?;
    let target = &target["spec"]["scaleTargetRef"];
    let (kind_name, name) = (target["kind"].as_str()?, target["name"].as_str()?);
    let id = stores.kind_called(kind_name)?;
    let at_ms = parse_time_ms(event["lastTimestamp"].as_str()?).filter(|at| spans.holds(&id, *at))?;
    let size = event["message"].as_str()?.strip_prefix("New size: ")?.split(';').next()?;
    let field = FieldChange {
        path: "spec.replicas".to_owned(),
        class: Class::Scale,
        old: Value::Null,
        new: size.trim().parse::<u64>().ok()?.into(),
    };
    is_wanted(&id, namespace, name).then(|| Record {
        at_ms,
        after_ms: None,
        group: id.group.clone(),
        resource: id.resource.clone(),
        kind_name: kind_name.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
        uid: String::new(),
        deed: Deed::Changed,
        fields: vec![field],
        more_fields: 0,
        by: Some("horizontal-pod-autoscaler".to_owned()),
        owner: None,
        inferred: true,
    })
}
