//! `kubeplex`: the program for a person.

use std::process::ExitCode;

use clap::Parser;
use kubeplex_agent::allocator;
use kubeplex_cli::arguments::Arguments;
use kubeplex_program::failure;

#[global_allocator]
static ALLOCATOR: allocator::Jemalloc = allocator::Jemalloc;

#[expect(unsafe_code, reason = "the allocator reads its options from a symbol of this name before main")]
#[cfg_attr(target_os = "linux", unsafe(export_name = "malloc_conf"))]
#[cfg_attr(not(target_os = "linux"), unsafe(export_name = "_rjem_malloc_conf"))]
pub static ALLOCATOR_OPTIONS: &[u8; allocator::OPTIONS.len()] = allocator::OPTIONS;

fn main() -> ExitCode {
    failure::exit("kubeplex", run(Arguments::parse()))
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    arguments.log.start(arguments.default_log())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(kubeplex_cli::run(arguments.command));
    // A credential plugin that waits for somebody must not keep the program from ending.
    runtime.shutdown_background();
    outcome
}
