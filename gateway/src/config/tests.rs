use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::visibility::Reach;

use super::*;

fn mistakes(toml: &str) -> Vec<String> {
    match GatewayConfig::from_toml(toml) {
        Err(ConfigError::Wrong(mistakes)) => mistakes.iter().map(ToString::to_string).collect(),
        other => panic!("mistakes expected, not {other:?}"),
    }
}

const HASH: &str = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

#[test]
fn an_empty_file_is_a_gateway_on_loopback() {
    let config = GatewayConfig::from_toml("").unwrap();
    assert_eq!((config.listen(), config.admin()), (DEFAULT_LISTEN, DEFAULT_ADMIN));
    assert_eq!(config.limits(), &Limits::default());
    assert_eq!(config.fixtures(), Fixtures::Hidden);
}

#[test]
fn a_full_file_is_understood() {
    let config = GatewayConfig::from_toml(&format!(
        r#"
        [gateway]
        listen = "127.0.0.1:0"
        [mcp]
        allowed_hosts = ["kubeplex.example.com", "kubeplex.example.com:8443"]
        allowed_origins = ["https://console.example.com"]
        [limits]
        sessions = 7
        session_idle_ms = 600000
        [[cluster]]
        name = "prod-eu"
        labels = {{ env = "prod", "topology.kubernetes.io/Region" = "eu" }}
        token_sha256 = "{HASH}"
        [[cluster]]
        name = "Dev"
        "#
    ))
    .unwrap();
    assert_eq!(config.listen().port(), 0);
    assert_eq!(config.limits().sessions, 7);
    assert_eq!(config.limits().session_idle.as_secs(), 600);
    let [prod, dev] = config.clusters() else { panic!("two clusters expected: {:?}", config.clusters()) };
    assert_eq!(prod.labels["topology.kubernetes.io/Region"], "eu");
    assert_eq!(prod.token.map(|token| token.0[0]), Some(0x2c));
    assert_eq!((dev.id.as_str(), dev.token), ("Dev", None));
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let found = mistakes(&format!(
        r#"
        [gateway]
        listen = "0.0.0.0:7575"
        admin = "localhost"
        cursor_key_file = "/does/not/exist"
        [mcp]
        allowed_hosts = ["a b"]
        allowed_origins = ["console.example.com"]
        [limits]
        sessions = 0
        legs_per_cluster = 64
        session_idle_ms = 120000
        [link]
        heartbeat_ms = 8000
        lost_after_ms = 8000
        [[cluster]]
        name = "a,b"
        [[cluster]]
        name = "twice"
        token_sha256 = "{HASH}"
        [[cluster]]
        name = "twice"
        token_sha256 = "{HASH}"
        [[cluster]]
        name = "c"
        token_sha256 = "secret"
        "#
    ));
    let wanted = [
        "gateway.listen: 0.0.0.0:7575 can be reached from a network",
        "caller: there is none, so whoever reaches",
        "gateway.admin: \"localhost\" is not an address",
        "gateway.cursor_key_file: \"/does/not/exist\" can't be read",
        "mcp.allowed_hosts[0]: \"a b\" is not a host name",
        "mcp.allowed_origins[0]: \"console.example.com\" is not an origin",
        "limits.sessions: 0 would refuse everything",
        "limits.session_idle_ms: 120000 is too short",
        "limits.legs_per_cluster: 64 is too many",
        "link.heartbeat_ms: 8000 is too slow",
        "link.suspect_after_ms: 8000 is not below",
        "cluster[0].name: \"a,b\" can't name a cluster",
        "cluster[2].token_sha256: the cluster \"twice\" has the same token",
        "cluster[2].name: \"twice\" is there twice",
        "cluster[3].token_sha256: 6 characters are no SHA-256; 64 hexadecimal digits",
    ];
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!(found.starts_with(wanted), "{found} instead of {wanted}");
    }
}

#[test]
fn a_heartbeat_that_no_agent_keeps_is_refused() {
    for (beat, suspect) in [(0, 8_000), (99, 8_000), (60_001, 300_000)] {
        let text =
            format!("[link]\nheartbeat_ms = {beat}\nsuspect_after_ms = {suspect}\nlost_after_ms = 400000");
        let found = mistakes(&text);
        assert_eq!(found, [format!("link.heartbeat_ms: {beat} is no heartbeat; write 100 to 60000")]);
    }
}

