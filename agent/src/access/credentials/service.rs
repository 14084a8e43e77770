//! Requests with the latest credential in them.

use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use kube::client::Body;
use tokio::time::Instant;
use tower::BoxError;

use super::keeper::{Credentials, Session};

/// A client whose requests carry the credentials that are valid when they are sent.
pub(super) fn client(credentials: Credentials, namespace: String) -> kube::Client {
    let service = tower::service_fn(move |request| send(credentials.clone(), request));
    kube::Client::new(service, namespace)
}

/// Sends a request; once more with a new credential, where the API server does not take the one it came with.
async fn send(credentials: Credentials, request: Request<Body>) -> Result<Response<Body>, BoxError> {
    let session = credentials.session().await?;
    let again = copy(&request);
    let response = session.send(request).await?;
    let Some(again) = again.filter(|_| response.status() == StatusCode::UNAUTHORIZED) else {
        return Ok(response);
    };
    if Instant::now() < session.next_run {
        // The credential is as good as new: another one would be refused, too. It is tried later.
        credentials.give_up(session.run);
        return Ok(response);
    }
    match credentials.session_after(session.run).await {
        Ok(newer) => newer.send(again).await,
        // What the API server said of the old one says less than why there is no new one.
        Err(error) => Err(error.into()),
    }
}

impl Session {
    async fn send(&self, mut request: Request<Body>) -> Result<Response<Body>, BoxError> {
        if let Some(value) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        match self.client.send(request).await {
            Ok(response) => Ok(response),
            Err(kube::Error::Service(error)) => Err(error),
            Err(error) => Err(error.into()),
        }
    }
}

/// `None` for one whose body can be sent only once.
fn copy(request: &Request<Body>) -> Option<Request<Body>> {
    let mut copy = Request::new(request.body().try_clone()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    Some(copy)
}
