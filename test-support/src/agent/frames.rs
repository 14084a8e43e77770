//! What the agent made by hand says: its kinds, and frames that keep or break the promises of the protocol.

use kubeplex_proto::ROWS_PER_FRAME;
use kubeplex_proto::control::{ClusterReport, KindReport, Report, SyncState};
use kubeplex_proto::get::{FoundObject, GetEnd, GetFrame, GetHead, GetRequest};
use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::kind::KindTable;
use kubeplex_proto::list::{ListEnd, ListFrame, ListHead, ListRequest, Row};
use kubeplex_proto::sort::{KeyValue, RowKey, SortBy};
use kubeplex_proto::status::{LegStatus, Source};
use serde_json::json;

use super::{Behaviour, LONG_LINE, WIDE_CELL};
use crate::control::KUBERNETES;
use crate::kind::pods;
use crate::list;

/// Of its pods, as it reports it.
const REVISION: u64 = 1;

/// Rows of an answer that breaks a promise, unless it is one about their number.
const FEW: usize = 3;

/// Pods, which it says that it watches.
pub(super) fn report(behaviour: Behaviour) -> Report {
    let info = pods();
    let kind = info.id.clone();
    let objects = match behaviour {
        Behaviour::Pods(pods)
        | Behaviour::Steady(pods)
        | Behaviour::Wide(pods)
        | Behaviour::Stepwise(pods)
        | Behaviour::Slow(pods, _)
        | Behaviour::Stall(pods)
        | Behaviour::StallLater(pods) => pods as u64,
        _ => FEW as u64,
    };
    let state = SyncState::Synced;
    let cached = KindReport { kind, state, revision: REVISION, objects, age_ms: Some(0), message: None };
    let cluster = ClusterReport {
        kubernetes_version: KUBERNETES.to_owned(),
        nodes: 3,
        nodes_ready: 3,
        ready: true,
        ..ClusterReport::default()
    };
    Report {
        kinds: vec![cached],
        dropped: Vec::new(),
        discovery: Some(KindTable { kinds: vec![info], failed_groups: Vec::new() }),
        cluster: Some(cluster),
    }
}

/// A page as a real agent answers it: in order, after the cursor, cut at the limit.
pub(super) fn page(cluster: &ClusterId, request: &ListRequest, pods: usize) -> Vec<ListFrame> {
    let mut rows = rows(cluster, request, pods);
    let more = rows.len() > request.limit as usize;
    rows.truncate(request.limit as usize);
    let mut frames = vec![head(pods)];
    frames.extend(rows.chunks(ROWS_PER_FRAME).map(|chunk| ListFrame::Rows(chunk.to_vec())));
    frames.push(ListFrame::End(ListEnd { more, cut: None }));
    frames
}

/// The same frames, of the revision that it reports.
pub(super) fn steady(mut frames: Vec<ListFrame>) -> Vec<ListFrame> {
    if let Some(ListFrame::Head(head)) = frames.first_mut() {
        head.revision = REVISION;
    }
    frames
}

/// Frames that break a promise of the protocol.
pub(super) fn wrong(cluster: &ClusterId, request: &ListRequest, behaviour: Behaviour) -> Vec<ListFrame> {
    let mut rows = rows(cluster, request, FEW);
    match behaviour {
        Behaviour::Disorder => rows.reverse(),
        Behaviour::Misfit => rows.iter_mut().for_each(|row| row.cells.push(json!("one too many"))),
        Behaviour::Flood => rows = self::rows(cluster, request, request.limit as usize + 10),
        Behaviour::LongLine => rows[1].cells[1] = json!("x".repeat(LONG_LINE)),
        _ => {}
    }
    let mut frames = vec![head(rows.len()), ListFrame::Rows(rows)];
    match behaviour {
        Behaviour::Headless => drop(frames.remove(0)),
        Behaviour::BreakOff => {}
        _ => frames.push(ListFrame::End(ListEnd { more: false, cut: None })),
    }
    frames
}

/// The same page with a wide cell in each row.
pub(super) fn wide(mut page: Vec<ListFrame>) -> Vec<ListFrame> {
    for frame in &mut page {
        if let ListFrame::Rows(rows) = frame {
            rows.iter_mut().for_each(|row| row.cells[1] = json!("x".repeat(WIDE_CELL)));
        }
    }
    page
}

/// The head, the object that was asked for, and the end.
pub(super) fn object(request: &GetRequest) -> [GetFrame; 3] {
    let head = GetHead {
        status: LegStatus::Ok,
        message: None,
        source: Source::Cache,
        api_version: "v1".to_owned(),
        total: 1,
        age_ms: 20,
        revision: 1,
    };
    let name = request.names.first().map(|pattern| pattern.as_str().to_owned()).unwrap_or_default();
    let metadata = json!({"name": name, "namespace": "shop"});
    let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"nodeName": "n1"}});
    let found = FoundObject { namespace: Some("shop".to_owned()), name, object };
    [GetFrame::Head(Box::new(head)), GetFrame::Object(Box::new(found)), GetFrame::End(GetEnd { cut: None })]
}

fn head(pods: usize) -> ListFrame {
    ListFrame::Head(Box::new(ListHead {
        status_counts: [("Running".to_owned(), pods as u64)].into(),
        age_ms: 20,
        cluster_now_ms: 1_790_000_000_000,
        // None that it ever reports, so no gateway keeps its answers: it changes its mind and tells nobody.
        revision: 0,
        ..list::head(list::columns(&["name", "status"]), pods as u64)
    }))
}

/// In the order that was asked for, after the cursor.
fn rows(cluster: &ClusterId, request: &ListRequest, pods: usize) -> Vec<Row> {
    let directions: Vec<_> = request.sort.iter().map(|term| term.direction).collect();
    let mut rows: Vec<_> = (0..pods).map(|number| row(cluster, request, number)).collect();
    rows.sort_by(|a, b| a.key.compare(&b.key, &directions));
    if let Some(after) = &request.after {
        rows.retain(|row| row.key.compare(after, &directions).is_gt());
    }
    rows
}

fn row(cluster: &ClusterId, request: &ListRequest, number: usize) -> Row {
    let name = format!("{cluster}-{number:05}");
    let value = |by: &SortBy| match by {
        SortBy::Constant(value) => value.clone(),
        SortBy::Field(field) if field == "name" => KeyValue::Text(name.clone()),
        SortBy::Field(_) => KeyValue::Missing,
    };
    let values = request.sort.iter().map(|term| value(&term.by)).collect();
    let (namespace, uid) = ("shop".to_owned(), format!("uid-{name}"));
    Row {
        key: RowKey { values, namespace, name: name.clone(), uid },
        cells: vec![json!(name), json!("Running")],
    }
}
