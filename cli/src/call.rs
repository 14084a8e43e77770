//! `kubeplex call TOOL JSON`: one tool call, for trying things out and for scripts.

mod trace;

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::{Map, Value};

use crate::arguments::Call;
use crate::client::{Client, Exchange};

/// Exit status of a call that the gateway answered with an error: not 1, which says that there was no answer.
const ANSWERED_WITH_AN_ERROR: u8 = 2;

/// # Errors
/// When the arguments are not a JSON object, or no gateway answers.
pub async fn run(options: Call) -> anyhow::Result<ExitCode> {
    let arguments = parse_arguments(&options.arguments)?;
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
/// When the result can't be written as JSON.
pub fn print_result(exchange: &Exchange, json: bool) -> anyhow::Result<ExitCode> {
    match exchange.structured() {
        Ok(result) if json || exchange.text().is_empty() => {
            println!("{}", serde_json::to_string_pretty(result)?)
        }
        Ok(_) => println!("{}", exchange.text()),
        Err(error) if json => {
            println!("{}", serde_json::to_string_pretty(error)?);
            return Ok(ExitCode::from(ANSWERED_WITH_AN_ERROR));
        }
        Err(error) => {
            eprintln!("{}", describe(error));
            return Ok(ExitCode::from(ANSWERED_WITH_AN_ERROR));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `code: message` and what to do about it.
fn describe(error: &Value) -> String {
    let code = error["code"].as_str().map_or_else(|| error["code"].to_string(), str::to_owned);
    let message = error["message"].as_str().unwrap_or_default();
    match error["hint"].as_str() {
        Some(hint) => format!("{code}: {message}\n{hint}"),
        None => format!("{code}: {message}"),
    }
}

fn parse_arguments(text: &str) -> anyhow::Result<Map<String, Value>> {
    let mut given = text.to_owned();
    if text == "-" {
        given.clear();
        std::io::stdin().read_to_string(&mut given).context("reading the arguments from standard input")?;
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
        assert_eq!(describe(&json!({"code": -32602, "message": "Unknown tool"})), "-32602: Unknown tool");
    }
}
