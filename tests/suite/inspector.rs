//! The MCP Inspector as a client of `kubeplex local` over real API servers, as somebody has it who tries it for the first time:
//! it lists the tools, and asks each of them once.

use std::path::{Path, PathBuf};
use std::process::Output;

use kubeplex_tests::program::{Folder, Program};
use kubeplex_tests::server::text;
use kubeplex_tests::{real, wait};
use serde_json::Value;
use tokio::process::Command;

/// The folder with the Inspector's package; `cargo xtask test` sets it.
const FOLDER: &str = "KUBEPLEX_TEST_INSPECTOR";

const ANY: &str = "127.0.0.1:0";

/// A tool, its arguments as the Inspector takes them, and what its answer must show.
const ASKED: [(&str, &[&str], &str); 15] = [
    ("clusters_list", &[], "eu-1"),
    ("cluster_health", &["cluster=eu-1,us-1"], "us-1"),
    ("fleet_search", &["query=web kind:deployments"], "web"),
    ("fleet_diff", &["kind=deployments", "name=web", "namespace=shop"], "ap-1"),
    ("problems_list", &["namespace=broken"], "CrashLoop"),
    ("changes_list", &["since=24h", "kind=deployments", "namespace=shop"], "Deployment/web"),
    ("api_resources_list", &["kind=canaries"], "stable.kubeplex.dev"),
    ("resource_explain", &["cluster=eu-1", "kind=deployments", "path=spec.strategy"], "rollingUpdate"),
    ("resources_list", &["kind=deployments", "namespace=shop"], "web"),
    ("resources_get", &["name=deployment/web", "namespace=shop", "fields=spec.replicas"], "replicas"),
    ("resources_describe", &["name=deployment/web", "namespace=shop", "cluster=eu-1"], "configmap/web"),
    ("pods_list", &["namespace=shop", "limit=3"], "Running"),
    ("pods_log", &["name=deployment/web", "namespace=shop", "cluster=eu-1", "tail=3"], "web-"),
    ("events_list", &["namespace=broken", "limit=5"], "broken"),
    ("top", &["kind=nodes"], "eu-1"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_inspector_asks_every_tool() {
    let inspector = std::env::var_os(FOLDER).map(PathBuf::from);
    let (Some(inspector), Some(planes)) = (inspector, real::control_planes()) else {
        return real::skipped("the_inspector_asks_every_tool");
    };
    let kubeconfig = planes.kubeconfig.to_str().expect("a path in UTF-8").to_owned();
    let arguments = [
        "local",
        "--kubeconfig",
        &kubeconfig,
        "--context",
        "eu-1,us-1,ap-1",
        "--listen",
        ANY,
        "--admin",
        ANY,
        "--json",
    ];
    let folder = Folder::new();
    let mut local = Program::start("kubeplex", &arguments, &[], &folder);
    let ready: Value = serde_json::from_str(&local.line().await).expect("a line of JSON");
    every_tool(&text(&ready["endpoint"]), &inspector).await;
    assert!(local.terminate().await.success(), "{}", local.log());
}

async fn every_tool(endpoint: &str, folder: &Path) {
    let listed = inspect(endpoint, folder, &["--method", "tools/list", "--strict"]).await;
    assert!(listed["tools"].as_array().is_some_and(|tools| tools.len() > 10), "{listed}");
    for tool in kubeplex_gateway::tools::catalogue().tools() {
        let Some((_, arguments, shows)) = ASKED.iter().find(|(name, ..)| *name == tool.name) else {
            panic!("say here what the Inspector is to ask {}", tool.name)
        };
        let mut command = vec!["--method", "tools/call", "--tool-name", tool.name];
        for argument in *arguments {
            command.extend(["--tool-arg", argument]);
        }
        let answer = inspect(endpoint, folder, &command).await;
        assert_ne!(answer["isError"], true, "{command:?}: {answer}");
        for said in [&answer["structuredContent"], &answer["content"][0]["text"]] {
            assert!(said.to_string().contains(shows), "{command:?} should show {shows}: {said}");
        }
    }
}

/// What it prints.
async fn inspect(endpoint: &str, folder: &Path, arguments: &[&str]) -> Value {
    let child = Command::new("npm")
        .args(["exec", "--offline", "--", "mcp-inspector", "--cli", endpoint, "--transport", "http"])
        .args(arguments)
        .current_dir(folder)
        .kill_on_drop(true)
        .output();
    let ended = tokio::time::timeout(wait::PATIENCE, child).await;
    let Output { status, stdout, stderr } =
        ended.unwrap_or_else(|_| panic!("the Inspector does not end: {arguments:?}")).expect("npm runs");
    let (printed, said) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "the Inspector fails at {arguments:?}: {printed} {said}");
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error} in what it prints: {printed}"))
}
