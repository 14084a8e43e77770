//! From TOML to a program's own types, and where that fails, to a sentence that a person can act on: the line, the key, what
//! stands there, and what is wanted. The environment can be laid over the file.

pub use config::Value;
use config::{Config, ConfigError, File, FileFormat};
use kubeplex_proto::nearest::nearest;
use serde::de::DeserializeOwned;
use toml::Table;

/// Text that is no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}{}: {problem}", if key.is_empty() { String::new() } else { format!(", {key}") })]
pub struct Malformed {
    pub place: Place,
    /// As in `limits.sessions`; empty for text that is no TOML.
    pub key: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Place {
    /// In a file; counted from 1.
    #[error("line {0}")]
    Line(usize),
    #[error("in the environment")]
    Environment,
}

/// Reads a file's text.
///
/// # Errors
/// The first thing that is no TOML, no key of `T`, or of another type than its key wants.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Malformed> {
    let toml = toml::Deserializer::parse(text).map_err(|error| Malformed {
        place: Place::Line(line_of(text, &error)),
        key: String::new(),
        problem: format!("this is not TOML: {}", error.message()),
    })?;
    serde_path_to_error::deserialize(toml)
        .map_err(|error| malformed(Place::Line(line_of(text, error.inner())), &error))
}

/// Reads a file's text with the environment above it: `PREFIX__SECTION__KEY` is `key` in `[section]`, whatever the case.
/// What is not of this prefix is ignored. An environment holds texts alone; `typed` says what the text of a key stands for.
///
/// # Errors
/// As [`parse`], for the file by itself first.
pub fn parse_with_environment<T: DeserializeOwned>(
    text: &str,
    prefix: &str,
    environment: impl IntoIterator<Item = (String, String)>,
    typed: impl Fn(&str, String) -> Value,
) -> Result<T, Malformed> {
    let file: T = parse(text)?;
    let mut settings: Vec<_> =
        environment.into_iter().filter_map(|(name, value)| Some((path_of(&name, prefix)?, value))).collect();
    if settings.is_empty() {
        return Ok(file);
    }
    settings.sort();
    let settings = settings.into_iter().map(|(key, text)| {
        let value = typed(&key, text);
        (key, value)
    });
    let all = layered(text, settings.collect())?;
    // The file alone was understood, so what is wrong now came from the environment.
    serde_path_to_error::deserialize(all).map_err(|error| malformed(Place::Environment, &error))
}

fn path_of(name: &str, prefix: &str) -> Option<String> {
    let path = name.strip_prefix(prefix)?.strip_prefix("__")?;
    Some(path.to_lowercase().replace("__", "."))
}

/// The file's settings with these above them.
fn layered(text: &str, settings: Vec<(String, Value)>) -> Result<Table, Malformed> {
    let mut layers = Config::builder().add_source(File::from_str(text, FileFormat::Toml));
    for (key, value) in settings {
        layers = layers.set_override(&key, value).map_err(|error| in_environment(key, &error))?;
    }
    let all = layers.build().and_then(Config::try_deserialize);
    all.map_err(|error| in_environment(String::new(), &error))
}

fn in_environment(key: String, error: &ConfigError) -> Malformed {
    Malformed { place: Place::Environment, key, problem: error.to_string() }
}

fn malformed(place: Place, error: &serde_path_to_error::Error<toml::de::Error>) -> Malformed {
    let path = error.path().to_string();
    let key = if path == "." { String::new() } else { path };
    Malformed { place, key, problem: problem(error.inner().message()) }
}

