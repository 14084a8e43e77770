//! The benchmarks of the whole, each a subcommand that prints figures as JSON, one a line. `cargo xtask bench` runs them.

mod asked;
mod crowd;
mod diff;
mod figure;
mod fleet;
mod freshness;
mod ingest;
mod load;
mod peers;
mod problems;
mod process;
mod scale;
mod search;
mod small;
mod steady;
mod timeline;
mod tokens;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Benchmarks of the whole; cargo xtask bench runs them all")]
struct Arguments {
    #[command(subcommand)]
    benchmark: Benchmark,
}

#[derive(Subcommand)]
enum Benchmark {
    /// pods_list over 10 clusters of 1,000 pods, one call after the other
    Fleet,
    /// Calls a second over 10 clusters and over 1, at 1, 16 and 64 in flight, beside bare rmcp and plain axum with the same
    /// bytes
    Load,
    /// From a write at the API server to a row in an answer
    Freshness,
    /// Ten thousand watch events a second into one agent's cache, and as many as it can take
    Ingest,
    /// Requests a second at an API server where nothing happens
    Steady,
    /// Memory and time of 1, 10, 50 and 100 clusters
    Scale,
    /// fleet_search over 100 clusters of 1,000 pods
    Search,
    /// fleet_diff over 10 clusters of 500 deployments
    Diff,
    /// A gateway process: idle, with 100 clusters linked, with 10 of them hung, and restarted
    Crowd,
    /// An agent process on a small cluster
    Small {
        /// The program; otherwise the one beside this one
        #[arg(long, value_name = "PATH")]
        agent: Option<PathBuf>,
    },
    /// problems_list over 100 clusters of 1,000 pods
    Problems,
    /// changes_list over what 100 clusters went through in ten minutes
    Timeline,
    /// What an answer of each tool costs a model
    Tokens,
    /// One step of `scale`, in a process of its own
    #[command(hide = true)]
    ScaleStep { clusters: usize },
}

fn main() -> anyhow::Result<()> {
    let benchmark = Arguments::parse().benchmark;
    // Steady state is played in paused time, which only a single thread can do.
    if matches!(benchmark, Benchmark::Steady) {
        return steady::run();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match benchmark {
            Benchmark::Fleet => fleet::run().await,
            Benchmark::Load => load::run().await,
            Benchmark::Freshness => freshness::run().await,
            Benchmark::Ingest => ingest::run().await,
            Benchmark::Steady => Ok(()),
            Benchmark::Scale => scale::run(),
            Benchmark::Search => search::run().await,
            Benchmark::Diff => diff::run().await,
            Benchmark::Crowd => crowd::run().await,
            Benchmark::Small { agent } => small::run(agent).await,
            Benchmark::Problems => problems::run().await,
            Benchmark::Timeline => timeline::run().await,
            Benchmark::Tokens => tokens::run().await,
            Benchmark::ScaleStep { clusters } => scale::step(clusters).await,
        }
    })
}
