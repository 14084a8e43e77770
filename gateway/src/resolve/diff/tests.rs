use serde_json::{Value, json};

use crate::request::fixtures::{cluster, fleet, resolved};
use crate::request::{Against, LegId, Request};

fn asked(arguments: &Value) -> Result<Request, crate::error::CallError> {
    resolved(&fleet(vec![cluster("dev", &[]), cluster("prod-eu", &[])]), "fleet_diff", arguments)
}

#[test]
fn what_is_compared_is_said_one_way() {
    let manifest = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: b, namespace: pay}\n";
    for (arguments, kinds, names, namespaces) in [
        (json!({"name": "deploy/cart"}), vec!["deployments.apps"], vec!["cart"], vec![]),
        (json!({"kind": "svc", "labelSelector": "app=cart"}), vec!["services"], vec![], vec![]),
        (json!({"namespace": "shop"}), vec![], vec![], vec!["shop"]),
        (json!({"namespace": "shop", "toNamespace": "pay"}), vec![], vec![], vec!["shop", "pay"]),
        (
            json!({"manifest": manifest, "namespace": "shop"}),
            vec!["services", "deployments.apps"],
            vec!["a", "b"],
            vec!["pay", "shop"],
        ),
    ] {
        let Ok(Request::Diff(query)) = asked(&arguments) else {
            panic!("{arguments}: {:?}", asked(&arguments))
        };
        let text = |patterns: &[kubeplex_proto::pattern::Pattern]| {
            patterns.iter().map(|pattern| pattern.as_str().to_owned()).collect::<Vec<_>>()
        };
        let found: Vec<String> = query.kinds.iter().map(ToString::to_string).collect();
        assert_eq!(
            (found, text(&query.names), text(&query.namespaces)),
            (
                kinds.into_iter().map(str::to_owned).collect(),
                names.into_iter().map(str::to_owned).collect(),
                namespaces.into_iter().map(str::to_owned).collect(),
            ),
            "{arguments}"
        );
    }
    let Ok(Request::Diff(query)) = asked(&json!({"namespace": "shop", "baseline": "prod-eu"})) else {
        panic!()
    };
    assert!(matches!(query.against, Against::Cluster(LegId(1))));
}

#[test]
fn what_can_not_be_compared_is_refused_with_what_would_be_right() {
    for (arguments, said) in [
        (json!({}), "nothing to compare"),
        (json!({"name": "cart"}), "kind is missing"),
        (json!({"name": "deploy/cart", "cluster": "dev"}), "cluster: only dev is asked"),
        (
            json!({"namespace": "shop", "baseline": "prod-e"}),
            "baseline: there is no cluster \"prod-e\" among those compared; did you mean prod-eu?",
        ),
        (json!({"kind": "svc", "toNamespace": "pay"}), "toNamespace: \"pay\" needs one namespace"),
        (json!({"namespace": "shop", "toNamespace": "shop"}), "toNamespace: \"shop\" is namespace itself"),
        (json!({"namespace": "shop", "ignore": "a..b"}), "ignore: \"a..b\": a part between dots is empty"),
        (json!({"manifest": "a: [", "namespace": "shop"}), "manifest: neither YAML nor JSON"),
        (json!({"manifest": "kind: Service"}), "manifest, document 1: an object has apiVersion"),
        (
            json!({"manifest": "{\"apiVersion\":\"v1\",\"kind\":\"Servce\",\"metadata\":{\"name\":\"a\"}}"}),
            "manifest, document 1: kind: no cluster has \"Servce\"",
        ),
        (json!({"manifest": "---\n"}), "manifest: there is no object in it"),
        (json!({"manifest": "a: b", "kind": "svc"}), "kind: \"svc\" can't stand beside manifest"),
    ] {
        let error = asked(&arguments).unwrap_err();
        assert!(error.message.contains(said), "{arguments}: {}", error.message);
    }
}
