//! `kubeplex call TOOL JSON`: one tool call, for trying things out and for scripts.

mod trace;

use std::io::{self, Read as _};
use std::process::ExitCode;

use anyhow::{Context, bail};
use kubeplex_gateway::tools::catalogue;
use kubeplex_program::{failure, output};
use kubeplex_proto::keys::key_twice;
use kubeplex_proto::nearest::nearest;
use serde_json::{Map, Value};

use crate::answer::{self, Look};
use crate::arguments::Call;
use crate::client::{Endpoint, Exchange};
use crate::exit::Exit;

/// # Errors
/// When no gateway answers.
pub async fn run(options: Call) -> anyhow::Result<ExitCode> {
    let arguments = match parse_arguments(&options.arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            failure::report("kubeplex", &error);
            return Ok(Exit::WrongUsage.into());
        }
    };
    let client = options.target.client()?;
    let exchange = client.call(&options.tool, arguments, options.trace).await?;
    if options.trace {
        output::note(&trace::render(&exchange));
    }
    print_result(&exchange, client.endpoint(), options.json)
}

/// Prints what a tool answered: a table for people, the structured result with `json`; errors go to standard error.
///
/// # Errors
/// When the result can't be written.
pub fn print_result(exchange: &Exchange, endpoint: &Endpoint, json: bool) -> anyhow::Result<ExitCode> {
    match exchange.structured() {
        Ok(result) if json => output::line(&serde_json::to_string_pretty(result)?)?,
        Ok(_) => output::line(answer::render(exchange, endpoint, Look::of_stdout()).trim_end())?,
        Err(error) => {
            if json {
                output::line(&serde_json::to_string_pretty(error)?)?;
            } else {
                output::note(&describe(error, exchange.tool()));
            }
            return Ok(Exit::AnsweredWithAnError.into());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `code: message` and what to do about it. The protocol's own errors have a number, and mean a tool that is not there.
pub(crate) fn describe(error: &Value, tool: &str) -> String {
    let message = error["message"].as_str().unwrap_or_default();
    let (code, hint) = match error["code"].as_str() {
        Some(code) => (code.to_owned(), error["hint"].as_str().map(str::to_owned)),
        None => (format!("refused by the protocol ({})", error["code"]), Some(known_tools(tool))),
    };
    match hint {
        Some(hint) => format!("{code}: {message}\n{hint}"),
        None => format!("{code}: {message}"),
    }
}

/// Of this version; a gateway of another may have others.
fn known_tools(wanted: &str) -> String {
    let names: Vec<_> = catalogue().tools().iter().map(|tool| tool.name).collect();
    let near = nearest(wanted, names.iter().copied());
    let guess = if near.is_empty() { String::new() } else { format!("did you mean {}? ", near.join(" or ")) };
    format!("{guess}the tools are {}", names.join(", "))
}

fn parse_arguments(text: &str) -> anyhow::Result<Map<String, Value>> {
    let mut given = text.to_owned();
    if text == "-" {
        given.clear();
        io::stdin().read_to_string(&mut given).context("reading the arguments from standard input")?;
    }
    if let Some(key) = key_twice(&given) {
        bail!("the arguments {given} have the key {key:?} twice; which of the two counts nobody knows");
    }
    match serde_json::from_str(&given) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(other) => bail!("the arguments are {other}; a JSON object is wanted, as in '{{\"limit\":10}}'"),
        Err(error) => {
            bail!(
                "the arguments {given:?} are not JSON ({error}); an object is wanted, as in '{{\"limit\":10}}'"
            )
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
        for (text, wanted) in [
            ("[1]", "[1]"),
            ("{", "not JSON"),
            ("pods", "not JSON"),
            (r#"{"limit":1,"limit":2}"#, "\"limit\" twice"),
        ] {
            assert!(parse_arguments(text).unwrap_err().to_string().contains(wanted), "{text}");
        }
    }

    #[test]
    fn errors_say_code_message_and_hint() {
        let error =
            json!({"code": "not_found", "message": "no cluster \"x\"", "hint": "did you mean \"y\"?"});
        assert_eq!(describe(&error, "pods_list"), "not_found: no cluster \"x\"\ndid you mean \"y\"?");
        let unknown = describe(&json!({"code": -32602, "message": "unknown tool: \"pods\""}), "pods");
        let told = "refused by the protocol (-32602): unknown tool: \"pods\"\ndid you mean pods_list";
        assert!(unknown.starts_with(told) && unknown.contains("? the tools are "), "{unknown}");
        let far = describe(&json!({"code": -32602, "message": "unknown tool: \"x\""}), "x");
        assert!(far.contains("\nthe tools are ") && far.contains("resources_get"), "{far}");
    }
}
