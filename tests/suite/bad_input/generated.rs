//! Arguments made from each tool's own schema, right ones and wrong ones: there is always an answer, it is never `internal`,
//! and what is refused is refused with the value that is wrong.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use super::fleet;
use super::raw::tools;
use crate::faults::rig::Rig;

/// Calls of each tool.
const CALLS: u32 = 300;

/// Fragments that mean something somewhere, so that texts made of them get past the first check now and then.
const WORDS: [&str; 48] = [
    "eu",
    "us",
    "*",
    "e*",
    "shop",
    "payments",
    "default",
    "pods",
    "deployments.apps",
    "nodes",
    "certificates",
    "events",
    "secrets",
    "configmaps",
    "name",
    "age",
    "-age",
    "status",
    "restarts",
    "cluster",
    "namespace",
    "cluster.labels.member",
    "metadata.labels['app']",
    "spec.containers[0].image",
    "spec.containers[*].image",
    "status.conditions[?(@.type==\"Ready\")].status",
    "status.phase",
    "Running",
    "app",
    "member",
    "=",
    "==",
    "!=",
    " in ",
    "(",
    ")",
    "!",
    ",",
    ".",
    "[",
    "]",
    "'",
    "\\",
    "/",
    "0",
    "\u{1b}[31m",
    "\u{202e}",
    "ü",
];

fn word_text() -> impl Strategy<Value = String> {
    vec(prop::sample::select(WORDS.as_slice()), 0..6).prop_map(|words| words.concat())
}

/// Any JSON, shallow.
fn any_value() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        word_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((word_text(), inner), 0..4).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
    .boxed()
}

/// What is right for an argument in a fleet of the company.
fn right_words(name: &str) -> &'static [&'static str] {
    match name {
        "cluster" => &["eu", "us", "*", "eu,us", "e*"],
        "clusterSelector" => &["member=eu", "member in (eu, us)", "!stage"],
        "namespace" => &["shop", "payments", "*", "pay*", "shop,search"],
        "kind" => &["pods", "deployments.apps", "svc", "Ingress", "certificates", "events", "configmaps"],
        "name" => &["cart", "*", "catalog", "pods/cart-*", "deployment/cart"],
        "labelSelector" => &["app", "app=cart", "app in (cart, catalog)", "!canary"],
        "fieldSelector" => &["status.phase=Running", "metadata.namespace!=shop"],
        "fields" => &["name", "name,age", "metadata.labels", "name,cluster"],
        "sortBy" => &["-age", "name", "cluster,-name", "namespace", "-count"],
        "groupBy" => {
            &["namespace", "cluster", "cluster.labels.member,sum(clusters)", "status,sum(restarts)", "group"]
        }
        "query" => &["cart", "cart ns:shop", "kind:pods restarts>1", "image:cart -status:Running"],
        "baseline" => &["eu", "us"],
        "toNamespace" => &["payments"],
        "manifest" => &["kind: ConfigMap\napiVersion: v1\nmetadata: {name: cart, namespace: shop}"],
        "ignore" => &["spec.replicas", "metadata.labels"],
        "around" => &["5m", "2020-01-01T00:00:00Z"],
        "window" => &["5m", "1h"],
        "path" => &["spec", "spec.template", "metadata.name"],
        "container" => &["cart", "linkerd-proxy"],
        "grep" => &["error", "^level=", "duration_ms=[0-9]+"],
        "since" => &["90s", "1h", "3d", "2020-01-01T00:00:00Z"],
        "until" => &["0s", "5m", "2020-01-02T00:00:00Z"],
        _ => &[""],
    }
}

/// What a property's schema asks for, more often than not.
fn property(name: &str, schema: &Value) -> BoxedStrategy<Value> {
    let right = if let Some(choices) = schema["enum"].as_array() {
        prop::sample::select(choices.clone()).boxed()
    } else if schema["type"] == "boolean" {
        any::<bool>().prop_map(Value::from).boxed()
    } else if schema["type"] == "integer" {
        let (least, most) =
            (schema["minimum"].as_i64().unwrap_or(0), schema["maximum"].as_i64().unwrap_or(i64::MAX));
        // Who waits for new lines waits as long as they say.
        let most = match name {
            "followSeconds" => least,
            _ if most > 100_000 || most == 120 => least.saturating_add(20),
            _ => most,
        };
        prop_oneof![
            4 => (least..=most).prop_map(Value::from),
            1 => prop::sample::select(vec![json!(least - 1), json!(most.saturating_add(1)), json!(-1), json!(1e18)]),
        ]
        .boxed()
    } else {
        prop_oneof![
            12 => prop::sample::select(right_words(name)).prop_map(Value::from),
            2 => prop::sample::select(WORDS.as_slice()).prop_map(Value::from),
            2 => word_text().prop_map(Value::from),
            1 => any::<String>().prop_map(Value::from),
            1 => vec(word_text(), 0..5).prop_map(Value::from),
        ]
        .boxed()
    };
    prop_oneof![9 => right, 1 => any_value()].boxed()
}

