//! One rule for all programs: logs go to standard error; `KUBEPLEX_LOG` says which, `KUBEPLEX_LOG_FORMAT` in which form.

use std::io::IsTerminal as _;

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// What a person may say about logs.
#[derive(Debug, Clone, Args)]
pub struct LogOptions {
    /// What to log, as in info,kubeplex_agent=debug
    #[arg(
        long = "log",
        env = "KUBEPLEX_LOG",
        hide_env_values = true,
        value_name = "FILTER",
        value_parser = checked,
        global = true,
        help_heading = "Logs"
    )]
    filter: Option<String>,
    /// How to write logs: lines for people, or one JSON object a line
    #[arg(
        long = "log-format",
        env = "KUBEPLEX_LOG_FORMAT",
        hide_env_values = true,
        value_name = "FORMAT",
        default_value = "text",
        global = true,
        help_heading = "Logs"
    )]
    format: LogFormat,
}

/// The form of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// In colour on a terminal, plain elsewhere.
    Text,
    /// One object a line, for whatever collects logs.
    Json,
}

impl LogOptions {
    /// Starts logging; what is logged without a filter is the program's choice.
    ///
    /// # Errors
    /// When the program's choice is no filter, which a test of the program should find.
    pub fn start(&self, default: &str) -> Result<(), ParseError> {
        let filter = EnvFilter::try_new(self.filter.as_deref().unwrap_or(default))?;
        let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        match self.format {
            LogFormat::Text => subscriber.with_ansi(colours()).init(),
            LogFormat::Json => subscriber.json().flatten_event(true).init(),
        }
        Ok(())
    }
}

/// As typed, if it can be understood: the library's own conversion skips what it can't.
fn checked(text: &str) -> Result<String, String> {
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!(
            "{error}; write a level (error, warn, info, debug, trace) or target=level, with commas between"
        )),
    }
}

/// <https://no-color.org>, and terminals that can't.
fn colours() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::io::stderr().is_terminal() && !is_set("NO_COLOR") && !dumb
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        log: LogOptions,
    }

    #[test]
    fn a_filter_is_understood_or_refused() {
        let program = Program::try_parse_from(["test", "--log", "info,kube=off", "--log-format", "json"]);
        let options = program.unwrap().log;
        assert_eq!((options.filter.as_deref(), options.format), (Some("info,kube=off"), LogFormat::Json));
        for (option, wrong, told) in [
            ("--log", "a=b=c", "target=level"),
            ("--log", "kube=loud", "target=level"),
            ("--log-format", "xml", "json"),
        ] {
            let error = Program::try_parse_from(["test", option, wrong]).unwrap_err().to_string();
            assert!(error.contains(told) && error.contains(wrong), "{option} {wrong}: {error}");
        }
    }
}
