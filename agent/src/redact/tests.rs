use proptest::prelude::*;
use serde_json::json;

use super::*;

const CANARY: &str = "c4n4ry-7Zq";

fn redacted(resource: &str, mut value: Value) -> Value {
    object(&GroupResource::new("", resource), &mut value);
    value
}

fn check_gone(resource: &str, value: Value) {
    let shown = redacted(resource, value.clone());
    assert!(!shown.to_string().contains(CANARY), "{value}\nbecame\n{shown}");
}

#[test]
fn no_path_of_a_pod_leaves_a_canary() {
    let jwt = format!("eyJhbGciOiJSUzI1NiJ9.{CANARY}AAAAAAAA.c2ln");
    for container in [
        json!({"env": [{"name": "DB_PASSWORD", "value": CANARY}]}),
        json!({"env": [{"name": "DATABASE_URL", "value": format!("postgres://shop:{CANARY}@db/shop")}]}),
        json!({"env": [{"name": "CONFIG", "value": format!(r#"{{"apiKey": "{CANARY}"}}"#)}]}),
        json!({"env": [{"name": "SESSION", "value": jwt}]}),
        json!({"args": [format!("--admin-password={CANARY}")]}),
        json!({"args": ["--token", CANARY, "--listen", ":80"]}),
        json!({"command": ["sh", "-c", format!("DB_PASSWORD={CANARY} ./migrate")]}),
        json!({"command": ["sh", "-c", format!("mysql --password {CANARY}")]}),
        json!({"command": ["env", format!("CLIENT_SECRET={CANARY}"), "run"]}),
        json!({"command": ["mysqldump"], "args": ["-u", "root", format!("-p{CANARY}")]}),
        json!({"args": ["/usr/bin/redis-cli", "-a", CANARY, "ping"]}),
        json!({"command": ["sh", "-c", format!("mysql -h db -p{CANARY} shop && echo done")]}),
        json!({"command": ["sh", "-c", format!("curl -s -u admin:{CANARY} http://x/")]}),
        json!({"args": ["redis-server", "--requirepass", CANARY]}),
        json!({"livenessProbe": {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": CANARY}]}}}),
        json!({"lifecycle": {"preStop": {"exec": {"command": ["curl", "-H", format!("Authorization: Bearer {CANARY}abcdef")]}}}}),
    ] {
        for list in ["containers", "initContainers", "ephemeralContainers"] {
            check_gone("pods", json!({"spec": {list: [container.clone()]}}));
            check_gone("deployments", json!({"spec": {"template": {"spec": {list: [container.clone()]}}}}));
            check_gone("widgets", json!({"spec": {"deep": [{"er": {list: [container.clone()]}}]}}));
        }
    }
}

#[test]
fn no_other_kind_leaves_a_canary() {
    check_gone("secrets", json!({"data": {"a": CANARY}, "stringData": {"b": CANARY}, "type": "Opaque"}));
    check_gone("secrets", json!({"data": [CANARY], "stringData": CANARY}));
    check_gone("widgets", json!({"spec": {"adminPassword": CANARY, "auth": {"clientSecret": CANARY}}}));
    check_gone("widgets", json!({"spec": {"passwords": [CANARY, CANARY]}}));
    check_gone("widgets", json!({"spec": {"password": {"value": CANARY}, "token": {"plainText": CANARY}}}));
    let secret =
        json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": CANARY}, "stringData": {"b": CANARY}});
    check_gone("manifestworks", json!({"spec": {"workload": {"manifests": [secret]}}}));
    let encoded = BASE64_STANDARD.encode(format!("a=b\ndb.password = {CANARY}\n"));
    let shown = redacted("configmaps", json!({"binaryData": {"app.conf": encoded, "logo": "AAEC/w=="}}));
    assert_eq!(shown, json!({"binaryData": {"app.conf": MASK, "logo": "AAEC/w=="}}));
    check_gone("pods", json!({"metadata": {"annotations": {LAST_APPLIED: CANARY}}}));
    check_gone("pods", json!({"metadata": {"annotations": {"note": format!("password={CANARY}")}}}));
    check_gone("events", json!({"message": format!("pull failed: https://user:{CANARY}@registry/v2")}));
    check_gone(
        "configmaps",
        json!({"data": {"app.conf": format!("a=b\ndb.password = {CANARY}\n"), "token": CANARY}}),
    );
    let key = format!("-----BEGIN EC PRIVATE KEY-----\n{CANARY}\n-----END EC PRIVATE KEY-----");
    check_gone("widgets", json!({"spec": {"pem": key}}));
}

#[test]
fn what_is_no_credential_stays_as_it_is() {
    let pod = json!({
        "metadata": {"name": "worker.17a3f2b1c4d5e6f7", "namespace": "token", "labels": {"app": "cart"},
            "ownerReferences": [{"name": "password", "uid": "u"}]},
        "spec": {
            "automountServiceAccountToken": false,
            "imagePullSecrets": [{"name": "registry"}],
            "volumes": [
                {"name": "certs", "secret": {"secretName": "cart-tls", "defaultMode": 420}},
                {"projected": {"sources": [{"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}]}},
            ],
            "containers": [{
                "args": ["--listen=:80", "--token-file", "/run/token", "--password=$(DB_PASSWORD)"],
                "env": [
                    {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
                    {"name": "PASSWORD_FILE", "value": "/run/secrets/db"},
                    {"name": "LOG_LEVEL", "value": "debug"},
                ],
                "command": ["server", "-p", "8080", "-a", "0.0.0.0"],
            }],
        },
    });
    assert_eq!(redacted("pods", pod.clone()), pod);
}

#[test]
fn keys_of_a_secret_stay() {
    let secret = redacted("secrets", json!({"data": {"tls.key": "x", "tls.crt": "y"}}));
    assert_eq!(secret, json!({"data": {"tls.key": MASK, "tls.crt": MASK}}));
}

fn surroundings() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        "[ -~]{0,20}".prop_map(Value::from),
        Just(Value::Null)
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-zA-Z]{1,8}", inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    /// A credential under a telling name is found wherever in an object it stands, and masking twice changes nothing.
    #[test]
    fn a_named_canary_is_found_at_any_depth(
        mut tree in surroundings(),
        path in prop::collection::vec("[a-z]{1,6}", 0..6),
        name in prop::sample::select(vec!["password", "clientSecret", "api_key", "API-TOKEN", "my.credentials"]),
    ) {
        let mut canary = json!({name: CANARY, "env": [{"name": name, "value": CANARY}], "args": [format!("--{name}={CANARY}")]});
        for step in path {
            canary = json!({step: [canary]});
        }
        tree = json!({"beside": tree, "spec": canary});
        let once = redacted("widgets", tree);
        prop_assert!(!once.to_string().contains(CANARY), "{once}");
        prop_assert_eq!(redacted("widgets", once.clone()), once);
    }
}
