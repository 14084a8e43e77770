//! `kubeplex call TOOL JSON`: one tool call, for trying things out and for scripts.

mod trace;

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use anyhow::{Context, bail};
use kubeplex_gateway::tools::registry;
use serde_json::{Map, Value};

use crate::arguments::Call;
use crate::client::{Client, Exchange};

/// Exit status of a command line that is wrong; the library that reads the others has it, too.
const WRONG_USAGE: u8 = 2;

/// Exit status of a call that the gateway answered with an error: not 1, which says that there was no answer.
const ANSWERED_WITH_AN_ERROR: u8 = 3;

/// # Errors
/// When no gateway answers.
pub async fn run(options: Call) -> anyhow::Result<ExitCode> {
    let arguments = match parse_arguments(&options.arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("kubeplex: {error:#}");
            return Ok(ExitCode::from(WRONG_USAGE));
        }
    };
    let exchange =
        Client::new(options.endpoint.endpoint)?.call(&options.tool, arguments, options.trace).await?;
    if options.trace {
        eprint!("{}", trace::render(&exchange));
    }
    print_result(&exchange, options.json)
}

/// Prints what a tool answered: text for people, the structured result with `json`; errors go to standard error.
///
/// # Errors
/// When the result can't be written.
pub fn print_result(exchange: &Exchange, json: bool) -> anyhow::Result<ExitCode> {
    match exchange.structured() {
        Ok(result) if json || exchange.text().is_empty() => {
            print(&serde_json::to_string_pretty(result)?)?;
        }
        Ok(_) => print(exchange.text())?,
        Err(error) if json => {
            print(&serde_json::to_string_pretty(error)?)?;
            return Ok(ExitCode::from(ANSWERED_WITH_AN_ERROR));
        }
        Err(error) => {
            eprintln!("{}", describe(error));
            return Ok(ExitCode::from(ANSWERED_WITH_AN_ERROR));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes to standard output. A reader that has seen enough (`| head`) is no error.
fn print(text: &str) -> io::Result<()> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// `code: message` and what to do about it. The protocol's own errors have a number, and mean a tool that is not there.
fn describe(error: &Value) -> String {
    let message = error["message"].as_str().unwrap_or_default();
    let (code, hint) = match error["code"].as_str() {
        Some(code) => (code.to_owned(), error["hint"].as_str().map(str::to_owned)),
        None => (format!("refused by the protocol ({})", error["code"]), Some(known_tools())),
    };
    match hint {
        Some(hint) => format!("{code}: {message}\n{hint}"),
        None => format!("{code}: {message}"),
    }
}

/// Of this version; a gateway of another may have others.
fn known_tools() -> String {
    let names: Vec<_> = registry().tools().iter().map(|tool| tool.name).collect();
    format!("the tools are {}", names.join(", "))
}

fn parse_arguments(text: &str) -> anyhow::Result<Map<String, Value>> {
    let mut given = text.to_owned();
    if text == "-" {
        given.clear();
        io::stdin().read_to_string(&mut given).context("reading the arguments from standard input")?;
    }
    match serde_json::from_str(&given) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(other) => bail!("the arguments are {other}; a JSON object is wanted, as in '{{\"limit\":10}}'"),
        Err(error) => {
            bail!("the arguments are not JSON ({error}); an object is wanted, as in '{{\"limit\":10}}'")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_are_a_json_object() {
        assert_eq!(parse_arguments(r#"{"limit":1}"#).unwrap()["limit"], 1);
        for (text, wanted) in [("[1]", "[1]"), ("{", "not JSON"), ("pods", "not JSON")] {
            assert!(parse_arguments(text).unwrap_err().to_string().contains(wanted), "{text}");
        }
    }

    #[test]
    fn errors_say_code_message_and_hint() {
        let error =
            json!({"code": "not_found", "message": "no cluster \"x\"", "hint": "did you mean \"y\"?"});
        assert_eq!(describe(&error), "not_found: no cluster \"x\"\ndid you mean \"y\"?");
        let unknown = describe(&json!({"code": -32602, "message": "unknown tool: \"pods\""}));
        assert!(
            unknown.starts_with("refused by the protocol (-32602): unknown tool: \"pods\"\nthe tools are ")
        );
        assert!(unknown.contains("pods_list"), "{unknown}");
    }
}
