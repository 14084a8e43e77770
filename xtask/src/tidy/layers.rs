//! Who may know whom.

use super::Finding;
use super::files::SourceFile;

/// A crate, and what it must not depend on outside its own tests. Development dependencies are free, but for those that
/// would make a circle.
const FORBIDDEN_DEPENDENCIES: &[(&str, &[&str])] = &[
    ("proto", &["tokio", "axum", "kube", "rmcp", "kubeplex-link", "kubeplex-agent", "kubeplex-gateway"]),
    ("link", &["axum", "kube", "rmcp", "kubeplex-agent", "kubeplex-gateway"]),
    ("agent", &["rmcp", "kubeplex-gateway", "simcluster"]),
    ("gateway", &["kube", "kubeplex-agent", "simcluster"]),
    ("program", &["kube", "rmcp", "kubeplex-link", "kubeplex-agent", "kubeplex-gateway", "simcluster"]),
    ("simcluster", &["kubeplex-agent", "kubeplex-gateway", "kubeplex-link", "rmcp"]),
    ("test-support", &["kube", "rmcp", "kubeplex-agent", "kubeplex-gateway", "simcluster"]),
];

/// Of use to tests alone, so only a development dependency of what ships.
const TEST_SUPPORT: &str = "kubeplex-test-support";
const SHIPPED: [&str; 7] = ["proto", "link", "agent", "gateway", "simcluster", "program", "cli"];

/// A part of the gateway, and the crates that it must not name.
const PURE_MODULES: &[(&str, &[&str])] = &[
    ("gateway/src/policy", &["tokio", "axum", "hyper"]),
    ("gateway/src/request", &["tokio", "axum", "hyper"]),
    ("gateway/src/resolve", &["tokio", "axum", "hyper"]),
    ("gateway/src/merge", &["tokio", "axum", "hyper"]),
    ("gateway/src/render", &["tokio", "axum", "hyper"]),
    ("gateway/src/health", &["tokio", "axum", "hyper"]),
    ("gateway/src/tools", &["tokio", "axum", "hyper"]),
    ("agent/src/cache", &["tokio", "axum", "hyper", "kube"]),
    ("agent/src/columns", &["tokio", "axum", "hyper", "kube"]),
    ("agent/src/explain", &["tokio", "axum", "hyper", "kube"]),
    ("agent/src/logs", &["tokio", "axum", "hyper", "kube"]),
    ("agent/src/problems/analysers", &["tokio", "axum", "hyper", "kube"]),
    ("agent/src/path", &["tokio", "axum", "hyper", "kube"]),
    ("agent/src/query", &["tokio", "axum", "hyper", "kube"]),
    ("agent/src/redact", &["tokio", "axum", "hyper", "kube"]),
];

/// Only this part of the gateway speaks MCP's library.
const MCP: &str = "gateway/src/mcp";

pub(super) fn crates_depend_downwards(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let ships = SHIPPED.map(|crate_folder| (crate_folder, [TEST_SUPPORT]));
    let ships = ships.iter().map(|(crate_folder, forbidden)| (*crate_folder, forbidden.as_slice()));
    for (crate_folder, forbidden) in FORBIDDEN_DEPENDENCIES.iter().copied().chain(ships) {
        let manifest = format!("{crate_folder}/Cargo.toml");
        let Some(file) = files.iter().find(|file| file.path == manifest) else { continue };
        let mut in_dependencies = false;
        for (line, text) in file.lines() {
            if text.starts_with('[') {
                in_dependencies = text.ends_with("dependencies]") && !text.contains("dev-");
            }
            let name = text.split(['.', '=', ' ']).next().unwrap_or_default();
            if in_dependencies && forbidden.contains(&name) {
                let problem =
                    format!("{crate_folder} must not depend on {name} (see the table in ARCHITECTURE.md)");
                findings.push(Finding { path: manifest.clone(), line, problem });
            }
        }
    }
    findings
}

pub(super) fn pure_modules_do_no_io(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let mut forbidden: Vec<&str> = Vec::new();
        for (module, crates) in PURE_MODULES {
            if file.is_under(module) {
                forbidden.extend(*crates);
            }
        }
        if file.is_under("gateway/src") && !file.is_under(MCP) {
            forbidden.push("rmcp");
        }
        for (line, text) in file.shipped_lines().filter(|(_, text)| !text.trim_start().starts_with("//")) {
            for name in forbidden.iter().filter(|name| names_crate(text, name)) {
                let problem = format!("this part of the code must not use {name} (see ARCHITECTURE.md)");
                findings.push(Finding { path: file.path.clone(), line, problem });
            }
        }
    }
    findings
}

/// Whether a line of code says `name::`, or imports it whole.
fn names_crate(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = &line[at + name.len()..];
        let starts_word = before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '.' && c != ':');
        starts_word && (after.starts_with("::") || line.trim_start().starts_with(&format!("use {name};")))
    })
}

pub(super) fn lints_are_inherited(files: &[SourceFile]) -> Vec<Finding> {
    let manifests = files.iter().filter(|file| file.path.ends_with("/Cargo.toml"));
    manifests
        .filter(|file| !file.text.contains("[lints]\nworkspace = true"))
        .map(|file| Finding {
            path: file.path.clone(),
            line: 1,
            problem: "every crate inherits the workspace's lints: [lints] workspace = true".to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{SourceFile, names_crate, pure_modules_do_no_io};

    #[test]
    fn a_crate_is_named_by_its_path() {
        assert!(names_crate("use tokio::sync::mpsc;", "tokio"));
        assert!(names_crate("    let x = tokio::time::Instant::now();", "tokio"));
        assert!(!names_crate("use tokio_util::sync::X;", "tokio"));
        assert!(!names_crate("let tokio = 1;", "tokio"));
    }

    #[test]
    fn a_test_in_the_middle_of_a_file_hides_nothing_below_it() {
        for (path, wanted) in [
            ("gateway/src/request/mod.rs", vec![6]),
            ("agent/src/path/parse.rs", vec![6]),
            ("gateway/src/registry/mod.rs", vec![]),
        ] {
            let text = "#[cfg(test)]\nmod fixtures {\n    use tokio::net;\n}\n\nuse tokio::sync::mpsc;\n";
            let file = SourceFile { path: path.to_owned(), text: text.to_owned() };
            let lines: Vec<_> = pure_modules_do_no_io(&[file]).iter().map(|found| found.line).collect();
            assert_eq!(lines, wanted, "{path}");
        }
    }
}
