//! Events, of which those that tell the same are one row.

use kubeplex_proto::events::{EventQuestion, InvolvedKind, Moment};
use kubeplex_proto::group::Grouping;

use super::*;

/// An event about an object, last seen so many seconds before now.
fn event(name: &str, about: (&str, &str, &str, &str), reason: &str, ago_s: i64, count: Option<i64>) -> Value {
    let (api_version, kind, namespace, object) = about;
    let seen = jiff::Timestamp::from_millisecond(NOW_MS - ago_s * 1_000).unwrap().to_string();
    let mut involved = json!({"apiVersion": api_version, "kind": kind, "name": object});
    if !namespace.is_empty() {
        involved["namespace"] = json!(namespace);
    }
    let mut event = json!({
        "metadata": {"name": name, "namespace": if namespace.is_empty() { "default" } else { namespace }, "uid": format!("u-{name}")},
        "involvedObject": involved, "reason": reason, "message": format!("{reason} {ago_s}"),
        "type": if reason == "BackOff" { "Warning" } else { "Normal" },
        "firstTimestamp": seen, "lastTimestamp": seen,
    });
    if let Some(count) = count {
        event["count"] = json!(count);
    }
    event
}

const CART: (&str, &str, &str, &str) = ("v1", "Pod", "shop", "cart-1");
const API: (&str, &str, &str, &str) = ("v1", "Pod", "pay", "api-1");
const NODE: (&str, &str, &str, &str) = ("v1", "Node", "", "n1");

fn store() -> RwLock<KindStore> {
    let shape = shape("events", "Event", Scope::Namespaced);
    store_of(
        &shape,
        [
            event("a", CART, "BackOff", 50, Some(3)),
            event("b", CART, "BackOff", 10, Some(4)),
            event("c", CART, "BackOff", 4_000, None),
            event("d", CART, "Pulled", 20, None),
            event("e", API, "BackOff", 30, Some(1)),
            event("f", NODE, "NodeNotReady", 40, None),
            event("g", ("apps/v1", "Deployment", "shop", "cart"), "ScalingReplicaSet", 60, None),
            event("h", ("", "Pod", "shop", "cart-1"), "Killing", 5, Some(2)),
        ],
    )
}

fn events(question: EventQuestion) -> ListRequest {
    let newest = sort("lastSeen", Direction::Ascending);
    ListRequest { events: Some(question), sort: vec![newest], ..list_of("events") }
}

/// Namespace, object, reason and count of each row.
fn told(request: &ListRequest) -> Vec<String> {
    let request = ListRequest { columns: fields(&["object", "reason", "count"]), ..request.clone() };
    let listing = list(&store(), &request, &budget()).unwrap();
    assert_eq!(listing.total as usize, listing.rows.len());
    let rows = listing.rows.iter().map(|row| {
        let cells: Vec<_> = row.cells.iter().map(|cell| cell.to_string().replace('"', "")).collect();
        format!("{} {}", row.key.namespace, cells.join(" "))
    });
    rows.collect()
}

#[test]
fn events_that_tell_the_same_are_the_newest_with_all_their_counts() {
    assert_eq!(
        told(&events(EventQuestion::default())),
        [
            "shop pod/cart-1 Killing 2",
            "shop pod/cart-1 BackOff 8",
            "shop pod/cart-1 Pulled 1",
            "pay pod/api-1 BackOff 1",
            " node/n1 NodeNotReady 1",
            "shop deployment/cart ScalingReplicaSet 1",
        ]
    );
    let listing = list(&store(), &events(EventQuestion::default()), &budget()).unwrap();
    let names: Vec<_> = listing.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["lastSeen", "type", "reason", "object", "message", "count"]);
    assert_eq!(listing.rows[1].cells[4], "BackOff 10", "the newest has the word");
}

#[test]
fn objects_and_times_select_events() {
    let pod = Some(InvolvedKind { group: String::new(), kind: "Pod".to_owned() });
    let other = Some(InvolvedKind { group: "other.example.com".to_owned(), kind: "Pod".to_owned() });
    let of = |kind: &Option<InvolvedKind>, names: &[&str]| EventQuestion {
        kind: kind.clone(),
        names: patterns(names),
        ..EventQuestion::default()
    };
    let since = |seconds: u64| EventQuestion {
        since: Some(Moment::Ago(seconds * 1_000)),
        ..EventQuestion::default()
    };
    let until = EventQuestion { until: Some(Moment::At(NOW_MS - 45_000)), ..EventQuestion::default() };
    for (question, namespaces, found) in [
        (of(&pod, &[]), &[][..], 4),
        (of(&pod, &["cart-*"]), &[], 3),
        (of(&None, &["cart"]), &[], 1),
        // Only an event that does not say the group of its object may be meant.
        (of(&other, &[]), &[], 1),
        (of(&None, &[]), &["pay"], 1),
        // The event of a node is in the namespace default, and the node in none.
        (of(&None, &[]), &["default"], 0),
        (since(25), &[], 3),
        (until, &[], 2),
    ] {
        let request = ListRequest { namespaces: patterns(namespaces), ..events(question.clone()) };
        assert_eq!(told(&request).len(), found, "{question:?} {namespaces:?}");
    }
    // What is too old does not count, though newer ones tell the same.
    assert!(told(&events(since(3_600))).contains(&"shop pod/cart-1 BackOff 7".to_owned()));
}

#[test]
fn rows_of_events_can_be_paged_and_ordered_by_their_counts() {
    let mut request = events(EventQuestion::default());
    request.sort = vec![sort("count", Direction::Descending)];
    let whole = told(&request);
    assert_eq!(&whole[..2], ["shop pod/cart-1 BackOff 8", "shop pod/cart-1 Killing 2"]);
    request.limit = 2;
    request.columns = fields(&["object", "reason", "count"]);
    let store = store();
    let mut shown = Vec::new();
    loop {
        let page = list(&store, &request, &budget()).unwrap();
        request.after = page.rows.last().map(|row| row.key.clone());
        shown.extend(page.rows.into_iter().map(|row| row.key.name));
        if !page.more {
            break;
        }
    }
    assert_eq!(shown.len(), whole.len());
}

#[test]
fn what_events_tell_can_be_grouped() {
    let grouping = Grouping { keys: vec!["reason".to_owned()], sums: vec!["count".to_owned()] };
    let request = ListRequest { group: Some(grouping), ..events(EventQuestion::default()) };
    let groups = list(&store(), &request, &budget()).unwrap().groups;
    let back_off = groups.iter().find(|group| group.keys == [json!("BackOff")]).unwrap();
    assert_eq!((back_off.count, &back_off.sums[0]), (2, &KeyValue::from_integer(9)));
}

#[test]
fn only_events_tell_of_others() {
    let request = ListRequest { events: Some(EventQuestion::default()), ..list_of("pods") };
    assert_eq!(list(&pods(1), &request, &budget()).unwrap_err().code, AgentErrorCode::InvalidArgument);
}
