//! Reads of the API server for one caller, with the rights that [`Rights`] finds for them.
//!
//! What is read becomes a store like that of a watched kind, so the same selectors, orders and visibilities apply. Of a kind
//! that can't be watched a read answers its caller's next calls too, for a short while: `top` must not cost a request a
//! call. What was asked for live is read once a call, however often the gateway comes back for more of it.

mod aim;
mod fill;
mod listing;

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use kubeplex_proto::call::Identity;
use kubeplex_proto::ids::CallId;
use kubeplex_proto::kind::{GroupResource, KindInfo};
use kubeplex_proto::status::{LegStatus, Source};
use parking_lot::{Mutex, RwLock};
use tokio::time::timeout_at;

use self::aim::Aim;
use self::fill::{FillError, Filling};
use self::listing::Which;
use super::deadline::Deadline;
use super::opening::{NotRead, Nothing, Question, Readable, Rows};
use super::rights::{Access, Rights, Verb};
use crate::api::{Api, ApiError, Representation, object_path};
use crate::cache::{KindShape, KindStore};
use crate::config::Deny;
use crate::limits::{LIVE_OBJECTS_AT_ONCE, LIVE_READ_KEPT, LIVE_READS_KEPT};
use crate::recent::Recent;
use crate::redact::DigestKey;
use crate::workers::Workers;

/// What was read a moment ago, and the way to read more.
pub(super) struct LiveStores {
    rights: Arc<Rights>,
    deny: Deny,
    /// Owns the work of taking in what was read.
    workers: Workers,
    digest_key: DigestKey,
    reads: Recent<Key, Filled>,
}

/// Whose read of what. Nobody is answered from another's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    caller: Identity,
    kind: GroupResource,
    version: String,
    aim: Aim,
    /// The one call that it is for, where it is for no more.
    call: Option<CallId>,
}

#[derive(Clone)]
struct Filled {
    store: Arc<RwLock<KindStore>>,
    /// What is missing from it.
    message: Option<String>,
}

/// One read: what of which kind, for whom, until when.
#[derive(Clone, Copy)]
struct Reading<'a> {
    caller: &'a Identity,
    info: &'a KindInfo,
    aim: &'a Aim,
    deadline: Deadline,
}

impl LiveStores {
    pub(super) fn new(rights: Arc<Rights>, deny: Deny, workers: Workers) -> Self {
        let digest_key = DigestKey::new(rand::random());
        Self { rights, deny, workers, digest_key, reads: Recent::new(LIVE_READ_KEPT, LIVE_READS_KEPT) }
    }

    /// A kind that can't be watched, read now or for the same caller within the last ten seconds.
    pub(super) async fn unwatchable(
        &self,
        info: &KindInfo,
        question: &Question<'_>,
    ) -> Result<Readable, NotRead> {
        let aim = Aim::broad(info, question.namespaces, question.visibility);
        self.read(info, None, aim, None, question).await
    }

    /// What a question is about, read for this call. `shape` is that of the watched kind, where anybody knows it.
    pub(super) async fn fresh(
        &self,
        info: &KindInfo,
        shape: Option<Box<KindShape>>,
        question: &Question<'_>,
    ) -> Result<Readable, NotRead> {
        // Servers of kinds that can't be watched need not know how to select by name.
        let aim = match Aim::narrow(info, (question.namespaces, question.names), question.visibility) {
            Aim::Name(_) if !info.has_verb("watch") => Aim::All,
            aim => aim,
        };
        self.read(info, shape, aim, Some(question.call_id.clone()), question).await
    }

    async fn read(
        &self,
        info: &KindInfo,
        shape: Option<Box<KindShape>>,
        aim: Aim,
        call: Option<CallId>,
        question: &Question<'_>,
    ) -> Result<Readable, NotRead> {
        let key = Key {
            caller: question.caller.clone(),
            kind: info.id.clone(),
            version: info.version.clone(),
            aim,
            call,
        };
        let read = self.reads.about(&key);
        let deadline = question.deadline;
        let reading = Reading { caller: question.caller, info, aim: &key.aim, deadline };
        let filled = read.or_find_out(self.fill(&reading, shape));
        let Ok(filled) = timeout_at(deadline.at(), filled).await else {
            return Err(overdue(info).into());
        };
        let Filled { store, message } = filled?;
        Ok(Readable {
            rows: Rows::Live(store),
            info: info.clone(),
            status: LegStatus::Ok,
            message,
            source: Source::Live,
            age_ms: read.age().as_millis() as u64,
        })
    }

