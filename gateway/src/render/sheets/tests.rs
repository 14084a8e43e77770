use kubeplex_proto::gather::{GatherEnd, GatherHead};
use kubeplex_proto::sheet::{Relative, Relatives, SheetEvent, SheetLogs, SheetPattern};
use kubeplex_proto::status::{LegStatus, Source};

use super::*;
use crate::error::ErrorCode;
use crate::merge::{Answered, Gather, Heard, Merged};
use crate::request::fixtures::{NOW, NOW_MS, cluster, fleet, resolved, sealer};
use crate::request::{Request, legs};
use crate::tools::catalogue;

fn sheet(image: &str) -> Sheet {
    let object = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "cart", "namespace": "shop"}, "spec": {"image": image}});
    Sheet { object, created_ms: Some(NOW_MS - 60_000), ..Sheet::default() }
}

/// As large as an agent makes it, with everything in it.
fn full() -> Sheet {
    let relatives = |kind: &str| {
        let relative = |at| Relative {
            kind: kind.to_owned(),
            name: format!("recommendations-7d9f8b6c5d-{at:05}"),
            state: "CrashLoopBackOff 0/2, 31 restarts".to_owned(),
        };
        Relatives { shown: (0..8).map(relative).collect(), more: 12 }
    };
    let event = |at| SheetEvent {
        object: format!("pod/recommendations-7d9f8b6c5d-{at:05}"),
        event_type: "Warning".to_owned(),
        reason: "FailedScheduling".to_owned(),
        message: "0/12 nodes are available: 3 Insufficient cpu, 9 node(s) had untolerated taint ".repeat(4),
        count: 7,
        last_ms: NOW_MS - 60_000,
    };
    let entries: Vec<Value> =
        (0..20).map(|at| json!({"name": format!("VARIABLE_{at}"), "value": "some value of it"})).collect();
    Sheet {
        object: json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "recommendations"},
            "spec": {"containers": [{"name": "app", "env": entries}]}}),
        created_ms: Some(NOW_MS - 60_000),
        owners: relatives("application"),
        children: relatives("pod"),
        uses: relatives("configmap"),
        selected_by: relatives("service"),
        events: (0..5).map(event).collect(),
        logs: Some(logs()),
        ..Sheet::default()
    }
}

fn logs() -> SheetLogs {
    let pattern = |at| SheetPattern {
        text: format!("level=error msg=\"connection to <*> refused\" attempt=<n> of shard {at} ").repeat(3),
        count: 37,
        last_ms: Some(NOW_MS - 120_000),
    };
    SheetLogs {
        pods: 10,
        more_pods: 4,
        containers: 20,
        lines: 500,
        patterns: (0..5).map(pattern).collect(),
        more: 7,
    }
}

fn answer(told: &[(&str, Vec<Sheet>)], arguments: Value) -> Rendered {
    let views = told.iter().map(|(name, _)| cluster(name, &[]));
    let request = resolved(&fleet(views.collect()), "resources_describe", &arguments).unwrap();
    let Request::Sheets(query) = &request else { panic!("{request:?}") };
    let merged = Merged::by_hand(Answered::Sheets(query, gathered(query, told)));
    let sealer = sealer();
    let context = RenderContext { now: NOW, sealer: &sealer, nonce: [1; 24] };
    catalogue().get("resources_describe").unwrap().render(merged, &context).unwrap()
}

fn gathered(query: &SheetsQuery, told: &[(&str, Vec<Sheet>)]) -> Gathered<Sheet> {
    let mut merge = Gather::new(&query.targets);
    for (leg, cluster) in legs(&query.targets) {
        let (_, sheets) = told.iter().find(|(name, _)| *name == cluster.id.as_str()).unwrap();
        let head = GatherHead {
            status: LegStatus::Ok,
            message: None,
            source: Source::Cache,
            api_version: "apps/v1".to_owned(),
            total: sheets.len() as u64,
            age_ms: 10,
            cluster_now_ms: NOW_MS,
            clock_offset_ms: 0,
        };
        merge.head(leg, Heard::new(head, NOW.steady));
        merge.items(leg, sheets.clone());
        merge.finish(leg, Ok(GatherEnd { cut: None }));
    }
    merge.into_gathered().unwrap()
}

fn cart() -> Value {
    json!({"name": "deployment/cart", "namespace": "shop"})
}

