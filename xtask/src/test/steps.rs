//! The parts of the run, in order. Go and cargo never build at the same time: each takes all cores, and all memory
//! on a small machine.

use std::process::Command;

use anyhow::{Context, anyhow, ensure};

use super::step::{Outcome, Step, counted};
use super::{conformance, npm};
use crate::{controlplane, deny, tidy};

const NO_GO: &str = "Go is not installed: the real control planes are built from Go modules";

const NO_NPM: &str = "npm is not installed: the MCP Inspector is an npm package";

/// How many real clusters the integration suite gets.
const CLUSTERS: u8 = 3;

/// Those of them that it gets a second time, as clusters of which it knows nothing: two that hold different things.
const FOREIGN: &str = "eu-1,us-1";

/// What of the suite is about simulated clusters alone, and has run with the other tests.
const SIMULATED: [&str; 3] = ["simulated", "faults::", "bad_input::"];

/// The trial of planted faults: it has control planes of its own, because what it plants goes on after it.
pub(crate) const PLANTED: &str = "planted::every";

/// The walks on real API servers.
pub(crate) const WALKS: &str = "walks::questions";

pub(super) const ALL: &[Step] = &[
    Step { name: "format", about: "rustfmt has nothing to change", action: || Outcome::of(format()) },
    Step { name: "tidy", about: "layering and shape", action: || Outcome::of(tidy::run()) },
    Step { name: "deny", about: "licences and sources of dependencies", action: || Outcome::of(deny::run()) },
    Step { name: "clippy", about: "lints, warnings are errors", action: || Outcome::of(clippy()) },
    Step { name: "rust", about: "unit tests, and the suite on simulated clusters", action: rust },
    Step { name: "go", about: "the Go part of the control planes", action: go },
    Step { name: "real", about: "the same suite on real API servers", action: real },
    Step { name: "planted", about: "faults planted on real API servers, and named", action: planted },
    Step {
        name: "inspector",
        about: "the MCP Inspector asks every tool on real API servers",
        action: inspector,
    },
    Step {
        name: "conformance",
        about: "the official MCP suite, both protocol eras",
        action: conformance::run,
    },
];

fn format() -> anyhow::Result<()> {
    cargo(&["fmt", "--all", "--check"])
}

fn clippy() -> anyhow::Result<()> {
    cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"])
}

fn rust() -> Outcome {
    counted(
        Command::new("cargo")
            .args(["test", "--quiet", "--workspace", "--no-fail-fast"])
            .current_dir(crate::root()),
    )
}

/// Without -trimpath, Kubernetes would be compiled a second time.
fn go() -> Outcome {
    if !has_go() {
        return Outcome::NotRun(NO_GO.to_owned());
    }
    let folder = crate::root().join("tests/controlplane");
    let tests =
        Command::new("go").args(["test", "-trimpath", "-vet=off", "./..."]).current_dir(folder).status();
    Outcome::of(match tests {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(anyhow!("go test failed")),
        Err(error) => Err(anyhow!("running go: {error}")),
    })
}

fn has_go() -> bool {
    Command::new("go").arg("version").output().is_ok()
}

fn real() -> Outcome {
    on_control_planes(|tests| {
        tests.args(SIMULATED.iter().chain([&PLANTED]).flat_map(|part| ["--skip", part]));
    })
}

fn planted() -> Outcome {
    on_control_planes(|tests| {
        tests.arg(PLANTED);
    })
}

fn inspector() -> Outcome {
    if !npm::is_there() {
        return Outcome::NotRun(NO_NPM.to_owned());
    }
    let folder = crate::root().join("tests/inspector");
    match npm::install(&folder) {
        Ok(()) => on_control_planes(|tests| {
            tests.arg("inspector::").env("KUBEPLEX_TEST_INSPECTOR", &folder);
        }),
        Err(error) => Outcome::of(Err(error)),
    }
}

/// Brings real control planes up, runs what of the suite `choose` adds arguments for, and takes them down whatever happened.
pub(crate) fn on_control_planes(choose: impl FnOnce(&mut Command)) -> Outcome {
    if !has_go() {
        return Outcome::NotRun(NO_GO.to_owned());
    }
    if let Err(error) = controlplane::run(controlplane::Command::Up { count: CLUSTERS }) {
        return Outcome::of(Err(error.context("bringing the real control planes up")));
    }
    let mut tests = Command::new("cargo");
    tests
        .args(["test", "--quiet", "--workspace", "--test", "suite", "--no-fail-fast"])
        .args(["--", "--test-threads", "1"])
        .current_dir(crate::root())
        .env("KUBEPLEX_TEST_CONTROLPLANE", controlplane::state())
        .env("KUBEPLEX_TEST_CONTEXTS", FOREIGN)
        .env("KUBECONFIG", controlplane::kubeconfig());
    choose(&mut tests);
    let outcome = counted(&mut tests);
    if let Err(error) = controlplane::run(controlplane::Command::Down) {
        eprintln!("taking the control planes down: {error:#}");
    }
    outcome
}

fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    let status =
        Command::new("cargo").args(arguments).current_dir(crate::root()).status().context("running cargo")?;
    ensure!(status.success(), "cargo {} failed", arguments.join(" "));
    Ok(())
}
