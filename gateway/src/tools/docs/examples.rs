//! One example a tool: a call, resolved and rendered as every call is, over answers that agents would give.

mod explain;
mod logs;

use std::sync::Arc;

use kubeplex_proto::column::{CellFormat, Column};
use kubeplex_proto::get::{FoundObject, GetEnd, GetHead};
use kubeplex_proto::group::Group;
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::list::{ListEnd, ListHead, Row};
use kubeplex_proto::search::{NotSearched, Place, SearchHead};
use kubeplex_proto::sort::{KeyValue, RowKey, SortBy};
use kubeplex_proto::status::{LegStatus, Source};
use kubeplex_proto::usage;
use kubeplex_test_support::list as answer;
use serde_json::{Value, json};

use crate::fleet::{ClusterView, Fleet};
use crate::health::HealthThresholds;
use crate::merge::{
    Answered, GetMerge, GetPage, GroupsAnswer, GroupsMerge, GroupsPage, Heard, LegFailure, ListMerge,
    ListPage, Merged, Step,
};
use crate::render::RenderContext;
use crate::request::fixtures::{NOW, NOW_MS, cluster, fleet, kind, kinds, lost, resolved, sealer};
use crate::request::{GetQuery, GroupBy, ListQuery, Request, legs};
use crate::tools::{api_resources_list, catalogue, problems_list};

mod changes;
mod diff;

mod health;
mod sheets;
mod top;

const DAY_MS: i64 = 86_400_000;

pub(super) struct Example {
    tool: &'static str,
    pub(super) about: &'static str,
    pub(super) arguments: Value,
}

pub(super) fn of(tool: &'static str) -> Vec<Example> {
    let calls: Vec<(&'static str, Value)> = match tool {
        "clusters_list" => vec![("The production clusters:", json!({"clusterSelector": "env=prod"}))],
        "resources_describe" => vec![(
            "What is there to know of the cart?",
            json!({"name": "deployment/cart", "namespace": "shop", "cluster": "prod-eu,prod-us"}),
        )],
        "cluster_health" => {
            vec![("How are the production clusters?", json!({"clusterSelector": "env=prod"}))]
        }
        "api_resources_list" => {
            vec![("Which clusters lack which certificate kinds?", json!({"kind": "cert*,issuers"}))]
        }
        "problems_list" => vec![("What is wrong in the shop?", json!({"namespace": "shop"}))],
        "pods_list" => vec![
            (
                "The two pods that restart most, anywhere; one cluster is down:",
                json!({"sortBy": "-restarts", "limit": 2}),
            ),
            (
                "How many pods in which state, and how often they restarted:",
                json!({"cluster": "prod-eu,prod-us,dev", "groupBy": "cluster.labels.env,status,sum(restarts)"}),
            ),
        ],
        "pods_log" => logs::examples(),
        "top" => top::examples(),
        "fleet_diff" => diff::examples(),
        "fleet_search" => vec![(
            "Where is the cart, and how does it fare? One cluster is down:",
            json!({"query": "cart -kind:services", "limit": 3}),
        )],
        "resource_explain" => vec![explain::example()],
        "events_list" => vec![(
            "What happened to the pods of the shop in the last half hour?",
            json!({"kind": "pods", "namespace": "shop", "since": "30m", "cluster": "prod-*"}),
        )],
        "changes_list" => vec![(
            "What changed in production in the last hour, and what moved around the checkout?",
            json!({"name": "deployment/checkout", "namespace": "shop", "cluster": "prod-eu,prod-us"}),
        )],
        "resources_list" => vec![(
            "A custom resource in two clusters, with its own columns:",
            json!({"kind": "certificates", "namespace": "shop", "cluster": "prod-eu,prod-us"}),
        )],
        "resources_get" => vec![(
            "Is the same image running everywhere?",
            json!({"name": "deployment/cart", "namespace": "shop", "cluster": "prod-eu,prod-us,dev",
                "fields": "spec.replicas,spec.template.spec.containers[*].image"}),
        )],
        other => panic!("give an example of {other} in this file"),
    };
    calls.into_iter().map(|(about, arguments)| Example { tool, about, arguments }).collect()
}

