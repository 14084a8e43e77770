use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::error::ErrorCode;
use crate::fleet::ClusterView;
use crate::request::Request;
use crate::request::fixtures::{cluster, fleet, list_query, lost, resolved};
use crate::request::{Order, Output};

mod every_tool;

fn shops() -> Fleet {
    fleet(vec![
        cluster("prod-eu", &["env=prod", "region=eu"]),
        cluster("prod-us", &["env=prod", "region=us"]),
        cluster("stage-eu", &["env=stage", "region=eu"]),
        lost("prod-ap"),
    ])
}

fn targets(request: &Request) -> String {
    let names: Vec<_> = request.targets().iter().map(|target| target.cluster.id.as_str()).collect();
    names.join(" ")
}

#[test]
fn clusters_are_named_in_every_way() {
    for (arguments, expected) in [
        (json!({}), "prod-ap prod-eu prod-us stage-eu"),
        (json!({"cluster": "*"}), "prod-ap prod-eu prod-us stage-eu"),
        (json!({"cluster": "prod-*"}), "prod-ap prod-eu prod-us"),
        (json!({"cluster": "stage-eu, prod-us,stage-eu"}), "prod-us stage-eu"),
        (json!({"cluster": ["prod-us", "*-eu"]}), "prod-eu prod-us stage-eu"),
        (json!({"clusters": "prod-us"}), "prod-us"),
        (json!({"context": "prod-us"}), "prod-us"),
        (json!({"clusterSelector": "env=prod,region in (eu,us)"}), "prod-eu prod-us"),
        (json!({"cluster": "*-eu", "clusterSelector": "env!=prod"}), "stage-eu"),
        (json!({"cluster": ""}), "prod-ap prod-eu prod-us stage-eu"),
    ] {
        assert_eq!(targets(&resolved(&shops(), "pods_list", &arguments).unwrap()), expected, "{arguments}");
    }
}

#[test]
fn a_cluster_answers_to_whatever_it_is_called() {
    let mut prod = cluster("prod", &[]);
    prod.aliases = ["arn:aws:eks:eu-central-1:1:cluster/prod".to_owned(), "me@prod".to_owned()].into();
    let fleet = fleet(vec![prod, cluster("stage", &[])]);
    for named in ["prod", "me@prod", "arn:aws:eks:eu-central-1:1:cluster/prod", "arn:*", "prod,me@*"] {
        let request = resolved(&fleet, "pods_list", &json!({"cluster": named})).unwrap();
        assert_eq!(targets(&request), "prod", "{named}");
    }
    let error = resolved(&fleet, "pods_list", &json!({"cluster": "me@prd"})).unwrap_err();
    assert!(error.message.contains("did you mean me@prod"), "{}", error.message);
}

