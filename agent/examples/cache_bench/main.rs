//! What the cache costs and how fast it is, on the fixture of the tests: JSON on standard output.
//!
//! `cargo run --release -p kubeplex-agent --example cache_bench [PODS …]` measures with 10,000 and 50,000 pods unless told
//! otherwise. Memory is what the operating system says, so every measurement has a process of its own.

use std::io::Write;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use serde_json::{Value, json};

mod feed;
#[path = "../../tests/fixture/mod.rs"]
mod fixture;
mod memory;
mod speed;

/// The seed of the published figures.
const SEED: u64 = 7;

const PODS: [usize; 2] = [10_000, 50_000];

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
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--measure", "memory", pods, threads] => memory::measure(pods.parse()?, threads.parse()?)?,
        ["--measure", "speed", pods] => speed::measure(pods.parse()?)?,
        counts => all(counts)?,
    };
    writeln!(std::io::stdout(), "{result}").context("writing the result")
}

fn all(counts: &[&str]) -> anyhow::Result<Value> {
    let given: Vec<usize> = counts
        .iter()
        .map(|count| count.parse())
        .collect::<Result<_, _>>()
        .context("a number of pods is wanted")?;
    let counts = if given.is_empty() { PODS.to_vec() } else { given };
    let mut memory = Vec::new();
    for pods in &counts {
        // One thread, and as many as a busy agent has: allocators keep a heap for each.
        for threads in ["1", "8"] {
            memory.push(child(&["memory", &pods.to_string(), threads])?);
        }
    }
    let speed = child(&["speed", &counts[0].to_string()])?;
    Ok(json!({"memory": memory, "speed": speed}))
}

/// Measures in a new process.
fn child(arguments: &[&str]) -> anyhow::Result<Value> {
    let program = std::env::current_exe().context("finding this program")?;
    let output =
        Command::new(program).arg("--measure").args(arguments).output().context("starting a measurement")?;
    if !output.status.success() {
        bail!("the measurement {arguments:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("reading a measurement")
}
