//! The parts of the program `kubeplex`.
//!
//! [`demo`] and [`local`] put a gateway and agents into one process and let [`stand`] run them; [`stdio`] carries messages
//! to such a gateway; [`call`], [`clusters`] and [`reading`] are clients of a running one; [`doctor`] looks at what lies between a
//! kubeconfig and an answer; [`manifest`] prints what puts an agent into a cluster.

mod answer;
pub mod arguments;
pub mod call;
pub mod client;
pub mod clusters;
pub mod completion;
pub mod demo;
pub mod doctor;
mod exit;
pub mod hints;
pub mod linked;
pub mod local;
pub mod manifest;
mod next;
pub mod reading;
pub mod running;
pub mod stand;
pub mod startup;
pub mod stdio;
mod table;
mod target;
pub mod token;
#[cfg(test)]
mod trial;

use std::process::ExitCode;

use arguments::Command;

/// Runs one command to its end.
///
/// # Errors
/// What kept it from being done, as a chain of causes.
pub async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(options) => demo::run(options).await,
        Command::Local(options) => local::run(options).await,
        Command::Stdio(options) => stdio::run(options).await,
        Command::Doctor(options) => doctor::run(options).await,
        Command::Call(options) => call::run(options).await,
        Command::Clusters(options) => clusters::run(options).await,
        Command::Reading(command) => reading::run(*command).await,
        Command::Completions(options) => completion::run(options.shell),
        Command::Agent(options) => manifest::run(options),
        Command::Token(options) => token::run(options),
    }
}