fn line_of(text: &str, error: &toml::de::Error) -> usize {
    let start = error.span().map_or(0, |span| span.start.min(text.len()));
    text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The library's message in the words of this page.
fn problem(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("unknown field `") {
        return unknown_key(rest);
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        return format!("{} is missing", key.replace('`', ""));
    }
    let found = ["invalid type: ", "invalid value: "].iter().find_map(|prefix| message.strip_prefix(prefix));
    match found.and_then(|found| found.rsplit_once(", expected ")) {
        Some((found, wanted)) => format!("{found} stands there; {} is wanted", wanted_type(wanted)),
        None => message.to_owned(),
    }
}

/// What follows "unknown field `": the key, and in backticks those that there are.
fn unknown_key(rest: &str) -> String {
    let mut quoted = rest.split('`').step_by(2);
    let key = quoted.next().unwrap_or_default();
    let known: Vec<&str> = rest.split('`').skip(2).step_by(2).collect();
    let near = nearest(key, known.iter().copied());
    let guess = if near.is_empty() { String::new() } else { format!("did you mean {}? ", near.join(" or ")) };
    format!("there is no key \"{key}\"; {guess}there are {}", known.join(", "))
}

fn wanted_type(wanted: &str) -> &str {
    match wanted {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more,",
        "a boolean" => "true or false",
        "a sequence" => "a list in brackets",
        "a map" => "a table in braces",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default, expecting = "a configuration")]
    struct Settings {
        name: String,
        hosts: Vec<String>,
        limits: Limits,
        cluster: Vec<Cluster>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default, expecting = "a section")]
    struct Limits {
        sessions: Option<u32>,
        open: bool,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, expecting = "a section")]
    struct Cluster {
        name: String,
        token: Option<String>,
    }

    #[test]
    fn a_mistake_is_told_with_its_line_key_and_remedy() {
        for (text, wanted) in [
            ("[limits", "line 1: this is not TOML: "),
            (
                "[limits]\n\nsessions = \"many\"",
                "line 3, limits.sessions: string \"many\" stands there; a whole number",
            ),
            ("[limits]\nsessions = -4", "line 2, limits.sessions: integer `-4` stands there; a whole number"),
            (
                "[limits]\nsesions = 3",
                "line 2, limits.sesions: there is no key \"sesions\"; did you mean sessions? there are ",
            ),
            ("limits = 3", "line 1, limits: integer `3` stands there; a section is wanted"),
            ("\nhosts = \"a\"", "line 2, hosts: string \"a\" stands there; a list in brackets is wanted"),
            ("[limits]\nopen = 1", "line 2, limits.open: integer `1` stands there; true or false is wanted"),
            ("[[cluster]]\nname = \"a\"\n[[cluster]]\ntoken = \"b\"", "line 3, cluster[1]: name is missing"),
            (
                "[clusters]",
                "line 1, clusters: there is no key \"clusters\"; did you mean cluster? there are name, hosts",
            ),
        ] {
            let told = parse::<Settings>(text).unwrap_err().to_string();
            assert!(told.starts_with(wanted), "{told} instead of {wanted}");
        }
    }

    /// Only what is a number is one.
    fn typed(key: &str, text: String) -> Value {
        match text.parse::<i64>() {
            Ok(number) if key == "limits.sessions" => number.into(),
            _ => text.into(),
        }
    }

    fn with(text: &str, environment: &[(&str, &str)]) -> Result<Settings, Malformed> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        parse_with_environment(text, "APP", environment, typed)
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = "name = \"file\"\nhosts = [\"a\"]\n[limits]\nsessions = 3\nopen = true";
        let all =
            [("APP__NAME", "0012"), ("APP__LIMITS__SESSIONS", "4"), ("APPLE__NAME", "x"), ("PATH", "y")];
        let limits = Limits { sessions: Some(4), open: true };
        let wanted =
            Settings { name: "0012".to_owned(), hosts: vec!["a".to_owned()], limits, cluster: Vec::new() };
        assert_eq!(with(file, &all), Ok(wanted));
    }

    #[test]
    fn a_mistake_in_the_environment_is_told_as_one() {
        for (name, value, wanted) in [
            (
                "APP__LIMITS__SESIONS",
                "3",
                "limits.sesions: there is no key \"sesions\"; did you mean sessions?",
            ),
            (
                "APP__LIMITS__SESSIONS",
                "many",
                "limits.sessions: string \"many\" stands there; a whole number",
            ),
            ("APP__LIMITS", "3", "limits: string \"3\" stands there; a section is wanted"),
        ] {
            let told = with("name = \"a\"", &[(name, value)]).unwrap_err().to_string();
            let wanted = format!("in the environment, {wanted}");
            assert!(told.starts_with(&wanted), "{told} instead of {wanted}");
        }
        let told = with("nam = 3", &[("APP__NAME", "a")]).unwrap_err().to_string();
        assert!(told.starts_with("line 1, nam: "), "{told}");
    }
}
