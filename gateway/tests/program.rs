//! The gateway as a process: what it prints, refuses and does when it is told to end.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

fn gateway(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_kubeplex-gateway"))
        .args(arguments)
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
    assert!(ready["mcp"].as_str().is_some_and(|url| url.ends_with("/mcp")), "{line}");
    assert_ne!(ready["listen"], ready["admin"]);
    let told = Command::new("kill").arg(gateway.id().to_string()).status().unwrap();
    assert!(told.success());
    assert!(gateway.wait().unwrap().success());
}

#[test]
fn it_refuses_to_start_on_a_network_and_names_every_mistake() {
    let path = file("mistakes.toml", "[gateway]\nlisten = \"0.0.0.0:7575\"\n[limits]\nsessions = 0\n");
    let mut gateway = gateway(&["--config", path.to_str().unwrap()]);
    let mut said = String::new();
    gateway.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(!gateway.wait().unwrap().success());
    assert!(said.contains("0.0.0.0:7575 can be reached from a network"), "{said}");
    assert!(said.contains("limits.sessions"), "{said}");
}
