use clap::Parser as _;
use kubeplex_agent::config::{AgentConfig, RawConfig};
use kubeplex_gateway::GatewayConfig;
use serde_json::{Value, json};

use super::*;
use crate::arguments::{Arguments, Command};

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/agent.yaml");

/// Set it to write the file instead of comparing it.
const UPDATE: &str = "KUBEPLEX_UPDATE_DOCS";

const AUTHORITY: &str = "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n";

/// Ways to ask for a manifest, beside the cluster and the gateway.
const WAYS: [&[&str]; 6] = [
    &[],
    &[
        "--namespace",
        "monitoring",
        "--image",
        "registry.example.com/agent@sha256:00",
        "--label",
        "env=prod,a.b/c=d e",
    ],
    &["--rolling", "--secrets", "metadata", "--crd-group", "stable.example.com,cert-manager.io"],
    &["--watch-namespace", "shop,payments", "--crd-group", "stable.example.com", "--ca-file", "ca.pem"],
    &["--impersonate-user", "*", "--impersonate-group", "oidc:developers,on"],
    &["--watch-namespace", "shop", "--secrets", "metadata", "--impersonate-user", "alice@example.com,true"],
];

fn options(cluster: &str, gateway: &str, more: &[&str]) -> Manifest {
    let fixed = ["kubeplex", "agent", "manifest", "--cluster", cluster, "--gateway", gateway];
    let arguments =
        Arguments::try_parse_from(fixed.iter().chain(more)).unwrap_or_else(|error| panic!("{error}"));
    let Command::Agent(Agent { command: AgentCommand::Manifest(options) }) = arguments.command else {
        panic!("these are the arguments of kubeplex agent manifest")
    };
    *options
}

fn material(options: &Manifest, token: &str) -> Material {
    let authority = options.ca_file.is_some().then(|| AUTHORITY.to_owned());
    Material { token: token.to_owned(), settings: settings::agent(options), authority }
}

fn objects(manifest: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(manifest).unwrap_or_else(|error| panic!("{error}\n{manifest}"))
}

/// For a cluster with an unlikely name: nothing of a name may be taken for YAML.
fn of(more: &[&str]) -> (Manifest, Vec<Value>) {
    let options = options("prod:\\#eu", "wss://gateway.example.com", more);
    let objects = objects(&render(&options, &material(&options, "secret: #1")));
    (options, objects)
}

fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found = objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

fn rules(objects: &[Value]) -> impl Iterator<Item = &Value> {
    objects.iter().filter_map(|object| object["rules"].as_array()).flatten()
}

#[test]
fn the_shipped_manifest_is_that_of_placeholders() {
    let options = options("CLUSTER", "wss://GATEWAY", &[]);
    let rendered = render(&options, &material(&options, "TOKEN"));
    let head = "# What `kubeplex agent manifest` prints, with CLUSTER, GATEWAY and TOKEN where it has yours. `openssl rand -hex 32` makes a\n\
                # token, and `printf %s TOKEN | sha256sum` what the gateway knows of it. docs/deploying.md says more; a test keeps this\n\
                # file equal to the program.\n";
    let rendered = head.to_owned() + &rendered;
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(SHIPPED, &rendered).unwrap();
    }
    let written = std::fs::read_to_string(SHIPPED).unwrap_or_default();
    assert!(
        written == rendered,
        "deploy/agent.yaml is not what the program prints: run this test with {UPDATE}=1"
    );
}

/// It is written by hand, for one version of the programs.
#[test]
fn the_manifest_of_the_gateway_is_of_this_version() {
    let objects = objects(include_str!("../../../deploy/gateway.yaml"));
    let pod = &find(&objects, "Deployment", "kubeplex-gateway")["spec"]["template"]["spec"];
    assert_eq!(pod["containers"][0]["image"], options::IMAGE.replace("agent", "gateway"));
    assert_eq!(pod["automountServiceAccountToken"], false);
}

#[test]
fn every_way_is_a_whole_manifest() {
    for way in WAYS {
        let (options, objects) = of(way);
        let namespace = options.namespace.as_str();
        for (kind, name) in [
            ("Namespace", namespace),
            ("ServiceAccount", "kubeplex-agent"),
            ("Secret", "kubeplex-agent"),
            ("ConfigMap", "kubeplex-agent"),
            ("Deployment", "kubeplex-agent"),
        ] {
            find(&objects, kind, name);
        }
        let strategy = &find(&objects, "Deployment", "kubeplex-agent")["spec"]["strategy"];
        assert_eq!(
            (&strategy["type"] == "Recreate", strategy["rollingUpdate"].is_null()),
            (!options.rolling, !options.rolling)
        );
        assert_eq!(find(&objects, "Secret", "kubeplex-agent")["stringData"]["token"], "secret: #1");
        for binding in objects.iter().filter(|object| !object["roleRef"].is_null()) {
            let role = &binding["roleRef"];
            find(&objects, role["kind"].as_str().unwrap(), role["name"].as_str().unwrap());
            let account =
                json!([{"kind": "ServiceAccount", "name": "kubeplex-agent", "namespace": namespace}]);
            assert_eq!(binding["subjects"], account);
        }
    }
}

