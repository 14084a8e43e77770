//! `kubeplex`: the program for a person.

use std::process::ExitCode;

use clap::Parser;
use kubeplex_cli::arguments::Arguments;
use kubeplex_cli::completion;
use kubeplex_program::failure;

kubeplex_agent::program_allocator!();

fn main() -> ExitCode {
    if let Some(exit) = completion::answer() {
        return exit;
    }
    failure::exit("kubeplex", run(Arguments::parse()))
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    arguments.log.start(arguments.default_log())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(kubeplex_cli::run(arguments.command));
    // Standard input is read on a thread that ends with the input; it must not keep the program from ending.
    runtime.shutdown_background();
    outcome
}
