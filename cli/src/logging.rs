//! Logs go to standard error; what a command prints goes to standard output.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// What is wrong with a cluster is shown with the cluster; every attempt to reach it would only hide that.
const QUIET: &str = "warn,kubeplex_agent=error,kube_client=off,rustls_platform_verifier=off";

/// Warnings by default, more with `-v`; `KUBEPLEX_LOG` takes a tracing filter and wins.
pub fn start(verbose: u8) {
    let level = match verbose {
        0 => QUIET,
        1 => "info,hyper=warn,h2=warn",
        _ => "debug,hyper=info,h2=info",
    };
    let filter = EnvFilter::try_from_env("KUBEPLEX_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && console::colors_enabled_stderr())
        .with_target(false)
        .init();
}
