//! Changes of several clusters as one timeline.

use kubeplex_proto::changes::{Class, FieldChange, GapReason};
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::status::{LegStatus, Source};

use super::*;
use crate::merge::{Coverage, Heard};
use crate::request::fixtures::{NOW, NOW_MS};

const MINUTE: i64 = 60_000;

fn change(at_ms: i64, name: &str, new: &str) -> Change {
    Change {
        at_ms,
        after_ms: None,
        kind: GroupResource::new("apps", "deployments"),
        kind_name: "Deployment".to_owned(),
        namespace: Some("shop".to_owned()),
        name: name.to_owned(),
        deed: Deed::Changed,
        fields: vec![FieldChange {
            path: "spec.x".to_owned(),
            class: Class::Spec,
            old: "a".into(),
            new: new.into(),
        }],
        more_fields: 0,
        by: Some("argocd".to_owned()),
        inferred: false,
        relation: String::new(),
        folded: vec![Folded { kind: GroupResource::new("", "pods"), created: 2, deleted: 1 }],
        times: 1,
    }
}

/// The clock of each cluster is so far ahead.
fn told(ahead_ms: &[i64], items: Vec<(usize, ChangesItem)>) -> Gathered<ChangesItem> {
    let head = |ahead: &i64| {
        let head = GatherHead {
            status: LegStatus::Ok,
            message: None,
            source: Source::Cache,
            api_version: String::new(),
            total: 10,
            age_ms: 0,
            cluster_now_ms: NOW_MS - 400 + ahead,
            clock_offset_ms: 0,
        };
        Some(Heard::new(head, NOW.steady.ago_ms(400)))
    };
    let heads = ahead_ms.iter().map(head).collect();
    let items = items.into_iter().map(|(leg, item)| (LegId(leg), item)).collect();
    Gathered { items, heads, coverage: Coverage::default() }
}

fn item(change: Change) -> ChangesItem {
    ChangesItem::Change(Box::new(change))
}

fn lines(timeline: &Timeline<'_>) -> Vec<String> {
    let line = |row: &TimelineRow<'_>| {
        let legs: Vec<_> = row.legs.iter().map(|leg| leg.0.to_string()).collect();
        let pods = row.folded[0].created;
        format!("{} {} {} {pods}", (row.at_ms - NOW_MS) / MINUTE, row.change.name, legs.join(","))
    };
    timeline.rows.iter().map(line).collect()
}

#[test]
fn the_same_change_of_several_clusters_is_one_row_while_it_is_close_in_time() {
    let at = |minutes: i64, name: &str, new: &str| item(change(NOW_MS + minutes * MINUTE, name, new));
    let told = told(
        &[0, 0, 0],
        vec![
            (0, at(-50, "cart", "b")),
            (1, at(-40, "cart", "b")),
            (2, at(-30, "cart", "b")),
            // Too late, another value, another object, the same cluster again: the later one goes with the others.
            (1, at(-10, "cart", "b")),
            (0, at(-49, "cart", "c")),
            (0, at(-48, "other", "b")),
            (0, at(-47, "cart", "b")),
        ],
    );
    let timeline = timeline(&told, NOW);
    assert_eq!(
        lines(&timeline),
        ["-10 cart 1 2", "-30 cart 0,1,2 6", "-48 other 0 2", "-49 cart 0 2", "-50 cart 0 2"]
            .map(str::to_owned)
    );
    assert_eq!(timeline.more, 30 - 7);
}

#[test]
fn times_are_by_one_clock() {
    let gap = Gap { from_ms: Some(NOW_MS), to_ms: NOW_MS, kind: None, reason: GapReason::Relist };
    let told = told(
        &[0, 10 * MINUTE, 900],
        vec![
            (0, item(change(NOW_MS - 2 * MINUTE, "a", "b"))),
            (1, item(change(NOW_MS + 7 * MINUTE, "b", "b"))),
            (2, item(change(NOW_MS - 1, "c", "b"))),
            (1, ChangesItem::Gap(gap)),
        ],
    );
    let timeline = timeline(&told, NOW);
    assert_eq!(lines(&timeline), ["0 c 2 2", "-2 a 0 2", "-3 b 1 2"]);
    // What answers take to come is not taken for a clock that is wrong.
    assert_eq!(timeline.rows[0].at_ms, NOW_MS - 1);
    assert_eq!(timeline.gaps[0].1.to_ms, NOW_MS - 10 * MINUTE);
}
