//! One example a tool: a call, resolved and rendered as every call is, over answers that agents would give.

use kubeplex_proto::column::{CellFormat, Column};
use kubeplex_proto::get::{FoundObject, GetEnd, GetHead};
use kubeplex_proto::kind::Scope as KindScope;
use kubeplex_proto::list::{ListEnd, ListHead, Row};
use kubeplex_proto::sort::{KeyValue, RowKey, SortBy};
use kubeplex_proto::status::{LegStatus, Source};
use serde_json::{Value, json};

use crate::fanout::{Answered, Merged};
use crate::fleet::{ClusterView, Fleet};
use crate::merge::{GetMerge, GetPage, LegFailure, ListMerge, ListPage, Step};
use crate::render::RenderContext;
use crate::request::fixtures::{NOW_MS, cluster, fleet, lost, resolved, sealer};
use crate::request::{GetQuery, ListQuery, Request, legs};
use crate::tools::catalogue;

const DAY_MS: i64 = 86_400_000;

pub(super) struct Example {
    tool: &'static str,
    pub(super) about: &'static str,
    pub(super) arguments: Value,
}

pub(super) fn of(tool: &'static str) -> Example {
    let (about, arguments) = match tool {
        "clusters_list" => ("The production clusters:", json!({"clusterSelector": "env=prod"})),
        "pods_list" => (
            "The two pods that restart most, anywhere; one cluster is down:",
            json!({"sortBy": "-restarts", "limit": 2}),
        ),
        "resources_list" => (
            "A custom resource in two clusters, with its own columns:",
            json!({"kind": "certificates", "namespace": "shop", "cluster": "prod-eu,prod-us"}),
        ),
        "resources_get" => (
            "Is the same image running everywhere?",
            json!({"name": "deployment/cart", "namespace": "shop", "cluster": "prod-eu,prod-us,dev",
                "fields": "spec.replicas,spec.template.spec.containers[*].image"}),
        ),
        other => panic!("give an example of {other} in this file"),
    };
    Example { tool, about, arguments }
}

impl Example {
    /// The structured answer. Its cursor is too long to be read, and is shortened.
    pub(super) fn answer(&self) -> Value {
        let request = resolved(&some_clusters(), self.tool, &self.arguments).unwrap();
        let merged = Merged::by_hand(match &request {
            Request::Clusters(query) => Answered::Clusters(query),
            Request::List(query) => Answered::List(query, merged_list(query)),
            Request::Get(query) => Answered::Get(query, merged_get(query)),
        });
        let sealer = sealer();
        let context = RenderContext { now_ms: NOW_MS, sealer: &sealer, nonce: [3; 24] };
        let tool = catalogue().get(self.tool).unwrap();
        let mut answer = tool.render(merged, &context).unwrap().structured;
        if let Some(cursor) = answer.get_mut("continue") {
            *cursor = format!("{}…", &cursor.as_str().unwrap()[..12]).into();
        }
        answer
    }
}

fn some_clusters() -> Fleet {
    let mut gone = lost("prod-ap");
    gone.labels = cluster("prod-ap", &["env=prod", "region=ap"]).labels;
    gone.caches = gone.caches.at(240_860);
    fleet(vec![
        cluster("dev", &["env=dev", "region=eu"]),
        gone,
        cluster("prod-eu", &["env=prod", "region=eu"]),
        cluster("prod-us", &["env=prod", "region=us"]),
    ])
}

/// Cluster, namespace, name, the other cells, and days since it was created.
type Line = (&'static str, &'static str, &'static str, Value, i64);

fn lines(resource: &str) -> (&'static [&'static str], Vec<Line>) {
    match resource {
        "pods" => (
            &["ready", "status", "restarts"],
            vec![
                ("dev", "shop", "cart-6d5f7c9b84-q2v7x", json!(["1/1", "Running", 0]), 1),
                ("prod-eu", "shop", "cart-7d9f8b6c5d-x2x9k", json!(["1/1", "Running", 3]), 3),
                ("prod-us", "shop", "search-0", json!(["0/1", "CrashLoopBackOff", 41]), 2),
            ],
        ),
        _ => (
            &["ready", "secret"],
            vec![
                ("prod-eu", "shop", "cart-tls", json!(["True", "cart-tls"]), 140),
                ("prod-us", "shop", "cart-tls", json!(["False", "cart-tls"]), 90),
            ],
        ),
    }
}