    async fn fill(&self, reading: &Reading<'_>, shape: Option<Box<KindShape>>) -> Result<Filled, NotRead> {
        let filling = Filling::new(reading.info.clone(), shape, self.deny.clone(), self.digest_key.clone());
        match reading.aim {
            Aim::Objects(objects) => self.objects(reading, objects, filling).await,
            Aim::All => self.one_list(reading, Which::default(), filling).await,
            Aim::Namespaces(namespaces) => self.namespaces(reading, namespaces, filling).await,
            Aim::Name(name) => {
                let which = Which { namespace: None, name: Some(name) };
                self.one_list(reading, which, filling).await
            }
        }
    }

    /// Each by its name. One that the caller may not get is said; it is `forbidden` where that leaves nothing.
    async fn objects(
        &self,
        reading: &Reading<'_>,
        objects: &[(Option<String>, String)],
        filling: Filling,
    ) -> Result<Filled, NotRead> {
        let representation = filling.representation();
        let filling = Arc::new(Mutex::new(filling));
        let mut wanted = objects.to_vec();
        wanted.retain(|(namespace, name)| !self.deny.object(&reading.info.id, namespace.as_deref(), name));
        let reads = wanted.into_iter().map(|object| self.object(reading, object, representation));
        let mut reads = futures::stream::iter(reads).buffered(LIVE_OBJECTS_AT_ONCE);
        let mut refused: Option<Nothing> = None;
        while let Some(read) = reads.next().await {
            match read {
                Ok(Some(body)) => {
                    let taken = self.take_in(&filling, move |filling| filling.take_in_object(&body)).await;
                    taken.map_err(|error| self.failed(reading, &error))?;
                }
                Ok(None) => {}
                Err(nothing) if nothing.status == LegStatus::Forbidden => refused = refused.or(Some(nothing)),
                Err(nothing) => return Err(nothing.into()),
            }
        }
        let mut filling = filling.lock();
        match refused {
            Some(nothing) if filling.objects == 0 => Err(nothing.into()),
            refused => {
                Ok(Filled { store: filling.finish(), message: refused.and_then(|nothing| nothing.message) })
            }
        }
    }

    /// `None` where there is no such object.
    async fn object(
        &self,
        reading: &Reading<'_>,
        (namespace, name): (Option<String>, String),
        representation: Representation,
    ) -> Result<Option<Bytes>, Nothing> {
        let Reading { caller, info, deadline, .. } = *reading;
        let namespace = namespace.as_deref();
        let access = Access::to(Verb::Get, info, namespace, Some(&name));
        let api = self.rights.allow_object(caller, access, deadline).await?;
        let path = object_path(info, namespace, &name);
        match body(&api, &path, representation, deadline).await {
            Ok(body) => Ok(Some(body)),
            Err(ApiError::NotFound { path: false, .. }) => Ok(None),
            Err(error) => Err(self.failed(reading, &error.into())),
        }
    }

    /// Hundreds of objects take longer than a task may keep its thread.
    async fn take_in<T: Send + 'static>(
        &self,
        filling: &Arc<Mutex<Filling>>,
        work: impl FnOnce(&mut Filling) -> Result<T, FillError> + Send + 'static,
    ) -> Result<T, FillError> {
        let filling = Arc::clone(filling);
        let worked = self.workers.run(move || work(&mut filling.lock()));
        worked.await.map_err(|failed| FillError::Lost(failed.to_string()))?
    }

    fn failed(&self, reading: &Reading<'_>, error: &FillError) -> Nothing {
        let kind = &reading.info.id;
        match error {
            FillError::Api(error) => self.rights.failure(reading.caller, &kind.to_string(), error),
            error => Nothing::new(LegStatus::Error, format!("{kind} can't be read: {error}")),
        }
    }
}

fn overdue(info: &KindInfo) -> Nothing {
    let message = format!("the API server did not answer a live read of {} before the deadline", info.id);
    Nothing::new(LegStatus::Timeout, message)
}

/// A page of a list, or an object. Not every aggregated server speaks Table.
async fn body(
    api: &Api,
    path: &str,
    representation: Representation,
    deadline: Deadline,
) -> Result<Bytes, ApiError> {
    if representation == Representation::Full {
        return api.get_bytes(path, deadline.remaining()).await;
    }
    match api.table(path, representation, deadline.remaining()).await {
        Err(ApiError::Invalid { status: 406 | 415, .. })
            if representation == Representation::TableOfObjects =>
        {
            api.get_bytes(path, deadline.remaining()).await
        }
        answer => answer,
    }
}
