use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kubeplex_proto::call::{CallContext, Freshness, Identity};
use kubeplex_proto::column::CellFormat;
use kubeplex_proto::get::GetRequest;
use kubeplex_proto::ids::CallId;
use kubeplex_proto::kind::{GroupResource, Scope};
use kubeplex_proto::list::{ColumnChoice, ListRequest};
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::sort::{Direction, KeyValue, SortBy, SortTerm};
use kubeplex_proto::status::{AgentError, AgentErrorCode};
use kubeplex_proto::visibility::{Reach, Visibility, VisibilityRule};
use parking_lot::RwLock;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::cache::{KindShape, KindStore};
use crate::columns::Columns;
use crate::ingest::prepare_value;
use crate::redact::DigestKey;

mod default_class;
mod events;
mod objects;
mod oracle;

/// The cluster's time.
pub(crate) const NOW_MS: i64 = 1_700_100_000_000;

fn list(
    store: &RwLock<KindStore>,
    request: &ListRequest,
    budget: &ScanBudget,
) -> Result<Listing, AgentError> {
    super::list(store, request, NOW_MS, budget)
}

pub(crate) fn shape(resource: &str, kind: &str, scope: Scope) -> KindShape {
    let id = GroupResource::new("", resource);
    KindShape {
        columns: Arc::new(Columns::builtin(&id).unwrap_or_else(Columns::generic)),
        id,
        api_version: "v1".to_owned(),
        kind: kind.to_owned(),
        scope,
        digest_key: DigestKey::new([0; 32]),
    }
}

pub(super) fn pods_shape() -> KindShape {
    shape("pods", "Pod", Scope::Namespaced)
}

pub(crate) fn store_of(shape: &KindShape, objects: impl IntoIterator<Item = Value>) -> RwLock<KindStore> {
    let mut store = KindStore::new(shape.clone());
    for object in objects {
        store.apply(prepare_value(shape, object).unwrap());
    }
    RwLock::new(store)
}

fn pod(namespace: &str, name: &str, at: i64) -> Value {
    json!({
        "metadata": {
            "name": name, "namespace": namespace, "uid": format!("{namespace}/{name}"), "resourceVersion": "1",
            "creationTimestamp": jiff::Timestamp::from_second(1_700_000_000 + at).unwrap().to_string(),
            "labels": {"app": if at % 2 == 0 { "cart" } else { "web" }, "n": at.to_string()},
        },
        "spec": {
            "nodeName": format!("n{}", at % 3),
            "containers": [{"name": "c", "image": format!("i:{at}"), "resources": {"requests": {"cpu": format!("{}m", at * 100)}}}],
        },
        "status": {"phase": if at % 4 == 0 { "Pending" } else { "Running" }},
    })
}

pub(super) fn pods(count: i64) -> RwLock<KindStore> {
    let objects = (0..count).map(|at| pod(["shop", "pay", "web"][at as usize % 3], &format!("p{at:04}"), at));
    store_of(&pods_shape(), objects)
}

fn context() -> CallContext {
    CallContext {
        call_id: CallId("c".to_owned()),
        deadline_ms: 10_000,
        caller: Identity { user: "u".to_owned(), groups: Vec::new() },
        visibility: Visibility::everything(),
        max_bytes: 1 << 20,
        freshness: Freshness::Cache,
    }
}

pub(crate) fn list_of(resource: &str) -> ListRequest {
    ListRequest {
        context: context(),
        kind: GroupResource::new("", resource),
        version: None,
        namespaces: Vec::new(),
        names: Vec::new(),
        label_selector: "".parse().unwrap(),
        field_selector: "".parse().unwrap(),
        events: None,
        search: None,
        usage: false,
        group: None,
        columns: ColumnChoice::Usual,
        sort: Vec::new(),
        after: None,
        limit: 1_000,
        known: None,
    }
}

fn get_of(resource: &str) -> GetRequest {
    GetRequest {
        context: context(),
        kind: GroupResource::new("", resource),
        version: None,
        namespaces: Vec::new(),
        names: Vec::new(),
        label_selector: "".parse().unwrap(),
        fields: Vec::new(),
        limit: 20,
    }
}

pub(crate) fn budget() -> ScanBudget {
    ScanBudget::new(Instant::now() + Duration::from_secs(60), CancellationToken::new())
}

pub(crate) fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().copied().map(Pattern::new).collect()
}

fn fields(words: &[&str]) -> ColumnChoice {
    ColumnChoice::Fields(words.iter().map(|&word| word.to_owned()).collect())
}

fn sort(word: &str, direction: Direction) -> SortTerm {
    SortTerm { by: SortBy::Field(word.to_owned()), direction }
}