fn merged_list(query: &ListQuery) -> ListPage {
    let (columns, lines) = lines(&query.kind.resource);
    let mut merge = ListMerge::new(query);
    for (leg, cluster) in legs(&query.targets) {
        if let Some(failure) = LegFailure::of_link(cluster) {
            merge.finish(leg, Err(failure));
            continue;
        }
        let own: Vec<_> = lines.iter().filter(|line| line.0 == cluster.id.as_str()).collect();
        merge.head(leg, list_head(columns, &own), NOW_MS);
        merge.rows(leg, own.iter().map(|line| row(query, cluster, line)).collect());
        merge.finish(leg, Ok(ListEnd { more: false, cut: None }));
    }
    while merge.next() == Step::Row {}
    merge.into_page().unwrap()
}

fn list_head(columns: &[&str], lines: &[&Line]) -> ListHead {
    let column = |name: &str, format| Column { name: name.to_owned(), format };
    let named = columns.iter().map(|name| column(name, CellFormat::Plain));
    let status = columns.iter().position(|name| *name == "status");
    let mut status_counts = std::collections::BTreeMap::new();
    for status in lines.iter().filter_map(|line| line.3[status?].as_str()) {
        *status_counts.entry(status.to_owned()).or_insert(0) += 1;
    }
    ListHead {
        status: LegStatus::Ok,
        message: None,
        source: Source::Cache,
        api_version: "v1".to_owned(),
        scope: Some(KindScope::Namespaced),
        columns: std::iter::once(column("name", CellFormat::Plain))
            .chain(named)
            .chain([column("age", CellFormat::Age)])
            .collect(),
        total: lines.len() as u64,
        status_counts,
        age_ms: 140,
        cluster_now_ms: NOW_MS,
        clock_offset_ms: 0,
        revision: 1,
    }
}

fn row(query: &ListQuery, cluster: &ClusterView, line: &Line) -> Row {
    let (_, namespace, name, cells, days) = line;
    let value = |by| match by {
        SortBy::Constant(value) => value,
        SortBy::Field(_) => KeyValue::from_integer(cells[2].as_i64().unwrap_or_default()),
    };
    let key = RowKey {
        values: query.page.order.terms(cluster).into_iter().map(|term| value(term.by)).collect(),
        namespace: (*namespace).to_owned(),
        name: (*name).to_owned(),
        uid: format!("{}/{name}", cluster.id),
    };
    let shown = cells.as_array().into_iter().flatten().cloned();
    let created = json!(NOW_MS - days * DAY_MS);
    Row { key, cells: std::iter::once(json!(name)).chain(shown).chain([created]).collect() }
}

fn merged_get(query: &GetQuery) -> GetPage {
    let mut merge = GetMerge::new(query);
    for (leg, cluster) in legs(&query.targets) {
        let head = GetHead {
            status: LegStatus::Ok,
            message: None,
            source: Source::Cache,
            api_version: "apps/v1".to_owned(),
            total: 1,
            age_ms: 140,
            revision: 1,
        };
        merge.head(leg, head);
        let (replicas, version) = if cluster.id.as_str() == "dev" { (1, "1.43.0") } else { (11, "1.42.0") };
        let image = format!("registry.example.com/shop/cart:{version}");
        let object = json!({"kind": "Deployment", "apiVersion": "apps/v1",
            "metadata": {"name": "cart", "namespace": "shop"},
            "spec": {"replicas": replicas, "template": {"spec": {"containers": [{"image": image}]}}}});
        merge
            .object(leg, FoundObject { namespace: Some("shop".to_owned()), name: "cart".to_owned(), object });
        merge.finish(leg, Ok(GetEnd { cut: None }));
    }
    merge.into_page().unwrap()
}
