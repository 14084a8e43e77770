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
        "gateway.admin: \"localhost\" is not an address",
        "gateway.cursor_key_file: \"/does/not/exist\" can't be read",
        "mcp.allowed_hosts[0]: \"a b\" is not a host name",
        "mcp.allowed_origins[0]: \"console.example.com\" is not an origin",
        "limits.sessions: 0 would refuse everything",
        "limits.session_idle_ms: a call may take 120 s",
        "limits.legs_per_cluster: 64 must stay below",
        "link.heartbeat_ms: a heartbeat every 8000 ms",
        "link.suspect_after_ms: 8000 must be below",
        "cluster[0].name: \"a,b\" can't name a cluster",
        "cluster[2].token_sha256: another cluster has the same token",
        "cluster[2].name: \"twice\" is there twice",
        "cluster[3].token_sha256: 64 hexadecimal digits",
    ];
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!(found.starts_with(wanted), "{found} instead of {wanted}");
    }
}

#[test]
fn an_unknown_key_is_named() {
    let error = GatewayConfig::from_toml("[limits]\nsesions = 3").unwrap_err();
    let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(cause.contains("sesions"), "{cause}");
}

#[test]
fn a_gateway_built_in_code_refuses_networks_too() {
    let everywhere = "[::]:7575".parse().unwrap();
    assert!(GatewayConfig::default().with_listen(everywhere).is_err());
    assert!(GatewayConfig::default().with_admin(everywhere).is_err());
    assert!(GatewayConfig::default().with_listen("[::1]:0".parse().unwrap()).is_ok());
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