fn names(listing: &Listing) -> Vec<&str> {
    listing.rows.iter().map(|row| row.key.name.as_str()).collect()
}

fn sorted_names(store: &RwLock<KindStore>, word: &str, direction: Direction) -> Vec<String> {
    let request = ListRequest { sort: vec![sort(word, direction)], ..list_of("pods") };
    names(&list(store, &request, &budget()).unwrap()).into_iter().map(str::to_owned).collect()
}

#[test]
fn what_is_not_visible_is_neither_counted_nor_shown() {
    let store = pods(30);
    let rule = VisibilityRule::of(Reach::All, Reach::Only(patterns(&["shop"])));
    let mut request = list_of("pods");
    for (visibility, total) in
        [(Visibility::everything(), 30), (Visibility::of(vec![rule]), 10), (Visibility::nothing(), 0)]
    {
        request.context.visibility = visibility.clone();
        let listing = list(&store, &request, &budget()).unwrap();
        assert_eq!((listing.total, listing.rows.len() as u64), (total, total));
        assert_eq!(listing.status_counts.values().sum::<u64>(), total);
        let mut get_request = get_of("pods");
        get_request.context.visibility = visibility;
        get_request.names = patterns(&["p0001"]);
        // It is in `pay`.
        assert_eq!(get(&store, &get_request, &budget()).unwrap().total, u64::from(total == 30));
    }
}

#[test]
fn whoever_sees_into_a_namespace_sees_it() {
    let shape = shape("namespaces", "Namespace", Scope::Cluster);
    let store = store_of(&shape, ["shop", "pay"].map(|name| json!({"metadata": {"name": name}})));
    let rule = VisibilityRule::of(Reach::All, Reach::Only(patterns(&["shop"])));
    let mut request = list_of("namespaces");
    request.context.visibility = Visibility::of(vec![rule]);
    // A namespace does not narrow a kind that is in none.
    request.namespaces = patterns(&["elsewhere"]);
    assert_eq!(names(&list(&store, &request, &budget()).unwrap()), ["shop"]);
}

#[test]
fn columns_are_found_in_any_spelling_and_paths_beside_them() {
    let store = pods(1);
    let choice = fields(&[
        "Name",
        "NAMESPACE",
        "node",
        "spec.nodeName",
        ".status.phase",
        "metadata.labels['app']",
        "age",
        "spec.containers[*].name",
        "spec.nothing",
        "metadata.creationTimestamp",
    ]);
    let listing = list(&store, &ListRequest { columns: choice, ..list_of("pods") }, &budget()).unwrap();
    let ms = 1_700_000_000_000_i64;
    assert_eq!(
        listing.rows[0].cells,
        [
            json!("p0000"),
            json!("shop"),
            json!("n0"),
            json!("n0"),
            json!("Pending"),
            json!("cart"),
            json!(ms),
            json!("c"),
            Value::Null,
            json!("2023-11-14T22:13:20Z")
        ]
    );
    let age = listing.columns.iter().find(|column| column.name == "age").unwrap();
    assert_eq!(age.format, CellFormat::Age);
}

#[test]
fn what_is_no_column_is_refused_with_the_nearest() {
    let store = pods(1);
    let refused = |request: ListRequest| {
        let error = list(&store, &request, &budget()).unwrap_err();
        assert_eq!(error.code, AgentErrorCode::InvalidArgument);
        format!("{} ({})", error.message, error.hint.unwrap_or_default())
    };
    for (word, part) in [
        ("stauts", "did you mean status?"),
        ("spec", ".spec"),
        ("zone", "columns are name"),
        ("spec.[", "spec.["),
    ] {
        for request in [
            ListRequest { columns: fields(&[word]), ..list_of("pods") },
            ListRequest { sort: vec![sort(word, Direction::Ascending)], ..list_of("pods") },
        ] {
            let message = refused(request);
            assert!(message.contains(part), "{message}");
        }
    }
    assert!(
        refused(ListRequest { field_selector: "stauts=x".parse().unwrap(), ..list_of("pods") })
            .contains("status")
    );
}

#[test]
fn quantities_ages_and_text_sort_by_value_with_missing_last() {
    let store = pods(12);
    let mut bare = pod("shop", "p0100", 5);
    bare["spec"]["containers"][0].as_object_mut().unwrap().remove("resources");
    store.write().apply(prepare_value(&pods_shape(), bare).unwrap());
    let cpu = "spec.containers[0].resources.requests.cpu";
    let ascending = sorted_names(&store, cpu, Direction::Ascending);
    assert_eq!(
        (ascending[1].as_str(), ascending[10].as_str(), ascending[12].as_str()),
        ("p0001", "p0010", "p0100")
    );
    let descending = sorted_names(&store, cpu, Direction::Descending);
    assert_eq!((descending[0].as_str(), descending[12].as_str()), ("p0011", "p0100"));
    assert_eq!(sorted_names(&store, "age", Direction::Descending)[0], "p0000");
    assert_eq!(sorted_names(&store, "age", Direction::Ascending)[0], "p0011");
    assert_eq!(sorted_names(&store, "metadata.creationTimestamp", Direction::Ascending)[0], "p0000");
}

