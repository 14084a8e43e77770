//! Bearer tokens: how one is shown, and whose it is. Only hashes of tokens are held.

use http::{HeaderMap, header};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use crate::config::TokenHash;

/// What each token stands for.
#[derive(Debug, Clone)]
pub(crate) struct Tokens<T>(Vec<(TokenHash, T)>);

impl<T> Tokens<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes as long for any token: every hash is compared, whole.
    pub(crate) fn find(&self, token: &TokenHash) -> Option<&T> {
        let (mut found, mut at) = (Choice::from(0), 0_u64);
        for (index, (hash, _)) in (0_u64..).zip(&self.0) {
            let equal = hash.0.ct_eq(&token.0);
            at.conditional_assign(&index, equal);
            found |= equal;
        }
        let index = bool::from(found).then(|| usize::try_from(at).ok())??;
        self.0.get(index).map(|(_, held)| held)
    }
}

impl<T> Default for Tokens<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> FromIterator<(TokenHash, T)> for Tokens<T> {
    fn from_iter<I: IntoIterator<Item = (TokenHash, T)>>(tokens: I) -> Self {
        Self(tokens.into_iter().collect())
    }
}

/// The token that a request shows, `Authorization: Bearer …`. Two such headers are none: nobody knows which one counts.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut shown = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(only), None) = (shown.next(), shown.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_token_stands_for_what_it_was_given_for() {
        let tokens: Tokens<_> = [("alpha", 'a'), ("beta", 'b')]
            .map(|(token, held)| (TokenHash::of(token), held))
            .into_iter()
            .collect();
        for (token, held) in [("alpha", Some('a')), ("beta", Some('b')), ("gamma", None), ("", None)] {
            assert_eq!(tokens.find(&TokenHash::of(token)).copied(), held, "{token}");
        }
        assert_eq!(Tokens::<char>::default().find(&TokenHash::of("alpha")), None);
    }

    #[test]
    fn only_one_bearer_token_is_one() {
        for (shown, token) in [
            (vec![], None),
            (vec!["Bearer abc"], Some("abc")),
            (vec!["bearer  abc "], Some("abc")),
            (vec!["Basic cm9vdDo="], None),
            (vec!["abc"], None),
            (vec!["Bearer abc", "Bearer def"], None),
        ] {
            let values = shown.iter().map(|value| (header::AUTHORIZATION, HeaderValue::from_static(value)));
            assert_eq!(bearer(&values.collect::<HeaderMap>()), token, "{shown:?}");
        }
    }
}
