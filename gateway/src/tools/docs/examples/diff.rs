//! What clusters hold that are compared.

use kubeplex_proto::compare;
use kubeplex_proto::digest::{DigestItem, KindLook, Look, ObjectDigest, ObjectIntent, ObjectRef};
use kubeplex_proto::status::LegStatus;
use serde_json::{Value, json};

use crate::merge::{Coverage, DiffPage, DigestTable, Gathered, LegFailure, LegOutcome, RowsShown};
use crate::request::{DiffQuery, LegId, legs};

pub(super) fn examples() -> Vec<(&'static str, Value)> {
    vec![(
        "How does the cart of the other clusters differ from that of prod-eu?",
        json!({"name": "deployment/cart", "namespace": "shop", "baseline": "prod-eu"}),
    )]
}

/// Of two clusters the same deployment, of the third a newer one.
pub(super) fn compared(query: &DiffQuery) -> DiffPage {
    let kind = query.kinds[0].clone();
    let object = ObjectRef { kind: kind.clone(), namespace: "shop".to_owned(), name: "cart".to_owned() };
    let mut items: Vec<(LegId, DigestItem)> = Vec::new();
    let mut intents: Vec<(LegId, ObjectIntent)> = Vec::new();
    let mut outcomes = Vec::new();
    for (leg, cluster) in legs(&query.targets) {
        if let Some(failure) = LegFailure::of_link(cluster) {
            outcomes.push(LegOutcome::failed(cluster, failure, RowsShown::None));
            continue;
        }
        outcomes.push(LegOutcome::answered(cluster.id.clone(), LegStatus::Ok));
        let intent = intent(cluster.id.as_str());
        let look = KindLook { kind: kind.clone(), state: Look::Taken, message: None };
        let digest = ObjectDigest { object: object.clone(), digest: compare::digest(&intent) };
        items.extend([(leg, DigestItem::Kind(look)), (leg, DigestItem::Object(digest))]);
        intents.push((leg, ObjectIntent { object: object.clone(), intent }));
    }
    let heads = vec![None; query.targets.len()];
    let gathered = Gathered { items, heads, coverage: Coverage { legs: outcomes } };
    DigestTable::new(query, gathered).unwrap().into_page(intents)
}

fn intent(cluster: &str) -> Value {
    let (replicas, version) = if cluster == "dev" { (1, "1.43.0") } else { (11, "1.42.0") };
    let image = format!("registry.example.com/shop/cart:{version}");
    let object = json!({"kind": "Deployment", "metadata": {"name": "cart"}, "spec": {"replicas": replicas,
        "template": {"spec": {"containers": [{"name": "main", "image": image}]}}}});
    compare::intent(&object, &[])
}
