//! Of `pods_log`.

use kubeplex_proto::gather::{GatherEnd, GatherHead};
use kubeplex_proto::log::{LogItem, LogLine, LogOver, LogSource, PodName};
use kubeplex_proto::status::{LegStatus, Source};
use kubeplex_proto::template::Fold;
use serde_json::{Value, json};

use crate::merge::{Gather, Heard, LegFailure, LogMerge, LogPage};
use crate::request::fixtures::{NOW, NOW_MS};
use crate::request::{LegId, LogsQuery, legs};

pub(super) fn examples() -> Vec<(&'static str, Value)> {
    vec![
        (
            "What did the carts of production say when something timed out?",
            json!({"name": "deployment/cart", "namespace": "shop", "cluster": "prod-eu,prod-us", "grep": "timeout|refused"}),
        ),
        (
            "What do they say at all?",
            json!({"name": "deployment/cart", "namespace": "shop", "cluster": "prod-*", "patterns": true}),
        ),
    ]
}

/// Cluster, how many seconds ago, and the line.
const LINES: [(&str, i64, &str); 4] = [
    ("prod-eu", 62, "level=error msg=\"payment failed\" err=\"timeout after 3000ms\" order=41883"),
    ("prod-us", 60, "level=error msg=\"payment failed\" err=\"timeout after 3000ms\" order=97120"),
    ("prod-us", 41, "level=error msg=\"payment failed\" err=\"connection refused\" order=97133"),
    ("prod-us", 3, "level=error msg=\"payment failed\" err=\"timeout after 3001ms\" order=97188"),
];

pub(super) fn merged(query: &LogsQuery) -> LogPage {
    let pods = ["cart-7d9f8b6c5d-x2x9k", "cart-6d5f7c9b84-q2v7x"];
    let mut found = Gather::new(&query.targets);
    for (leg, cluster) in legs(&query.targets) {
        let Some(failure) = LegFailure::of_link(cluster) else {
            found.head(leg, Heard::new(head(), NOW.steady));
            found
                .items(leg, vec![PodName { namespace: "shop".to_owned(), name: pods[leg.0 % 2].to_owned() }]);
            found.finish(leg, Ok(GatherEnd { cut: None }));
            continue;
        };
        found.finish(leg, Err(failure));
    }
    let mut merge = LogMerge::new(query, found.into_gathered().unwrap()).unwrap();
    for (leg, cluster) in legs(&query.targets) {
        let Some(pod) = merge.pods(leg).first().cloned() else { continue };
        merge.head(leg, Heard::new(head(), NOW.steady));
        let (namespace, pod, container) = (pod.namespace, pod.name, "main".to_owned());
        merge.item(leg, LogItem::Source(LogSource { id: 0, namespace, pod, container }));
        wrote(query, &mut merge, leg, cluster.id.as_str());
        merge.finish(leg, Ok(GatherEnd { cut: None }));
    }
    merge.into_page().unwrap()
}

fn wrote(query: &LogsQuery, merge: &mut LogMerge, leg: LegId, cluster: &str) {
    let own = LINES.iter().filter(|(of, ..)| *of == cluster);
    let lines: Vec<_> = own
        .map(|(_, ago, text)| LogLine {
            source: 0,
            at_ns: Some((NOW_MS - ago * 1_000) * 1_000_000),
            text: (*text).to_owned(),
            beside: false,
        })
        .collect();
    let matched = lines.len() as u64;
    if query.patterns {
        let mut fold = Fold::default();
        lines.iter().for_each(|line| fold.line(0, line.at_ns, &line.text));
        let (templates, others) = fold.into_templates();
        merge.item(leg, LogItem::Templates { templates, others });
    } else {
        merge.item(leg, LogItem::Lines(lines));
    }
    merge.item(leg, LogItem::Over(LogOver { id: 0, matched, ..LogOver::default() }));
}

fn head() -> GatherHead {
    GatherHead {
        status: LegStatus::Ok,
        message: None,
        source: Source::Live,
        api_version: String::new(),
        total: 1,
        age_ms: 0,
        cluster_now_ms: NOW_MS,
        clock_offset_ms: 0,
    }
}