impl Example {
    /// The structured answer. Its cursor is too long to be read, and is shortened.
    pub(super) fn answer(&self) -> Value {
        let request = resolved(&some_clusters(), self.tool, &self.arguments).unwrap();
        let merged = Merged::by_hand(match &request {
            Request::Clusters(query) => Answered::Clusters(query),
            Request::Kinds(query) => Answered::Kinds(query, api_resources_list::everything()),
            Request::List(query) => match &query.page.group {
                Some(by) => Answered::Groups(query, merged_groups(query, by)),
                None => Answered::List(query, merged_list(query)),
            },
            Request::Get(query) => Answered::Get(query, merged_get(query)),
            Request::Diff(query) => Answered::Diff(query, diff::compared(query)),
            Request::Changes(query) => Answered::Changes(query, changes::gathered(query)),
            Request::Problems(query) => Answered::Problems(query, problems_list::fixture::answered(query)),
            Request::Explain(query) => Answered::Explain(query, explain::gathered(query)),
            Request::Logs(query) => Answered::Logs(query, logs::merged(query)),
            Request::Sheets(query) => Answered::Sheets(query, sheets::gathered(query)),
            Request::Health(query) => {
                Answered::Health(query, health::gathered(query), HealthThresholds::default())
            }
        });
        let sealer = sealer();
        let context = RenderContext { now: NOW, sealer: &sealer, nonce: [3; 24] };
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
    gone.caches = gone.caches.at(NOW.steady.in_ms(240_860));
    let issuers = kind("cert-manager.io", "issuers", "Issuer", &[], &["v1"]);
    let mut eu = cluster("prod-eu", &["env=prod", "region=eu"]);
    eu.kinds = Some(Arc::new(kinds(&[issuers])));
    fleet(vec![
        cluster("dev", &["env=dev", "region=eu"]),
        gone,
        eu,
        cluster("prod-us", &["env=prod", "region=us"]),
    ])
}

/// Cluster, namespace, name, and the cells.
type Line = (&'static str, &'static str, &'static str, Value);

fn days_ago(days: i64) -> i64 {
    NOW_MS - days * DAY_MS
}

fn minutes_ago(minutes: i64) -> i64 {
    NOW_MS - minutes * 60_000
}

/// Columns, of which `age` and `lastSeen` are times, and what clusters hold.
fn lines(resource: &str) -> (&'static [&'static str], Vec<Line>) {
    let (cart, search) = ("cart-7d9f8b6c5d-x2x9k", "search-0");
    match resource {
        "pods" => (
            &["name", "ready", "status", "restarts", "age"],
            vec![
                (
                    "dev",
                    "shop",
                    "cart-6d5f7c9b84-q2v7x",
                    json!(["cart-6d5f7c9b84-q2v7x", "1/1", "Running", 0, days_ago(1)]),
                ),
                ("prod-eu", "shop", cart, json!([cart, "1/1", "Running", 3, days_ago(3)])),
                ("prod-us", "shop", search, json!([search, "0/1", "CrashLoopBackOff", 41, days_ago(2)])),
            ],
        ),
        "objects" => (
            &["kind", "name", "status", "age", "match"],
            vec![
                (
                    "prod-eu",
                    "shop",
                    "cart",
                    json!(["deployments.apps", "cart", "3/3", days_ago(140), "name"]),
                ),
                ("prod-us", "shop", "cart", json!(["deployments.apps", "cart", "2/3", days_ago(90), "name"])),
                ("prod-eu", "shop", cart, json!(["pods", cart, "Running", days_ago(3), "name"])),
                (
                    "prod-us",
                    "shop",
                    search,
                    json!([
                        "pods",
                        search,
                        "CrashLoopBackOff",
                        days_ago(2),
                        "image registry.example.com/shop/cart:1.42.0"
                    ]),
                ),
            ],
        ),
        "events" => (
            &["lastSeen", "type", "reason", "object", "message", "count"],
            vec![
                (
                    "prod-eu",
                    "shop",
                    "cart.1",
                    json!([
                        minutes_ago(17),
                        "Normal",
                        "Pulled",
                        "pod/cart-7d9f8b6c5d-x2x9k",
                        "Container image already present on machine",
                        1
                    ]),
                ),
                (
                    "prod-us",
                    "shop",
                    "search.1",
                    json!([
                        minutes_ago(2),
                        "Warning",
                        "BackOff",
                        "pod/search-0",
                        "Back-off restarting failed container main in pod search-0",
                        184
                    ]),
                ),
            ],
        ),
        _ => (
            &["name", "ready", "secret", "age"],
            vec![
                ("prod-eu", "shop", "cart-tls", json!(["cart-tls", "True", "cart-tls", days_ago(140)])),
                ("prod-us", "shop", "cart-tls", json!(["cart-tls", "False", "cart-tls", days_ago(90)])),
            ],
        ),
    }
}

fn lines_of(query: &ListQuery) -> (&'static [&'static str], Vec<Line>) {
    if query.usage { top::lines() } else { lines(&query.kind.resource) }
}

fn source(query: &ListQuery) -> Source {
    if query.usage { Source::Live } else { Source::Cache }
}

