//! From text to [`RawConfig`], and where that fails, to a sentence that a person can act on: the line, the key, what stands
//! there, and what is wanted.

use kubeplex_proto::nearest::nearest;

use super::raw::RawConfig;

/// Text that is no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}{}: {problem}", if key.is_empty() { String::new() } else { format!(", {key}") })]
pub struct Malformed {
    /// Counted from 1.
    pub line: usize,
    /// As in `limits.sessions`; empty for text that is no TOML.
    pub key: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

pub(super) fn parse(text: &str) -> Result<RawConfig, Malformed> {
    let toml = toml::Deserializer::parse(text).map_err(|error| Malformed {
        line: line_of(text, &error),
        key: String::new(),
        problem: format!("this is not TOML: {}", error.message()),
    })?;
    serde_path_to_error::deserialize(toml).map_err(|error| {
        let path = error.path().to_string();
        Malformed {
            line: line_of(text, error.inner()),
            key: if path == "." { String::new() } else { path },
            problem: problem(error.inner().message()),
        }
    })
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
    use super::*;

    #[test]
    fn a_mistake_is_told_with_its_line_key_and_remedy() {
        for (text, wanted) in [
            ("[gateway", "line 1: this is not TOML: "),
            (
                "[limits]\n\nsessions = \"many\"",
                "line 3, limits.sessions: string \"many\" stands there; a whole number",
            ),
            ("[limits]\nsessions = -4", "line 2, limits.sessions: integer `-4` stands there; a whole number"),
            (
                "[limits]\nsesions = 3",
                "line 2, limits.sesions: there is no key \"sesions\"; did you mean sessions? there are ",
            ),
            ("gateway = 3", "line 1, gateway: integer `3` stands there; a section is wanted"),
            (
                "[mcp]\nallowed_hosts = \"a\"",
                "line 2, mcp.allowed_hosts: string \"a\" stands there; a list in brackets is wanted",
            ),
            (
                "[mcp]\nconformance_fixtures = 1",
                "line 2, mcp.conformance_fixtures: integer `1` stands there; true or false is wanted",
            ),
            ("[[cluster]]\nname = \"a\"\n[[cluster]]\nlabels = {}", "line 3, cluster[1]: name is missing"),
            (
                "[clusters]",
                "line 1, clusters: there is no key \"clusters\"; did you mean cluster? there are gateway, mcp",
            ),
        ] {
            let told = parse(text).unwrap_err().to_string();
            assert!(told.starts_with(wanted), "{told} instead of {wanted}");
        }
    }
}
