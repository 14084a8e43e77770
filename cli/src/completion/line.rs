//! The line that is being written, as far as it says where and what is asked.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgMatches, CommandFactory as _};

use crate::arguments::{Address, Arguments, Target};
use crate::client::Endpoint;

/// A line that is not whole yet: it counts as far as it is right.
pub(super) struct Line {
    matches: ArgMatches,
}

impl Line {
    /// That of the shell which asks this process.
    pub(super) fn of_process() -> Option<Self> {
        Self::of(super::words(std::env::args_os()))
    }

    pub(super) fn of(words: Vec<OsString>) -> Option<Self> {
        let mut matches = Arguments::command().ignore_errors(true).try_get_matches_from(words).ok()?;
        while let Some((_, command)) = matches.remove_subcommand() {
            matches = command;
        }
        Some(Self { matches })
    }

    /// Which gateway is asked; none by a command that asks none.
    pub(super) fn target(&self) -> Option<Target> {
        let file = |name| self.matches.try_get_one::<PathBuf>(name).ok().flatten().cloned();
        Some(Target {
            at: Address { endpoint: self.matches.try_get_one::<Endpoint>("endpoint").ok()??.clone() },
            token_file: file("token_file"),
            ca_file: file("ca_file"),
        })
    }

    /// What was given for a flag of one value.
    pub(super) fn value(&self, flag: &str) -> Option<&str> {
        let value = self.matches.try_get_one::<String>(flag).ok()??.as_str();
        (!value.is_empty()).then_some(value)
    }

    /// The words that name objects, the one being written among them.
    pub(super) fn object(&self) -> Vec<&str> {
        let words = self.matches.try_get_many::<String>("object").ok().flatten();
        words.into_iter().flatten().map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line::of(text.split(' ').map(OsString::from).collect()).unwrap()
    }

    #[test]
    fn a_line_says_where_and_what_before_it_is_whole() {
        let whole = line("kubeplex get deploy  --cluster prod-* -n shop --endpoint http://127.0.0.1:1/mcp");
        assert_eq!(whole.value("cluster"), Some("prod-*"));
        assert_eq!(whole.value("namespace"), Some("shop"));
        assert_eq!(whole.object(), ["deploy", ""]);
        assert_eq!(whole.target().unwrap().at.endpoint.to_string(), "http://127.0.0.1:1/mcp");
        for (text, object) in [
            ("kubeplex get ", vec![""]),
            ("kubeplex describe deploy/ca", vec!["deploy/ca"]),
            ("kubeplex get deploy --nonsense ca", vec!["deploy"]),
            ("kubeplex get deploy cart --cluster ", vec!["deploy", "cart"]),
        ] {
            assert_eq!(line(text).object(), object, "{text}");
            assert!(line(text).target().is_some(), "{text}");
        }
        assert!(line("kubeplex token new").target().is_none());
    }
}
