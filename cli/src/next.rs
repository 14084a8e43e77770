//! A call that an answer suggests, as the command of this program that makes it.

use serde_json::{Map, Value};

use crate::hints::quoted;

/// Commands that take an object, by their tools.
const OF_OBJECTS: [(&str, &str); 4] = [
    ("resources_describe", "describe"),
    ("pods_log", "logs"),
    ("events_list", "events"),
    ("changes_list", "changes"),
];

/// Flags, by the arguments that they become.
const FLAGS: [(&str, &str); 7] = [
    ("namespace", "-n"),
    ("cluster", "--cluster"),
    ("container", "-c"),
    ("previous", "-p"),
    ("patterns", "--patterns"),
    ("since", "--since"),
    ("tail", "--tail"),
];

/// `None` for what is no call.
pub(crate) fn command(call: &Value) -> Option<String> {
    let tool = call["tool"].as_str()?;
    let arguments = call["arguments"].as_object()?;
    let typed = typed(tool, arguments);
    Some(typed.unwrap_or_else(|| format!("kubeplex call {tool} {}", quoted(&call["arguments"].to_string()))))
}

fn typed(tool: &str, arguments: &Map<String, Value>) -> Option<String> {
    let (_, command) = OF_OBJECTS.iter().find(|(of, _)| *of == tool)?;
    let text = |name: &str| arguments.get(name).and_then(Value::as_str);
    let object = match (text("kind"), text("name")?) {
        (Some(kind), name) => format!("{kind}/{name}"),
        (None, name) => name.to_owned(),
    };
    let mut words = vec!["kubeplex".to_owned(), (*command).to_owned(), word(&object)];
    let others = arguments.keys().filter(|name| !matches!(name.as_str(), "kind" | "name"));
    let known = |name: &String| FLAGS.iter().any(|(argument, _)| argument == name);
    if !others.clone().all(known) {
        return None;
    }
    for (argument, flag) in FLAGS {
        match arguments.get(argument) {
            None | Some(Value::Bool(false)) => {}
            Some(Value::Bool(true)) => words.push(flag.to_owned()),
            Some(Value::String(value)) => words.extend([flag.to_owned(), word(value)]),
            Some(value) => words.extend([flag.to_owned(), value.to_string()]),
        }
    }
    Some(words.join(" "))
}

/// In quotes only where a shell would read it otherwise.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=@%+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) { text.to_owned() } else { quoted(text) }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::json;

    use super::*;
    use crate::arguments::Arguments;

    #[test]
    fn calls_are_commands_that_this_program_takes() {
        for (call, wanted) in [
            (
                json!({"tool": "resources_describe", "arguments": {"cluster": "eu", "namespace": "shop", "name": "deployments/cart"}}),
                "kubeplex describe deployments/cart -n shop --cluster eu",
            ),
            (
                json!({"tool": "pods_log", "arguments": {"cluster": "eu", "namespace": "shop", "name": "cart-1", "container": "main", "previous": true}}),
                "kubeplex logs cart-1 -n shop --cluster eu -c main -p",
            ),
            (
                json!({"tool": "resources_describe", "arguments": {"name": "clusterroles/system:node reader"}}),
                "kubeplex describe 'clusterroles/system:node reader'",
            ),
            (
                json!({"tool": "resources_get", "arguments": {"name": "a"}}),
                r#"kubeplex call resources_get '{"name":"a"}'"#,
            ),
            (
                json!({"tool": "pods_log", "arguments": {"name": "a", "grep": "x"}}),
                r#"kubeplex call pods_log '{"name":"a","grep":"x"}'"#,
            ),
        ] {
            let typed = command(&call).unwrap();
            assert_eq!(typed, wanted);
            if !typed.contains('\'') {
                assert!(Arguments::try_parse_from(typed.split(' ')).is_ok(), "{typed}");
            }
        }
        assert_eq!(command(&json!({"a": "b"})), None);
    }
}
