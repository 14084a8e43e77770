//! A credential plugin: a program that a kubeconfig names, and that prints a credential.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use kube::config::{ExecConfig, ExecInteractiveMode};
use serde_json::json;
use tokio::process::Command;

use super::credential::{Credential, NoCredential};
use super::process::{self, Ended};
use crate::limits::{PLUGIN_MESSAGE_LINES, PLUGIN_OUTPUT_BYTES};
use crate::redact;

/// How much of a line that a plugin printed is told, in characters.
const LINE_CHARS: usize = 200;

/// A plugin that can be run without anybody at a terminal.
#[derive(Debug, Clone)]
pub(in crate::access) struct Plugin {
    /// As the kubeconfig names it.
    name: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    version: Option<String>,
    install_hint: Option<String>,
    timeout: Duration,
}

/// Why a plugin gave no credential.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PluginError {
    #[error("the user of this context has a credential plugin without a command")]
    NoCommand,
    #[error(
        "the credential plugin {name} wants a person at a terminal (interactiveMode: Always), and there is none here; let it \
         run without (interactiveMode: IfAvailable), or give the context a user with a token or a certificate"
    )]
    WantsPerson { name: String },
    #[error("the credential plugin {name} can't be run: there is no such program{hint}")]
    NotInstalled { name: String, hint: String },
    #[error("the credential plugin {name} can't be run: {reason}")]
    NotRun { name: String, reason: String },
    #[error("the credential plugin {name} has not answered yet")]
    Running { name: String },
    #[error(
        "the credential plugin {name} did not answer within {} s and was ended; run it in a terminal, where it may be \
         waiting for you",
        after.as_secs()
    )]
    TimedOut { name: String, after: Duration },
    #[error("the credential plugin {name} failed ({status}): {said}")]
    Failed { name: String, status: ExitStatus, said: String },
    #[error("the credential plugin {name} printed more than {PLUGIN_OUTPUT_BYTES} bytes")]
    TooLong { name: String },
    #[error("what the credential plugin {name} printed is no credential: {reason}")]
    NoCredential { name: String, reason: String },
}