#[test]
fn what_is_alike_stands_once_with_its_clusters() {
    let mut older = sheet("cart:1");
    older.created_ms = Some(NOW_MS - 9_000_000);
    let told = [("a", vec![sheet("cart:1")]), ("b", vec![sheet("cart:2")]), ("c", vec![older])];
    let answer = answer(&told, cart());
    let descriptions = answer.structured["descriptions"].as_array().unwrap();
    let clusters: Vec<&Value> = descriptions.iter().map(|description| &description["clusters"]).collect();
    assert_eq!(clusters, [&json!(["a", "c"]), &json!(["b"])]);
    assert_eq!(descriptions[0]["age"], "60s");
    assert!(answer.text.starts_with("# in a, c\n{\"apiVersion\""), "{}", answer.text);
}

#[test]
fn logs_say_what_was_read_and_what_is_in_it() {
    let with = |logs: SheetLogs| Sheet { logs: Some(logs), ..sheet("cart:1") };
    let lines = |logs: SheetLogs| {
        let answer = answer(&[("a", vec![with(logs)])], cart());
        answer.structured["descriptions"][0]["logs"].clone()
    };
    let pattern =
        SheetPattern { text: "dial <*> refused".to_owned(), count: 37, last_ms: Some(NOW_MS - 120_000) };
    let one =
        SheetLogs { pods: 1, containers: 2, lines: 500, patterns: vec![pattern], ..SheetLogs::default() };
    assert_eq!(
        lines(one.clone()),
        json!([
            "one sort of error in the last 500 lines of each container (2 in 1 pods)",
            "×37, last 2m ago: dial <*> refused",
        ])
    );
    let none = SheetLogs { patterns: vec![], more_pods: 3, ..one };
    assert_eq!(lines(none), json!(["no errors in the last 500 lines of each container (2 in 1 of 4 pods)"]));
    let many = lines(logs());
    assert!(many[0].as_str().unwrap().starts_with("5 of 12 sorts of errors in"), "{many}");
    // Clusters whose pods say something else are not alike.
    let answer = answer(&[("a", vec![with(one)]), ("b", vec![sheet("cart:1")])], cart());
    assert_eq!(answer.structured["descriptions"].as_array().unwrap().len(), 2);
}

#[test]
fn what_no_cluster_has_is_not_found_in_the_words_of_resources_get() {
    let found = |told: &[(&str, Vec<Sheet>)]| {
        let views = told.iter().map(|(name, _)| cluster(name, &[]));
        let request = resolved(&fleet(views.collect()), "resources_describe", &cart()).unwrap();
        let Request::Sheets(query) = &request else { panic!("{request:?}") };
        gathered(query, told).found(&query.kind, &query.names).map(|found| found.items.len())
    };
    assert_eq!(found(&[("a", vec![sheet("cart:1")]), ("b", vec![])]), Ok(1));
    let error = found(&[("a", vec![]), ("b", vec![])]).unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str(), error.hint.as_deref()),
        (
            ErrorCode::NotFound,
            "deployments.apps \"cart\" is in none of the 2 clusters asked",
            Some("resources_list shows the names that there are")
        )
    );
}

#[test]
fn a_description_has_at_most_1500_tokens_and_says_what_it_lacks() {
    let answer = answer(&[("a", vec![full()])], cart()).structured;
    let description = &answer["descriptions"][0];
    let tokens = tiktoken_rs::o200k_base().unwrap().encode_ordinary(&answer.to_string()).len();
    println!("a description of everything: {tokens} tokens, {} bytes", answer.to_string().len());
    assert!(tokens <= 1_500, "{tokens}");
    assert!(description["leftOut"].as_u64().is_some_and(|lines| lines > 0), "{description}");
    for part in ["events", "children", "owners"] {
        let lines = description[part].as_array();
        assert!(lines.is_some_and(|lines| !lines.is_empty()), "{part} in {description}");
    }
}

#[test]
fn a_budget_holds_whatever_there_is() {
    for max_bytes in [2_000, 7_500, 20_000] {
        let named = |at| {
            let mut sheet = full();
            sheet.object["metadata"]["name"] = json!(format!("cart-{at}"));
            sheet
        };
        let mut arguments = cart();
        arguments["maxBytes"] = json!(max_bytes);
        let answer = answer(&[("a", (0..5).map(named).collect())], arguments).structured;
        assert!(answer.to_string().len() <= max_bytes, "{max_bytes}: {}", answer.to_string().len());
        let shown = answer["descriptions"].as_array().unwrap().len();
        assert_eq!(shown + answer["moreDescriptions"].as_u64().unwrap_or_default() as usize, 5);
    }
}
