//! The logs of one call: prepared before it is answered, read while the answer is sent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::join_all;
use kubeplex_proto::events::Moment;
use kubeplex_proto::gather::GatherHead;
use kubeplex_proto::kind::{GroupResource, KindInfo};
use kubeplex_proto::log::{LogItem, LogLine, LogOver, LogRequest, LogSource, PodName, keep_newest};
use kubeplex_proto::status::{LegStatus, Source as AnswerSource};
use kubeplex_proto::template::{Fold, Template};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::containers;
use super::outcome::{Shortfall, over};
use super::reply::{self, Out};
use super::sink::Sink;
use super::source::{Common, Source};
use crate::api::Api;
use crate::limits::{ANSWER_BYTES, LOG_CONTAINERS, LOG_LINES, LOG_LINES_BESIDE, LOGS_OF_A_CALL_AT_ONCE};
use crate::logs::{Grep, Reading, Wanted};
use crate::query;
use crate::serve::Service;
use crate::serve::deadline::Deadline;
use crate::serve::opening::{NotRead, Nothing, Question};
use crate::serve::rights::{Access, Verb};

/// Lines of a container are held while they are folded, up to this.
const FOLDED_BYTES: usize = 8 << 20;

pub(super) struct Job {
    common: Arc<Common>,
    wanted: Wanted,
    sources: Vec<Arc<Source>>,
    /// Those that are not read, and why.
    idle: Vec<(LogSource, Shortfall)>,
    /// By when what there is must be read, and until when is followed.
    until: Instant,
    follow: Option<Duration>,
    patterns: bool,
    max_bytes: usize,
}

impl Job {
    /// Finds the containers, and whether the caller may read them. `grep` is the request's own, or says which of the lines that
    /// the request means are kept.
    ///
    /// # Errors
    /// Why nothing is read.
    pub(super) async fn prepare(
        service: &Service,
        request: LogRequest,
        grep: Option<Grep>,
        deadline: Deadline,
    ) -> Result<(GatherHead, Self), NotRead> {
        let pods = GroupResource::new("", "pods");
        let context = &request.context;
        let readable = service.open(&Question::new(&pods, None, (&[], &[]), context)).await?;
        let objects = query::pods(readable.rows.store(), &context.visibility, &request.pods);
        let info = readable.info.clone();
        let rights = join_rights(service, &request, &info, deadline).await;
        if let Some(nothing) = all_refused(&rights) {
            return Err(nothing.looked_for_live(&info).into());
        }
        let now_ms = service.0.api.clock().cluster_now_ms();
        let wanted = wanted(&request, grep, now_ms);
        let common = Arc::new(Common {
            pods: info,
            at_once: Arc::clone(&service.0.logs),
            previous: request.lines.previous,
            tail: is_tail_enough(&request).then_some(request.lines.tail),
            since_ns: wanted.since_ns,
        });
        let follow = (request.follow_ms > 0).then(|| Duration::from_millis(request.follow_ms));
        let mut job = Self {
            common,
            wanted,
            sources: Vec::new(),
            idle: Vec::new(),
            until: deadline.with_time_to_tell().at(),
            follow,
            patterns: request.patterns,
            max_bytes: request.context.max_bytes.min(ANSWER_BYTES) as usize,
        };
        for ((pod, object), right) in request.pods.iter().zip(objects).zip(rights) {
            job.add(pod, object.as_ref(), request.container.as_deref(), right);
        }
        let mut head = reply::head(service, readable, request.pods.len() as u64);
        (head.source, head.age_ms) = (AnswerSource::Live, 0);
        Ok((head, job))
    }

    fn add(
        &mut self,
        pod: &PodName,
        object: Option<&serde_json::Value>,
        container: Option<&str>,
        right: Result<Api, Nothing>,
    ) {
        let told = |id: usize, container: String| LogSource {
            id: id as u32,
            namespace: pod.namespace.clone(),
            pod: pod.name.clone(),
            container,
        };
        let next = |job: &Self| job.sources.len() + job.idle.len();
        let api = match (right, object) {
            (_, None) => Err(Shortfall::none("the pod is gone")),
            (Err(nothing), _) => Err(Shortfall::unread(nothing.message.unwrap_or_default())),
            (_, Some(object)) if object["spec"]["nodeName"].as_str().is_none_or(str::is_empty) => {
                Err(Shortfall::none("it has no node yet, so nothing of it has run"))
            }
            (Ok(api), Some(object)) => match containers::to_read(object, container) {
                Ok(names) => Ok((api, names)),
                Err(unknown) => Err(Shortfall::none(unknown)),
            },
        };
        match api {
            Err(shortfall) => self.idle.push((told(next(self), String::new()), shortfall)),
            Ok((api, names)) => {
                for name in names {
                    let told = told(next(self), name);
                    if self.sources.len() < LOG_CONTAINERS {
                        self.sources.push(Arc::new(Source { told, api: api.clone() }));
                    } else {
                        let message = format!(
                            "not read: a call reads {LOG_CONTAINERS} containers at most; name a container or fewer pods"
                        );
                        self.idle.push((told, Shortfall::unread(message)));
                    }
                }
            }
        }
    }

    pub(super) async fn run(mut self, out: Out) {
        for (source, shortfall) in std::mem::take(&mut self.idle) {
            let id = source.id;
            out.item(LogItem::Source(source)).await;
            out.item(LogItem::Over(shortfall.told(id))).await;
        }
        for source in &self.sources {
            out.item(LogItem::Source(source.told.clone())).await;
        }
        let sink = match self.patterns {
            true => Sink::Folded(Arc::default()),
            false => Sink::Lines(out.clone()),
        };
        let follow_until = self.follow.map(|follow| (Instant::now() + follow).min(self.until));
        let mut read = self.history(&sink).await;
        if let Some(until) = follow_until {
            let follow = |read: Read| follow(read, Arc::clone(&self.common), until, sink.clone());
            read = join_all(read.into_iter().map(follow)).await;
        }
        sink.end(&out).await;
        for read in read {
            out.item(LogItem::Over(read.over())).await;
        }
    }

