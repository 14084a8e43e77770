//! What is read of a message before the library reads it.

use std::borrow::Cow;

use http::HeaderMap;
use kubeplex_proto::keys::{KeyedOnce, key_twice};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::denied::Denied;

/// The deepest nesting of arrays and objects. Text that is not JSON gets some number; the parser will say what is wrong.
pub(super) fn depth(body: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// What every message of the protocol says first.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(borrow)]
    jsonrpc: Option<Cow<'a, str>>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    /// Which of two equal keys counts, the library would decide.
    #[serde(default, rename = "params")]
    _params: KeyedOnce,
}

impl<'a> Envelope<'a> {
    /// The library says of these no more than that it can't read them, and not as the protocol would.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Denied> {
        let text = std::str::from_utf8(body).map_err(|_| Denied::NotJsonRpc("it is not UTF-8"))?;
        let envelope: Self = serde_json::from_str(text).map_err(|error| {
            if let Some(key) = key_twice(text) {
                return Denied::KeyTwice(key);
            }
            let kind = serde_json::from_str::<IgnoredAny>(text);
            match (kind, text.trim_start().starts_with('[')) {
                (Err(error), _) => Denied::NotJson(error),
                (Ok(_), true) => {
                    Denied::NotJsonRpc("the protocol has no batches; send one message at a time")
                }
                (Ok(_), false) if error.is_data() && text.trim_start().starts_with('{') => {
                    Denied::NotJsonRpc("jsonrpc and method are strings")
                }
                (Ok(_), false) => Denied::NotJsonRpc("an object is wanted"),
            }
        })?;
        if envelope.jsonrpc.as_deref() != Some("2.0") {
            return Err(Denied::NotJsonRpc("jsonrpc must be \"2.0\""));
        }
        if !envelope.id.is_none_or(can_be_answered) {
            return Err(Denied::NotJsonRpc("id must be a string or an integer of 64 bits"));
        }
        Ok(envelope)
    }

    pub(super) fn opens_session(&self, headers: &HeaderMap) -> bool {
        !headers.contains_key("mcp-session-id") && self.method.as_deref() == Some("initialize")
    }
}

/// A `null` is there as well: it must not pass for a notification.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

fn can_be_answered(id: &RawValue) -> bool {
    id.get().starts_with('"') || id.get().parse::<i64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_counted_outside_of_strings() {
        for (text, expected) in [
            ("", 0),
            ("{}", 1),
            (r#"{"a":[[1],{"b":2}]}"#, 3),
            (r#"{"a":"[[[[{{{{"}"#, 1),
            (r#"{"a":"\"[["}"#, 1),
            (r#"{"a":"\\"}"#, 1),
            ("]]]][[", 2),
        ] {
            assert_eq!(depth(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn a_message_is_an_object_of_the_protocol_with_an_id_that_can_be_answered() {
        for (body, problem) in [
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, None),
            (r#" {"jsonrpc":"2.0","id":"x","result":{}}"#, None),
            (r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, None),
            (r#"{"jsonrpc":"2.0","id":-9223372036854775808,"method":"ping"}"#, None),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, Some("batches")),
            ("[]", Some("batches")),
            ("null", Some("an object is wanted")),
            (r#""hi""#, Some("an object is wanted")),
            ("{}", Some("jsonrpc must be")),
            (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, Some("jsonrpc must be")),
            (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, Some("are strings")),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, Some("id must be")),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, Some("id must be")),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, Some("id must be")),
            (r#"{"jsonrpc":"2.0","id":99999999999999999999,"method":"ping"}"#, Some("id must be")),
            ("{\"jsonrpc\":", Some("not JSON")),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}"#,
                Some("the key \"method\" stands twice"),
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{"limit":1,"limit":2}}}"#,
                Some("the key \"limit\" stands twice"),
            ),
        ] {
            let refused = Envelope::read(body.as_bytes()).err().map(|denied| denied.to_string());
            match problem {
                None => assert_eq!(refused, None, "{body}"),
                Some(part) => {
                    assert!(refused.as_ref().is_some_and(|told| told.contains(part)), "{body}: {refused:?}");
                }
            }
        }
        assert!(matches!(Envelope::read(b"{\"jsonrpc\":\"\xff\"}"), Err(Denied::NotJsonRpc(_))));
    }

    #[test]
    fn only_an_initialize_without_a_session_opens_one() {
        let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#;
        let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
        let opens = |body: &str, headers: &HeaderMap| {
            Envelope::read(body.as_bytes()).is_ok_and(|message| message.opens_session(headers))
        };
        assert!(opens(initialize, &HeaderMap::new()));
        assert!(!opens(list, &HeaderMap::new()));
        let in_session = HeaderMap::from_iter([(
            http::HeaderName::from_static("mcp-session-id"),
            http::HeaderValue::from_static("x"),
        )]);
        assert!(!opens(initialize, &in_session));
    }
}
