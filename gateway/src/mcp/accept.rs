//! Clients that take any answer: curl and simple scripts say `Accept: */*` or nothing at all.
//!
//! The protocol asks clients to list both of its media types, in both eras, and the library goes by the letter of that; but
//! it does not ask servers to refuse what HTTP calls consent (RFC 9110 §12.5.1). Whoever lists types without a wildcard is
//! still held to them.

use axum::extract::Request;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Method};

/// Spells out for the library what a wildcard, or no word about it, means.
pub(super) fn spell_out(request: &mut Request) {
    if let Some(types) = meant(request.method(), request.headers()) {
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(types));
    }
}

/// `None` where the header is to be taken as it is.
fn meant(method: &Method, headers: &HeaderMap) -> Option<&'static str> {
    // An answer is JSON, and becomes a stream only for a client that asked for progress; a GET is always a stream.
    let (wildcards, types): (&[&str], _) = match *method {
        Method::POST => (&["*/*", "application/*"], "application/json, text/event-stream"),
        Method::GET => (&["*/*", "text/*"], "text/event-stream"),
        _ => return None,
    };
    let mut ranges = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','));
    let consents = |range: &str| {
        let (range, parameters) = range.split_once(';').unwrap_or((range, ""));
        wildcards.contains(&range.trim()) && !is_refused(parameters)
    };
    (!headers.contains_key(ACCEPT) || ranges.any(consents)).then_some(types)
}

/// `q=0`, `q=0.000`.
fn is_refused(parameters: &str) -> bool {
    let weights = parameters.split(';').filter_map(|parameter| parameter.trim().strip_prefix("q="));
    weights.filter_map(|weight| weight.trim().parse::<f32>().ok()).any(|weight| weight == 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_and_silence_are_consent() {
        const BOTH: Option<&str> = Some("application/json, text/event-stream");
        const STREAM: Option<&str> = Some("text/event-stream");
        for (method, accept, expected) in [
            (Method::POST, None, BOTH),
            (Method::POST, Some("*/*"), BOTH),
            (Method::POST, Some("text/html, */*;q=0.8"), BOTH),
            (Method::POST, Some("application/*, text/event-stream"), BOTH),
            (Method::POST, Some("application/json, text/event-stream"), None),
            (Method::POST, Some("application/json"), None),
            (Method::POST, Some("text/html, */* ; q=0.0"), None),
            (Method::POST, Some("image/*"), None),
            (Method::POST, Some(""), None),
            (Method::GET, Some("*/*"), STREAM),
            (Method::GET, Some("application/*"), None),
            (Method::DELETE, Some("*/*"), None),
        ] {
            let headers = accept.map(|accept| (ACCEPT, HeaderValue::from_static(accept)));
            assert_eq!(meant(&method, &HeaderMap::from_iter(headers)), expected, "{method} {accept:?}");
        }
    }
}