#[test]
fn a_file_is_named_with_what_is_wrong_in_it() {
    let path = std::env::temp_dir().join(format!("kubeplex-config-{}.toml", std::process::id()));
    std::fs::write(&path, "[limits]\nsesions = 3").unwrap();
    let error = GatewayConfig::load(&path).unwrap_err();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(error.to_string(), format!("the configuration {} can't be used", path.display()));
    let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(cause.starts_with("line 2, limits.sesions: "), "{cause}");
    let error = GatewayConfig::load(&path).unwrap_err();
    assert_eq!(error.to_string(), format!("the configuration {} can't be read", path.display()));
}

#[test]
fn a_gateway_built_in_code_refuses_networks_too() {
    let everywhere = "[::]:7575".parse().unwrap();
    assert!(GatewayConfig::default().with_listen(everywhere).is_err());
    assert!(GatewayConfig::default().with_admin(everywhere).is_err());
    assert!(GatewayConfig::default().with_listen("[::1]:0".parse().unwrap()).is_ok());
    // What the file allows, a flag may ask for.
    let named = format!("[gateway]\nbehind_tls_proxy = true\nadmin_on_network = true\n{}", caller("anna"));
    let named = GatewayConfig::from_toml(&named).unwrap();
    assert!(named.with_listen(everywhere).and_then(|config| config.with_admin(everywhere)).is_ok());
}

/// A section that is well-formed.
fn caller(user: &str) -> String {
    let hash = TokenHash::of(user);
    format!("[[caller]]\nuser = \"{user}\"\ntoken_sha256 = \"{hash}\"\n")
}

#[test]
fn off_loopback_everybody_has_a_name_and_nobody_reads_along() {
    let named = caller("anna");
    for (gateway, callers, wanted) in [
        (
            "listen = \"0.0.0.0:7575\"",
            "",
            &["gateway.listen: 0.0.0.0:7575 can be", "caller: there is none"][..],
        ),
        ("listen = \"0.0.0.0:7575\"", &named, &["gateway.listen: 0.0.0.0:7575 can be"]),
        (
            "listen = \"0.0.0.0:7575\"\nbehind_tls_proxy = true",
            "",
            &["caller: there is none, so whoever reaches"],
        ),
        ("behind_tls_proxy = true", "", &["caller: there is none, so whoever a proxy lets in"]),
        ("listen = \"0.0.0.0:7575\"\nbehind_tls_proxy = true", &named, &[]),
        ("behind_tls_proxy = true", &named, &[]),
        (
            "listen = \"0.0.0.0:7575\"\n[gateway.tls]\ncert_file = \"a\"",
            &named,
            &["gateway.tls.key_file: it is missing", "gateway.listen: 0.0.0.0:7575 can be"],
        ),
        (
            "behind_tls_proxy = true\n[gateway.tls]\nkey_file = \"a\"\ncert_file = \"/does/not/exist\"\ncheck_every_ms = 0",
            &named,
            &[
                "gateway.tls.check_every_ms: 0",
                "gateway.tls.cert_file: \"/does/not/exist\" can't be read",
                "gateway.behind_tls_proxy: with [gateway.tls]",
            ],
        ),
        ("", &named, &[]),
        ("admin = \"0.0.0.0:7576\"", "", &["gateway.admin: 0.0.0.0:7576 can be"]),
        ("admin = \"0.0.0.0:7576\"\nadmin_on_network = true", "", &[]),
    ] {
        let text = format!("[gateway]\n{gateway}\n{callers}");
        let found = match GatewayConfig::from_toml(&text) {
            Ok(_) => Vec::new(),
            Err(ConfigError::Wrong(mistakes)) => mistakes.iter().map(ToString::to_string).collect(),
            Err(other) => panic!("{text}: {other}"),
        };
        assert_eq!(found.len(), wanted.len(), "{text}: {found:#?}");
        assert!(
            found.iter().zip(wanted).all(|(found, wanted)| found.starts_with(wanted)),
            "{text}: {found:#?}"
        );
    }
}