#[test]
fn a_refusal_names_the_argument_the_value_and_what_is_right() {
    let long = "x".repeat(5_000);
    let wide: Vec<_> = (0..1_000).map(|_| "a").collect();
    let parts = "a,".repeat(70) + "a";
    let deep = (0..60).fold(json!("x"), |below, _| json!([below]));
    let table = [
        (
            "pods_list",
            json!({"cluster": "prod-ue"}),
            ErrorCode::NotFound,
            "cluster: there is no \"prod-ue\"; did you mean prod-eu",
        ),
        ("pods_list", json!({"cluster": "dev-*"}), ErrorCode::NotFound, "cluster: no name matches \"dev-*\""),
        (
            "pods_list",
            json!({"cluster": "zzz"}),
            ErrorCode::NotFound,
            "there are prod-ap, prod-eu, prod-us, stage-eu",
        ),
        (
            "pods_list",
            json!({"cluster": "a,,b"}),
            ErrorCode::InvalidArgument,
            "cluster: \"a,,b\" has an empty part",
        ),
        (
            "pods_list",
            json!({"clusterSelector": "env=dev"}),
            ErrorCode::NotFound,
            "labels are env (prod, stage), region (eu, us)",
        ),
        (
            "pods_list",
            json!({"clusterSelector": "env in prod"}),
            ErrorCode::InvalidArgument,
            "clusterSelector: at character",
        ),
        (
            "pods_list",
            json!({"labelSelector": "a=b c"}),
            ErrorCode::InvalidArgument,
            "labelSelector: at character",
        ),
        (
            "pods_list",
            json!({"fieldSelector": "status.phase"}),
            ErrorCode::InvalidArgument,
            "fieldSelector: at character",
        ),
        (
            "pods_list",
            json!({"limit": 0}),
            ErrorCode::InvalidArgument,
            "limit: 0 is not right: an integer from 1 to 1000 is wanted",
        ),
        ("pods_list", json!({"limit": 1001}), ErrorCode::InvalidArgument, "limit: 1001 is not right"),
        ("pods_list", json!({"limit": "50"}), ErrorCode::InvalidArgument, "limit: \"50\" is not right"),
        ("pods_list", json!({"limit": 1.5}), ErrorCode::InvalidArgument, "limit: 1.5 is not right"),
        ("pods_list", json!({"timeoutSeconds": 121}), ErrorCode::InvalidArgument, "an integer from 1 to 120"),
        ("pods_list", json!({"maxBytes": 1}), ErrorCode::InvalidArgument, "an integer from 500 to 4194304"),
        (
            "pods_list",
            json!({"output": "yaml"}),
            ErrorCode::InvalidArgument,
            "output: \"yaml\" is not right: one of table, json is wanted",
        ),
        (
            "resources_list",
            json!({"kind": null}),
            ErrorCode::InvalidArgument,
            "kind is null, but can't be left out: a string is wanted",
        ),
        (
            "resources_get",
            json!({"kind": "po", "name": [null]}),
            ErrorCode::InvalidArgument,
            "name: [] is not right",
        ),
        (
            "pods_list",
            json!({"nothing": null}),
            ErrorCode::InvalidArgument,
            "nothing: there is no such argument",
        ),
        (
            "pods_list",
            json!({"namespace": ["a", 1]}),
            ErrorCode::InvalidArgument,
            "namespace: [\"a\",1] is not right",
        ),
        (
            "pods_list",
            json!({"namespace": "a b"}),
            ErrorCode::InvalidArgument,
            "namespace: \"a b\" is neither a name nor a glob",
        ),
        (
            "pods_list",
            json!({"namespaces": "a"}),
            ErrorCode::InvalidArgument,
            "namespaces: there is no such argument; did you mean namespace?",
        ),
        ("pods_list", json!({"kind": "pods"}), ErrorCode::InvalidArgument, "kind: there is no such argument"),
        ("pods_list", json!({"ns": "a", "namespace": "b"}), ErrorCode::InvalidArgument, "give one of them"),
        ("pods_list", json!({"sortBy": "-"}), ErrorCode::InvalidArgument, "sortBy: \"-\" names no column"),
        (
            "pods_list",
            json!({"sortBy": "cluster.size"}),
            ErrorCode::InvalidArgument,
            "sortBy: \"cluster.size\" is not known of a cluster",
        ),
        (
            "pods_list",
            json!({"continue": "abc"}),
            ErrorCode::InvalidArgument,
            "continue: \"abc…\" is not a cursor of this gateway",
        ),
        (
            "pods_list",
            json!({"namespace": long}),
            ErrorCode::InvalidArgument,
            "namespace: 5000 bytes of text are more than 4096",
        ),
        (
            "pods_list",
            json!({"namespace": wide}),
            ErrorCode::InvalidArgument,
            "the arguments hold more than 512 values",
        ),
        (
            "pods_list",
            json!({"namespace": parts}),
            ErrorCode::InvalidArgument,
            "namespace: 71 parts are more than 64",
        ),
        (
            "pods_list",
            json!({"namespace": deep}),
            ErrorCode::InvalidArgument,
            "[[[[… nests too deep: arrays and objects may nest 4 deep at most",
        ),
        ("resources_list", json!({}), ErrorCode::InvalidArgument, "kind is missing: a string is wanted"),
        (
            "resources_list",
            json!({"kind": "nodes", "namespace": "a"}),
            ErrorCode::InvalidArgument,
            "namespace: \"a\": nodes are in no namespace",
        ),
        ("resources_get", json!({"name": "x"}), ErrorCode::InvalidArgument, "kind is missing"),
        (
            "resources_get",
            json!({"name": "deployment/x", "kind": "pods"}),
            ErrorCode::InvalidArgument,
            "is of kind deployments.apps, but kind says pods",
        ),
        (
            "resources_get",
            json!({"name": "po/x", "fields": "cluster"}),
            ErrorCode::InvalidArgument,
            "fields: \"cluster\" is no path into the object",
        ),
        (
            "resources_get",
            json!({"name": "/x"}),
            ErrorCode::InvalidArgument,
            "\"/x\" has no kind before its slash",
        ),
        ("resources_get", json!({"name": "a/b/c"}), ErrorCode::NotFound, "kind: no cluster has \"a\""),
        (
            "clusters_list",
            json!({"fields": "versoin"}),
            ErrorCode::InvalidArgument,
            "fields: clusters have no column \"versoin\"; did you mean version?",
        ),
        (
            "clusters_list",
            json!({"namespace": "x"}),
            ErrorCode::InvalidArgument,
            "namespace: there is no such argument",
        ),
    ];
    for (tool, arguments, code, message) in table {
        let error = resolved(&shops(), tool, &arguments).unwrap_err();
        assert_eq!(error.code, code, "{tool} {error:?}");
        assert!(error.message.contains(message), "{tool}: {} instead of {message}", error.message);
        assert!(error.message.len() < 600, "{}", error.message);
    }
}

#[test]
fn several_faults_are_told_at_once() {
    let error = resolved(&shops(), "pods_list", &json!({"limit": 0, "output": "yaml"})).unwrap_err();
    assert!(
        error.message.contains("limit: 0") && error.message.contains("output: \"yaml\""),
        "{}",
        error.message
    );
}

