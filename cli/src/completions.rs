//! `kubeplex completions`: a script for a shell, from the command line as it is declared.

use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;
use kubeplex_program::output;

use crate::arguments::Arguments;

/// # Errors
/// When standard output can't be written.
pub(crate) fn run(shell: Shell) -> anyhow::Result<ExitCode> {
    output::line(script(shell).trim_end())?;
    Ok(ExitCode::SUCCESS)
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "kubeplex", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_has_a_script_that_knows_the_commands() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            for word in ["problems", "cluster-selector", "completions"] {
                assert!(script.contains(word), "{shell}: {word} is missing");
            }
        }
    }
}
