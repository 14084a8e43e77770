//! What clusters answered to lists, each answer by itself.

use std::sync::Arc;

use kubeplex_proto::call::{CallContext, Freshness};
use kubeplex_proto::events::EventQuestion;
use kubeplex_proto::ids::{ClusterId, InstanceId};
use kubeplex_proto::list::{Known, ListEnd, ListHead, ListRequest, Row, Unchanged};
use kubeplex_proto::sort::{KeyValue, RowKey};
use kubeplex_proto::status::{LegStatus, Source};

use super::Kept;
use super::flights::{Flights, Lead, Seat};
use super::key::Key;
use super::metrics::{Metrics, Outcome};
use super::weight::{Weighs, of_text, of_value};
use crate::clock::Steady;
use crate::merge::Heard;
use crate::registry::{Leg, LinkId, Registry, Vouched};
use crate::telemetry::Telemetry;

/// All of them. One for all calls of a gateway.
pub(crate) struct KeptAnswers {
    kept: Kept<Answer>,
    flights: Flights<Arc<Answer>>,
    registry: Registry,
    metrics: Metrics,
}

/// A complete answer of one cluster, from its agent's cache.
#[derive(Clone)]
pub(crate) struct Answer {
    /// The link that it came over, and the process behind that.
    link: LinkId,
    instance: InstanceId,
    heard: Heard<ListHead>,
    rows: Arc<[Row]>,
    end: ListEnd,
    bytes: u64,
}

/// A question to one cluster, on its way to an answer.
pub(crate) enum Found<'a> {
    /// It need not be asked.
    Kept(Arc<Answer>),
    Ask(Asking<'a>),
}

/// What asking may spare, and who waits for what comes of it.
pub(crate) struct Asking<'a> {
    answers: &'a KeptAnswers,
    /// Where the answer is to be kept.
    key: Option<Key>,
    /// An earlier answer, which may still be right.
    known: Option<Arc<Answer>>,
    lead: Option<Lead<'a, Arc<Answer>>>,
}

impl KeptAnswers {
    /// Keeps about so many bytes.
    pub(crate) fn new(bytes: u64, registry: Registry, telemetry: &Telemetry) -> Self {
        Self {
            kept: Kept::new(bytes),
            flights: Flights::new(),
            registry,
            metrics: Metrics::of_answers(telemetry),
        }
    }

    /// The answer that a cluster would give now, where that is known; perhaps because another call gets it just now.
    pub(crate) async fn find(&self, cluster: &ClusterId, request: &ListRequest) -> Found<'_> {
        let keeps = self.kept.is_on() && request.context.freshness == Freshness::Cache;
        let Some(key) = keeps.then(|| key(cluster, request)).flatten() else {
            return Found::Ask(Asking { answers: self, key: None, known: None, lead: None });
        };
        let vouched = || self.registry.vouched(cluster, &request.kind);
        let known = self.kept.get(&key);
        let mut lead = None;
        if let Some(vouched) = vouched() {
            if let Some(answer) = known.as_ref().and_then(|known| known.as_of(&vouched)) {
                return self.hit(answer);
            }
            match self.flights.join(key.clone()) {
                Seat::Leads(first) => lead = Some(first),
                Seat::Follows(following) => {
                    let answer = following.wait().await.zip(self.registry.vouched(cluster, &request.kind));
                    if let Some(answer) = answer.and_then(|(answer, vouched)| answer.as_of(&vouched)) {
                        return self.hit(answer);
                    }
                }
            }
        }
        Found::Ask(Asking { answers: self, key: Some(key), known, lead })
    }

    fn hit(&self, answer: Answer) -> Found<'_> {
        self.metrics.count(Outcome::Hit);
        Found::Kept(Arc::new(answer))
    }
}

