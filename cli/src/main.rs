//! `kubeplex`: the program for a person.

use std::process::ExitCode;

use clap::Parser;
use kubeplex_cli::arguments::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    kubeplex_cli::logging::start(arguments.verbose);
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(kubeplex_cli::run(arguments.command)));
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("kubeplex: {error:#}");
            ExitCode::FAILURE
        }
    }
}
