//! What the cache costs and how fast it is, on the fixture of the tests: one figure a line on standard output, as JSON.
//!
//! `cargo run --release -p kubeplex-agent --example cache_bench [PODS …]` measures with 10,000 and 50,000 pods unless told
//! otherwise. Memory is what the operating system says, so every measurement has a process of its own, and what plays the
//! API server has another: objects arrive through a pipe, and nothing of the fixture is counted.

use std::io::Write;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;

mod feed;
mod figures;
#[path = "../../tests/fixture/mod.rs"]
mod fixture;
mod memory;
mod source;
mod speed;

use figures::{figures_of_memory, figures_of_speed};
use source::Page;

kubeplex_agent::program_allocator!();

/// The seed of the published figures.
const SEED: u64 = 7;

const PODS: [usize; 2] = [10_000, 50_000];

/// Threads that prepare objects: one, and as many as a busy agent has, because allocators keep memory for each.
const THREADS: [usize; 2] = [1, 8];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "cache_bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--source", page, pods] => source::write(page.parse::<Page>()?, pods.parse()?),
        ["--measure", "memory", pods, threads] => print(&memory::measure(pods.parse()?, threads.parse()?)?),
        ["--measure", "speed", pods] => print(&speed::measure(pods.parse()?)?),
        counts => all(counts),
    }
}

fn all(counts: &[&str]) -> anyhow::Result<()> {
    let given: Vec<usize> = counts
        .iter()
        .map(|count| count.parse())
        .collect::<Result<_, _>>()
        .context("a number of pods is wanted")?;
    let counts = if given.is_empty() { PODS.to_vec() } else { given };
    for pods in &counts {
        for threads in THREADS {
            let measured: memory::Measured = child(&["memory", &pods.to_string(), &threads.to_string()])?;
            figures_of_memory(&measured).iter().try_for_each(print)?;
        }
    }
    let measured: speed::Measured = child(&["speed", &counts[0].to_string()])?;
    figures_of_speed(&measured).iter().try_for_each(print)
}

/// Measures in a new process.
fn child<T: DeserializeOwned>(arguments: &[&str]) -> anyhow::Result<T> {
    let program = std::env::current_exe().context("finding this program")?;
    let output =
        Command::new(program).arg("--measure").args(arguments).output().context("starting a measurement")?;
    if !output.status.success() {
        bail!("the measurement {arguments:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("reading a measurement")
}

fn print(value: &impl serde::Serialize) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{}", serde_json::to_string(value)?).context("writing the result")
}