fn merged_list(query: &ListQuery) -> ListPage {
    let (columns, lines) = lines_of(query);
    let mut merge = ListMerge::new(query);
    for (leg, cluster) in legs(&query.targets) {
        if let Some(failure) = LegFailure::of_link(cluster) {
            merge.finish(leg, Err(failure));
            continue;
        }
        if top::is_unmeasured(query, cluster) {
            let head = ListHead { status: LegStatus::Absent, ..list_head(&[], &[]) };
            merge.head(leg, Heard::new(head, NOW.steady));
            merge.finish(leg, Ok(ListEnd { more: false, cut: None }));
            continue;
        }
        let own = lines.iter().filter(|line| line.0 == cluster.id.as_str());
        let mut rows: Vec<_> = own.map(|line| row(query, cluster, columns, line)).collect();
        let directions = query.page.order.directions();
        rows.sort_by(|a, b| a.key.compare(&b.key, &directions));
        let search = query.search.as_ref().map(|_| search_head(&rows));
        let head = ListHead { search, source: source(query), ..list_head(columns, &rows) };
        merge.head(leg, Heard::new(head, NOW.steady));
        merge.rows(leg, rows);
        merge.finish(leg, Ok(ListEnd { more: false, cut: None }));
    }
    while merge.next() == Step::Row {}
    merge.into_page().unwrap()
}

fn search_head(rows: &[Row]) -> SearchHead {
    let mut head = SearchHead::default();
    for row in rows {
        *head.kinds.entry(row.cells[0].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    let kinds = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    head.not_searched = [
        (NotSearched::NotWatched, kinds(&["certificates.cert-manager.io", "leases.coordination.k8s.io"])),
        (NotSearched::OnlyByName, kinds(&["events"])),
    ]
    .into();
    head
}

/// Every row as a group of its own: the merge puts those together that are alike.
fn merged_groups(query: &ListQuery, by: &GroupBy) -> GroupsPage {
    let (columns, lines) = lines_of(query);
    let mut merge = GroupsMerge::new(query, by);
    let asked = by.at_the_edge("namespace");
    for (leg, cluster) in legs(&query.targets) {
        let cell = |line: &Line, word: &String| match columns.iter().position(|column| column == word) {
            Some(at) => line.3[at].clone(),
            None => line.1.into(),
        };
        let own: Vec<_> = lines.iter().filter(|line| line.0 == cluster.id.as_str()).collect();
        let groups = own.iter().map(|line| Group {
            keys: asked.keys.iter().map(|word| cell(line, word)).collect(),
            count: 1,
            sums: asked.sums.iter().map(|word| KeyValue::from_json(&cell(line, word))).collect(),
        });
        let groups: Vec<_> = groups.collect();
        let head = ListHead { total: groups.len() as u64, source: source(query), ..list_head(&[], &[]) };
        let heard = Heard::new(head, NOW.steady);
        merge.answer(leg, Ok(GroupsAnswer { heard, groups, end: ListEnd { more: false, cut: None } }));
    }
    merge.into_page().unwrap()
}

fn column(name: &str) -> Column {
    let of_usage = usage::find(&GroupResource::new("", "pods"), name);
    let format = match of_usage {
        Some(column) => column.format,
        None if ["age", "lastSeen"].contains(&name) => CellFormat::Age,
        None => CellFormat::Plain,
    };
    Column { name: name.to_owned(), format }
}

fn list_head(columns: &[&str], rows: &[Row]) -> ListHead {
    let status = columns.iter().position(|name| *name == "status");
    let mut status_counts = std::collections::BTreeMap::new();
    for status in rows.iter().filter_map(|row| row.cells[status?].as_str()) {
        *status_counts.entry(status.to_owned()).or_insert(0) += 1;
    }
    ListHead {
        status_counts,
        age_ms: 140,
        cluster_now_ms: NOW_MS,
        ..answer::head(columns.iter().map(|name| column(name)).collect(), rows.len() as u64)
    }
}

fn row(query: &ListQuery, cluster: &ClusterView, columns: &[&str], line: &Line) -> Row {
    let (_, namespace, name, cells) = line;
    let cells: Vec<Value> = cells.as_array().unwrap().clone();
    let value = |by| match by {
        SortBy::Constant(value) => value,
        SortBy::Field(word) => {
            let at = columns.iter().position(|column| *column == word).unwrap();
            if word == "match" {
                let place = if cells[at] == "name" { Place::NameStart } else { Place::Elsewhere };
                return KeyValue::from_integer(place as i64);
            }
            match (column(columns[at]).format, cells[at].as_i64()) {
                (CellFormat::Age, Some(moment)) => KeyValue::from_ms(-moment),
                _ => KeyValue::from_json(&cells[at]),
            }
        }
    };
    let key = RowKey {
        values: query.page.order.terms(cluster).into_iter().map(|term| value(term.by)).collect(),
        namespace: (*namespace).to_owned(),
        name: (*name).to_owned(),
        uid: format!("{}/{name}", cluster.id),
    };
    Row { key, cells }
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
        merge.head(leg, Heard::new(head, NOW.steady));
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
