//! From command lines to the calls that they mean.

use clap::Parser as _;
use serde_json::{Value, json};

use super::question::{Paging, Question};
use super::*;
use crate::arguments::{self, Arguments};
use crate::client::Exchange;

fn question(line: &str) -> Result<Question, String> {
    let words = std::iter::once("kubeplex").chain(line.split(' ').filter(|word| !word.is_empty()));
    let arguments = Arguments::try_parse_from(words).map_err(|error| error.to_string())?;
    let arguments::Command::Reading(command) = arguments.command else { panic!("{line} does not read") };
    command.question().map_err(|error| error.to_string())
}

fn check(line: &str, tool: &str, arguments: Value) {
    let question = question(line).unwrap();
    assert_eq!((question.tool, Value::Object(question.arguments)), (tool, arguments), "{line}");
}

#[test]
fn command_lines_are_calls() {
    check("pods", "pods_list", json!({}));
    check(
        "pods -n shop -l app=cart --cluster prod-* --sort-by -restarts --limit 10",
        "pods_list",
        json!({"cluster": "prod-*", "namespace": "shop", "labelSelector": "app=cart", "sortBy": "-restarts"}),
    );
    check("pods -A --context eu -o wide", "pods_list", json!({"cluster": "eu", "fields": "*"}));
    check("pods -o wide --fields name", "pods_list", json!({"fields": "name"}));
    check("pods -o wide --group-by status", "pods_list", json!({"groupBy": "status"}));
    check("pods -o json --live", "pods_list", json!({"freshness": "live", "output": "json"}));
    check(
        "get deploy -n shop --cluster-selector env=prod --min-coverage 90 --timeout 5",
        "resources_list",
        json!({"kind": "deploy", "namespace": "shop", "clusterSelector": "env=prod", "minCoverage": 90, "timeoutSeconds": 5}),
    );
    check(
        "get deploy/cart",
        "resources_list",
        json!({"kind": "deploy", "fieldSelector": "metadata.name=cart"}),
    );
    check("get deploy cart web -o yaml", "resources_get", json!({"kind": "deploy", "name": "cart,web"}));
    check("get k8s://eu/shop/core/pods/a", "resources_get", json!({"name": "k8s://eu/shop/core/pods/a"}));
    check(
        "search image:*1.8* restarts>5 -n shop",
        "fleet_search",
        json!({"query": "image:*1.8* restarts>5", "namespace": "shop"}),
    );
    check(
        "diff deploy/cart -n shop --baseline eu --ignore spec.replicas",
        "fleet_diff",
        json!({"kind": "deploy", "name": "cart", "namespace": "shop", "baseline": "eu", "ignore": "spec.replicas"}),
    );
    check(
        "diff -n shop --to-namespace shop2",
        "fleet_diff",
        json!({"namespace": "shop", "toNamespace": "shop2"}),
    );
    check(
        "problems deploy/cart --severity critical --since 1h",
        "problems_list",
        json!({"kind": "deploy", "name": "cart", "severity": "critical", "since": "1h"}),
    );
    check("changes --around 10m --window 5m", "changes_list", json!({"around": "10m", "window": "5m"}));
    check("changes configmaps --until 1h", "changes_list", json!({"kind": "configmaps", "until": "1h"}));
    check(
        "describe pod a -n shop --logs",
        "resources_describe",
        json!({"kind": "pod", "name": "a", "namespace": "shop", "logs": true}),
    );
    check(
        "logs deployment/checkout --grep error -C 2 -p -c app --tail 20",
        "pods_log",
        json!({"name": "deployment/checkout", "grep": "error", "contextLines": 2, "previous": true, "container": "app", "tail": 20}),
    );
    check("logs -l app=cart -f", "pods_log", json!({"labelSelector": "app=cart", "followSeconds": 2}));
    check("logs -l app=cart --patterns", "pods_log", json!({"labelSelector": "app=cart", "patterns": true}));
    check("top", "top", json!({"kind": "pods"}));
    check("top nodes --sort-by -cpu", "top", json!({"kind": "nodes", "sortBy": "-cpu"}));
    check("top po -n shop -o wide", "top", json!({"kind": "pods", "namespace": "shop", "fields": "*"}));
    check(
        "events pod/a --field-selector type=Warning",
        "events_list",
        json!({"kind": "pod", "name": "a", "fieldSelector": "type=Warning"}),
    );
    check("health --cluster prod-*", "cluster_health", json!({"cluster": "prod-*"}));
}

