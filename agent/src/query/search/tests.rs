use kubeplex_proto::list::ListRequest;
use kubeplex_proto::search::{Bound, Comparison, Condition, LabelTest, Phrase, Term};
use kubeplex_proto::sort::{Direction, SortTerm};
use kubeplex_proto::visibility::{Reach, Visibility, VisibilityRule};
use serde_json::{Value, json};

use super::*;
use crate::query::tests::{NOW_MS, budget, list_of, patterns, shape, store_of};

fn part(text: &str) -> Condition {
    Condition::Word(Phrase::Part(text.to_owned()))
}

fn wanted(condition: Condition) -> Term {
    Term { negated: false, condition }
}

fn unwanted(condition: Condition) -> Term {
    Term { negated: true, condition }
}

fn more(value: i64) -> Bound {
    Bound { comparison: Comparison::More, value }
}

/// In the order that is usual: by match, kind, cluster, namespace and name.
fn asked(terms: Vec<Term>) -> ListRequest {
    let by = |by| SortTerm { by, direction: Direction::Ascending };
    let field = |word: &str| by(SortBy::Field(word.to_owned()));
    ListRequest {
        search: Some(Search { terms }),
        sort: vec![field("match"), field("kind"), by(SortBy::Constant(KeyValue::text("eu")))],
        ..list_of("")
    }
}

fn pod(name: &str, app: &str, image: &str, restarts: i64, minutes_old: i64) -> Value {
    let created = jiff::Timestamp::from_millisecond(NOW_MS - minutes_old * 60_000).unwrap();
    let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
    let state = if restarts > 5 { waiting } else { json!({"running": {}}) };
    json!({
        "metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": "1",
            "creationTimestamp": created.to_string(), "labels": {"app.kubernetes.io/name": app}},
        "spec": {"nodeName": "node-1", "containers": [{"name": "main", "image": image}]},
        "status": {"phase": "Running", "containerStatuses": [
            {"name": "main", "restartCount": restarts, "ready": restarts == 0, "state": state}]},
    })
}

fn object(namespace: Option<&str>, name: &str) -> Value {
    let mut object = json!({"metadata": {"name": name, "uid": name, "resourceVersion": "1"}});
    if let Some(namespace) = namespace {
        object["metadata"]["namespace"] = namespace.into();
    }
    object
}

/// Pods, ConfigMaps, Namespaces.
fn cluster() -> [RwLock<KindStore>; 3] {
    use kubeplex_proto::kind::Scope::{Cluster, Namespaced};
    [
        store_of(
            &shape("pods", "Pod", Namespaced),
            [
                pod("cart-0", "cart", "registry/shop/cart:1.8", 0, 300),
                pod("web-0", "front", "registry/shop/web:2", 7, 30),
                pod("worker-cart-0", "batch", "registry/jobs:3", 0, 30),
            ],
        ),
        store_of(
            &shape("configmaps", "ConfigMap", Namespaced),
            [object(Some("shop"), "cart"), object(Some("pay"), "cart-old"), object(Some("pay"), "ledger")],
        ),
        store_of(&shape("namespaces", "Namespace", Cluster), [object(None, "shop"), object(None, "pay")]),
    ]
}

fn searched(request: &ListRequest) -> Finds {
    let stores = cluster();
    search(&stores.each_ref(), request, NOW_MS, &budget()).unwrap()
}

fn check(terms: Vec<Term>, expected: &[&str]) {
    let finds = searched(&asked(terms.clone()));
    let found: Vec<String> = finds
        .listing
        .rows
        .iter()
        .map(|row| format!("{} {}", row.cells[0].as_str().unwrap(), row.key.name))
        .collect();
    assert_eq!(found, expected, "{terms:?}");
    assert_eq!(finds.listing.total, expected.len() as u64, "{terms:?}");
    assert_eq!(finds.kinds.values().sum::<u64>(), expected.len() as u64, "{terms:?}");
}

#[test]
fn terms_find_what_they_say_best_first() {
    let pods = |names: &[&str]| names.iter().map(|name| format!("pods {name}")).collect::<Vec<_>>();
    check(
        vec![wanted(part("cart"))],
        &["configmaps cart", "configmaps cart-old", "pods cart-0", "pods worker-cart-0"],
    );
    check(vec![wanted(part("cart")), unwanted(part("old")), wanted(part("shop"))], &["pods cart-0"]);
    check(
        vec![wanted(part("Pod".to_lowercase().as_str()))],
        &["pods cart-0", "pods web-0", "pods worker-cart-0"],
    );
    let label = |key: &str, value: Option<&str>| {
        Condition::Label(vec![LabelTest { key: Pattern::new(key), value: value.map(Pattern::new) }])
    };
    use kubeplex_proto::pattern::Pattern;
    for (condition, expected) in [
        (part("front"), pods(&["web-0"])),
        (part("node-1"), pods(&["cart-0", "web-0", "worker-cart-0"])),
        (part("crashloop"), pods(&["web-0"])),
        (Condition::Image(vec![Phrase::Part("shop/cart".to_owned())]), pods(&["cart-0"])),
        (Condition::Image(vec![Phrase::Glob(Pattern::new("registry/*:3"))]), pods(&["worker-cart-0"])),
        (Condition::Status(patterns(&["crash*"])), pods(&["web-0"])),
        (Condition::Node(patterns(&["node-1"])), pods(&["cart-0", "web-0", "worker-cart-0"])),
        (Condition::Restarts(more(5)), pods(&["web-0"])),
        (label("*/name", Some("cart")), pods(&["cart-0"])),
        (label("app.kubernetes.io/name", None), pods(&["cart-0", "web-0", "worker-cart-0"])),
        (label("app", None), pods(&[])),
        (
            Condition::Age(Bound { comparison: Comparison::Less, value: 3_600_000 }),
            pods(&["web-0", "worker-cart-0"]),
        ),
    ] {
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check(vec![wanted(condition)], &expected);
    }
    check(
        vec![wanted(Condition::Namespace(patterns(&["pay"])))],
        &["configmaps cart-old", "configmaps ledger"],
    );
    check(
        vec![unwanted(Condition::Restarts(more(5))), wanted(Condition::Name(patterns(&["*-0", "shop"])))],
        &["namespaces shop", "pods cart-0", "pods worker-cart-0"],
    );
}

