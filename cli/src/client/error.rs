//! Why there is no answer at all.

use std::error::Error;

use kubeplex_link::trust::TrustError;

use super::{Endpoint, NotAnEndpoint, TIMEOUT};

/// Why there is no answer at all; an error of a tool is an answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error(transparent)]
    NotAnEndpoint(#[from] NotAnEndpoint),
    #[error("the authorities for the gateway's certificate")]
    Trust(#[from] TrustError),
    #[error("no gateway answers at {endpoint}; {}", remedy(endpoint))]
    Unreachable { endpoint: Endpoint, source: Root },
    #[error("the gateway at {endpoint} did not answer within {} s", TIMEOUT.as_secs())]
    TimedOut { endpoint: Endpoint },
    #[error("there is no MCP endpoint at {endpoint}; a gateway's path is /mcp, and its port by default 7575")]
    NotThere { endpoint: Endpoint },
    #[error("what listens at {endpoint} answered HTTP {status}: {body}")]
    Refused { endpoint: Endpoint, status: u16, body: String },
    #[error("what listens at {endpoint} is no gateway: it did not answer with JSON-RPC but with {body:?}")]
    NotJsonRpc { endpoint: Endpoint, body: String },
    #[error("reading the answer of {endpoint} broke off")]
    BrokeOff { endpoint: Endpoint, source: Root },
}

fn remedy(endpoint: &Endpoint) -> &'static str {
    if endpoint.is_encrypted() {
        "its name has to be in its certificate, and the certificate signed by an authority of this machine or of --ca-file \
         (a gateway without one is called by http://)"
    } else {
        "start one with `kubeplex demo` or `kubeplex local`"
    }
}

/// What is behind an error of the HTTP library, without what its layers say of each other.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Root(String);

impl Root {
    pub(super) fn of(error: &dyn Error) -> Self {
        let mut root = error;
        while let Some(cause) = root.source() {
            root = cause;
        }
        Self(root.to_string())
    }
}
