//! Continue tokens, in the server's own form: base64 of JSON with the revision of the first page and the key to go on after. The number of the
//! page is added, for faults that wait for a page.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::status::ApiError;

/// Where a paged list goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    v: String,
    /// The revision of the list; -1 goes on with what is there now.
    rv: i64,
    /// The key of the last object shown, with a zero byte.
    start: String,
    #[serde(default = "first_page")]
    page: u32,
}

fn first_page() -> u32 {
    1
}

impl Cursor {
    pub(crate) fn new(revision: u64, last_key: &str, page: u32) -> Self {
        let rv = i64::try_from(revision).unwrap_or(i64::MAX);
        Self { v: "meta.k8s.io/v1".into(), rv, start: format!("{last_key}\0"), page }
    }

    /// # Errors
    /// Where the token is not one of this server's.
    pub(crate) fn decode(token: &str) -> Result<Self, ApiError> {
        let invalid = || ApiError::bad_request("continue key is not valid: incorrect encoding");
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
        let cursor: Self = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
        if cursor.v != "meta.k8s.io/v1" || cursor.start.is_empty() || cursor.rv == 0 {
            return Err(ApiError::bad_request(
                "continue key is not valid: server does not recognize this encoded version",
            ));
        }
        Ok(cursor)
    }

    pub(crate) fn encode(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(json)
    }

    /// The same place in the list as it is now, which needs no history.
    pub(crate) fn inconsistent(&self) -> Self {
        Self { rv: -1, ..self.clone() }
    }

    /// The revision of the list, or nothing for the present one.
    pub(crate) fn revision(&self) -> Option<u64> {
        u64::try_from(self.rv).ok()
    }

    pub(crate) fn after(&self) -> &str {
        self.start.trim_end_matches('\0')
    }

    pub(crate) fn page(&self) -> u32 {
        self.page
    }
}

/// The number of the page that a token asks for: 1 without one or with a bad one.
pub(crate) fn page(token: &str) -> u32 {
    Cursor::decode(token).map_or(1, |cursor| cursor.page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_round_trip_and_strangers_are_refused() {
        let cursor = Cursor::new(77, "shop/cart", 3);
        let token = cursor.encode();
        assert_eq!(Cursor::decode(&token), Ok(cursor));
        assert_eq!(page(&token), 3);
        for token in ["x", "", "bm90IGpzb24"] {
            assert!(Cursor::decode(token).is_err(), "{token:?}");
        }
    }
}
