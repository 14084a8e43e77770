//! The gateway as a process: what it prints, refuses and does when it is told to end.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

fn gateway(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_kubeplex-gateway"))
        .args(arguments)
        .env_remove("KUBEPLEX_LOG")
        .env_remove("KUBEPLEX_LOG_FORMAT")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn it_says_where_it_listens_and_ends_when_told_to() {
    let mut gateway = gateway(&["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--json"]);
    let mut line = String::new();
    BufReader::new(gateway.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    assert!(ready["endpoint"].as_str().is_some_and(|url| url.ends_with("/mcp")), "{line}");
    assert_ne!(ready["listen"], ready["admin"]);
    let told = Command::new("kill").arg(gateway.id().to_string()).status().unwrap();
    assert!(told.success());
    assert!(gateway.wait().unwrap().success());
}

#[test]
fn a_hangup_reloads_what_can_be_and_a_wrong_file_changes_nothing() {
    let listeners = "[gateway]\nlisten = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n";
    let path = file("reloaded.toml", listeners);
    let mut gateway = gateway(&["--config", path.to_str().unwrap()]);
    let mut log = BufReader::new(gateway.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut told =
        |what: &str| log.find(|line| line.contains(what)).unwrap_or_else(|| panic!("never: {what}"));
    told("listening");
    let id = gateway.id().to_string();
    let hang_up = |text: &str| {
        std::fs::write(&path, format!("{listeners}{text}")).unwrap();
        assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    };
    hang_up("[limits]\nsessions = 0\ndrain_ms = 0\n");
    let refused = told("is not reloaded");
    assert!(refused.contains("limits.sessions") && refused.contains("limits.drain_ms"), "{refused}");
    hang_up("[limits]\nsessions = 9\n[[cluster]]\nname = \"prod-eu\"\n");
    told("clusters added: prod-eu");
    told("limits.sessions");
    gateway.kill().unwrap();
    gateway.wait().unwrap();
}

#[test]
fn it_refuses_to_start_on_a_network_and_names_every_mistake() {
    let path = file("mistakes.toml", "[gateway]\nlisten = \"0.0.0.0:7575\"\n[limits]\nsessions = 0\n");
    let mut gateway = gateway(&["--config", path.to_str().unwrap()]);
    let mut said = String::new();
    gateway.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(!gateway.wait().unwrap().success());
    let wanted = format!(
        "kubeplex-gateway: the configuration {} can't be used\n  gateway.listen: 0.0.0.0:7575 can be reached from a network",
        path.display()
    );
    assert!(said.starts_with(&wanted), "{said}");
    assert!(said.contains("\n  limits.sessions: 0 would refuse everything; write at least 1\n"), "{said}");
    assert!(!said.contains("backtrace"), "{said}");
}

#[test]
fn a_taken_port_is_named_with_the_way_out() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let mut gateway = gateway(&["--listen", "127.0.0.1:0", "--admin", &address]);
    let mut said = String::new();
    gateway.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(gateway.wait().unwrap().code(), Some(1));
    assert!(
        said.starts_with(&format!("kubeplex-gateway: {address} is taken")) && said.contains("--admin"),
        "{said}"
    );
}

#[test]
fn a_wrong_filter_is_refused_and_json_is_logged_on_request() {
    let mut wrong = gateway(&["--log", "a=b=c"]);
    assert_eq!(wrong.wait().unwrap().code(), Some(2));
    let mut gateway =
        gateway(&["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--json", "--log-format", "json"]);
    let mut line = String::new();
    BufReader::new(gateway.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let logged: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&logged["level"], &logged["message"]), (&"INFO".into(), &"listening".into()), "{line}");
    gateway.kill().unwrap();
    gateway.wait().unwrap();
}
