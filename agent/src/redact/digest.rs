//! Values that are told apart without being kept.

use std::fmt::Write;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A key under which values are hashed; drawn at random when the process starts, so that a digest can't be looked up in a
/// table of guesses.
#[derive(Clone)]
pub struct DigestKey([u8; 32]);

/// Bytes of a digest that are shown.
const SHOWN: usize = 16;

impl DigestKey {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// What stands for a value: its keyed hash and its length in bytes.
    fn digest(&self, value: &[u8]) -> Value {
        // The key comes first and the hash is cut, so nobody can extend it; that makes an HMAC unnecessary.
        let hash = Sha256::new_with_prefix(self.0).chain_update(value).finalize();
        let mut shown = String::with_capacity(2 * SHOWN);
        for byte in &hash[..SHOWN] {
            // Writing to a string can't fail.
            let _ = write!(shown, "{byte:02x}");
        }
        json!({"hash": shown, "bytes": value.len()})
    }
}

/// Puts a digest in the place of every value of a ConfigMap.
pub fn config_map(key: &DigestKey, object: &mut Value) {
    for field in ["data", "binaryData"] {
        let Some(Value::Object(values)) = object.get_mut(field) else { continue };
        for value in values.values_mut() {
            *value = match &*value {
                Value::String(text) => key.digest(text.as_bytes()),
                other => key.digest(other.to_string().as_bytes()),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digested(key: u8, value: &str) -> Value {
        let mut object = json!({"kind": "ConfigMap", "data": {"a.conf": value}, "binaryData": {"b": value}});
        config_map(&DigestKey::new([key; 32]), &mut object);
        object
    }

    #[test]
    fn equal_values_are_equal_and_no_value_is_left() {
        let object = digested(1, "hunter2");
        assert_eq!(object["data"]["a.conf"]["bytes"], 7);
        assert_eq!(object["data"]["a.conf"], object["binaryData"]["b"]);
        assert_eq!(object, digested(1, "hunter2"));
        assert_ne!(object, digested(1, "hunter3"));
        assert!(!object.to_string().contains("hunter2"));
    }

    #[test]
    fn another_key_gives_other_digests() {
        assert_ne!(digested(1, "hunter2"), digested(2, "hunter2"));
    }
}
