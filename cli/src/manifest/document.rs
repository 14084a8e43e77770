//! How documents of the manifest are written: by hand, so that comments can stand in them; a text of somebody else's only in
//! quotes.

use super::names::Namespace;

/// What everything in the agent's namespace is called.
pub(super) const NAME: &str = "kubeplex-agent";

/// The namespace that needs no mention in the names of what is in none.
const USUAL_NAMESPACE: &str = "kubeplex";

/// Where the agent is.
pub(super) struct Place(pub(super) Namespace);

impl Place {
    pub(super) fn namespace(&self) -> &Namespace {
        &self.0
    }

    /// The name of what is not in the agent's namespace. Agents of two gateways can be in one cluster, each in a namespace
    /// of its own.
    pub(super) fn of_cluster(&self, part: Option<&str>) -> String {
        let usual = self.0.as_str() == USUAL_NAMESPACE;
        let namespace = (!usual).then(|| self.0.as_str());
        let parts = [Some(NAME), namespace, part];
        parts.into_iter().flatten().collect::<Vec<_>>().join("-")
    }
}

/// `more` are lines below the labels.
pub(super) fn metadata(name: &str, namespace: Option<&Namespace>, more: &str) -> String {
    let namespace = namespace.map(|namespace| format!("  namespace: {}\n", quoted(namespace.as_str())));
    format!(
        "metadata:\n  name: {}\n{}  labels:\n    app.kubernetes.io/name: {NAME}\n    app.kubernetes.io/part-of: kubeplex\n{more}",
        quoted(name),
        namespace.unwrap_or_default(),
    )
}

/// Plain where YAML can't take it for anything else; JSON's strings are YAML's, and TOML's.
pub(super) fn quoted(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
        && !matches!(text, "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n");
    if plain { text.to_owned() } else { in_quotes(text) }
}

pub(super) fn in_quotes(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

pub(super) fn joined<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(quoted).collect::<Vec<_>>().join(", ")
}

/// A list behind its key: on the same line, or a line a word where that would be long.
pub(super) fn flow(words: &[&str]) -> String {
    let line = words.join(", ");
    if line.len() <= 90 {
        return format!(" [{line}]");
    }
    words.iter().map(|word| format!("\n      - {word}")).collect()
}

/// Lines of a block, four columns in.
pub(super) fn block(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
}
