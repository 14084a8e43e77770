//! `cargo xtask bench`: the figures beside every claim, as a table, as JSON, and in `docs/benchmarks.md`.
//!
//! Each benchmark is a program of the workspace that prints one JSON object a line (see [`Figure`]). It runs in a process
//! of its own, so that no figure of memory contains another benchmark's.

mod document;
mod goal;
mod machine;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};

use goal::Verdict;

/// What `--help` says after the options.
const PARTS: &str = "\
Parts, as --only names them, and about how long each takes:
  cache      bytes a pod, memory through a first sync and a relist, speed of reads   2 min
  link       round trips and throughput of a link                                    15 s
  logs       search and redaction of logs in the agent                               10 s
  fleet      pods_list over 10 clusters, one call after the other                    30 s
  load       calls a second of a page that is kept, beside bare rmcp                 4 min
  freshness  from a write at the API server to a row in an answer                    15 s
  ingest     watch events into one agent's cache                                     1 min
  steady     requests at the API server during a sync and after it                   10 s
  scale      1, 10, 50 and 100 clusters                                              1 min
  search     fleet_search over 100 clusters of 1,000 pods                            1 min
  diff       fleet_diff over 10 clusters of 500 deployments                           1 min
  crowd      a gateway process with 100 clusters, 10 of them hung, and restarted     2 min
  small      an agent process on a small cluster                                     20 s, and 5 min to build it as it is shipped
  problems   problems_list over 100 clusters of 1,000 pods                           1 min
  timeline   changes_list over 30,000 changes in 100 clusters                        1 min
  tokens     what an answer of each tool costs a model                               15 s
One that fails is told of, in the document too, and the others run.";

#[derive(clap::Args)]
#[command(after_help = PARTS)]
pub(crate) struct Options {
    /// Print the figures as JSON, one a line
    #[arg(long)]
    json: bool,
    /// Write them to docs/benchmarks.md
    #[arg(long)]
    write: bool,
    /// Only the benchmarks whose name contains this
    #[arg(long)]
    only: Option<String>,
}

/// One measured figure.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Figure {
    /// What was measured, under which conditions: `bytes a cached pod, 10,000 pods`.
    figure: String,
    value: f64,
    /// `B`, `µs`, `calls/s`, or `×` for a ratio within the same run.
    unit: String,
    /// What it should be: `≤ 1200`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    goal: String,
    /// What keeps it from being better. No figure goes without.
    limit: String,
}

impl Figure {
    fn verdict(&self) -> anyhow::Result<Verdict> {
        Verdict::of(self.value, &self.goal).with_context(|| format!("the figure \"{}\"", self.figure))
    }
}

/// A benchmark: its name, the program that runs it, and that program's arguments.
struct Benchmark {
    name: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
}

/// The agent in the profile in which it is shipped: half of what it weighs is its code.
const SHIPPED_AGENT: &str = "target/dist/kubeplex-agent";

const BENCHMARKS: &[Benchmark] = &[
    Benchmark { name: "cache", program: "examples/cache_bench", arguments: &[] },
    Benchmark { name: "link", program: "examples/link_bench", arguments: &[] },
    Benchmark { name: "logs", program: "examples/log_bench", arguments: &[] },
    Benchmark { name: "fleet", program: "kubeplex-bench", arguments: &["fleet"] },
    Benchmark { name: "load", program: "kubeplex-bench", arguments: &["load"] },
    Benchmark { name: "freshness", program: "kubeplex-bench", arguments: &["freshness"] },
    Benchmark { name: "ingest", program: "kubeplex-bench", arguments: &["ingest"] },
    Benchmark { name: "steady", program: "kubeplex-bench", arguments: &["steady"] },
    Benchmark { name: "scale", program: "kubeplex-bench", arguments: &["scale"] },
    Benchmark { name: "search", program: "kubeplex-bench", arguments: &["search"] },
    Benchmark { name: "diff", program: "kubeplex-bench", arguments: &["diff"] },
    Benchmark { name: "crowd", program: "kubeplex-bench", arguments: &["crowd"] },
    Benchmark { name: "small", program: "kubeplex-bench", arguments: &["small", "--agent", SHIPPED_AGENT] },
    Benchmark { name: "problems", program: "kubeplex-bench", arguments: &["problems"] },
    Benchmark { name: "timeline", program: "kubeplex-bench", arguments: &["timeline"] },
    Benchmark { name: "tokens", program: "kubeplex-bench", arguments: &["tokens"] },
];

