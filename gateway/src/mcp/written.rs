//! Answers that are written already. The library knows results as trees only: making one for each call, writing it and
//! taking it apart again costs more than everything else that is done for a page that is kept. So the library gets an empty
//! result, and what is written takes its place in the message that the library makes of that.

use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use http_body_util::combinators::BoxBody;
use rmcp::RoleServer;
use rmcp::model::CallToolResult;
use rmcp::service::RequestContext;

use crate::render::Written;

/// What an empty result says in place of its content. No text can say it: quotes in texts are escaped.
const EMPTY: &[u8] = br#""content":[]"#;

/// Where a call leaves what its response is to carry. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Desk(Arc<OnceLock<Written>>);

impl Desk {
    /// One for a request whose answer will be one message: in a session it is a part of a stream.
    pub(super) fn for_request(headers: &HeaderMap) -> Option<Self> {
        (!headers.contains_key(super::owners::SESSION)).then(Self::default)
    }

    /// That of the request of a call, unless its answer may become a stream because it tells its progress.
    pub(super) fn of_call(context: &RequestContext<RoleServer>) -> Option<&Self> {
        let parts = context.extensions.get::<http::request::Parts>()?;
        let desk = parts.extensions.get::<Self>()?;
        context.meta.get_progress_token().is_none().then_some(desk)
    }

    /// Leaves what is written here, and gives what stands for it until it is sent.
    pub(super) fn leave(&self, written: Written) -> CallToolResult {
        // A call is answered once.
        let _ = self.0.set(written);
        CallToolResult::success(Vec::new())
    }

    /// The response with what was left here, if anything was.
    pub(super) async fn serve(
        &self,
        response: Response<BoxBody<Bytes, std::convert::Infallible>>,
    ) -> Response {
        let Some(written) = self.0.get() else { return response.map(Body::new) };
        let (head, body) = response.into_parts();
        let Ok(message) = body.collect().await;
        match fill(&message.to_bytes(), written) {
            Some(message) => Response::from_parts(head, Body::from(message)),
            None => {
                tracing::error!("a kept page has no place in its response; this is a defect");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// The message with `written` for its empty result, as the library would have written it.
fn fill(message: &[u8], written: &Written) -> Option<Vec<u8>> {
    let at = message.windows(EMPTY.len()).position(|part| part == EMPTY)?;
    let mut filled = Vec::with_capacity(message.len() + written.len() + 64);
    filled.extend_from_slice(&message[..at]);
    filled.extend_from_slice(br#""content":[{"type":"text","text":"#);
    written.write_text(&mut filled);
    filled.extend_from_slice(br#"}],"structuredContent":"#);
    written.write_structured(&mut filled);
    filled.extend_from_slice(&message[at + EMPTY.len()..]);
    Some(filled)
}

#[cfg(test)]
mod tests {
    use rmcp::model::ContentBlock;
    use serde_json::json;

    use super::*;
    use crate::render::{Rendered, Reply};
    use crate::request::fixtures::kept_page;

    #[test]
    fn it_takes_the_place_of_an_empty_result_as_the_library_would_write_it() {
        let written = || Written::new(kept_page(7), 12);
        let Rendered { structured, text } = Reply::Written(written()).into_rendered();
        let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
        result.structured_content = Some(structured);
        let message =
            |result: &CallToolResult| serde_json::to_vec(&json!({"id": "\"content\":[]", "result": result}));
        let empty = Desk::default().leave(written());
        let filled = fill(&message(&empty).unwrap(), &written()).unwrap();
        assert_eq!(String::from_utf8(filled).unwrap(), String::from_utf8(message(&result).unwrap()).unwrap());
        assert!(fill(br#"{"error":{}}"#, &written()).is_none());
    }

    #[test]
    fn a_session_has_no_desk() {
        let mut headers = HeaderMap::new();
        assert!(Desk::for_request(&headers).is_some());
        headers.insert(super::super::owners::SESSION, http::HeaderValue::from_static("x"));
        assert!(Desk::for_request(&headers).is_none());
    }
}
