//! Bearer tokens as they are checked: only their hashes are held.

use std::fmt;

use http::{HeaderMap, header};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The SHA-256 of a token.
#[derive(Clone, Copy)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a token.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// Whether a request shows this token, and no other beside it. Takes as long for any.
    pub fn is_shown(&self, headers: &HeaderMap) -> bool {
        let mut shown = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(only), None) = (shown.next(), shown.next()) else { return false };
        let Some((scheme, token)) = only.to_str().ok().and_then(|value| value.split_once(' ')) else {
            return false;
        };
        scheme.eq_ignore_ascii_case("bearer") && bool::from(Self::of(token.trim()).0.ct_eq(&self.0))
    }
}

/// A hash lets a weak token be guessed.
impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn one_token_is_wanted_and_no_other() {
        let hash = TokenHash::of("alpha");
        for (values, shown) in [
            (&["Bearer alpha"][..], true),
            (&["bearer  alpha "], true),
            (&["Bearer beta"], false),
            (&["Bearer alph"], false),
            (&["Basic alpha"], false),
            (&["alpha"], false),
            (&["Bearer alpha", "Bearer alpha"], false),
            (&[], false),
        ] {
            let mut headers = HeaderMap::new();
            values.iter().for_each(|value| {
                headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
            });
            assert_eq!(hash.is_shown(&headers), shown, "{values:?}");
        }
    }

    #[test]
    fn a_hash_is_64_digits() {
        let hash = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
        assert_eq!(TokenHash::from_hex(hash).unwrap().0, TokenHash::of("foo").0);
        for wrong in ["", &hash[1..], &hash.replace('2', "g"), &format!("{hash}0")] {
            assert!(TokenHash::from_hex(wrong).is_none(), "{wrong}");
        }
    }
}
