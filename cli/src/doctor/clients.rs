//! Whether an MCP client of this machine knows Kubeplex: its well-known files, read and never written.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::finding::{About, Finding};

/// Where clients keep their files.
pub(super) struct Folders {
    home: Option<PathBuf>,
    /// `~/.config`, or where that is.
    config: Option<PathBuf>,
    /// Where the doctor was started: projects have files of their own.
    project: PathBuf,
}

/// A client, and how it is told of a server.
struct Client {
    name: &'static str,
    files: Vec<PathBuf>,
    add: String,
}

impl Folders {
    pub(super) fn of_environment() -> Self {
        let home = std::env::home_dir();
        let named = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let config = named.or_else(|| Some(home.as_ref()?.join(".config")));
        Self { home, config, project: PathBuf::from(".") }
    }

    fn clients(&self, endpoint: &str) -> [Client; 4] {
        let below = |folder: &Option<PathBuf>, file: &str| {
            folder.iter().map(|folder| folder.join(file)).collect::<Vec<_>>()
        };
        let (config, home) = (|file: &str| below(&self.config, file), |file: &str| below(&self.home, file));
        let library = |file: &str| below(&self.home, &format!("Library/Application Support/{file}"));
        let project = |file: &str| vec![self.project.join(file)];
        let server = format!(r#"{{"name":"kubeplex","type":"http","url":"{endpoint}"}}"#);
        [
            Client {
                name: "VS Code",
                files: [
                    config("Code/User/mcp.json"),
                    library("Code/User/mcp.json"),
                    project(".vscode/mcp.json"),
                ]
                .concat(),
                add: format!("code --add-mcp '{server}'"),
            },
            Client {
                name: "Claude Code",
                files: [home(".claude.json"), project(".mcp.json")].concat(),
                add: format!("claude mcp add --transport http kubeplex {endpoint}"),
            },
            Client {
                name: "Claude Desktop",
                files: [
                    config("Claude/claude_desktop_config.json"),
                    library("Claude/claude_desktop_config.json"),
                ]
                .concat(),
                add: r#"{"mcpServers": {"kubeplex": {"command": "kubeplex", "args": ["stdio"]}}}"#.to_owned(),
            },
            Client {
                name: "Copilot CLI",
                files: home(".copilot/mcp-config.json"),
                add: format!(
                    r#"{{"mcpServers": {{"kubeplex": {{"type": "http", "url": "{endpoint}", "tools": ["*"]}}}}}}"#
                ),
            },
        ]
    }
}

/// Looks at the files of every client. `endpoint` is what they would be told.
pub(super) fn check(folders: &Folders, endpoint: &str) -> Vec<Finding> {
    let mut about = About::new("clients");
    let clients = folders.clients(endpoint);
    let mut known = false;
    for client in &clients {
        for file in client.files.iter().filter(|file| file.exists()) {
            known |= look(&mut about, client, file);
        }
    }
    if !known {
        let next = clients.iter().map(|client| format!("{}: {}", client.name, client.add)).next();
        about.warning("servers", "no client of this machine names kubeplex", next.unwrap_or_default());
    }
    about.findings
}

/// Whether the file names Kubeplex.
fn look(about: &mut About, client: &Client, file: &Path) -> bool {
    let (name, shown) = (client.name, file.display());
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            about.warning(
                "servers",
                format!("{name}: {shown} can't be read: {error}"),
                format!("ls -l {shown}"),
            );
            return false;
        }
    };
    // Some editors allow comments in theirs.
    let Ok(settings) = serde_json::from_str::<Value>(&without_comments(&text)) else {
        let next = "correct it: the client reads nothing of it, either";
        about.warning("servers", format!("{name}: {shown} is no JSON"), next);
        return false;
    };
    let servers = servers(&settings);
    match servers.iter().find(|(server, entry)| is_ours(server, entry)) {
        Some((server, entry)) => {
            about.good("servers", format!("{name}: {shown} names {server}, {}", reached(entry)));
            true
        }
        None => {
            let next = &client.add;
            about.note("servers", format!("{name}: {shown} does not name kubeplex; to add it: {next}"));
            false
        }
    }
}

