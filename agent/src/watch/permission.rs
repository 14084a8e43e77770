//! Whether one watch may do what it is about to do: asked before it does, where a refusal is to be expected.

use std::sync::Arc;

use super::context::WatchContext;
use super::failure::{Failure, FailureKind};
use super::feed::Feed;
use super::rights::{OwnRights, Place, Right, Verb};
use super::step::Event;

/// What is known of the rights of one watch.
pub(super) struct Permission {
    rights: Arc<OwnRights>,
    feed: Feed,
    doubt: Doubt,
    granted: Vec<Verb>,
}

/// Whether a refusal is to be expected: then no verb is used before the server has said that it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    None,
    Some,
}

impl Permission {
    /// An agent that is told to watch single namespaces has rights in those, and seldom in the whole cluster; most others may
    /// do what they are made for, and try.
    pub(super) fn new(context: &WatchContext, feed: Feed) -> Self {
        let doubt = if context.namespaces.names().is_empty() { Doubt::None } else { Doubt::Some };
        Self { rights: Arc::clone(&context.rights), feed, doubt, granted: Vec::new() }
    }

    /// The refusal that a request with this verb would meet. Where the server does not say, the request tells.
    pub(super) async fn refusal(&mut self, verb: Verb) -> Option<Event> {
        if self.doubt == Doubt::None || self.granted.contains(&verb) {
            return None;
        }
        let place = self.feed.part.namespace.as_deref().map_or(Place::Cluster, Place::Namespace);
        match self.rights.to(verb, &self.feed.handle.info, place).await {
            Right::Granted => self.granted.push(verb),
            Right::Unknown => {}
            Right::Denied => return Some(Event::Failed(self.refused(verb))),
        }
        None
    }

    /// What was refused once, is asked for before it is tried again.
    pub(super) fn note(&mut self, event: &Event) {
        if let Event::Failed(Failure { kind: FailureKind::Forbidden, .. }) = event {
            self.doubt = Doubt::Some;
            self.granted.clear();
        }
    }

    fn refused(&self, verb: Verb) -> Failure {
        let place = match &self.feed.part.namespace {
            Some(namespace) => format!("in the namespace {namespace}"),
            None => "in the whole cluster".to_owned(),
        };
        let kind = &self.feed.handle.info.id;
        let message = format!("the agent cannot {} {kind} {place}: no role grants it", verb.as_str());
        Failure { kind: FailureKind::Forbidden, message, retry_after: None }
    }
}