/// Everything that decides what an agent answers from its cache; `None` where something else does, too. Who asks is no part of it, only what they may see.
pub(super) fn key(cluster: &ClusterId, request: &ListRequest) -> Option<Key> {
    // In full, so that whoever adds to a question decides here whether it makes another one.
    let ListRequest {
        context: CallContext { call_id: _, deadline_ms: _, caller: _, visibility, max_bytes, freshness },
        kind,
        version,
        namespaces,
        names,
        label_selector,
        field_selector,
        events,
        search,
        usage,
        group,
        columns,
        sort,
        after,
        limit,
        known: _,
    } = request;
    let context = (visibility, max_bytes, freshness);
    // What a revision shows of the last hour is another thing in an hour.
    // Nor does one revision vouch for what there is of all kinds, or for what is read live.
    if events.as_ref().is_some_and(EventQuestion::moves) || search.is_some() || *usage {
        return None;
    }
    let rows = (kind, version, namespaces, names, label_selector, field_selector, events, group);
    Key::of(&(cluster, context, rows, (columns, sort, after, limit)))
}

impl Answer {
    /// The same as of the last proof, if the cluster vouches for it.
    fn as_of(&self, vouched: &Vouched) -> Option<Self> {
        let is_still = self.link == vouched.link && self.heard.head.revision == vouched.revision;
        is_still.then(|| {
            let mut vouched_for = self.clone();
            // Both are true; the agent may have told before or after this answer what it knows.
            vouched_for.heard.as_of = self.heard.as_of.max(vouched.as_of);
            vouched_for
        })
    }

    pub(crate) fn heard(&self) -> &Heard<ListHead> {
        &self.heard
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(crate) fn end(&self) -> &ListEnd {
        &self.end
    }

    /// What it took on its way.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Asking<'_> {
    /// For the agent, which may find the answer that is kept still right.
    pub(crate) fn known(&self) -> Option<Known> {
        let answer = self.known.as_deref()?;
        Some(Known { instance: answer.instance.clone(), revision: answer.heard.head.revision })
    }

    /// The agent finds the answer that is kept still right; `None` where none is, and the agent talks nonsense.
    pub(crate) fn unchanged(self, way: &Leg, unchanged: Unchanged) -> Option<Arc<Answer>> {
        let known = self.known.as_deref().filter(|known| known.instance == way.instance)?;
        let Unchanged { age_ms, cluster_now_ms, clock_offset_ms } = unchanged;
        let head = ListHead { age_ms, cluster_now_ms, clock_offset_ms, ..known.heard.head.clone() };
        let heard = Heard::new(head, Steady::now());
        let answer = Arc::new(Answer { link: way.link, heard, ..known.clone() });
        self.answers.metrics.count(Outcome::Revalidated);
        self.keep(Arc::clone(&answer));
        Some(answer)
    }

    /// The agent answered in full. What is complete, current and from its cache is kept.
    pub(crate) fn answered(
        self,
        way: &Leg,
        heard: &Heard<ListHead>,
        rows: &[Row],
        end: &ListEnd,
        bytes: u64,
    ) {
        if self.key.is_none() {
            return;
        }
        self.answers.metrics.count(Outcome::Missed);
        let head = &heard.head;
        let says_nothing_else =
            head.status == LegStatus::Ok && head.message.is_none() && head.source == Source::Cache;
        if says_nothing_else && end.cut.is_none() {
            let (link, instance) = (way.link, way.instance.clone());
            let (heard, rows, end) = (heard.clone(), rows.into(), end.clone());
            self.keep(Arc::new(Answer { link, instance, heard, rows, end, bytes }));
        }
    }

    fn keep(self, answer: Arc<Answer>) {
        if let Some(key) = self.key {
            self.answers.kept.insert(key, Arc::clone(&answer));
        }
        if let Some(lead) = self.lead {
            lead.land(answer);
        }
    }
}

impl Weighs for Answer {
    fn weight(&self) -> usize {
        let head = &self.heard.head;
        let columns = head.columns.iter().map(|column| of_text(&column.name));
        let counts = head.status_counts.keys().map(|status| of_text(status));
        let rows = self
            .rows
            .iter()
            .map(|row| of_key(&row.key) + row.cells.iter().map(of_value).sum::<usize>() + size_of::<Row>());
        size_of::<Self>() + columns.chain(counts).chain(rows).sum::<usize>()
    }
}

fn of_key(key: &RowKey) -> usize {
    let values = key.values.iter().map(|value| match value {
        KeyValue::Text(text) => of_text(text) + size_of::<KeyValue>(),
        KeyValue::Number(_) | KeyValue::Missing => size_of::<KeyValue>(),
    });
    values.sum::<usize>() + of_text(&key.namespace) + of_text(&key.name) + of_text(&key.uid)
}
