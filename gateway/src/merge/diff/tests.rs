use kubeplex_proto::compare;
use kubeplex_proto::digest::KindLook;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::merge::LegOutcome;
use crate::request::Request;
use crate::request::fixtures::{cluster, fleet, resolved};
use kubeplex_proto::status::LegStatus;

const CLUSTERS: [&str; 4] = ["a", "b", "c", "d"];

fn query(arguments: &Value) -> DiffQuery {
    let fleet = fleet(CLUSTERS.map(|name| cluster(name, &[])).to_vec());
    match resolved(&fleet, "fleet_diff", arguments).unwrap() {
        Request::Diff(query) => query,
        other => panic!("{other:?}"),
    }
}

fn deployment(image: &str, replicas: i64) -> Value {
    compare::intent(
        &json!({"kind": "Deployment", "metadata": {"name": "cart"}, "spec": {"replicas": replicas,
            "template": {"spec": {"containers": [{"name": "main", "image": image}]}}}}),
        &[],
    )
}

/// What each cluster holds in its namespaces.
type Held = Vec<(usize, &'static str, Value)>;

fn page(query: &DiffQuery, held: &Held) -> Result<DiffPage, CallError> {
    let kind = GroupResource::new("apps", "deployments");
    let object = |namespace: &str| ObjectRef {
        kind: kind.clone(),
        namespace: namespace.to_owned(),
        name: "cart".to_owned(),
    };
    let looks = (0..CLUSTERS.len()).map(|leg| {
        let look = KindLook { kind: kind.clone(), state: Look::Taken, message: None };
        (LegId(leg), DigestItem::Kind(look))
    });
    let found = held.iter().map(|(leg, namespace, intent)| {
        let digest = ObjectDigest { object: object(namespace), digest: compare::digest(intent) };
        (LegId(*leg), DigestItem::Object(digest))
    });
    let legs =
        query.targets.iter().map(|target| LegOutcome::answered(target.cluster.id.clone(), LegStatus::Ok));
    let coverage = Coverage { legs: legs.collect() };
    let heads = vec![None; CLUSTERS.len()];
    let table = DigestTable::new(query, Gathered { items: looks.chain(found).collect(), heads, coverage })?;
    let wanted = table.wanted();
    let read =
        wanted.iter().flat_map(|(leg, objects)| objects.iter().map(move |object| (*leg, object.clone())));
    let intents = read.filter_map(|(leg, object)| {
        let held = held.iter().find(|(at, namespace, _)| *at == leg.0 && *namespace == object.namespace)?;
        Some((leg, ObjectIntent { object, intent: held.2.clone() }))
    });
    let intents = intents.collect();
    Ok(table.into_page(intents))
}

fn sides(clusters: &[usize]) -> Vec<Side> {
    clusters.iter().map(|leg| Side::Cluster(LegId(*leg))).collect()
}

#[test]
fn equal_clusters_stand_together_and_differences_have_their_paths() {
    let query = query(&json!({"name": "deployment/cart", "namespace": "shop"}));
    let (old, new) = (deployment("cart:1", 2), deployment("cart:2", 2));
    let held = vec![(0, "shop", new), (1, "shop", old.clone()), (2, "shop", old)];
    let page = page(&query, &held).unwrap();
    assert_eq!((page.total, page.equal, page.objects.len()), (1, 0, 1));
    let diff = &page.objects[0];
    assert_eq!((&diff.agree, &diff.missing), (&sides(&[1, 2]), &sides(&[3])));
    let path = "spec.template.spec.containers[name=main].image".to_owned();
    let values = vec![(json!("cart:1"), sides(&[1, 2])), (json!("cart:2"), sides(&[0]))];
    assert_eq!(diff.differ, [Difference { path, values }]);
}

#[test]
fn what_is_equal_everywhere_has_no_difference() {
    let query = query(&json!({"name": "deployment/cart", "namespace": "shop"}));
    let held = (0..4).map(|leg| (leg, "shop", deployment("cart:1", 2))).collect();
    let page = page(&query, &held).unwrap();
    assert_eq!((page.total, page.equal, page.objects.len()), (1, 1, 1));
    let only = &page.objects[0];
    assert_eq!((&only.agree, only.differ.len(), only.missing.len()), (&sides(&[0, 1, 2, 3]), 0, 0));
}

#[test]
fn a_baseline_leads_whatever_most_have() {
    let query = query(&json!({"name": "deployment/cart", "namespace": "shop", "baseline": "a"}));
    let held = vec![
        (0, "shop", deployment("cart:2", 1)),
        (1, "shop", deployment("cart:1", 2)),
        (2, "shop", deployment("cart:1", 2)),
    ];
    let page = page(&query, &held).unwrap();
    let diff = &page.objects[0];
    assert_eq!(diff.agree, sides(&[0]));
    assert_eq!(diff.differ[0].path, "spec.replicas");
    // One replica is what there is where nobody says how many.
    assert_eq!(diff.differ[0].values, [(Value::Null, sides(&[0])), (json!(2), sides(&[1, 2]))]);
}

#[test]
fn two_namespaces_are_compared_in_every_cluster() {
    let query = query(&json!({"kind": "deployments", "namespace": "shop", "toNamespace": "canary"}));
    let held = vec![
        (0, "shop", deployment("cart:1", 2)),
        (0, "canary", deployment("cart:2", 2)),
        (1, "shop", deployment("cart:1", 2)),
    ];
    let page = page(&query, &held).unwrap();
    let side = |leg: usize, namespace: &str| Side::Namespace(LegId(leg), namespace.to_owned());
    let diff = &page.objects[0];
    assert_eq!(diff.agree, [side(0, "shop"), side(1, "shop")]);
    assert_eq!(diff.differ[0].values[1], (json!("cart:2"), vec![side(0, "canary")]));
    assert!(diff.missing.contains(&side(1, "canary")) && !diff.missing.contains(&side(0, "canary")));
}

#[test]
fn a_manifest_is_what_the_others_are_compared_with() {
    let manifest = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart, namespace: shop}\nspec:\n  replicas: 2\n  \
                    template: {spec: {containers: [{name: main, image: 'cart:1'}]}}\n";
    let query = query(&json!({ "manifest": manifest }));
    let held = vec![
        (0, "shop", deployment("cart:1", 2)),
        (1, "shop", deployment("cart:9", 2)),
        (2, "shop", deployment("cart:9", 2)),
    ];
    let page = page(&query, &held).unwrap();
    let diff = &page.objects[0];
    assert_eq!(diff.agree, [Side::Cluster(LegId(0)), Side::Manifest]);
    assert_eq!(diff.differ[0].values[1], (json!("cart:9"), sides(&[1, 2])));
    assert_eq!(diff.missing, sides(&[3]));
}