#[test]
fn rows_are_read_to_the_end_unless_a_limit_is_given() {
    for (line, paging) in [
        ("pods", Some(Paging::ToTheEnd)),
        ("get deploy/cart", Some(Paging::ToTheEnd)),
        ("search x --limit 7", Some(Paging::AtMost(7))),
        ("get deploy/cart -o json", None),
        ("describe deploy/cart", None),
        ("health", None),
    ] {
        assert_eq!(question(line).unwrap().paging, paging, "{line}");
    }
}

#[test]
fn what_can_not_be_meant_is_refused_with_what_was_written() {
    for (line, told) in [
        ("get", "KIND[/NAME]"),
        ("get deploy/cart web", "\"web\""),
        ("get deploy cart web", "\"cart,web\""),
        ("get deploy cart -l app=cart", "--selector"),
        ("describe deploy", "deploy/cart"),
        ("describe", "deploy/cart"),
        ("diff", "-n shop"),
        ("diff -f /no/such/file", "/no/such/file"),
        ("logs", "deployment/checkout"),
        ("logs a --until 1h -f", "--until"),
        ("changes --around 10m --since 1h", "--since"),
        ("pods -A -n shop", "--namespace"),
        ("pods --limit 0", "0"),
        ("top deployments", "deployments"),
        ("pods --interval 5", "--watch"),
    ] {
        let error = question(line).unwrap_err();
        assert!(error.contains(told), "{line} should say {told}: {error}");
    }
}

#[test]
fn the_exit_status_says_what_came() {
    let of =
        |content: Option<Value>, error: Option<Value>| exit(&Answer { content, error, text: String::new() });
    for (content, error, wanted) in [
        (Some(json!({"groups": [{"rows": [["a"]]}], "shown": 1})), None, Exit::Found),
        (Some(json!({"groups": [{"rows": [["a"]]}], "shown": 1, "partial": true})), None, Exit::Partial),
        (Some(json!({"groups": [], "shown": 0})), None, Exit::NothingFound),
        (Some(json!({"groups": [], "shown": 0, "partial": true})), None, Exit::Partial),
        (Some(json!({"objects": []})), None, Exit::NothingFound),
        (Some(json!({"agree": []})), None, Exit::Found),
        (None, Some(json!({"code": "not_found"})), Exit::NothingFound),
        (None, Some(json!({"code": "invalid_argument"})), Exit::AnsweredWithAnError),
        (
            Some(json!({"groups": [{"rows": [["a"]]}], "shown": 1})),
            Some(json!({"code": "not_found"})),
            Exit::AnsweredWithAnError,
        ),
    ] {
        assert_eq!(of(content.clone(), error.clone()), wanted, "{content:?} {error:?}");
    }
}

/// What the protocol says is told from what tools say.
#[test]
fn a_tool_that_the_gateway_lacks_is_known_by_its_error() {
    let exchange = |response| Exchange { request: Value::Null, response };
    let unknown = exchange(json!({"error": {"code": -32602, "message": "unknown tool: \"top\""}}));
    assert!(is_unknown_tool(unknown.structured().unwrap_err()));
    let wrong =
        exchange(json!({"result": {"isError": true, "structuredContent": {"code": "invalid_argument"}}}));
    assert!(!is_unknown_tool(wrong.structured().unwrap_err()));
}
