use kubeplex_proto::changes::{Change, ChangesItem, Class, Deed, FieldChange, Folded, Gap, GapReason};
use kubeplex_proto::gather::{GatherEnd, GatherHead};
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::status::{LegStatus, Source};
use serde_json::json;

use super::*;
use crate::merge::{Gather, Heard};
use crate::request::fixtures::{NOW, NOW_MS, cluster, fleet, resolved, sealer};
use crate::request::legs;
use crate::tools::catalogue;

const MINUTE: i64 = 60_000;

fn change(minutes_ago: i64, name: &str) -> Change {
    let field =
        |path: &str, class, old: Value, new: Value| FieldChange { path: path.to_owned(), class, old, new };
    Change {
        at_ms: NOW_MS - minutes_ago * MINUTE,
        after_ms: None,
        kind: GroupResource::new("apps", "deployments"),
        kind_name: "Deployment".to_owned(),
        namespace: Some("shop".to_owned()),
        name: name.to_owned(),
        deed: Deed::Changed,
        fields: vec![
            field(
                "spec.template.spec.containers[app].image",
                Class::Image,
                json!("registry.example.com/shop/checkout:1.8.1"),
                json!("registry.example.com/shop/checkout:1.8.2"),
            ),
            field("spec.replicas", Class::Scale, json!(3), json!(5)),
        ],
        more_fields: 0,
        by: Some("argocd-controller".to_owned()),
        inferred: false,
        relation: String::new(),
        folded: vec![Folded { kind: GroupResource::new("", "pods"), created: 12, deleted: 12 }],
        times: 1,
    }
}

/// What a call shows where every cluster tells the same.
fn shown(arguments: &Value, items: &[ChangesItem]) -> Value {
    let fleet =
        fleet(vec![cluster("a", &["env=prod"]), cluster("b", &["env=prod"]), cluster("c", &["env=dev"])]);
    let request = resolved(&fleet, NAME, arguments).unwrap();
    let Request::Changes(query) = &request else { panic!("{request:?}") };
    let mut gather = Gather::new(&query.targets);
    for (leg, _) in legs(&query.targets) {
        let head = GatherHead {
            status: LegStatus::Ok,
            message: None,
            source: Source::Cache,
            api_version: String::new(),
            total: items.iter().filter(|item| matches!(item, ChangesItem::Change(_))).count() as u64,
            age_ms: 100,
            cluster_now_ms: NOW_MS,
            clock_offset_ms: 0,
        };
        gather.head(leg, Heard::new(head, NOW.steady));
        gather.items(leg, items.to_vec());
        gather.finish(leg, Ok(GatherEnd { cut: None }));
    }
    let merged = Merged::by_hand(Answered::Changes(query, gather.into_gathered().unwrap()));
    let sealer = sealer();
    let context = RenderContext { now: NOW, sealer: &sealer, nonce: [3; 24] };
    catalogue().get(NAME).unwrap().render(merged, &context).unwrap().structured
}

fn item(change: Change) -> ChangesItem {
    ChangesItem::Change(Box::new(change))
}

#[test]
fn a_rollout_over_clusters_is_one_row() {
    let answer = shown(&json!({}), &[item(change(3, "checkout"))]);
    assert_eq!(
        answer["columns"],
        json!(["time", "cluster", "namespace", "object", "change", "by", "folded"])
    );
    assert_eq!(answer["groups"][0]["date"], "2026-11-23");
    let row = &answer["groups"][0]["rows"][0];
    assert_eq!(
        *row,
        json!([
            "18:21:39Z",
            "a, b, c",
            "shop",
            "Deployment/checkout",
            "containers[app].image: registry.example.com/shop/checkout:1.8.1 → 1.8.2; replicas: 3 → 5",
            "argocd-controller",
            "pods +36 -36"
        ])
    );
    assert_eq!((answer["total"].as_u64(), answer.get("gaps")), (Some(1), None));
}