#[test]
fn what_is_nowhere_is_not_found() {
    let query = query(&json!({"name": "deployment/cart", "namespace": "shop"}));
    assert_eq!(page(&query, &Vec::new()).unwrap_err().code, ErrorCode::NotFound);
}

const NAMESPACES: [&str; 3] = ["a", "b", "c"];

proptest! {
    /// Of what is the same everywhere there is nothing to tell; of what is not, that alone.
    #[test]
    fn what_is_identical_has_no_differences(
        replicas in prop::collection::vec(0..5_i64, 1..=3), odd in (0..4_usize, 0..3_usize),
    ) {
        let query = query(&json!({"kind": "deployments", "namespace": "a,b,c"}));
        let there = || replicas.iter().zip(NAMESPACES);
        let mut held: Held = (0..CLUSTERS.len())
            .flat_map(|leg| there().map(move |(replicas, namespace)| (leg, namespace, deployment("cart:1", *replicas))))
            .collect();
        let same = page(&query, &held).unwrap();
        prop_assert_eq!((same.total, same.equal, same.more), (replicas.len(), replicas.len(), 0));
        let is_empty = |diff: &ObjectDiff| diff.differ.is_empty() && diff.missing.is_empty() && diff.unread.is_empty();
        prop_assert!(same.objects.iter().all(is_empty), "{:?}", same.objects);
        let (leg, namespace) = (odd.0, NAMESPACES[odd.1 % replicas.len()]);
        let other = held.iter_mut().find(|(at, place, _)| (*at, *place) == (leg, namespace)).unwrap();
        other.2 = deployment("cart:2", 1);
        let differs = page(&query, &held).unwrap();
        let told = differs.objects.iter().filter(|diff| !is_empty(diff)).count();
        prop_assert_eq!((differs.equal, told), (replicas.len() - 1, 1));
    }
}
