//! What holds for every tool, and the identities that stand for all arguments together.

use super::*;

/// Whatever the tool, an argument that is often called otherwise is taken under that name.
#[test]
fn every_tool_takes_the_usual_synonyms() {
    let fleet = fleet(vec![cluster("prod-eu", &[]), cluster("prod-us", &[])]);
    for tool in crate::tools::catalogue().tools() {
        let properties = tool.input_schema()["properties"].as_object().unwrap();
        let needed = |name: &str| match name {
            "kind" => json!("pods"),
            "query" => json!("cart"),
            _ => json!("pod/cart"),
        };
        let required = tool.input_schema()["required"].as_array().into_iter().flatten();
        let required: Map<String, Value> = required
            .map(|name| (name.as_str().unwrap().to_owned(), needed(name.as_str().unwrap())))
            .collect();
        for (synonym, meant, value) in [
            ("clusters", "cluster", json!(["prod-eu", "prod-us"])),
            ("context", "cluster", json!("prod-*")),
            ("ns", "namespace", json!(["shop", "pay"])),
            ("selector", "labelSelector", json!("app=cart")),
        ] {
            let mut arguments = required.clone();
            if tool.name == "fleet_diff" {
                arguments.insert("kind".to_owned(), json!("pods"));
            }
            arguments.insert(synonym.to_owned(), value);
            let resolved = resolved(&fleet, tool.name, &Value::Object(arguments));
            let name = tool.name;
            match properties.contains_key(meant) {
                true => assert!(resolved.is_ok(), "{name} {synonym}: {resolved:?}"),
                false => assert!(resolved.unwrap_err().message.contains(synonym), "{name} {synonym}"),
            }
        }
    }
}

#[test]
fn an_object_is_found_by_its_identity() {
    let fleet = fleet(vec![cluster("prod-eu", &[]), cluster("prod-us", &[])]);
    let name = "k8s://prod-eu/shop/apps/deployments/a%2Cb";
    let Request::Get(query) = resolved(&fleet, "resources_get", &json!({"name": name})).unwrap() else {
        panic!()
    };
    assert_eq!((query.targets.len(), query.kind.to_string().as_str()), (1, "deployments.apps"));
    assert_eq!((query.namespaces[0].as_str(), query.names[0].as_str()), ("shop", "a,b"));
    for (arguments, said) in [
        (json!({"name": "k8s://prod-eu/shop/apps/deployments"}), "name of one object"),
        (json!({"name": "k8s://prod-eu/shop/apps"}), "has 3 parts"),
        (json!({"name": name, "namespace": "shop"}), "leave namespace out"),
        (json!({"name": "k8s://prod-eu/-/core/pods/x"}), "pods are in namespaces"),
        (json!({"name": "k8s://prod-eu/shop/core/nodes/x"}), "nodes are in no namespace"),
        (json!({"name": "k8s://prod-ap/shop/core/pods/x"}), "there is no \"prod-ap\""),
    ] {
        let error = resolved(&fleet, "resources_get", &arguments).unwrap_err();
        assert!(error.message.contains(said), "{arguments}: {}", error.message);
    }
}
