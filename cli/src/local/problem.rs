//! Why a context has no agent, in one sentence that says who must act.

use std::error::Error;

use kube::client::AuthError;
use kube::config::KubeconfigError;

/// The rest of what a plugin printed is for its own log.
const MOST_CHARS: usize = 200;

pub(super) fn of_context(context: &str, error: &KubeconfigError) -> String {
    format!("the context {context} of the kubeconfig can't be used: {}", chain(error))
}

pub(super) fn of_connection(plugin: Option<&str>, error: &kube::Error) -> String {
    let plugin = plugin.unwrap_or("(unnamed)");
    match error {
        kube::Error::Auth(AuthError::AuthExecStart(source)) => {
            format!("the credential plugin {plugin} can't be run: {source}")
        }
        kube::Error::Auth(AuthError::AuthExecRun { out, .. }) => {
            let printed = String::from_utf8_lossy(&out.stderr);
            let line = printed.lines().find(|line| !line.trim().is_empty()).unwrap_or("it printed no reason");
            let line: String = line.trim().chars().take(MOST_CHARS).collect();
            format!("the credential plugin {plugin} failed ({}): {line}", out.status)
        }
        kube::Error::Auth(source) => chain(source),
        kube::Error::InferKubeconfig(source) => chain(source),
        other => chain(other),
    }
}

pub(super) fn waiting(plugin: Option<&str>) -> String {
    match plugin {
        Some(plugin) => format!("the credential plugin {plugin} has not answered yet"),
        None => "the connection is not set up yet".to_owned(),
    }
}

/// An error and its causes; many say their cause themselves, and it is not repeated.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::{ExitStatus, Output};

    use super::*;

    #[test]
    fn a_plugin_is_named_with_what_it_printed() {
        let out = Output {
            status: ExitStatus::from_raw(256),
            stdout: Vec::new(),
            stderr: b"\nplease log in: aws sso login\nusage: \xe2\x80\xa6\n".to_vec(),
        };
        let failed = AuthError::AuthExecRun {
            cmd: "KUBERNETES_EXEC_INFO=\u{2026} aws".to_owned(),
            out: Box::new(out),
        };
        assert_eq!(
            of_connection(Some("aws"), &kube::Error::Auth(failed)),
            "the credential plugin aws failed (exit status: 1): please log in: aws sso login"
        );
        let missing = AuthError::AuthExecStart(std::io::Error::from(std::io::ErrorKind::NotFound));
        assert_eq!(
            of_connection(Some("aws"), &kube::Error::Auth(missing)),
            "the credential plugin aws can't be run: entity not found"
        );
    }

    #[test]
    fn a_cause_is_said_once() {
        let error = KubeconfigError::ReadConfig(
            std::io::Error::from(std::io::ErrorKind::NotFound),
            "/no/such/file".into(),
        );
        let text = of_context("dev", &error);
        assert!(text.starts_with("the context dev of the kubeconfig can't be used: "), "{text}");
        assert_eq!(text.matches("entity not found").count(), 1, "{text}");
    }
}