/// Some of a tool's arguments, the required ones nearly always, and now and then one that there is not.
fn arguments(tool: &Value) -> impl Strategy<Value = Map<String, Value>> + use<> {
    let schema = &tool["inputSchema"];
    let required: Vec<String> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| Some(name.as_str()?.to_owned()))
        .collect();
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    let each: Vec<_> = properties
        .iter()
        .map(|(name, schema)| {
            let weight = if required.contains(name) { 0.95 } else { 0.25 };
            let value = property(name, schema);
            let name = name.clone();
            prop::option::weighted(weight, value.prop_map(move |value| (name.clone(), value)))
        })
        .collect();
    let stranger = prop::option::weighted(0.05, (any::<String>(), any_value()));
    (each, stranger).prop_map(|(some, stranger)| some.into_iter().flatten().chain(stranger).collect())
}

/// Whether a refusal says what was given for an argument that is wrong, or where in a long one; or names one that there is not,
/// or that lacks.
fn says_what_is_wrong(message: &str, arguments: &Map<String, Value>) -> bool {
    let is_unknown = message.contains("there is no such argument")
        && arguments.keys().any(|name| message.contains(plain(name)));
    let has_place = ["manifest, document ", "manifest: ", "query, column "]
        .iter()
        .any(|place| message.starts_with(place));
    is_unknown
        || has_place
        || message.contains("is missing")
        || arguments.values().any(|value| quotes(message, value))
}

/// Whether a message has a value in it, or the part of it that is wrong. What is long is cut there, and what could steer a reader
/// is written otherwise, so it is looked for by its plain words; a value that has none has to be quoted somehow.
fn quotes(message: &str, value: &Value) -> bool {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            return message.contains('[') || items.iter().any(|item| quotes(message, item));
        }
        Value::Object(_) => return message.contains('{'),
        other => other.to_string(),
    };
    // Of a list the item that is wrong, as it is.
    if text.split(',').any(|item| message.contains(&format!("\"{}\"", item.trim()))) {
        return true;
    }
    let mut words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    if words.peek().is_none() {
        return message.contains('"');
    }
    // A letter or two are in any text.
    let is_word = |word: &str| message.split(|c: char| !c.is_alphanumeric()).any(|other| other == word);
    let begins = |word: &str| message.contains(&word.chars().take(8).collect::<String>());
    words.any(|word| if word.len() < 3 { is_word(word) } else { begins(word) })
}

/// The beginning of a name that is shown as it is.
fn plain(name: &str) -> &str {
    let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
    &name[..end.min(40)]
}

/// What came of the calls of one tool.
type Tally = RefCell<BTreeMap<String, u32>>;

async fn ask(
    rig: &Rig,
    tool: &str,
    arguments: &Map<String, Value>,
    tally: &Tally,
) -> Result<(), TestCaseError> {
    let call = rig.client.call(tool, arguments.clone(), true);
    let exchange = tokio::time::timeout(kubeplex_tests::wait::PATIENCE, call).await;
    let exchange = exchange.map_err(|_| TestCaseError::fail("no answer"))?;
    let exchange = exchange.map_err(|error| TestCaseError::fail(error.to_string()))?;
    let outcome = match exchange.structured() {
        Ok(answer) => {
            prop_assert!(answer["clusters"].is_object(), "{answer}");
            prop_assert!(!exchange.text().is_empty());
            "answered".to_owned()
        }
        Err(error) => {
            let known = ["invalid_argument", "not_found", "too_large", "forbidden", "timeout", "unavailable"];
            let code = error["code"].as_str().unwrap_or_default();
            prop_assert!(known.contains(&code), "{error}");
            let message = error["message"].as_str().unwrap_or_default();
            prop_assert!(!message.is_empty() && message.len() < 2_000, "{error}");
            let says = code != "invalid_argument" || says_what_is_wrong(message, arguments);
            prop_assert!(says, "{error} does not say which value is wrong of {arguments:?}");
            code.to_owned()
        }
    };
    *tally.borrow_mut().entry(outcome).or_default() += 1;
    Ok(())
}

#[test]
fn whatever_the_arguments_are_there_is_an_answer() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let rig = runtime.block_on(fleet());
    for tool in runtime.block_on(tools(&rig)) {
        let name = tool["name"].as_str().unwrap();
        let tally = Tally::default();
        let config =
            Config { cases: CALLS, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
        let outcome = TestRunner::new(config)
            .run(&arguments(&tool), |arguments| runtime.block_on(ask(&rig, name, &arguments, &tally)));
        outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
        let tally = tally.into_inner();
        // A generator that never gets past the schema, or never fails there, tests nothing.
        let understood = ["answered", "not_found", "too_large"].iter().filter_map(|code| tally.get(*code));
        assert!(understood.sum::<u32>() >= 20, "{name}: {tally:?}");
        assert!(tally.get("invalid_argument").is_some_and(|count| *count >= 20), "{name}: {tally:?}");
    }
    runtime.block_on(rig.stop());
}