#[test]
fn a_row_says_where_it_matches() {
    let request = asked(vec![wanted(part("cart")), wanted(part("1.8")), wanted(part("name"))]);
    let finds = searched(&request);
    let row = &finds.listing.rows[0];
    assert_eq!(
        row.cells,
        [
            json!("pods"),
            json!("cart-0"),
            json!("Running"),
            json!(NOW_MS - 300 * 60_000),
            json!("name, image registry/shop/cart:1.8, label app.kubernetes.io/name=cart"),
        ]
    );
    let named = searched(&asked(vec![wanted(Condition::Restarts(more(5)))]));
    assert_eq!(named.listing.rows[0].cells[4], "restarts 7");
}

#[test]
fn pages_follow_each_other_over_all_kinds() {
    let whole = searched(&asked(vec![wanted(part("a"))])).listing;
    let mut request = ListRequest { limit: 2, ..asked(vec![wanted(part("a"))]) };
    let mut rows = Vec::new();
    loop {
        let page = searched(&request).listing;
        assert_eq!(page.total, whole.total);
        request.after = page.rows.last().map(|row| row.key.clone());
        rows.extend(page.rows);
        if !page.more {
            break;
        }
    }
    assert_eq!(rows, whole.rows);
}

#[test]
fn what_is_hidden_is_neither_found_nor_counted() {
    let only = |kinds: &[&str], namespaces: &[&str]| {
        let reach = |names: &[&str]| Reach::Only(patterns(names));
        Visibility::of(vec![VisibilityRule::of(reach(kinds), reach(namespaces))])
    };
    for (visibility, expected) in [
        (Visibility::everything(), 4),
        (only(&["configmaps"], &["pay"]), 1),
        (only(&["pods"], &["shop"]), 2),
        (Visibility::nothing(), 0),
    ] {
        let mut request = asked(vec![wanted(part("cart"))]);
        request.context.visibility = visibility.clone();
        let finds = searched(&request);
        assert_eq!(
            (finds.listing.total, finds.listing.rows.len()),
            (expected, expected as usize),
            "{visibility:?}"
        );
    }
}

#[test]
fn a_namespace_leaves_out_what_is_in_none() {
    let request = ListRequest { namespaces: patterns(&["shop"]), ..asked(vec![wanted(part("shop"))]) };
    assert_eq!(searched(&request).kinds, BTreeMap::from([("pods".to_owned(), 2)]));
}

#[test]
fn rows_are_grouped_by_what_all_kinds_have() {
    let keys = ["kind", "metadata.namespace"].map(str::to_owned).to_vec();
    let grouping = Grouping { keys, sums: vec!["restarts".to_owned()] };
    let request = ListRequest { group: Some(grouping), ..asked(vec![wanted(part("0"))]) };
    let groups = searched(&request).listing.groups;
    let told: Vec<_> =
        groups.iter().map(|group| (group.keys.clone(), group.count, group.sums.clone())).collect();
    assert_eq!(told, [(vec![json!("pods"), json!("shop")], 3, vec![KeyValue::from_integer(7)])]);
    let aged = Grouping { keys: vec!["age".to_owned()], sums: Vec::new() };
    let request = ListRequest { group: Some(aged), ..asked(vec![wanted(part("0"))]) };
    let stores = cluster();
    assert!(search(&stores.each_ref(), &request, NOW_MS, &budget()).is_err());
}

#[test]
fn columns_of_some_kinds_are_empty_for_the_others_and_mistakes_are_told() {
    let fields = |words: &[&str]| ColumnChoice::Fields(words.iter().map(|word| (*word).to_owned()).collect());
    let request = ListRequest {
        columns: fields(&["kind", "restarts", "image", "spec.nodeName", "expiry"]),
        ..asked(vec![wanted(part("cart"))])
    };
    let rows = searched(&request).listing.rows;
    assert_eq!(rows[0].cells, [json!("configmaps"), Value::Null, Value::Null, Value::Null, Value::Null]);
    assert_eq!(
        rows[2].cells,
        [json!("pods"), json!(0), json!("registry/shop/cart:1.8"), json!("node-1"), Value::Null]
    );
    let stores = cluster();
    let wrong = ListRequest { columns: fields(&["restart"]), ..request };
    let error = search(&stores.each_ref(), &wrong, NOW_MS, &budget()).unwrap_err();
    assert!(error.hint.unwrap().contains("restarts"));
}
