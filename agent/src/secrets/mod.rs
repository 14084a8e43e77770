//! What the agent tells of a Secret from its data, where it was told to: the data itself goes no further than this.
//!
//! Nothing here puts what it reads into an error or a log, and what can't be read is said in fixed words.

mod helm;
mod tls;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::config::SecretData;
use crate::limits::TOLD_CHARACTERS;

/// From the data of which type of Secrets something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// Of a certificate: until when it is valid, from whom, for which names.
    Tls,
    /// Of a Helm release: what is installed, in which state.
    Helm,
}

impl Told {
    /// Those that the configuration asks for.
    pub(crate) fn of(data: SecretData) -> Vec<Self> {
        let wanted = [(Self::Tls, data.tls_dates), (Self::Helm, data.helm_releases)];
        wanted.into_iter().filter_map(|(told, is_wanted)| is_wanted.then_some(told)).collect()
    }

    /// The `type` of such Secrets, which never changes.
    pub(crate) fn secret_type(self) -> &'static str {
        match self {
            Self::Tls => "kubernetes.io/tls",
            Self::Helm => "helm.sh/release.v1",
        }
    }

    pub(crate) fn of_type(secret_type: &str) -> Option<Self> {
        [Self::Tls, Self::Helm].into_iter().find(|told| told.secret_type() == secret_type)
    }

    /// A Secret without its data: identity, labels, type, how many keys it has, and what is told, under a field of its own.
    ///
    /// # Errors
    /// What is no JSON; the error has nothing of it.
    pub(crate) fn without_data(self, secret: &[u8]) -> serde_json::Result<Value> {
        let mut secret: Value = serde_json::from_slice(secret)?;
        let data = secret.get_mut("data").map(Value::take).unwrap_or_default();
        let empty = Map::new();
        let data = data.as_object().unwrap_or(&empty);
        let mut take = |field: &str| secret.get_mut(field).map(Value::take).unwrap_or_default();
        let mut kept = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": take("metadata"),
            "type": take("type"),
            "dataCount": data.len(),
        });
        let (field, told) = match self {
            Self::Tls => ("tls", tls::certificate(data)),
            Self::Helm => ("helm", helm::release(data)),
        };
        kept[field] = told.unwrap_or_else(|reason| json!({"unreadable": reason}));
        Ok(kept)
    }
}

/// The value under a key of `data`.
fn value(data: &Map<String, Value>, key: &str) -> Option<Vec<u8>> {
    STANDARD.decode(data.get(key)?.as_str()?).ok()
}

/// A text of somebody else's making, as much of it as anybody needs.
fn short(text: &str) -> String {
    text.chars().take(TOLD_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_data_is_left_whatever_it_is() {
        let secret = |data: Value| {
            json!({
                "kind": "Secret", "metadata": {"name": "s"}, "type": "kubernetes.io/tls", "data": data,
                "stringData": {"a": "canary"}, "immutable": true,
            })
        };
        for data in [
            json!({"tls.crt": "Y2FuYXJ5", "tls.key": "canary"}),
            json!({"tls.crt": "not base64: canary", "release": 7}),
            json!({"release": "Y2FuYXJ5"}),
            json!("canary"),
            json!(null),
        ] {
            for told in [Told::Tls, Told::Helm] {
                let kept = told.without_data(secret(data.clone()).to_string().as_bytes()).unwrap();
                let text = kept.to_string();
                assert!(!text.contains("canary") && !text.contains("Y2FuYXJ5"), "{text}");
                let field = if told == Told::Tls { "tls" } else { "helm" };
                assert!(kept[field]["unreadable"].is_string(), "{text}");
                assert_eq!(kept["dataCount"], data.as_object().map_or(0, Map::len));
            }
        }
        let error = Told::Tls.without_data(br#"{"data":{"tls.key":"canary"#).unwrap_err();
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}
