//! What every request of the endpoint passes, in this order. One function and no layers: each layer of a router copies all
//! that is below it, for every request.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use rmcp::transport::streamable_http_server::StreamableHttpService;

use super::guard::{Guard, LetIn};
use super::server::McpServer;
use super::sessions::BoundedSessions;
use super::written::Desk;
use super::{accept, owners};
use crate::held::until_sent;
use crate::identify::{self, Caller, Callers};
use crate::throttle::Throttle;

/// The endpoint, as requests meet it.
pub(super) struct Door {
    pub(super) callers: Callers,
    pub(super) throttle: Throttle,
    pub(super) guard: Guard,
    pub(super) sessions: Arc<BoundedSessions>,
    pub(super) service: StreamableHttpService<McpServer, BoundedSessions>,
}

impl Door {
    pub(super) async fn serve(&self, mut request: Request) -> Response {
        let caller = match identify::require(&self.callers, &mut request) {
            Ok(caller) => caller,
            Err(unidentified) => return unidentified.into_response(),
        };
        let held = match self.throttle.enter(&caller, request.method()) {
            Ok(held) => held,
            Err(too_much) => return too_much.into_response(),
        };
        let (response, exchange) = match self.guard.enter(request).await {
            Ok(LetIn { request, opening, exchange }) => {
                let response = self.answer(request, &caller).await;
                drop(opening);
                (response, exchange)
            }
            Err(denied) => (denied, None),
        };
        if held.is_none() && exchange.is_none() { response } else { until_sent(response, (held, exchange)) }
    }

    async fn answer(&self, mut request: Request, caller: &Caller) -> Response {
        accept::spell_out(&mut request);
        owners::hide_others(&self.sessions, &mut request, caller);
        let response = match Desk::for_request(request.headers()) {
            Some(desk) => {
                request.extensions_mut().insert(desk.clone());
                desk.serve(self.service.handle(request).await).await
            }
            None => self.service.handle(request).await.map(Body::new),
        };
        owners::give_opened(&self.sessions, &response, caller);
        response
    }
}
