use kubeplex_proto::get::{FoundObject, GetEnd, GetHead};
use kubeplex_proto::status::{LegStatus, Source};
use serde_json::json;

use super::*;
use crate::merge::GetMerge;
use crate::request::fixtures::{NOW_MS, cluster, fleet, resolved, sealer};
use crate::request::{LegId, Request};

fn rendered(data: &Value, max_bytes: usize) -> Rendered {
    let fleet = fleet(vec![cluster("a", &[]), cluster("b", &[])]);
    let arguments = json!({"kind": "services", "name": "cart", "maxBytes": max_bytes});
    let Request::Get(query) = resolved(&fleet, "resources_get", &arguments).unwrap() else { panic!() };
    let mut merge = GetMerge::new(&query);
    for leg in [0, 1] {
        let head = GetHead {
            status: LegStatus::Ok,
            message: None,
            source: if leg == 0 { Source::Cache } else { Source::Live },
            api_version: "v1".to_owned(),
            total: 1,
            age_ms: 20,
            revision: 1,
        };
        merge.head(LegId(leg), head);
        let object = json!({"kind": "Service", "metadata": {"name": "cart", "uid": leg}, "data": data});
        merge.object(LegId(leg), FoundObject { namespace: None, name: "cart".to_owned(), object });
        merge.finish(LegId(leg), Ok(GetEnd { cut: None }));
    }
    let sealer = sealer();
    let context = RenderContext { now_ms: NOW_MS, sealer: &sealer, nonce: [0; 24] };
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
