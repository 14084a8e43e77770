//! `kubeplex`: the program for a person.

use std::process::ExitCode;

use clap::Parser;
use kubeplex_cli::arguments::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    kubeplex_cli::logging::start(arguments.verbose);
    match run(arguments.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("kubeplex: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(kubeplex_cli::run(command));
    // A credential plugin that waits for somebody must not keep the program from ending.
    runtime.shutdown_background();
    outcome
}
