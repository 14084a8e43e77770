use serde_json::json;

use super::*;

fn object() -> Value {
    json!({
        "metadata": {"name": "cart", "labels": {"a/b": "slash", "c.d": "dot", "it's": "quote"}},
        "spec": {
            "replicas": 3,
            "containers": [
                {"name": "web", "image": "w:1", "ports": [{"port": 80}, {"port": 443}], "ready": true},
                {"name": "log", "image": "l:2", "weight": 1.5},
                {"name": "sidecar", "image": "s:3"},
            ],
        },
        "status": {"conditions": [{"type": "Available", "status": "True"}, {"type": "Ready", "status": "False"}]},
    })
}

fn check(path: &str, expected: &Value) {
    let parsed = Path::parse(path).unwrap_or_else(|error| panic!("{error}"));
    let object = object();
    let found: Vec<_> = parsed.all(&object).into_iter().cloned().collect();
    assert_eq!(&Value::Array(found.clone()), expected, "{path}");
    assert_eq!(parsed.first(&object), found.first(), "{path}");
    let spelt = parsed.to_string();
    assert_eq!(Path::parse(&spelt).as_ref(), Ok(&parsed), "{path} is spelt {spelt}");
}

#[test]
fn paths_lead_where_kubectls_do() {
    for (path, expected) in [
        ("metadata.name", json!(["cart"])),
        (".metadata.name", json!(["cart"])),
        ("{.metadata.name}", json!(["cart"])),
        ("$.metadata.name", json!(["cart"])),
        ("['metadata']['name']", json!(["cart"])),
        ("metadata.labels['a/b']", json!(["slash"])),
        ("metadata.labels[\"a/b\"]", json!(["slash"])),
        ("metadata.labels.a/b", json!(["slash"])),
        ("metadata.labels.c\\.d", json!(["dot"])),
        ("metadata.labels['it\\'s']", json!(["quote"])),
        ("spec.replicas", json!([3])),
        ("spec.containers[0].name", json!(["web"])),
        ("spec.containers[-1].name", json!(["sidecar"])),
        ("spec.containers.[0].name", json!(["web"])),
        ("spec.containers[1:].name", json!(["log", "sidecar"])),
        ("spec.containers[:-1].name", json!(["web", "log"])),
        ("spec.containers[::2].name", json!(["web", "sidecar"])),
        ("spec.containers[2,0].name", json!(["sidecar", "web"])),
        ("spec.containers[*].image", json!(["w:1", "l:2", "s:3"])),
        ("spec.containers[*].ports[*].port", json!([80, 443])),
        ("spec.containers[0].*", json!(["web", "w:1", [{"port": 80}, {"port": 443}], true])),
        ("spec.containers[0]['name','image']", json!(["web", "w:1"])),
        ("..port", json!([80, 443])),
        ("spec..name", json!(["web", "log", "sidecar"])),
        ("status.conditions[?(@.type==\"Ready\")].status", json!(["False"])),
        ("status.conditions[?( @.type != 'Ready' )].status", json!(["True"])),
        ("spec.containers[?(@.ready==true)].name", json!(["web"])),
        ("spec.containers[?(@.weight>1)].name", json!(["log"])),
        ("spec.containers[?(@.weight<=1)].name", json!([])),
        ("spec.containers[?(@.ports)].name", json!(["web"])),
        ("spec.containers[?(@.ports[0].port>=80)].name", json!(["web"])),
        ("spec.missing.deeper", json!([])),
        ("spec.replicas.deeper", json!([])),
        ("spec.containers[9].name", json!([])),
        ("spec.containers[-9].name", json!([])),
        ("metadata[0]", json!([])),
    ] {
        check(path, &expected);
    }
}

#[test]
fn a_path_that_cannot_be_read_says_where_and_what_was_wanted() {
    for (path, at, problem) in [
        ("", 0, "a key is wanted, as in spec.nodeName"),
        (".", 1, "a key is wanted after the dot"),
        ("spec..", 6, "a key is wanted after the dot"),
        ("spec.containers[", 16, "an index, a quoted key"),
        ("spec.containers[x]", 16, "an index, a quoted key"),
        ("spec.containers[0", 17, "a closing bracket is wanted"),
        ("spec.containers[0]x", 18, "a dot or a bracket is wanted, not 'x'"),
        ("spec.containers[99999999999999999999]", 16, "is not an index"),
        ("spec.containers[::0]", 19, "must be 1 or more"),
        ("metadata.labels['a", 16, "this quote is never closed"),
        ("{.metadata.name", 15, "a closing brace is wanted"),
        ("metadata name", 8, "a dot or a bracket is wanted, not ' '"),
        ("a[?(@.b==)]", 9, "'@', a quoted text, a number"),
        ("a[?(@.b=='c']", 12, "a comparison or a closing parenthesis"),
        ("a[?('b')]", 7, "a comparison is wanted"),
        ("a[?(@.b=1)]", 7, "a comparison or a closing parenthesis"),
        ("größe.ö!", 7, "a dot or a bracket is wanted, not '!'"),
        ("$spec", 1, "a dot or a bracket is wanted, not 's'"),
        ("spec.a\\", 7, "the character that the backslash stands before is missing"),
        ("..a..b..c", 9, "more than 2 '..'"),
    ] {
        let error = Path::parse(path).expect_err(path);
        assert_eq!(error.at, at, "{error}");
        assert!(error.problem.contains(problem), "{error}");
        assert!(error.to_string().contains(&format!("at character {}", at + 1)), "{error}");
    }
}

#[test]
fn callers_write_every_step() {
    for (path, at) in [("spec..x", 5), ("..image", 1), ("{.spec..x}", 7), ("a[?(@..b==1)]", 6)] {
        let error = Path::of_caller(path).expect_err(path);
        assert_eq!((error.at, error.problem.contains("one dot is enough")), (at, true), "{error}");
        assert!(Path::parse(path).is_ok(), "{path}");
    }
    assert_eq!(Path::of_caller("spec.nodeName"), Path::parse("{.spec.nodeName}"));
}

#[test]
fn oversized_paths_are_refused() {
    let long = Path::parse(&"a".repeat(PATH_CHARACTERS + 1)).unwrap_err();
    assert!(long.problem.contains("at most 1024 characters"), "{long}");
    assert!(long.to_string().len() < 400, "the message does not repeat it all");
    let deep = Path::parse(&"a.".repeat(PATH_STEPS + 1)).unwrap_err();
    assert!(deep.problem.contains("more than 64 steps"), "{deep}");
}

#[test]
fn only_keys_and_indexes_name_a_single_place() {
    for (path, single, keys) in [
        ("spec.nodeName", true, Some(vec!["spec", "nodeName"])),
        ("spec.containers[0].image", true, None),
        ("spec.containers[*].image", false, None),
    ] {
        let path = Path::parse(path).unwrap();
        assert_eq!((path.is_single(), path.keys()), (single, keys), "{path}");
    }
}