/// What RBAC can't take away again is never given: everything of the core group, and Secrets unasked.
#[test]
fn secrets_are_granted_only_where_they_are_asked_for() {
    for way in WAYS {
        let (options, objects) = of(way);
        let has = |rule: &Value, key: &str, wanted: &str| {
            rule[key].as_array().is_some_and(|all| all.iter().any(|one| one == wanted))
        };
        let mut granted = false;
        for rule in rules(&objects) {
            assert!(!has(rule, "apiGroups", "*") && !has(rule, "verbs", "*"), "{rule}");
            assert!(!(has(rule, "apiGroups", "") && has(rule, "resources", "*")), "{rule}");
            if has(rule, "resources", "secrets") {
                granted = true;
                assert_eq!(rule["verbs"], json!(["list", "watch"]), "{rule}");
            }
            let writes = ["create", "update", "patch", "delete", "deletecollection"];
            let writes = writes.into_iter().any(|verb| has(rule, "verbs", verb));
            assert!(!writes || has(rule, "resources", "subjectaccessreviews"), "{rule}");
        }
        assert_eq!(granted, options.rights.secrets.is_some(), "{way:?}");
    }
}

#[test]
fn rights_in_namespaces_are_none_in_the_cluster() {
    let (_, objects) = of(&["--watch-namespace", "shop,payments", "--crd-group", "stable.example.com"]);
    let mut kinds: Vec<_> = objects.iter().map(|object| object["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    let wanted = [
        "ConfigMap",
        "Deployment",
        "Namespace",
        "Role",
        "Role",
        "RoleBinding",
        "RoleBinding",
        "Secret",
        "ServiceAccount",
    ];
    assert_eq!(kinds, wanted);
    let role = find(&objects, "Role", "kubeplex-agent");
    let custom = json!({"apiGroups": ["stable.example.com"], "resources": ["*"], "verbs": ["list", "watch"]});
    assert!(
        role["metadata"]["namespace"] == "shop" && role["rules"].as_array().unwrap().contains(&custom),
        "{role}"
    );
}

#[test]
fn impersonation_is_limited_to_those_who_are_named() {
    let rule = |what: &str, names: Value| {
        let mut rule = json!({"apiGroups": [""], "resources": [what], "verbs": ["impersonate"]});
        if !names.is_null() {
            rule["resourceNames"] = names;
        }
        rule
    };
    for (way, wanted) in [
        (WAYS[4], vec![rule("users", Value::Null), rule("groups", json!(["oidc:developers", "on"]))]),
        (WAYS[5], vec![rule("users", json!(["alice@example.com", "true"]))]),
    ] {
        let (_, objects) = of(way);
        let role = find(&objects, "ClusterRole", "kubeplex-agent-impersonation");
        assert_eq!(role["rules"].as_array().unwrap()[1..], wanted);
    }
    let alone = [
        "kubeplex",
        "agent",
        "manifest",
        "--cluster",
        "a",
        "--gateway",
        "wss://g",
        "--impersonate-group",
        "dev",
    ];
    let error = Arguments::try_parse_from(alone).unwrap_err().to_string();
    assert!(error.contains("--impersonate-user"), "{error}");
}

/// Two gateways may each have an agent in one cluster.
#[test]
fn another_namespace_is_another_set_of_names() {
    let (usual, other) = (of(&[]).1, of(&["--namespace", "monitoring"]).1);
    let cluster_wide = |objects: &[Value]| -> Vec<Value> {
        let of_cluster = objects.iter().filter(|object| object["metadata"]["namespace"].is_null());
        of_cluster.map(|object| object["metadata"]["name"].clone()).collect()
    };
    let (usual, other) = (cluster_wide(&usual), cluster_wide(&other));
    assert!(
        usual.len() == 5 && other.len() == 5 && usual.iter().all(|name| !other.contains(name)),
        "{usual:?} {other:?}"
    );
}

#[test]
fn both_configurations_are_valid() {
    for way in WAYS {
        let (options, objects) = of(way);
        let data = &find(&objects, "ConfigMap", "kubeplex-agent")["data"];
        let mut raw: RawConfig = toml_of(data["agent.toml"].as_str().unwrap());
        // The pod has these files, and nobody else.
        assert!(raw.gateway.token_file.take().is_some());
        raw.gateway.token = Some("secret".to_owned());
        let authority = raw.gateway.ca_file.take().map(|path| path.file_name().unwrap().to_owned());
        let shown = authority.map(|file| data[file.to_str().unwrap()].clone());
        assert_eq!(shown, options.ca_file.as_ref().map(|_| json!(AUTHORITY)));
        let config = AgentConfig::try_from(raw).unwrap();
        assert_eq!((config.cluster(), config.admin().is_some()), (&options.cluster, true));

        let hash = TokenHash::of("secret: #1");
        let config = GatewayConfig::from_toml(&settings::gateway(&options, hash)).unwrap();
        let [cluster] = config.clusters() else { panic!("one cluster") };
        assert_eq!((&cluster.id, cluster.token), (&options.cluster, Some(hash)));
        let labels = options.labels.iter().map(|label| (label.key.clone(), label.value.clone()));
        assert_eq!(cluster.labels, labels.collect());
    }
}

fn toml_of(text: &str) -> RawConfig {
    kubeplex_program::configuration::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}
