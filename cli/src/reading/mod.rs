//! The commands that read, as kubectl's are written: `kubeplex get deploy -n shop`. Each is a client of a running gateway,
//! as `kubeplex call` is.
//!
//! A command is a struct of shared groups of flags ([`flags`]) whose fields are called as the tool's arguments are, so that
//! the command line is its own translation ([`question`]). What comes back is read to its end ([`pages`]) and shown
//! ([`show`]) by its shape alone, whatever tool it is from.

mod commands;
mod flags;
mod follow;
mod object;
mod pages;
mod question;
mod show;
mod watching;

use std::process::ExitCode;

use kubeplex_program::{failure, output};

use crate::answer::{self, Look};
use crate::call;
use crate::client::Client;
use crate::exit::Exit;

pub use commands::Command;
use pages::Answer;
use question::Question;

/// # Errors
/// When no gateway answers, or nothing can be written.
pub async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let question = match command.question() {
        Ok(question) => question,
        Err(error) => {
            failure::report("kubeplex", &error.into());
            return Ok(Exit::WrongUsage.into());
        }
    };
    let client = question.target.clone().client()?;
    let exit = if question.follows() {
        follow::run(&client, &question).await?
    } else if question.watch.is_some() {
        watching::run(&client, &question).await?
    } else {
        once(&client, &question).await?
    };
    Ok(exit.into())
}

async fn once(client: &Client, question: &Question) -> anyhow::Result<Exit> {
    let answer = pages::read(client, question).await?;
    show::content(&answer, question)?;
    Ok(aside(&answer, client, question))
}

/// What does not belong among the rows: what is missing, how the answer goes on, why there is none.
fn aside(answer: &Answer, client: &Client, question: &Question) -> Exit {
    if let Some(content) = &answer.content {
        let footer = answer::footer(content, Look::of_stderr(), question.is_for_people());
        if !footer.is_empty() {
            output::note(footer.trim_end());
        }
        if let Some(cursor) = content["continue"].as_str() {
            output::note(&format!("more: the same command with --continue {cursor}"));
        }
    }
    match &answer.error {
        Some(error) if is_unknown_tool(error) => {
            output::note(&format!(
                "the gateway at {} has no tool {}: it is of another version than this program ({}), or keeps the tool \
                 from you",
                client.endpoint(),
                question.tool,
                env!("CARGO_PKG_VERSION"),
            ));
        }
        Some(error) => output::note(&call::describe(error, question.tool)),
        None => {}
    }
    exit(answer)
}

fn exit(answer: &Answer) -> Exit {
    match (&answer.error, &answer.content) {
        (Some(error), None) if error["code"] == "not_found" => Exit::NothingFound,
        (Some(_), _) | (None, None) => Exit::AnsweredWithAnError,
        (None, Some(content)) if content["partial"] == true => Exit::Partial,
        (None, Some(content)) if answer::is_empty(content) => Exit::NothingFound,
        (None, Some(_)) => Exit::Found,
    }
}

/// The protocol's own error, which has a number; a tool's has a word.
fn is_unknown_tool(error: &serde_json::Value) -> bool {
    error["code"].as_i64() == Some(INVALID_PARAMS)
}

/// What the protocol says to the name of a tool that there is not.
const INVALID_PARAMS: i64 = -32_602;

#[cfg(test)]
mod tests;
