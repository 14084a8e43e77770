use kubeplex_proto::log::{LogLine, LogOver, LogSource};
use kubeplex_proto::status::LegStatus;
use kubeplex_proto::template::Template;
use serde_json::json;

use super::*;
use crate::merge::{Coverage, LegOutcome, LogOrigin};
use crate::request::fixtures::{NOW, cluster, fleet, resolved, sealer};
use crate::request::{LegId, Request};

fn query(arguments: &Value) -> LogsQuery {
    let fleet = fleet(vec![cluster("eu", &[]), cluster("us", &[])]);
    match resolved(&fleet, "pods_log", arguments).unwrap() {
        Request::Logs(query) => query,
        other => panic!("{other:?}"),
    }
}

const SECOND_NS: i64 = 1_000_000_000;
/// 2026-11-23T18:24:39Z.
const THEN_NS: i64 = 1_795_458_279 * SECOND_NS;

/// One pod in each cluster, of which the second has a word said of it; these lines, each by its source and second.
fn page(lines: &[(u32, i64, &str)]) -> LogPage {
    let origin = |at: usize, message: Option<&str>| LogOrigin {
        leg: LegId(at),
        source: LogSource {
            id: 0,
            namespace: "shop".to_owned(),
            pod: format!("cart-{at}"),
            container: "main".to_owned(),
        },
        over: LogOver { message: message.map(str::to_owned), matched: 7, ..LogOver::default() },
    };
    let line = |(source, second, text): &(u32, i64, &str)| LogLine {
        source: *source,
        at_ns: Some(THEN_NS + second * SECOND_NS),
        text: (*text).to_owned(),
        beside: false,
    };
    let answered = |name| LegOutcome::answered(cluster(name, &[]).id, LegStatus::Ok);
    LogPage {
        origins: vec![origin(0, None), origin(1, Some("it has not restarted"))],
        lines: lines.iter().map(line).collect(),
        templates: Vec::new(),
        others: 0,
        offsets_ms: vec![(LegId(0), 1_000), (LegId(1), -61_000)],
        coverage: Coverage { legs: vec![answered("eu"), answered("us")] },
    }
}

fn rendered(query: &LogsQuery, page: &LogPage) -> Rendered {
    let sealer = sealer();
    logs(query, page, &RenderContext { now: NOW, sealer: &sealer, nonce: [3; 24] })
}

#[test]
fn what_is_the_same_of_all_lines_stands_once() {
    let lines = [(0, 0, "a\u{1b}[31m"), (1, 1, "b")];
    let Rendered { structured, text } = rendered(&query(&json!({})), &page(&lines));
    assert_eq!(
        structured,
        json!({
            "namespace": "shop", "container": "main", "date": "2026-11-23",
            "columns": ["time", "cluster", "pod", "line"],
            "rows": [
                ["18:24:39.000Z", "eu", "cart-0", "a\\u{1b}[31m"],
                ["18:24:40.000Z", "us", "cart-1", "b"],
            ],
            "shown": 2, "total": 14,
            "notes": [{"cluster": "us", "namespace": "shop", "pod": "cart-1", "container": "main", "message": "it has not restarted"}],
            "clockOffsetMs": {"us": -61_000},
            "clusters": {"expected": 2, "answered": 2},
        })
    );
    for said in [
        "# namespace shop, container main, date 2026-11-23",
        "2 of 14 shown",
        "us/shop/cart-1/main: it has not restarted",
        "the clock of us is -61000 ms ahead",
    ] {
        assert!(text.contains(said), "{said} in {text}");
    }
    let Rendered { structured, .. } = rendered(&query(&json!({})), &page(&[(1, 0, "a"), (1, 86_400, "b")]));
    assert_eq!(structured["cluster"], "us");
    assert_eq!(structured["rows"][1], json!(["2026-11-24T18:24:39.000Z", "b"]));
    let Rendered { structured, text } = rendered(&query(&json!({})), &page(&[]));
    assert_eq!((structured["shown"].as_u64(), text.starts_with("no lines")), (Some(0), true));
}

#[test]
fn a_budget_leaves_the_oldest_out_and_counts_them() {
    let texts: Vec<String> = (0..60).map(|at| format!("line {at}")).collect();
    let lines: Vec<_> = (0..).zip(&texts).map(|(at, text)| (0, at, text.as_str())).collect();
    for max_bytes in [700, 1_000, 2_000] {
        let query = query(&json!({"maxBytes": max_bytes}));
        let Rendered { structured, text } = rendered(&query, &page(&lines));
        assert!(structured.to_string().len() <= max_bytes, "{structured}");
        let rows = structured["rows"].as_array().unwrap();
        assert_eq!(rows.len() as u64 + structured["cut"].as_u64().unwrap(), 60);
        assert_eq!(rows.last().unwrap()[1], "line 59");
        assert!(rows.len() > 3 && text.contains("of the oldest lines left out for size"), "{text}");
    }
}

#[test]
fn matches_are_told_from_what_is_beside_them() {
    let query = query(&json!({"grep": "b", "contextLines": 1}));
    let mut page = page(&[(0, 0, "a"), (0, 1, "b")]);
    page.lines[0].beside = true;
    let Rendered { structured, .. } = rendered(&query, &page);
    assert_eq!(structured["columns"], json!(["time", "match", "line"]));
    assert_eq!(structured["rows"], json!([["18:24:39.000Z", false, "a"], ["18:24:40.000Z", true, "b"]]));
}

#[test]
fn templates_are_rows() {
    let mut page = page(&[]);
    let template = |text: &str, count| Template {
        text: text.to_owned(),
        count,
        first_ns: Some(THEN_NS),
        last_ns: Some(THEN_NS + SECOND_NS),
        sources: [0, 1].into(),
    };
    page.templates = vec![template("served in <n> ms", 40), template("slow", 2)];
    let Rendered { structured, .. } = rendered(&query(&json!({"patterns": true})), &page);
    assert_eq!(structured["columns"], json!(["count", "pattern", "containers", "first", "last"]));
    assert_eq!(
        structured["rows"][0],
        json!([40, "served in <n> ms", 2, "2026-11-23T18:24:39.000Z", "2026-11-23T18:24:40.000Z"])
    );
    assert_eq!((structured["shown"].as_u64(), structured["total"].as_u64()), (Some(2), Some(2)));
}