#[test]
fn a_constant_takes_its_place_in_the_key() {
    let store = pods(3);
    let constant =
        SortTerm { by: SortBy::Constant(KeyValue::Text("eu".to_owned())), direction: Direction::Ascending };
    let request =
        ListRequest { sort: vec![constant, sort("name", Direction::Descending)], ..list_of("pods") };
    let listing = list(&store, &request, &budget()).unwrap();
    assert_eq!(names(&listing), ["p0002", "p0001", "p0000"]);
    assert_eq!(listing.rows[0].key.values[0], KeyValue::Text("eu".to_owned()));
}

#[test]
fn a_reply_keeps_to_its_bytes_and_pages_on() {
    let store = pods(100);
    let mut request = list_of("pods");
    request.context.max_bytes = 2_000;
    let mut seen = Vec::new();
    loop {
        let listing = list(&store, &request, &budget()).unwrap();
        let size: usize = listing.rows.iter().map(|row| serde_json::to_vec(row).unwrap().len() + 1).sum();
        assert!(size <= 2_000 && !listing.rows.is_empty());
        assert_eq!((listing.total, listing.more), (100, listing.cut.is_some()));
        seen.extend(names(&listing).into_iter().map(str::to_owned));
        request.after = listing.rows.last().map(|row| row.key.clone());
        if !listing.more {
            break;
        }
    }
    assert_eq!(seen.len(), 100);
    // A row larger than the budget is still a page.
    request.context.max_bytes = 1;
    request.after = None;
    assert_eq!(list(&store, &request, &budget()).unwrap().rows.len(), 1);
}

#[test]
fn a_limit_of_none_only_counts() {
    let listing = list(&pods(10), &ListRequest { limit: 0, ..list_of("pods") }, &budget()).unwrap();
    assert_eq!((listing.total, listing.rows.len(), listing.more), (10, 0, true));
    let none = list(&pods(0), &ListRequest { limit: 0, ..list_of("pods") }, &budget()).unwrap();
    assert!(!none.more);
}

#[test]
fn a_scan_ends_at_its_deadline_or_when_it_is_cancelled() {
    let store = pods(10);
    let late = ScanBudget::new(Instant::now(), CancellationToken::new());
    let cancelled = CancellationToken::new();
    cancelled.cancel();
    let cancelled = ScanBudget::new(Instant::now() + Duration::from_secs(60), cancelled);
    for budget in [late, cancelled] {
        assert_eq!(list(&store, &list_of("pods"), &budget).unwrap_err().code, AgentErrorCode::Timeout);
        assert_eq!(get(&store, &get_of("pods"), &budget).unwrap_err().code, AgentErrorCode::Timeout);
    }
}

/// While a scan decodes objects, a writer gets in between its steps, and every row that stays is visited once.
#[test]
fn a_long_scan_lets_writers_in() {
    let store = pods(5_000);
    let request = ListRequest {
        field_selector: "spec.containers[0].name=c".parse().unwrap(),
        limit: 10_000,
        ..list_of("pods")
    };
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut round = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                round += 1;
                let at = round % 2_000;
                store
                    .write()
                    .apply(prepare_value(&pods_shape(), pod("passing", &format!("x{at:05}"), at)).unwrap());
                store.write().delete(Some("passing"), &format!("x{:05}", (at + 1_000) % 2_000), None);
            }
        });
        let listing = list(&store, &request, &budget()).unwrap();
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        writer.join().unwrap();
        let mut times: HashMap<&str, usize> = HashMap::new();
        names(&listing).into_iter().for_each(|name| *times.entry(name).or_default() += 1);
        assert!(times.values().all(|times| *times == 1));
        assert_eq!(times.keys().filter(|name| name.starts_with('p')).count(), 5_000);
    });
}

#[test]
fn status_is_counted_over_all_matches() {
    let listing = list(&pods(40), &ListRequest { limit: 1, ..list_of("pods") }, &budget()).unwrap();
    assert_eq!(
        listing.status_counts,
        BTreeMap::from([("Pending".to_owned(), 10), ("Running".to_owned(), 30)])
    );
    assert!(listing.more);
}