/// Builds once, runs each benchmark in turn, and reports.
///
/// # Errors
/// When the benchmarks do not build; and when one fails or prints something else than figures, once the others have run.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let wanted =
        |benchmark: &&Benchmark| options.only.as_deref().is_none_or(|part| benchmark.name.contains(part));
    build()?;
    if BENCHMARKS.iter().filter(wanted).any(|benchmark| benchmark.arguments.contains(&SHIPPED_AGENT)) {
        build_shipped()?;
    }
    let (mut figures, mut failed) = (Vec::new(), Vec::new());
    for benchmark in BENCHMARKS.iter().filter(wanted) {
        eprintln!("measuring {} …", benchmark.name);
        // One that fails must not cost the figures of the others.
        match measure(benchmark) {
            Ok(measured) => figures.push((benchmark.name, measured)),
            Err(error) => {
                eprintln!("{} failed: {error:#}", benchmark.name);
                failed.push(benchmark.name);
            }
        }
    }
    let all = || figures.iter().flat_map(|(_, figures)| figures);
    if options.json {
        for figure in all() {
            println!("{}", serde_json::to_string(figure)?);
        }
    } else {
        for figure in all() {
            let goal = match figure.verdict()? {
                Verdict::NoGoal => String::new(),
                Verdict::Met => format!("  (goal {})", figure.goal),
                Verdict::Missed => format!("  (goal {}, missed)", figure.goal),
            };
            println!("{:>14} {:<9} {}{goal}", document::number(figure.value), figure.unit, figure.figure);
        }
    }
    if options.write {
        document::write(&figures, &failed, options.only.is_none())?;
    }
    ensure!(failed.is_empty(), "without figures, because they failed: {}", failed.join(", "));
    Ok(())
}

fn build() -> anyhow::Result<()> {
    let packages = ["kubeplex-agent", "kubeplex-gateway", "kubeplex-link", "kubeplex-tests"];
    let mut command = Command::new("cargo");
    command.args(["build", "--release", "--bins", "--examples"]).current_dir(crate::root());
    for package in packages {
        command.args(["--package", package]);
    }
    let status = command.status().context("running cargo")?;
    ensure!(status.success(), "the benchmarks did not build");
    Ok(())
}

/// By itself, because programs that are built together get each other's features.
fn build_shipped() -> anyhow::Result<()> {
    let mut command = Command::new("cargo");
    command.args(["build", "--profile", "dist", "--package", "kubeplex-agent", "--bin", "kubeplex-agent"]);
    let status = command.current_dir(crate::root()).status().context("running cargo")?;
    ensure!(status.success(), "the agent did not build as it is shipped");
    Ok(())
}

fn measure(benchmark: &Benchmark) -> anyhow::Result<Vec<Figure>> {
    let program = crate::root().join("target/release").join(benchmark.program);
    let mut child = Command::new(&program)
        .args(benchmark.arguments)
        .current_dir(crate::root())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {}", program.display()))?;
    let mut figures = Vec::new();
    for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()) {
        let line = line.context("reading what the benchmark prints")?;
        match serde_json::from_str::<Figure>(&line) {
            Ok(figure) if figure.limit.is_empty() => bail!("{line} does not say what limits it"),
            Ok(figure) => figures.push(figure),
            Err(error) => bail!("{} printed \"{line}\", which is not a figure: {error}", benchmark.name),
        }
    }
    ensure!(child.wait()?.success(), "the benchmark {} failed", benchmark.name);
    Ok(figures)
}