#[test]
fn all_that_is_wrong_with_callers_is_reported_at_once() {
    let found = mistakes(&format!(
        r#"
        [[cluster]]
        name = "prod-eu"
        token_sha256 = "{HASH}"
        [[caller]]
        user = "system:admin"
        groups = ["ops", "system:masters", ""]
        token_sha256 = "a token in clear text"
        clusters = ["prod-*", "prod-ue", "a b"]
        namespaces = ["shop,cart"]
        kinds = ["Pods", "*.apps"]
        cluster_scoped = [""]
        [[caller]]
        user = "local"
        [[caller]]
        user = " anna"
        groups = ["shop\tops"]
        token_sha256 = "{HASH}"
        "#
    ));
    let wanted = [
        "caller[0].user: \"system:admin\" is Kubernetes' own",
        "caller[0].groups[1]: \"system:masters\" is Kubernetes' own",
        "caller[0].groups[2]: a name is missing",
        "caller[0].token_sha256: 21 characters are no SHA-256",
        "caller[0].clusters[2]: \"a b\" can match nothing",
        "caller[0].namespaces[0]: \"shop,cart\" can match nothing",
        "caller[0].kinds[0]: \"Pods\" can match nothing",
        "caller[0].cluster_scoped[0]: \"\" can match nothing",
        "caller[0].clusters[1]: there is no cluster \"prod-ue\"; did you mean prod-eu?",
        "caller[1].user: \"local\" is whoever sits at",
        "caller[1].token_sha256: the SHA-256 of a token is missing; `kubeplex token create`",
        "caller[2].user: \" anna\" is no name",
        "caller[2].groups[0]: \"shop\\tops\" is no name",
        "caller[2].token_sha256: the agent of the cluster \"prod-eu\" has the same token",
    ];
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!(found.starts_with(wanted), "{found} instead of {wanted}");
    }
    assert!(!found.iter().any(|found| found.contains("clear text")), "{found:#?}");
}

#[test]
fn a_caller_sees_what_their_section_names() {
    let (pods, nodes) = (GroupResource::new("", "pods"), GroupResource::new("", "nodes"));
    for (lists, pods_in, pods_out, nodes_seen) in [
        ("", false, false, false),
        ("namespaces = [\"shop\"]", false, false, false),
        ("kinds = [\"*\"]", false, false, false),
        ("namespaces = [\"shop\"]\nkinds = [\"pods\"]", true, false, false),
        ("namespaces = [\"sh*\"]\nkinds = [\"*\"]", true, false, false),
        ("namespaces = [\"*\"]\nkinds = [\"*\"]", true, true, true),
        ("namespaces = [\"*\"]\nkinds = [\"deployments.apps\"]", false, false, false),
        ("cluster_scoped = [\"*\"]", false, false, true),
        ("namespaces = [\"shop\"]\nkinds = [\"*\"]\ncluster_scoped = [\"nodes\"]", true, false, true),
    ] {
        let config = GatewayConfig::from_toml(&format!("{}{lists}", caller("anna"))).unwrap();
        let seen = &config.callers()[0].visibility;
        let found = (
            seen.for_kind(&pods).shows(Some("shop"), "p"),
            seen.for_kind(&pods).shows(Some("payments"), "p"),
            seen.for_kind(&nodes).shows(None, "n1"),
        );
        assert_eq!(found, (pods_in, pods_out, nodes_seen), "{lists}");
        assert_eq!(config.callers()[0].clusters, Reach::Only(Vec::new()), "none was named");
    }
}

#[test]
fn a_section_is_read_as_it_was_written() {
    let section = CallerSection {
        user: "anna \"the\" o'neill\\".to_owned(),
        groups: vec!["ops".to_owned(), "ä".to_owned()],
        token_sha256: HASH.to_owned(),
        clusters: vec!["*".to_owned()],
        namespaces: vec!["shop".to_owned()],
        kinds: vec!["*.apps".to_owned()],
        cluster_scoped: Vec::new(),
    };
    let config = GatewayConfig::from_toml(&section.to_toml()).unwrap();
    assert_eq!(config.callers(), [section.check().unwrap()]);
}

#[test]
fn what_opens_doors_is_not_printed() {
    let config = GatewayConfig::default().with_cluster(ExpectedCluster {
        id: ClusterId::new("a").unwrap(),
        labels: BTreeMap::new(),
        token: Some(TokenHash([7; 32])),
    });
    assert!(!format!("{config:?}").contains("7, 7"), "{config:?}");
}
