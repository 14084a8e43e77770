//! What comes back for a message: one message, or a stream of them.

use std::collections::VecDeque;

use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use super::events::Events;

/// No answer of a gateway is longer.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Why a message got nowhere.
pub(super) enum Failure {
    /// It did not leave: the gateway is not there any more.
    Unreached(String),
    /// It left, and nothing came back: the gateway may have worked on it.
    Unanswered(String),
    /// It left, and the gateway does not know the session.
    NoSession,
    /// It left, and nothing more is known.
    BrokeOff(String),
}

impl Failure {
    /// Of a request that got no answer.
    pub(super) fn of(error: &reqwest::Error) -> Self {
        let whole: &(dyn std::error::Error + 'static) = error;
        let causes = std::iter::successors(Some(whole), |error| error.source());
        // A connection that was kept, and was closed before the request was written to it.
        let mut canceled = causes.filter_map(|cause| cause.downcast_ref()).map(hyper::Error::is_canceled);
        if error.is_connect() || canceled.any(|canceled| canceled) {
            Self::Unreached(root(error))
        } else {
            Self::Unanswered(root(error))
        }
    }

    /// The same of what had to come first.
    pub(super) fn before_it_left(self) -> Self {
        match self {
            Self::Unanswered(problem) => Self::Unreached(problem),
            other => other,
        }
    }
}

/// A reply, read as it arrives.
pub(super) struct Reply {
    response: Response,
    form: Form,
    ready: VecDeque<Value>,
}

enum Form {
    Stream(Events),
    Body(Vec<u8>),
    Over,
}

impl Reply {
    pub(super) fn new(response: Response) -> Self {
        let form = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let form = match form.is_some_and(|form| form.starts_with("text/event-stream")) {
            true => Form::Stream(Events::default()),
            false => Form::Body(Vec::new()),
        };
        Self { response, form, ready: VecDeque::new() }
    }

    /// The next message, if there is one. What is no JSON object is left out.
    pub(super) async fn next(&mut self) -> Result<Option<Value>, Failure> {
        while self.ready.is_empty() && !matches!(self.form, Form::Over) {
            let chunk = self.response.chunk().await.map_err(|error| Failure::BrokeOff(root(&error)))?;
            match (chunk, &mut self.form) {
                (Some(chunk), Form::Stream(events)) => {
                    let events = events.push(&chunk);
                    self.ready.extend(events.iter().filter_map(|data| object(data.as_bytes())));
                }
                (Some(chunk), Form::Body(body)) => body.extend_from_slice(&chunk),
                (None, Form::Body(body)) => {
                    self.ready.extend(object(body));
                    self.form = Form::Over;
                }
                (None, _) | (_, Form::Over) => self.form = Form::Over,
            }
            if self.held() > MOST_BYTES {
                return Err(Failure::BrokeOff(format!("it is longer than {MOST_BYTES} bytes")));
            }
        }
        Ok(self.ready.pop_front())
    }

    fn held(&self) -> usize {
        match &self.form {
            Form::Stream(events) => events.held(),
            Form::Body(body) => body.len(),
            Form::Over => 0,
        }
    }
}

fn object(text: &[u8]) -> Option<Value> {
    serde_json::from_slice(text).ok().filter(Value::is_object)
}

/// What is behind an error of the HTTP library.
pub(super) fn root(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.last().map(ToString::to_string).unwrap_or_default()
}