#[test]
fn what_happened_is_said_in_few_words() {
    let other = |deed, fields: Vec<FieldChange>| Change { deed, fields, ..change(1, "x") };
    let named = |path: &str, old: Value, new: Value| FieldChange {
        path: path.to_owned(),
        class: Class::Data,
        old,
        new,
    };
    let status = |old: Value, new: Value| named("data.a", old, new);
    for (change, words) in [
        (other(Deed::Created, vec![]), "created"),
        (other(Deed::Deleted, vec![]), "deleted"),
        (other(Deed::DeletionAsked, vec![]), "deletion asked for"),
        (other(Deed::Changed, vec![]), "changed"),
        (other(Deed::Replaced, vec![status(json!(1), json!(2))]), "deleted and created anew: data.a: 1 → 2"),
        (other(Deed::Changed, vec![status(Value::Null, json!("x\u{202e}"))]), "data.a: set to x\\u{202e}"),
        (other(Deed::Changed, vec![status(json!(""), Value::Null)]), "data.a: \"\" removed"),
        (
            Change { times: 7, ..other(Deed::Changed, vec![status(json!(1), json!(2))]) },
            "data.a: 1 → 2 (7 times)",
        ),
        (
            Change {
                more_fields: 9,
                ..other(Deed::Changed, (1..=5).map(|old| status(json!(old), json!(0))).collect())
            },
            "data.a: 1 → 0; data.a: 2 → 0; data.a: 3 → 0; 11 more",
        ),
        (other(Deed::Changed, ["a", "b"].map(|path| named(path, json!(1), json!(2))).into()), "a, b: 1 → 2"),
        (
            other(Deed::Changed, ["a", "b", "c", "d"].map(|path| named(path, json!(1), json!(2))).into()),
            "a and 3 others: 1 → 2",
        ),
    ] {
        let answer = shown(&json!({"fields": "change"}), &[item(change)]);
        assert_eq!(answer["groups"][0]["rows"], json!([[words]]));
    }
}

#[test]
fn what_is_not_sure_is_noted_and_gaps_are_declared() {
    let inferred = Change { inferred: true, ..change(50, "old") };
    let between = Change { after_ms: Some(NOW_MS - 30 * MINUTE), ..change(20, "between") };
    let gaps = [
        Gap { from_ms: None, to_ms: NOW_MS - 40 * MINUTE, kind: None, reason: GapReason::NotRecorded },
        Gap {
            from_ms: Some(NOW_MS - 30 * MINUTE),
            to_ms: NOW_MS - 20 * MINUTE,
            kind: Some(GroupResource::new("", "pods")),
            reason: GapReason::Relist,
        },
    ];
    let items: Vec<_> =
        [item(inferred), item(between)].into_iter().chain(gaps.map(ChangesItem::Gap)).collect();
    let answer = shown(&json!({"fields": "name,note"}), &items);
    assert_eq!(
        answer["groups"][0]["rows"],
        json!([["between", "after 2026-11-23T17:54:39Z"], ["old", "inferred"]])
    );
    assert_eq!(
        answer["gaps"],
        json!([
            {"clusters": "a, b, c", "to": "2026-11-23T17:44:39Z", "reason": "not recorded: what objects still tell is inferred"},
            {"clusters": "a, b, c", "kinds": "pods", "from": "2026-11-23T17:54:39Z", "to": "2026-11-23T18:04:39Z",
                "reason": "the watch was cut off, and a list told what came of it"},
        ])
    );
}

#[test]
fn pages_orders_and_groups() {
    let items: Vec<_> = (0..9).map(|at| item(change(at, &format!("d{at}")))).collect();
    let mut arguments = json!({"limit": 4, "fields": "name"});
    let mut names = Vec::new();
    loop {
        let answer = shown(&arguments, &items);
        let rows = answer["groups"][0]["rows"].as_array().unwrap();
        names.extend(rows.iter().map(|row| row[0].as_str().unwrap().to_owned()));
        match answer.get("continue") {
            Some(cursor) => arguments["continue"] = cursor.clone(),
            None => break,
        }
    }
    assert_eq!(names, (0..9).map(|at| format!("d{at}")).collect::<Vec<_>>());
    let oldest = shown(&json!({"limit": 1, "fields": "name", "sortBy": "time"}), &items);
    assert_eq!(oldest["groups"][0]["rows"], json!([["d8"]]));
    let by = shown(&json!({"groupBy": "cluster,by"}), &items);
    assert_eq!(
        by["groups"][0]["rows"],
        json!([["a", "argocd-controller", 9], ["b", "argocd-controller", 9], ["c", "argocd-controller", 9]])
    );
    let once = shown(&json!({"groupBy": "by"}), &items);
    assert_eq!(once["groups"][0]["rows"], json!([["argocd-controller", 9]]));
}

#[test]
fn a_page_and_its_gaps_keep_to_the_budget() {
    let mut items: Vec<_> = (0..200).map(|at| item(change(at % 50, &format!("d{at}")))).collect();
    items.push(ChangesItem::Gap(Gap {
        from_ms: None,
        to_ms: NOW_MS,
        kind: None,
        reason: GapReason::Restart,
    }));
    for max_bytes in [1_000, 2_000, 7_500] {
        let answer = shown(&json!({ "maxBytes": max_bytes }), &items);
        assert!(answer.to_string().len() <= max_bytes, "{} of {max_bytes}", answer.to_string().len());
        assert!(answer["continue"].is_string() && answer["gaps"].is_array());
    }
}
