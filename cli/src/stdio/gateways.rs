//! The gateway that messages go to: one that runs already, or one of this process.

use std::net::{Ipv4Addr, SocketAddr};

use reqwest::RequestBuilder;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::arguments::{Contexts, Listen};
use crate::hints;
use crate::local::contexts::Read;
use crate::local::{self, Door};
use crate::running::{Announced, Found, Place, Token};
use crate::stand::Stand;
use crate::startup::{self, Patience};

/// Finds gateways, and starts one where there is none.
pub(super) struct Gateways {
    read: Read,
    contexts: Contexts,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    target: Option<Target>,
    own: Option<Own>,
    found: u64,
}

/// The gateway of this process.
struct Own {
    stand: Stand,
    _announced: Option<Announced>,
}

/// A gateway to send messages to.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// Counts the gateways that were found, one after another.
    pub(super) number: u64,
    pub(super) endpoint: String,
    /// What it wants to see.
    pub(super) token: Option<Token>,
    /// Cancelled when its clusters have come up, or were waited for long enough.
    pub(super) settled: CancellationToken,
}

impl Gateways {
    pub(super) fn new(read: Read, contexts: Contexts) -> Self {
        Self { read, contexts, current: Mutex::default() }
    }

    /// The gateway to send to.
    ///
    /// # Errors
    /// When none runs and none can be started.
    pub(super) async fn current(&self) -> anyhow::Result<Target> {
        let mut current = self.current.lock().await;
        match &current.target {
            Some(target) => Ok(target.clone()),
            None => self.find(&mut current).await,
        }
    }

    /// The same, where `gone` does not answer any more.
    ///
    /// # Errors
    /// As [`current`](Self::current).
    pub(super) async fn instead_of(&self, gone: &Target) -> anyhow::Result<Target> {
        let mut current = self.current.lock().await;
        match &current.target {
            // Somebody else has noticed before; or it is the gateway of this process, and there is no better one.
            Some(target) if target.number != gone.number || current.own.is_some() => Ok(target.clone()),
            _ => {
                tracing::warn!(endpoint = gone.endpoint, "the gateway has ended");
                self.find(&mut current).await
            }
        }
    }

    async fn find(&self, current: &mut Current) -> anyhow::Result<Target> {
        current.found += 1;
        let place = Place::of(&self.read.files, &self.contexts.context);
        let found = match &place {
            Some(place) => place.find().await,
            None => Found::Nothing,
        };
        let settled = CancellationToken::new();
        let (listen, token) = match found {
            Found::Alive(running) => {
                tracing::info!(
                    endpoint = hints::endpoint(running.listen),
                    "joining a gateway that runs already"
                );
                settled.cancel();
                (running.listen, running.token)
            }
            Found::Stale(_) | Found::Nothing => {
                // Nobody has asked for a port that everybody on this machine can use.
                let token = Token::random();
                let own = self.start(place, token.clone(), settled.clone()).await?;
                let listen = own.stand.gateway.addresses().listen;
                tracing::info!(endpoint = hints::endpoint(listen), "no gateway runs: starting one");
                current.own = Some(own);
                (listen, Some(token))
            }
        };
        let target = Target { number: current.found, endpoint: hints::endpoint(listen), token, settled };
        current.target = Some(target.clone());
        Ok(target)
    }

    async fn start(
        &self,
        place: Option<Place>,
        token: Token,
        settled: CancellationToken,
    ) -> anyhow::Result<Own> {
        // The usual ports are left to a gateway that somebody starts on purpose.
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listen = Listen { listen: any, admin: any, json: true };
        let stand =
            local::start(self.read.kubeconfig.clone(), &self.contexts, &listen, Door::Token(&token)).await?;
        let registry = stand.gateway.registry().clone();
        drop(stand.tracker.spawn(stand.stop.clone().run_until_cancelled_owned(async move {
            startup::settle(&registry, Patience::FOR_A_CALL).await;
            settled.cancel();
        })));
        let announced = place.and_then(|place| place.announce(&stand.gateway, Some(token)));
        Ok(Own { stand, _announced: announced })
    }

    /// Ends the gateway of this process, if there is one.
    pub(super) async fn end(&self) {
        let own = self.current.lock().await.own.take();
        if let Some(Own { stand, _announced }) = own {
            drop(_announced);
            stand.drain().await;
        }
    }
}

impl Target {
    /// The request, with what the gateway wants to see.
    pub(super) fn knock(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }
}
