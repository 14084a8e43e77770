//! Content negotiation: plain JSON, metadata only, a table, or aggregated discovery.

use http::HeaderMap;
use http::header::ACCEPT;

use crate::status::ApiError;

/// The form that a caller wants an answer in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    /// `PartialObjectMetadata` or its list.
    Metadata,
    Table,
    /// Aggregated discovery in the given version of its API.
    Discovery(&'static str),
}

/// The first form in `Accept` that the server has; anything goes without the header.
///
/// # Errors
/// 406 where the server has none of them.
pub(crate) fn negotiate(headers: &HeaderMap) -> Result<Form, ApiError> {
    let values: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let accept = values.join(",");
    if accept.trim().is_empty() {
        return Ok(Form::Json);
    }
    accept.split(',').find_map(form).ok_or_else(ApiError::not_acceptable)
}

fn form(media_range: &str) -> Option<Form> {
    let mut parts = media_range.split(';').map(str::trim);
    if !matches!(parts.next()?, "application/json" | "application/*" | "*/*") {
        return None;
    }
    let (mut kind, mut version, mut group) = ("", "", "");
    for parameter in parts {
        match parameter.split_once('=') {
            Some(("as", value)) => kind = value,
            Some(("v", value)) => version = value,
            Some(("g", value)) => group = value,
            _ => {}
        }
    }
    match (group, version, kind) {
        (_, _, "") => Some(Form::Json),
        ("meta.k8s.io", "v1", "Table") => Some(Form::Table),
        ("meta.k8s.io", "v1", "PartialObjectMetadata" | "PartialObjectMetadataList") => Some(Form::Metadata),
        ("apidiscovery.k8s.io", "v2", "APIGroupDiscoveryList") => Some(Form::Discovery("v2")),
        ("apidiscovery.k8s.io", "v2beta1", "APIGroupDiscoveryList") => Some(Form::Discovery("v2beta1")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_first_form_it_has() {
        let cases = [
            (None, Some(Form::Json)),
            (Some("*/*"), Some(Form::Json)),
            (Some("application/vnd.kubernetes.protobuf, application/json"), Some(Form::Json)),
            (Some("application/json;as=Table;v=v1;g=meta.k8s.io,application/json"), Some(Form::Table)),
            (Some("application/json;as=Table;v=v9;g=meta.k8s.io, application/json"), Some(Form::Json)),
            (Some("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"), Some(Form::Metadata)),
            (
                Some("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"),
                Some(Form::Discovery("v2")),
            ),
            (Some("text/html"), None),
        ];
        for (accept, expected) in cases {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(ACCEPT, accept.parse().unwrap());
            }
            assert_eq!(negotiate(&headers).ok(), expected, "{accept:?}");
        }
    }
}