    /// What there is up to now, folded.
    pub(super) async fn folded(self) -> Folded {
        let fold = Arc::<Mutex<Fold>>::default();
        let read = self.history(&Sink::Folded(Arc::clone(&fold))).await;
        let containers = read.len() as u64;
        let idle = self.idle.into_iter().map(|(source, shortfall)| shortfall.told(source.id));
        let over = idle.chain(read.into_iter().map(Read::over)).filter(|over| over.unread);
        let unread = over.filter_map(|over| over.message).collect();
        let (templates, others) = std::mem::take(&mut *fold.lock()).into_templates();
        Folded { templates, others, containers, unread }
    }

    /// All that there is, the newest of it sent in the order of time.
    async fn history(&self, sink: &Sink) -> Vec<Read> {
        let (wanted, until) = (&self.wanted, self.until);
        let read =
            |source: &Arc<Source>| read(Arc::clone(source), Arc::clone(&self.common), wanted.clone(), until);
        let reads: Vec<_> = self.sources.iter().map(read).collect();
        let at_once = if self.follow.is_some() { LOG_CONTAINERS } else { LOGS_OF_A_CALL_AT_ONCE };
        let mut reads = futures::stream::iter(reads).buffer_unordered(at_once);
        let (mut done, mut lines) = (Vec::<Read>::new(), Vec::<LogLine>::new());
        while let Some(mut read) = reads.next().await {
            match sink {
                Sink::Lines(_) => lines.extend(read.reading.lines_kept()),
                folded @ Sink::Folded(..) => folded.take(&mut read.reading).await,
            }
            done.push(read);
            keep_newest(&mut lines, self.max_bytes, |line| {
                let source = done.iter_mut().find(|read| read.source.told.id == line.source);
                if let Some(read) = source.filter(|_| !line.beside) {
                    read.dropped += 1;
                }
            });
        }
        if let Sink::Lines(out) = sink {
            out.lines(lines).await;
        }
        done
    }
}

/// What logs came to, folded.
pub(in crate::serve) struct Folded {
    /// The commonest first.
    pub(in crate::serve) templates: Vec<Template>,
    /// Lines of no template, because they were of too many sorts.
    pub(in crate::serve) others: u64,
    /// Containers that were read.
    pub(in crate::serve) containers: u64,
    /// Why some of it was not read that there is.
    pub(in crate::serve) unread: BTreeSet<String>,
}

async fn read(source: Arc<Source>, common: Arc<Common>, wanted: Wanted, until: Instant) -> Read {
    let mut reading = Reading::new(source.told.id, wanted);
    let shortfall = source.read(&common, &mut reading, until).await;
    Read { source, reading, shortfall, dropped: 0 }
}

async fn follow(mut read: Read, common: Arc<Common>, until: Instant, sink: Sink) -> Read {
    if read.shortfall.is_none() {
        read.shortfall = read.source.follow(&common, &mut read.reading, until, &sink).await;
    }
    read
}

/// A container that was read.
struct Read {
    source: Arc<Source>,
    reading: Reading,
    shortfall: Option<Shortfall>,
    /// Beside those that went before: lines that went for those of other containers.
    dropped: u64,
}

impl Read {
    fn over(self) -> LogOver {
        let mut told = over(self.source.told.id, &self.reading, self.shortfall);
        told.dropped += self.dropped;
        told
    }
}

/// For each pod the API server as the caller, or why not.
async fn join_rights(
    service: &Service,
    request: &LogRequest,
    info: &KindInfo,
    deadline: Deadline,
) -> Vec<Result<Api, Nothing>> {
    let ask = |pod: &PodName| {
        let access = Access::to(Verb::Get, info, Some(&pod.namespace), Some(&pod.name)).part("log");
        service.0.rights.allow_object(&request.context.caller, access, deadline)
    };
    let asks: Vec<_> = request.pods.iter().map(ask).collect();
    futures::stream::iter(asks).buffered(LOGS_OF_A_CALL_AT_ONCE).collect().await
}

/// What the whole answer is where no pod may be read.
fn all_refused(rights: &[Result<Api, Nothing>]) -> Option<Nothing> {
    let mut refused = rights.iter().map(|right| right.as_ref().err());
    let first = refused.next()??.clone();
    refused
        .all(|nothing| nothing.is_some())
        .then(|| Nothing { status: first.status.max(LegStatus::Forbidden), ..first })
}

fn wanted(request: &LogRequest, grep: Option<Grep>, now_ms: i64) -> Wanted {
    let lines = &request.lines;
    let ns = |moment: Option<Moment>| moment.map(|moment| moment.at_ms(now_ms).saturating_mul(1_000_000));
    let max_bytes =
        if request.patterns { FOLDED_BYTES } else { request.context.max_bytes.min(ANSWER_BYTES) as usize };
    Wanted {
        grep,
        since_ns: ns(lines.since),
        until_ns: ns(lines.until),
        tail: (lines.tail as usize).min(LOG_LINES),
        max_bytes,
        beside: (lines.context_lines as usize).min(LOG_LINES_BESIDE),
    }
}

/// Whether the last lines are those that are meant: of a search they need not be.
fn is_tail_enough(request: &LogRequest) -> bool {
    request.lines.grep.is_none() && request.lines.until.is_none()
}
