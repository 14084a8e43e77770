//! `kubeplex completions`: a script by which a shell asks this program how a line goes on, and the answers.
//!
//! What commands and flags there are stands in the declaration of the command line ([`clap_complete`] reads it). What is
//! called in the clusters the running gateway says: clusters, kinds, namespaces, names ([`candidates`]), with the address and
//! the token that stand on the line ([`line`](mod@line)). A shell waits for the answer, so it is given [`PATIENCE`], and
//! without a gateway there is nothing to say.

mod candidates;
mod line;
mod question;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use clap::CommandFactory as _;
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};
use kubeplex_program::output;

use crate::arguments::Arguments;
use crate::exit::Exit;

pub(crate) use candidates::{cluster, clusters, logged, namespace, namespaces, object, tool};

/// How long a line may stand still after the key was pressed: for the whole answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a shell's script sets to the name of the shell when it asks.
const ASKED: &str = "KUBEPLEX_COMPLETE";

/// Answers a shell that asks how a line goes on, and says so: then that is all that this process is for.
///
/// To be called before anything is written. What can't be completed is not completed: a complaint would stand within the
/// line that somebody is writing.
pub fn answer() -> Option<ExitCode> {
    let environment = CompleteEnv::with_factory(Arguments::command).var(ASKED);
    match environment.try_complete(std::env::args_os(), std::env::current_dir().ok().as_deref()) {
        Ok(false) => None,
        Ok(true) => Some(ExitCode::SUCCESS),
        Err(_) => Some(Exit::AnsweredWithAnError.into()),
    }
}

/// # Errors
/// When standard output can't be written.
pub(crate) fn run(shell: Shell) -> anyhow::Result<ExitCode> {
    output::line(script(shell)?.trim_end())?;
    Ok(ExitCode::SUCCESS)
}

fn script(shell: Shell) -> anyhow::Result<String> {
    let (known, name) = (Shells::builtins(), shell.to_string());
    let Some(completer) = known.completer(&name) else { anyhow::bail!("there is no script for {name}") };
    let mut script = Vec::new();
    completer.write_registration(ASKED, "kubeplex", "kubeplex", "kubeplex", &mut script)?;
    Ok(String::from_utf8_lossy(&script).into_owned())
}

/// What a shell sends after `--`: the words of the line that is being written.
fn words(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    arguments.into_iter().skip_while(|word| word != "--").skip(1).collect()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_has_a_script_that_asks_this_program() {
        for shell in Shell::value_variants() {
            let script = script(*shell).unwrap();
            for word in [ASKED, "kubeplex", &shell.to_string()] {
                assert!(script.contains(word), "{shell}: {word} is missing");
            }
        }
    }
}
