//! A shell that completes a line, with the script that it is told to read: bash itself, and what the running gateway knows.

use std::path::Path;
use std::process::Output;

use kubeplex_tests::program::{self, Folder, Program};
use serde_json::Value;
use tokio::process::Command;

const ANY: &str = "127.0.0.1:0";

/// Reads the script, has its function complete the words that follow, and prints what it offers.
const COMPLETE: &str = r#"
source <(kubeplex completions bash)
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=9
_clap_complete_kubeplex kubeplex "${!#}" ""
printf '%s\n' "${COMPREPLY[@]}"
"#;

async fn completed(endpoint: &str, line: &str) -> Vec<String> {
    let programs = program::path("kubeplex").parent().map(Path::to_owned).expect("a folder");
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let words = line.split(' ');
    let run = Command::new("bash")
        .args(["-c", COMPLETE, "bash"])
        .args(words)
        .env("PATH", path)
        .env("KUBEPLEX_ENDPOINT", endpoint)
        .output();
    let Output { stdout, stderr, .. } = run.await.expect("bash runs");
    assert!(stderr.is_empty(), "{line}: it wrote into the line: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8_lossy(&stdout).lines().filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bash_completes_what_the_clusters_have() {
    let folder = Folder::new();
    let arguments =
        ["demo", "--clusters", "2", "--pods", "30", "--still", "--listen", ANY, "--admin", ANY, "--json"];
    let mut demo = Program::start("kubeplex", &arguments, &[], &folder);
    let ready: Value = serde_json::from_str(&demo.line().await).expect("a line of JSON");
    let endpoint = ready["endpoint"].as_str().expect("an endpoint");
    for (line, offered) in [
        ("kubeplex get dep", vec!["deployments"]),
        ("kubeplex pods --cluster ", vec!["prod-eu", "prod-us"]),
        ("kubeplex pods --cluster prod-eu,", vec!["prod-eu,prod-us"]),
        ("kubeplex get deploy -n sh", vec!["shop"]),
        ("kubeplex describe deploy -n shop cat", vec!["catalog"]),
        ("kubeplex describe -n shop deploy/check", vec!["deploy/checkout"]),
        ("kubeplex get deploy -n shop catalog cat", vec![]),
        ("kubeplex logs -n shop deployment/check", vec!["deployment/checkout"]),
        ("kubeplex problems --severity c", vec!["critical"]),
        ("kubeplex call pods_l", vec!["pods_list", "pods_log"]),
    ] {
        assert_eq!(completed(endpoint, line).await, offered, "{line}");
    }
    assert!(demo.terminate().await.success(), "{}", demo.log());
    // Without a gateway there is what the command line itself knows.
    assert!(completed(endpoint, "kubeplex pods --cluster ").await.is_empty());
    assert_eq!(completed(endpoint, "kubeplex prob").await, ["problems"]);
}
