//! Objects in which no key stands twice. Parsers take the first, the last or neither, so what one of them checks another may
//! not do.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Any value in whose objects, however deep, every key stands once.
#[derive(Debug, Default)]
pub struct KeyedOnce;

impl<'de> Deserialize<'de> for KeyedOnce {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Walk(&mut None).deserialize(deserializer).map(|()| Self)
    }
}

/// The first key that stands twice in an object of a text, up to where it is no JSON.
pub fn key_twice(text: &str) -> Option<String> {
    let mut found = None;
    // What else is wrong with the text is not asked here.
    let _ = Walk(&mut found).deserialize(&mut serde_json::Deserializer::from_str(text));
    found
}

/// Goes through a value, and keeps the first key that is there again.
struct Walk<'f>(&'f mut Option<String>);

#[derive(Deserialize, PartialEq, Eq, Hash)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            if let Some(Key(twice)) = seen.replace(key) {
                *self.0 = Some(twice.into_owned());
                return Err(A::Error::custom("a key stands twice"));
            }
            map.next_value_seed(Walk(self.0))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while sequence.next_element_seed(Walk(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_stands_twice_is_found_at_any_depth() {
        for (text, expected) in [
            (r#"{"a":1,"b":2}"#, None),
            (r#"{"a":{"a":{"a":[]}}}"#, None),
            (r#"[{"a":1},{"a":2}]"#, None),
            (r#"{"a":1,"a":1}"#, Some("a")),
            (r#"{"a":[null,true,1.5,-1,"x",{"b":1,"c":2,"b":3}]}"#, Some("b")),
            (r#"{"a":1,"\u0061":2}"#, Some("a")),
            (r#"{"a":1,"a":2"#, Some("a")),
            (r#"{"a":1"#, None),
            ("7", None),
        ] {
            assert_eq!(key_twice(text).as_deref(), expected, "{text}");
            assert!(expected.is_none() || serde_json::from_str::<KeyedOnce>(text).is_err(), "{text}");
        }
        assert!(serde_json::from_str::<KeyedOnce>(r#"{"a":{"a":[1,"x",null]}}"#).is_ok());
    }
}
