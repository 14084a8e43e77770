use serde_json::{Value, json};

use crate::error::CallError;
use crate::request::fixtures::{NOW, cluster, fleet, list_query, lost, resolved};
use crate::request::{ListQuery, Order};

/// What docs/search.md shows, so that it shows what works.
const PAGE: &str = include_str!("../../../../docs/search.md");

fn asked(arguments: &Value) -> ListQuery {
    let fleet = fleet(vec![cluster("dev", &[]), cluster("prod-eu", &[]), cluster("prod-us", &[])]);
    list_query(&fleet, "fleet_search", arguments)
}

fn refused(query: &str) -> CallError {
    let fleet = fleet(vec![cluster("dev", &[]), cluster("prod-eu", &[]), lost("prod-us")]);
    resolved(&fleet, "fleet_search", &json!({ "query": query })).unwrap_err()
}

#[test]
fn kinds_and_clusters_are_found_once_for_all() {
    let query =
        asked(&json!({"query": "kind:po,deploy,*.cert-manager.io cart cluster:prod-* -cluster:prod-us"}));
    let clusters: Vec<_> = query.targets.iter().map(|target| target.cluster.id.as_str()).collect();
    assert_eq!(clusters, ["prod-eu"]);
    let search = serde_json::to_value(query.search.unwrap()).unwrap();
    let kinds = json!({"condition": {"kind": ["pods", "deployments.apps", "*.cert-manager.io"]}});
    assert_eq!(search["terms"], json!([{"condition": {"word": {"part": "cart"}}}, kinds]));
}

#[test]
fn every_order_tells_kinds_apart() {
    let fields = |arguments: &Value| {
        let Order::By(terms) = asked(arguments).page.order else { panic!("an order is wanted") };
        terms.iter().map(|term| term.field.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(fields(&json!({"query": "a"})), ["match", "kind"]);
    assert_eq!(fields(&json!({"query": "a", "sortBy": "-age"})), ["age", "kind"]);
    assert_eq!(fields(&json!({"query": "a", "sortBy": "kind,name"})), ["kind", "name"]);
}

#[test]
fn what_there_is_not_is_named_with_its_column() {
    for (query, said) in [
        (
            "kind:depolyments",
            "query, column 6: kind: no cluster has \"depolyments\"; did you mean deployments.apps?",
        ),
        (
            "cluster:prod-e cart",
            "query, column 9: there is no cluster \"prod-e\" among those asked; did you mean prod-eu?",
        ),
        ("-cluster:*", "leave no cluster"),
    ] {
        let error = refused(query);
        assert!(error.message.contains(said), "{query}: {}", error.message);
    }
    let fleet = fleet(vec![cluster("dev", &[])]);
    let live = resolved(&fleet, "fleet_search", &json!({"query": "a", "freshness": "live"})).unwrap_err();
    assert!(live.message.contains("freshness"), "{}", live.message);
}

#[test]
fn the_cursor_is_bound_to_the_query() {
    use crate::request::{LegId, Resume};
    use kubeplex_proto::sort::RowKey;
    let first = asked(&json!({"query": "cart"}));
    let after =
        RowKey { values: Vec::new(), namespace: String::new(), name: "cart".to_owned(), uid: String::new() };
    let resume = Resume { after, missing: Vec::<LegId>::new() };
    let sealer = crate::request::fixtures::sealer();
    let cursor = sealer.seal(&resume, &first.page.fingerprint, [1; 24], NOW.since_1970_ms);
    let again = asked(&json!({"query": "cart", "continue": cursor}));
    assert_eq!(again.page.resume.map(|resume| resume.after.name).as_deref(), Some("cart"));
    let fleet = fleet(vec![cluster("dev", &[]), cluster("prod-eu", &[]), cluster("prod-us", &[])]);
    let other = resolved(&fleet, "fleet_search", &json!({"query": "web", "continue": cursor}));
    assert!(other.is_err());
}

#[test]
fn the_examples_of_the_page_are_queries() {
    let (mut right, mut wrong) = (0, 0);
    for line in PAGE.lines() {
        let Some(query) = line.strip_prefix("| `").and_then(|rest| rest.split('`').next()) else { continue };
        let query = query.replace("\\|", "|");
        let Some(said) = line.split("column ").nth(1) else {
            right += 1;
            asked(&json!({ "query": query }));
            continue;
        };
        wrong += 1;
        let column: String = said.chars().take_while(char::is_ascii_digit).collect();
        let error = refused(&query);
        assert!(error.message.contains(&format!("column {column}:")), "{line}: {}", error.message);
    }
    assert!(right >= 15 && wrong >= 4, "{right} right and {wrong} wrong examples were found");
}