/// All entries under the names that clients have for them, those of single projects included.
fn servers(settings: &Value) -> Vec<(&str, &Value)> {
    let projects = settings["projects"].as_object().into_iter().flat_map(|projects| projects.values());
    let places = std::iter::once(settings).chain(projects);
    let lists = places.flat_map(|place| [&place["servers"], &place["mcpServers"]]);
    let entries = lists.filter_map(Value::as_object).flatten();
    entries.map(|(name, entry)| (name.as_str(), entry)).collect()
}

fn is_ours(server: &str, entry: &Value) -> bool {
    let says = |text: &Value| text.as_str().is_some_and(|text| text.contains("kubeplex"));
    server.contains("kubeplex") || says(&entry["command"]) || says(&entry["url"])
}

fn reached(entry: &Value) -> String {
    let arguments = entry["args"].as_array().into_iter().flatten().filter_map(Value::as_str);
    match (entry["url"].as_str(), entry["command"].as_str()) {
        (Some(url), _) => format!("at {url}"),
        (None, Some(command)) => {
            let words: Vec<_> = std::iter::once(command).chain(arguments).collect();
            format!("as `{}`", words.join(" "))
        }
        (None, None) => "and not how it is reached".to_owned(),
    }
}

/// Without `// …` and `/* … */`, and without a comma before a closing bracket.
fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut in_string = false;
    while let Some(character) = rest.next() {
        match (character, rest.peek()) {
            ('\\', Some(_)) if in_string => {
                plain.push(character);
                plain.extend(rest.next());
                continue;
            }
            ('"', _) => in_string = !in_string,
            ('/', Some('/')) if !in_string => {
                while rest.next_if(|next| *next != '\n').is_some() {}
                continue;
            }
            ('/', Some('*')) if !in_string => {
                let mut before = rest.next();
                for next in rest.by_ref() {
                    if before == Some('*') && next == '/' {
                        break;
                    }
                    before = Some(next);
                }
                continue;
            }
            ('}' | ']', _) if !in_string => {
                let kept = plain.trim_end().trim_end_matches(',').len();
                plain.truncate(kept);
            }
            _ => {}
        }
        plain.push(character);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict;

    #[test]
    fn comments_and_trailing_commas_are_left_out() {
        let text = "{ // a /* b\n \"a\": \"// no \\\" comment, }\", /* c \" */ \"b\": [1, 2, ], }";
        let json: Value = serde_json::from_str(&without_comments(text)).unwrap();
        assert_eq!(json, serde_json::json!({"a": "// no \" comment, }", "b": [1, 2]}));
    }

    #[test]
    fn clients_are_found_by_what_their_files_say() {
        let root = std::env::temp_dir().join(format!("kubeplex-clients-{}", std::process::id()));
        let write = |file: &str, text: &str| {
            let file = root.join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        let folders = Folders {
            home: Some(root.clone()),
            config: Some(root.join(".config")),
            project: root.join("project"),
        };
        let found = || {
            let findings = check(&folders, "http://127.0.0.1:7575/mcp");
            findings.into_iter().map(|finding| (finding.verdict, finding.said)).collect::<Vec<_>>()
        };
        assert_eq!(found(), [(Verdict::Warning, "no client of this machine names kubeplex".to_owned())]);
        write(".config/Code/User/mcp.json", "{\"servers\": {\"other\": {}}} // mine");
        write(
            ".claude.json",
            r#"{"projects": {"/x": {"mcpServers": {"k8s": {"url": "http://kubeplex.corp/mcp"}}}}}"#,
        );
        write(
            ".config/Claude/claude_desktop_config.json",
            r#"{"mcpServers": {"x": {"command": "/bin/kubeplex", "args": ["stdio"]}}}"#,
        );
        write(".copilot/mcp-config.json", "{");
        let found = found();
        let verdicts: Vec<_> = found.iter().map(|(verdict, _)| *verdict).collect();
        assert_eq!(verdicts, [Verdict::Note, Verdict::Good, Verdict::Good, Verdict::Warning], "{found:?}");
        assert!(found[1].1.ends_with("names k8s, at http://kubeplex.corp/mcp"), "{found:?}");
        assert!(found[2].1.ends_with("names x, as `/bin/kubeplex stdio`"), "{found:?}");
        assert!(found[3].1.ends_with("is no JSON"), "{found:?}");
        std::fs::remove_dir_all(&root).unwrap();
    }
}
