//! Clusters and requests for the tests of the pure stages.

use std::collections::BTreeMap;
use std::sync::Arc;

use kubeplex_proto::column::{CellFormat, Column};
use kubeplex_proto::control::{ClusterReport, KindReport, SyncState};
use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::kind::{GroupResource, KindInfo, KindTable, Scope as KindScope};
use kubeplex_proto::list::{ListEnd, ListHead, Row};
use kubeplex_proto::sort::{KeyValue, RowKey};
use kubeplex_proto::status::{LegStatus, Source};
use kubeplex_proto::visibility::Visibility;
use serde_json::Value;

use crate::clock::{Now, Steady};
use crate::cursor::CursorSealer;
use crate::error::CallError;
use crate::fleet::{ClusterView, Fleet, LinkState, Nodes};
use crate::merge::{Answered, Heard, ListMerge, ListPage, Merged, Step};
use crate::render::{self, Again, Lasting, RenderContext, Rendered};
use crate::request::{LegId, ListQuery, Request};
use crate::resolve::{Scope, TimeOfDay};
use crate::tools::catalogue;

pub(crate) const NOW_MS: i64 = 1_795_458_279_000;

/// By both clocks.
pub(crate) const NOW: Now = Now { since_1970_ms: NOW_MS, steady: Steady::from_ms(NOW_MS) };

pub(crate) fn sealer() -> CursorSealer {
    CursorSealer::new([7; 32], 600_000)
}

/// A linked cluster with labels as `key=value`.
pub(crate) fn cluster(name: &str, labels: &[&str]) -> ClusterView {
    let labels = labels.iter().filter_map(|label| label.split_once('='));
    let labels: BTreeMap<_, _> = labels.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let mut view = ClusterView::expected(ClusterId::new(name).unwrap(), labels, 60_000);
    view.link = LinkState::Connected;
    view.heard = Some(NOW.steady.ago_ms(100));
    view.report = Arc::new(ClusterReport {
        kubernetes_version: "v1.35.2".to_owned(),
        nodes_ready: 2,
        nodes: 3,
        ready: true,
        ..ClusterReport::default()
    });
    view.nodes = Some(Nodes { ready: 2, all: 3 });
    view.kinds = Some(Arc::new(kinds(&[])));
    let report = KindReport {
        kind: GroupResource::new("", "pods"),
        state: SyncState::Synced,
        revision: 1,
        objects: 412,
        age_ms: Some(140),
        message: None,
    };
    view.caches = view.caches.at(NOW.steady);
    view.caches.insert(report);
    view
}

/// A cluster whose link is lost for four minutes.
pub(crate) fn lost(name: &str) -> ClusterView {
    let mut view = cluster(name, &[]);
    view.link = LinkState::Lost;
    view.link_since_ms = 240_000;
    view.heard = Some(NOW.steady.ago_ms(240_000));
    view
}

pub(crate) fn fleet(clusters: Vec<ClusterView>) -> Fleet {
    Fleet::new(clusters.into_iter().map(Arc::new).collect())
}

pub(crate) fn kind(group: &str, resource: &str, kind: &str, short: &[&str], versions: &[&str]) -> KindInfo {
    let cluster_scoped = matches!(resource, "nodes" | "namespaces" | "clusterroles");
    KindInfo {
        id: GroupResource::new(group, resource),
        version: versions[0].to_owned(),
        versions: versions.iter().map(|version| (*version).to_owned()).collect(),
        kind: kind.to_owned(),
        singular: kind.to_lowercase(),
        short_names: short.iter().map(|name| (*name).to_owned()).collect(),
        categories: Vec::new(),
        scope: if cluster_scoped { KindScope::Cluster } else { KindScope::Namespaced },
        verbs: ["get", "list", "watch"].map(str::to_owned).to_vec(),
    }
}