impl Plugin {
    /// # Errors
    /// When there is nothing to run, or it would not run without a terminal.
    pub(super) fn new(exec: &ExecConfig, timeout: Duration) -> Result<Self, PluginError> {
        let name =
            exec.command.clone().filter(|command| !command.is_empty()).ok_or(PluginError::NoCommand)?;
        if exec.interactive_mode == Some(ExecInteractiveMode::Always) {
            return Err(PluginError::WantsPerson { name });
        }
        let variables = exec.env.iter().flatten();
        let given = variables.filter_map(|env| Some((env.get("name")?.clone(), env.get("value")?.clone())));
        // Whether anybody can be asked, and, for plugins that serve many clusters, which one it is about.
        let info = json!({
            "apiVersion": exec.api_version,
            "kind": "ExecCredential",
            "spec": {"interactive": false, "cluster": exec.cluster},
        });
        let info = ("KUBERNETES_EXEC_INFO".to_owned(), without_nulls(info).to_string());
        Ok(Self {
            name,
            arguments: exec.args.clone().unwrap_or_default(),
            environment: given.chain([info]).collect(),
            version: exec.api_version.clone(),
            install_hint: exec.install_hint.clone(),
            timeout,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Runs it once. Dropping the future ends it.
    ///
    /// # Errors
    /// [`PluginError`].
    pub(super) async fn run(&self) -> Result<Credential, PluginError> {
        let mut command = Command::new(&self.name);
        command.args(&self.arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        let name = self.name.clone();
        let ended = tokio::time::timeout(self.timeout, process::run(command)).await;
        let ended = ended.map_err(|_| PluginError::TimedOut { name: name.clone(), after: self.timeout })?;
        let Ended { status, stdout, stderr } = ended.map_err(|error| self.not_run(&error))?;
        if !status.success() {
            return Err(PluginError::Failed { name, status, said: said(&stderr) });
        }
        if stdout.len() > PLUGIN_OUTPUT_BYTES {
            return Err(PluginError::TooLong { name });
        }
        Credential::parse(&stdout, self.version.as_deref()).map_err(|reason| self.no_credential(&reason))
    }

    fn not_run(&self, error: &io::Error) -> PluginError {
        let name = self.name.clone();
        if error.kind() != io::ErrorKind::NotFound {
            return PluginError::NotRun { name, reason: error.to_string() };
        }
        let hint = self.install_hint.as_deref().map(|hint| format!(": {}", cleaned(hint)));
        PluginError::NotInstalled { name, hint: hint.unwrap_or_default() }
    }

    fn no_credential(&self, reason: &NoCredential) -> PluginError {
        PluginError::NoCredential { name: self.name.clone(), reason: reason.to_string() }
    }
}

/// An absent field and a null one are not the same to every plugin.
fn without_nulls(mut info: serde_json::Value) -> serde_json::Value {
    for part in ["", "/spec"] {
        if let Some(fields) = info.pointer_mut(part).and_then(serde_json::Value::as_object_mut) {
            fields.retain(|_, value| !value.is_null());
        }
    }
    info
}

/// The first lines of what a plugin complained of.
fn said(stderr: &[u8]) -> String {
    let text = cleaned(&String::from_utf8_lossy(stderr));
    if text.is_empty() { "it printed no reason".to_owned() } else { text }
}

/// Its first lines as one, without what moves a cursor or colours, and without what looks like a credential.
fn cleaned(text: &str) -> String {
    let text = console_text(text);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).take(PLUGIN_MESSAGE_LINES);
    let lines = lines.map(|line| redact::text(line).chars().take(LINE_CHARS).collect::<String>());
    lines.collect::<Vec<_>>().join("; ")
}

/// Without escape sequences and other characters that are not shown.
fn console_text(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            // A sequence ends with a letter, or, where it does not begin with a bracket, at once.
            if characters.next_if_eq(&'[').is_some() {
                while characters.next().is_some_and(|part| !part.is_ascii_alphabetic()) {}
            }
        } else if character == '\n' || !(character.is_control() || is_invisible(character)) {
            plain.push(character);
        }
    }
    plain
}

/// Marks that turn the direction of text.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin(script: &str, timeout: Duration) -> Plugin {
        let exec = json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script],
            "env": [{"name": "GREETING", "value": "hello"}], "interactiveMode": "IfAvailable"});
        Plugin::new(&serde_json::from_value(exec).unwrap(), timeout).unwrap()
    }

    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_plugin_is_told_what_it_may_and_prints_a_credential() {
        let script = r#"
            case $KUBERNETES_EXEC_INFO in *'"interactive":false'*) ;; *) exit 7 ;; esac
            printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s"}}' $GREETING"#;
        let credential = plugin(script, LONG).run().await.unwrap();
        assert_eq!(credential.authorization.unwrap(), "Bearer hello");
    }

    #[tokio::test]
    async fn what_a_plugin_complains_of_is_told_in_short_and_in_clean() {
        let script = "printf '\\n\\033[31mError:\\033[0m please log in\\n' >&2
                      echo 'run aws sso login, token=hunter2hunter2' >&2; echo c >&2; echo d >&2; exit 1";
        let error = plugin(script, LONG).run().await.unwrap_err().to_string();
        assert!(
            error.starts_with(
                "the credential plugin sh failed (exit status: 1): Error: please log in; run aws"
            ),
            "{error}"
        );
        assert!(!error.contains("hunter2") && error.ends_with("; c"), "{error}");
        let silent = plugin("exit 2", LONG).run().await.unwrap_err().to_string();
        assert!(silent.ends_with("(exit status: 2): it printed no reason"), "{silent}");
        let hangs = plugin("sleep 600", Duration::from_millis(50)).run().await.unwrap_err().to_string();
        assert!(hangs.contains("did not answer within 0 s and was ended"), "{hangs}");
        let other = plugin("echo hunter2hunter2", LONG).run().await.unwrap_err().to_string();
        assert!(other.contains("is no credential") && !other.contains("hunter2"), "{other}");
        let long = plugin("head -c 2000000 /dev/zero", LONG).run().await.unwrap_err().to_string();
        assert!(long.contains("printed more than"), "{long}");
    }

    #[tokio::test]
    async fn what_can_not_be_run_is_said_with_the_way_out() {
        let exec = |exec: serde_json::Value| Plugin::new(&serde_json::from_value(exec).unwrap(), LONG);
        let missing = exec(json!({"command": "/no/such/plugin", "installHint": "brew install it"})).unwrap();
        let error = missing.run().await.unwrap_err().to_string();
        assert!(
            error.contains("/no/such/plugin") && error.ends_with("no such program: brew install it"),
            "{error}"
        );
        let interactive =
            exec(json!({"command": "asks", "interactiveMode": "Always"})).unwrap_err().to_string();
        assert!(interactive.contains("asks wants a person at a terminal"), "{interactive}");
        assert!(matches!(exec(json!({})), Err(PluginError::NoCommand)));
    }
}
