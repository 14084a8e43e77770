//! Lists, page by page: of the whole cluster, or of one namespace after the other.

use std::sync::Arc;

use kubeplex_proto::kind::KindInfo;
use kubeplex_proto::status::{AgentError, AgentErrorCode, LegStatus};
use parking_lot::Mutex;
use tokio::time::timeout_at;

use super::fill::{Filling, Follows};
use super::{Filled, LiveStores, Reading, body, overdue};
use crate::api::{Query, collection_path};
use crate::limits::{LIVE_BYTES, LIVE_OBJECTS, PAGE_OBJECTS};
use crate::serve::opening::{NotRead, Nothing};
use crate::serve::rights::{Access, Verb};

/// Which objects of a kind.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Which<'a> {
    pub(super) namespace: Option<&'a str>,
    pub(super) name: Option<&'a str>,
}

/// Namespaces that are not whole in an answer, by why.
#[derive(Default)]
struct Missing<'a>(Vec<(Nothing, Vec<&'a str>)>);

impl LiveStores {
    /// All that are asked for by one list.
    pub(super) async fn one_list(
        &self,
        reading: &Reading<'_>,
        which: Which<'_>,
        filling: Filling,
    ) -> Result<Filled, NotRead> {
        let filling = Arc::new(Mutex::new(filling));
        self.list(reading, which, &filling).await?;
        Ok(Filled { store: filling.lock().finish(), message: None })
    }

    /// Each namespace by itself, with the right to it alone. What was not read is said; it is the answer where nothing was.
    pub(super) async fn namespaces(
        &self,
        reading: &Reading<'_>,
        namespaces: &[String],
        filling: Filling,
    ) -> Result<Filled, NotRead> {
        let reading = &Reading { deadline: reading.deadline.with_time_to_tell(), ..*reading };
        let filling = Arc::new(Mutex::new(filling));
        // What is kept out is not asked for.
        let mut wanted = namespaces.iter().map(String::as_str).filter(|name| !self.deny.namespace(name));
        let (mut missing, mut read) = (Missing::default(), 0);
        while let Some(namespace) = wanted.next() {
            let which = Which { namespace: Some(namespace), name: None };
            match self.list(reading, which, &filling).await {
                Ok(()) => read += 1,
                Err(NotRead::Nothing(nothing)) => {
                    // What is no matter of rights keeps from the others, too: the server is not asked again.
                    let is_over = nothing.status != LegStatus::Forbidden;
                    missing.add(nothing, namespace);
                    if is_over {
                        missing.add_to_last(&mut wanted);
                    }
                }
                Err(refused @ NotRead::Refused(_)) => return Err(refused),
            }
        }
        let message = missing.message();
        match missing.0.into_iter().next() {
            Some((nothing, _)) if read == 0 => Err(nothing.into()),
            _ => Ok(Filled { store: filling.lock().finish(), message }),
        }
    }

    async fn list(
        &self,
        reading: &Reading<'_>,
        which: Which<'_>,
        filling: &Arc<Mutex<Filling>>,
    ) -> Result<(), NotRead> {
        let Reading { caller, info, deadline, .. } = *reading;
        if !info.has_verb("list") {
            let message = format!("{} can't be listed, only got by namespace and name", info.id);
            return Err(Nothing::new(LegStatus::Error, message).into());
        }
        let access = Access::to(Verb::List, info, which.namespace, which.name);
        let api = self.rights.allow(caller, access, deadline).await?;
        let representation = filling.lock().representation();
        let query = which.query(info);
        let mut next: Option<String> = None;
        loop {
            let query = match &next {
                Some(next) => query.clone().with("continue", next),
                None => query.clone(),
            };
            let path = query.build();
            let page = timeout_at(deadline.at(), body(&api, &path, representation, deadline)).await;
            let page =
                page.map_err(|_| overdue(info))?.map_err(|error| self.failed(reading, &error.into()))?;
            let taken = self.take_in(filling, move |filling| filling.take_in(&page)).await;
            let follows = taken.map_err(|error| self.failed(reading, &error))?;
            check_size(info, which, &filling.lock(), &follows)?;
            next = follows.next;
            if next.is_none() {
                return Ok(());
            }
        }
    }
}

impl Which<'_> {
    fn query(self, info: &KindInfo) -> Query {
        let query = Query::of(collection_path(info, self.namespace));
        let query = match self.name {
            Some(name) => query.with("fieldSelector", &format!("metadata.name={name}")),
            None => query,
        };
        query.with("limit", &PAGE_OBJECTS.to_string())
    }
}

impl<'a> Missing<'a> {
    fn add(&mut self, why: Nothing, namespace: &'a str) {
        match self.0.iter_mut().find(|(known, _)| known.status == why.status) {
            Some((_, namespaces)) => namespaces.push(namespace),
            None => self.0.push((why, vec![namespace])),
        }
    }

    /// These, for what was said last.
    fn add_to_last(&mut self, namespaces: impl Iterator<Item = &'a str>) {
        if let Some((_, last)) = self.0.last_mut() {
            last.extend(namespaces);
        }
    }

    fn message(&self) -> Option<String> {
        let said = self.0.iter().map(|(why, namespaces)| {
            let (places, are) = match namespaces.as_slice() {
                [one] => (format!("the namespace {one}"), "is"),
                many => (format!("the namespaces {}", many.join(", ")), "are"),
            };
            let why = why.message.as_deref().unwrap_or("no reason given");
            format!("{places} {are} missing or incomplete: {why}")
        });
        let said: Vec<_> = said.collect();
        (!said.is_empty()).then(|| said.join("; "))
    }
}

/// What is too much is told as soon as it is known.
fn check_size(
    info: &KindInfo,
    which: Which<'_>,
    filling: &Filling,
    follows: &Follows,
) -> Result<(), AgentError> {
    let known = filling.objects as u64 + follows.remaining.unwrap_or_default();
    let more = follows.next.is_some();
    let message = if known > LIVE_OBJECTS as u64 || (more && filling.objects >= LIVE_OBJECTS) {
        let counted = if more && follows.remaining.is_none() { "more than " } else { "" };
        format!(
            "{} has {counted}{known} objects to read, and a live read takes {LIVE_OBJECTS} at most",
            info.id
        )
    } else if filling.bytes > LIVE_BYTES {
        format!(
            "the first {} objects of {} are longer than {LIVE_BYTES} bytes, which is what a live read takes at most",
            filling.objects, info.id
        )
    } else {
        return Ok(());
    };
    let hint = match which.namespace {
        Some(_) => {
            "name fewer namespaces or single objects, or leave freshness out: the cache has no such limit"
        }
        None => "name one namespace, or leave freshness out: the cache has no such limit",
    };
    Err(AgentError::new(AgentErrorCode::TooLarge, message).with_hint(hint))
}
