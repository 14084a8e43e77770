//! The official MCP conformance suite against a gateway that serves the suite's fixtures, for both protocol eras. There is
//! no list of expected failures.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail, ensure};

use super::npm;
use super::step::Outcome;

/// The revisions that clients speak today.
const ERAS: [&str; 2] = ["2025-11-25", "2026-07-28"];

pub(super) fn run() -> Outcome {
    if !npm::is_there() {
        return Outcome::NotRun("npm is not installed: the suite is an npm package".to_owned());
    }
    match prepare() {
        Ok(gateway) => ERAS.iter().fold(Outcome::Counted { passed: 0, failed: 0 }, |sum, era| {
            let result = suite(&gateway.endpoint, era).with_context(|| format!("conformance to {era}"));
            sum.plus(Outcome::of(result))
        }),
        Err(error) => Outcome::of(Err(error)),
    }
}

fn prepare() -> anyhow::Result<FixtureGateway> {
    npm::install(&folder())?;
    // With the whole workspace, as the tests are built, so that what they built is not built again.
    let build = ["build", "--quiet", "--workspace", "--bin", "kubeplex-gateway"];
    let status =
        Command::new("cargo").args(build).current_dir(crate::root()).status().context("running cargo")?;
    ensure!(status.success(), "the gateway did not build");
    FixtureGateway::start()
}

fn suite(endpoint: &str, era: &str) -> anyhow::Result<()> {
    let mut suite = Command::new("npm")
        .args(["exec", "--offline", "--", "conformance", "server", "--url", endpoint, "--requirements", era])
        .current_dir(folder())
        .stdout(Stdio::piped())
        .spawn()
        .context("running the suite")?;
    // Indented, because the suite counts checks that are not required, and its totals are not this run's.
    for line in
        suite.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()).map_while(Result::ok)
    {
        println!("  {era} | {line}");
    }
    ensure!(suite.wait()?.success(), "a required scenario failed");
    Ok(())
}

fn folder() -> PathBuf {
    crate::root().join("tests/conformance")
}

/// A gateway process, ended when this is dropped.
struct FixtureGateway {
    process: Child,
    endpoint: String,
}

impl FixtureGateway {
    fn start() -> anyhow::Result<Self> {
        let mut process = Command::new(crate::root().join("target/debug/kubeplex-gateway"))
            .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--json", "--conformance-fixtures"])
            .stdout(Stdio::piped())
            .spawn()
            .context("starting the gateway")?;
        let ready = process.stdout.take().map(|out| BufReader::new(out).lines());
        let mut gateway = Self { process, endpoint: String::new() };
        let Some(line) = ready.and_then(|mut lines| lines.next()) else {
            bail!("the gateway ended before it was ready")
        };
        let line: serde_json::Value =
            serde_json::from_str(&line?).context("the line that says the gateway is ready")?;
        gateway.endpoint = line["endpoint"].as_str().context("the ready line names no endpoint")?.to_owned();
        Ok(gateway)
    }
}

impl Drop for FixtureGateway {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