#[test]
fn arguments_become_a_query() {
    let arguments = json!({"kind": "deploy", "ns": "shop-*,web", "selector": "app=cart", "fieldSelector": "spec.replicas!=0",
        "fields": ["name", "cluster.labels.region"], "sortBy": "-age,cluster", "limit": 7, "timeoutSeconds": 3,
        "maxBytes": 9000, "output": "json"});
    let query = list_query(&shops(), "resources_list", &arguments);
    assert_eq!(query.kind.to_string(), "deployments.apps");
    assert_eq!(query.namespaces.len(), 2);
    assert_eq!((query.page.limit, query.options.timeout_ms, query.options.max_bytes), (7, 3_000, 9_000));
    assert_eq!(query.options.output, Output::Json);
    assert_eq!(query.page.order.directions().len(), 2);
    assert!(matches!(query.page.order, Order::By(_)));
    let defaults = list_query(&shops(), "pods_list", &json!({}));
    assert_eq!(
        (defaults.page.limit, defaults.options.timeout_ms, defaults.options.max_bytes),
        (50, 10_000, 7_500)
    );
}

#[test]
fn null_is_an_argument_left_out() {
    let names = |tool: &str| {
        let schema = crate::tools::catalogue().get(tool).unwrap().input_schema().clone();
        let required = schema["required"].clone();
        let properties = schema["properties"].as_object().unwrap().clone();
        properties
            .keys()
            .filter(|name| !required.as_array().is_some_and(|known| known.contains(&json!(name))))
            .cloned()
            .collect::<Vec<_>>()
    };
    for (tool, required) in [
        ("clusters_list", json!({})),
        ("pods_list", json!({})),
        ("resources_list", json!({"kind": "po"})),
        ("resources_get", json!({"name": "po/x"})),
    ] {
        let mut arguments = required.clone();
        names(tool).into_iter().for_each(|name| arguments[name] = Value::Null);
        let plain = resolved(&shops(), tool, &required).unwrap();
        let nulls = resolved(&shops(), tool, &arguments).unwrap();
        assert_eq!(format!("{nulls:?}"), format!("{plain:?}"), "{tool}");
    }
    let nested = json!({"ns": null, "namespace": ["shop", null], "selector": [null], "fields": []});
    let query = list_query(&shops(), "pods_list", &nested);
    assert_eq!(query.namespaces.len(), 1);
    assert!(query.label_selector.requirements.is_empty() && query.page.fields.is_empty());
}

#[test]
fn each_leg_sorts_by_its_own_cluster_fields() {
    use kubeplex_proto::sort::{KeyValue, SortBy};
    let query = list_query(&shops(), "pods_list", &json!({"sortBy": "cluster.labels.region,-restarts"}));
    let terms = |cluster: &ClusterView| query.page.order.terms(cluster);
    let eu = terms(&query.targets[1].cluster);
    assert_eq!(eu[0].by, SortBy::Constant(KeyValue::Text("eu".into())));
    assert_eq!(eu[1].by, SortBy::Field("restarts".into()));
    assert_eq!(eu[2].by, SortBy::Constant(KeyValue::Text("prod-eu".into())));
    assert_eq!(terms(&query.targets[0].cluster)[0].by, SortBy::Constant(KeyValue::Missing));
    assert_eq!(query.page.order.directions().len(), 3);
}

#[test]
fn a_name_may_bring_its_kind() {
    for arguments in [
        json!({"name": "deployment/cart"}),
        json!({"name": "deploy/cart", "kind": "Deployment"}),
        json!({"name": "cart", "kind": "deployments.v1.apps"}),
    ] {
        let Request::Get(query) = resolved(&shops(), "resources_get", &arguments).unwrap() else { panic!() };
        assert_eq!(query.kind.to_string(), "deployments.apps");
        assert_eq!(query.names[0].as_str(), "cart");
    }
}

/// Any JSON value, shallow enough to make and deep enough to hurt.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|float| json!(float)),
        "\\PC{0,40}".prop_map(Value::from),
        "[-a-z.,/*=!()'\\[\\] ]{0,30}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::hash_map("\\PC{0,12}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

const NAMES: [&str; 18] = [
    "cluster",
    "clusters",
    "clusterSelector",
    "namespace",
    "ns",
    "kind",
    "name",
    "labelSelector",
    "selector",
    "fieldSelector",
    "fields",
    "sortBy",
    "limit",
    "continue",
    "maxBytes",
    "timeoutSeconds",
    "output",
    "what",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_arguments_make_resolve_panic(given in proptest::collection::vec((0..NAMES.len(), any_json()), 0..6)) {
        let arguments: Map<_, _> = given.into_iter().map(|(name, value)| (NAMES[name].to_owned(), value)).collect();
        for tool in crate::tools::catalogue().tools() {
            let _ = resolved(&shops(), tool.name, &Value::Object(arguments.clone()));
        }
    }
}
