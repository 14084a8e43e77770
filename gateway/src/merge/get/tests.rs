use kubeplex_proto::list::Cut;
use kubeplex_proto::status::Source;
use serde_json::json;

use super::*;
use crate::fleet::Fleet;
use crate::request::Request;
use crate::request::fixtures::{NOW, cluster, fleet, lost, resolved};

fn query(fleet: &Fleet) -> GetQuery {
    match resolved(fleet, "resources_get", &json!({"name": "deployment/cart"})).unwrap() {
        Request::Get(query) => query,
        other => panic!("{other:?}"),
    }
}

fn head(total: u64) -> Heard<GetHead> {
    let head = GetHead {
        status: LegStatus::Ok,
        message: None,
        source: Source::Cache,
        api_version: "apps/v1".to_owned(),
        total,
        age_ms: 140,
        revision: 1,
    };
    Heard::new(head, NOW.steady)
}

fn found(namespace: &str, uid: &str, replicas: u64) -> FoundObject {
    let object = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "cart", "namespace": namespace, "uid": uid, "managedFields": [{"manager": uid}]},
        "spec": {"replicas": replicas}});
    FoundObject { namespace: Some(namespace.to_owned()), name: "cart".to_owned(), object }
}

fn end() -> Result<GetEnd, LegFailure> {
    Ok(GetEnd { cut: None })
}

#[test]
fn equal_objects_are_shown_once_with_their_clusters_whatever_arrives_first() {
    let fleet = fleet(vec![cluster("a", &[]), cluster("b", &[]), cluster("c", &[])]);
    let objects = [found("shop", "1", 2), found("shop", "2", 3), found("shop", "3", 2)];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let mut merge = GetMerge::new(&query(&fleet));
        for leg in order {
            merge.head(LegId(leg), head(1));
            merge.object(LegId(leg), objects[leg].clone());
            merge.finish(LegId(leg), end());
        }
        let page = merge.into_page().unwrap();
        let shown: Vec<_> = page.objects.iter().map(|shared| (shared.legs.clone(), &shared.object)).collect();
        let common = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "cart", "namespace": "shop"}, "spec": {"replicas": 2}});
        let alone = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "cart", "namespace": "shop", "uid": "2"}, "spec": {"replicas": 3}});
        assert_eq!(shown, [(vec![LegId(0), LegId(2)], &common), (vec![LegId(1)], &alone)]);
        assert_eq!(page.coverage.answered(), 3);
    }
}

#[test]
fn too_many_objects_are_counted_instead() {
    let fleet = fleet(vec![cluster("a", &[]), cluster("b", &[])]);
    let distinct = |leg: usize| (0..15).map(move |at| found(&format!("n{at}"), "u", leg as u64));
    let mut merge = GetMerge::new(&query(&fleet));
    for leg in [0, 1] {
        merge.head(LegId(leg), head(15));
        distinct(leg).for_each(|object| merge.object(LegId(leg), object));
        merge.finish(LegId(leg), end());
    }
    let error = merge.into_page().unwrap_err();
    assert_eq!(error.code, ErrorCode::TooLarge);
    assert!(
        error.message.contains("matches 30 objects") && error.message.contains("a 15, b 15"),
        "{}",
        error.message
    );
}

#[test]
fn not_found_is_said_only_when_every_cluster_answered() {
    let empty = |clusters: Vec<ClusterView>, status: LegStatus| {
        let fleet = fleet(clusters);
        let query = query(&fleet);
        let mut merge = GetMerge::new(&query);
        for (leg, target) in query.targets.iter().enumerate() {
            match LegFailure::of_link(&target.cluster) {
                Some(failure) => merge.finish(LegId(leg), Err(failure)),
                None => {
                    let mut none = head(0);
                    none.head.status = status;
                    merge.head(LegId(leg), none);
                    merge.finish(LegId(leg), end());
                }
            }
        }
        merge.into_page()
    };
    let error = empty(vec![cluster("a", &[]), cluster("b", &[])], LegStatus::Ok).unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (ErrorCode::NotFound, "deployments.apps \"cart\" is in none of the 2 clusters asked")
    );
    let error = empty(vec![cluster("a", &[])], LegStatus::Absent).unwrap_err();
    assert_eq!(error.message, "none of the clusters asked has the kind deployments.apps");
    let page = empty(vec![cluster("a", &[]), lost("b")], LegStatus::Ok).unwrap();
    assert!(page.objects.is_empty() && page.coverage.is_partial());
    let page = empty(vec![cluster("a", &[])], LegStatus::Stale).unwrap();
    assert!(page.objects.is_empty() && page.coverage.is_partial(), "it may have come since");
    assert_eq!(empty(vec![lost("a"), lost("b")], LegStatus::Ok).unwrap_err().code, ErrorCode::Unavailable);
}

#[test]
fn a_leg_that_breaks_off_is_partial() {
    let fleet = fleet(vec![cluster("a", &[])]);
    for cut in [LegStatus::Timeout, LegStatus::Ok] {
        let mut merge = GetMerge::new(&query(&fleet));
        merge.head(LegId(0), head(2));
        merge.object(LegId(0), found("shop", "1", 2));
        merge.finish(LegId(0), Ok(GetEnd { cut: Some(Cut { status: cut, message: "cut".to_owned() }) }));
        let page = merge.into_page().unwrap();
        assert_eq!(page.coverage.legs[0].rows, RowsShown::Partial);
        assert!(page.coverage.is_partial());
    }
}
