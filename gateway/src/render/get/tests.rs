use kubeplex_proto::get::{FoundObject, GetEnd, GetHead};
use kubeplex_proto::status::{LegStatus, Source};
use serde_json::json;

use super::*;
use crate::merge::{GetMerge, Heard};
use crate::request::fixtures::{NOW, cluster, fleet, resolved, sealer};
use crate::request::{LegId, Request};

fn rendered(data: &Value, max_bytes: usize) -> Rendered {
    rendered_of(&["a", "b"].map(str::to_owned), |_| data.clone(), max_bytes)
}

/// The same object in each cluster, but for its data.
fn rendered_of(clusters: &[String], data: impl Fn(usize) -> Value, max_bytes: usize) -> Rendered {
    let fleet = fleet(clusters.iter().map(|name| cluster(name, &[])).collect());
    let arguments = json!({"kind": "services", "name": "cart", "maxBytes": max_bytes});
    let Request::Get(query) = resolved(&fleet, "resources_get", &arguments).unwrap() else { panic!() };
    let mut merge = GetMerge::new(&query);
    for leg in 0..clusters.len() {
        let head = GetHead {
            status: LegStatus::Ok,
            message: None,
            source: if leg == 1 { Source::Live } else { Source::Cache },
            api_version: "v1".to_owned(),
            total: 1,
            age_ms: 20,
            revision: 1,
        };
        merge.head(LegId(leg), Heard::new(head, NOW.steady));
        let object = json!({"kind": "Service", "metadata": {"name": "cart", "uid": leg}, "data": data(leg)});
        merge.object(LegId(leg), FoundObject { namespace: None, name: "cart".to_owned(), object });
        merge.finish(LegId(leg), Ok(GetEnd { cut: None }));
    }
    let sealer = sealer();
    let context = RenderContext { now: NOW, sealer: &sealer, nonce: [0; 24] };
    get(&query, merge.into_page().unwrap(), &context)
}

#[test]
fn an_object_stands_once_with_its_clusters() {
    let Rendered { structured, text } = rendered(&json!({"a": "two\nlines\u{1b}"}), 7_500);
    let object = json!({"kind": "Service", "metadata": {"name": "cart"}, "data": {"a": "two\nlines\\u{1b}"}});
    assert_eq!(
        structured.to_string(),
        json!({"objects": [{"clusters": ["a", "b"], "object": object}],
            "clusters": {"expected": 2, "answered": 2, "ageMs": 20, "source": {"b": "live"}}})
        .to_string()
    );
    assert!(text.starts_with("# in a, b\n{\"kind\":\"Service\""));
}

#[test]
fn what_does_not_fit_is_left_out_and_named() {
    let data = json!({"small": "x", "app.conf": "y".repeat(3_000), "other": "z".repeat(400)});
    let Rendered { structured, text } = rendered(&data, 1_000);
    assert!(json_len(&structured) <= 1_000, "{structured}");
    assert_eq!(structured["omitted"], json!(["data['app.conf']"]));
    assert_eq!(structured["objects"][0]["object"]["data"]["app.conf"], json!({"omittedBytes": 3_002}));
    assert_eq!(structured["objects"][0]["object"]["data"]["other"], "z".repeat(400));
    assert!(text.contains("left out for size: data['app.conf']; repeat the call with fields"));
}

#[test]
fn of_a_hundred_clusters_the_odd_ones_are_named() {
    let clusters: Vec<_> = (0..100).map(|at| format!("production-cluster-{at:03}")).collect();
    let Rendered { structured, text } = rendered_of(&clusters, |leg| json!({"odd": leg % 40 == 7}), 2_000);
    assert!(json_len(&structured) <= 2_000, "{structured}");
    let [most, odd] = [0, 1].map(|at| &structured["objects"][at]);
    assert_eq!(
        odd["clusters"],
        json!(["production-cluster-007", "production-cluster-047", "production-cluster-087"])
    );
    assert!(odd.get("moreClusters").is_none(), "{odd}");
    let named = most["clusters"].as_array().unwrap().len() as u64;
    assert!(named > 3 && named + most["moreClusters"].as_u64().unwrap() == 97, "{most}");
    assert!(text.contains(&format!(" and {} more\n", 97 - named)), "{text}");
    assert_eq!(structured["omitted"], Value::Null);
}