/// What every cluster has, and `more`.
pub(crate) fn kinds(more: &[KindInfo]) -> KindTable {
    let mut kinds = vec![
        kind("", "pods", "Pod", &["po"], &["v1"]),
        kind("", "nodes", "Node", &["no"], &["v1"]),
        kind("", "services", "Service", &["svc"], &["v1"]),
        kind("", "events", "Event", &["ev"], &["v1"]),
        kind("apps", "deployments", "Deployment", &["deploy"], &["v1"]),
        kind("events.k8s.io", "events", "Event", &["ev"], &["v1"]),
        kind("autoscaling", "horizontalpodautoscalers", "HorizontalPodAutoscaler", &["hpa"], &["v2", "v1"]),
        kind("networking.k8s.io", "ingresses", "Ingress", &["ing"], &["v1"]),
        kind("metrics.k8s.io", "pods", "PodMetrics", &[], &["v1beta1"]),
        kind("metrics.k8s.io", "nodes", "NodeMetrics", &[], &["v1beta1"]),
        kind("cert-manager.io", "certificates", "Certificate", &["cert"], &["v1", "v1alpha2"]),
    ];
    kinds.extend_from_slice(more);
    KindTable { kinds, failed_groups: Vec::new() }
}

/// What a tool makes of arguments.
pub(crate) fn resolved(fleet: &Fleet, tool: &str, arguments: &Value) -> Result<Request, CallError> {
    let sealer = sealer();
    let visibility = Visibility::everything();
    let time = TimeOfDay::new(NOW_MS);
    let scope = Scope { fleet, visibility: &visibility, caller: "anna", sealer: &sealer, time };
    catalogue().get(tool).unwrap().resolve(arguments.as_object().unwrap(), &scope)
}

/// The same for a tool that lists.
pub(crate) fn list_query(fleet: &Fleet, tool: &str, arguments: &Value) -> ListQuery {
    match resolved(fleet, tool, arguments).unwrap() {
        Request::List(query) => query,
        other => panic!("{other:?}"),
    }
}

/// A page of one row of the cluster `eu`, half a minute old at `now`, of data that was current so long before.
pub(crate) fn page_of_one(query: &ListQuery, now: Steady, data_age_ms: u64) -> ListPage {
    let column = |name: &str, format| Column { name: name.to_owned(), format };
    let head = ListHead {
        status: LegStatus::Ok,
        message: None,
        source: Source::Cache,
        api_version: "v1".to_owned(),
        scope: Some(KindScope::Namespaced),
        columns: vec![column("name", CellFormat::Plain), column("age", CellFormat::Age)],
        total: 1,
        status_counts: BTreeMap::new(),
        age_ms: data_age_ms,
        cluster_now_ms: NOW_MS,
        clock_offset_ms: 0,
        revision: 5,
        search: None,
    };
    let key = RowKey {
        values: vec![KeyValue::Text("eu".to_owned())],
        namespace: "shop".to_owned(),
        name: "cart \"1\"".to_owned(),
        uid: "u".to_owned(),
    };
    let row = Row { cells: vec![key.name.clone().into(), (NOW_MS - 30_000).into()], key };
    let mut merge = ListMerge::new(query);
    merge.head(LegId(0), Heard::new(head, now));
    merge.rows(LegId(0), vec![row]);
    merge.finish(LegId(0), Ok(ListEnd { more: false, cut: None }));
    while merge.next() == Step::Row {}
    merge.into_page().unwrap()
}

/// The same as it is rendered at `now`.
pub(crate) fn rendered_page_of_one(query: &ListQuery, now: Steady, data_age_ms: u64) -> (Rendered, Again) {
    let page = page_of_one(query, now, data_age_ms);
    let (sealer, now) = (sealer(), Now { steady: now, ..NOW });
    let rendered = render::list(query, &page, &RenderContext { now, sealer: &sealer, nonce: [3; 24] });
    let merged = Merged::by_hand(Answered::List(query, page));
    (rendered, Again::of_merged(&merged, now.steady).unwrap())
}

/// The same as it is kept.
pub(crate) fn kept_page(data_age_ms: u64) -> Arc<Lasting> {
    let query = list_query(&fleet(vec![cluster("eu", &[])]), "pods_list", &serde_json::json!({}));
    let (rendered, again) = rendered_page_of_one(&query, NOW.steady, data_age_ms);
    Arc::new(again.page(&rendered).unwrap())
}
