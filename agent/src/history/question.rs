//! Answers what changed in a span of time.

use std::collections::HashMap;
use std::sync::Arc;

use kubeplex_proto::changes::{Change, Deed, Gap, GapReason};
use kubeplex_proto::control::SyncState;
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::pattern::{Pattern, any_or_unrestricted};
use kubeplex_proto::status::AgentError;
use kubeplex_proto::visibility::{KindVisibility, Visibility};
use parking_lot::Mutex;

use super::fold::{Lookup, Row, fold};
use super::inferred::{Unrecorded, inferred};
use super::noise;
use super::record::{Owner, Record};
use super::related::{Key, Relations, relations};
use super::stores::Stores;
use super::{History, Recorded};
use crate::kinds::Kinds;
use crate::limits::{ANSWER_CHANGES, CHANGES_READ};
use crate::query::ScanBudget;
use crate::watch::KindHandle;

/// Changes that are read between two looks at the clock.
const READ_AT_ONCE: usize = 1_000;

/// What was recorded and what objects tell of it have times that differ by no more than this.
const SAME_MS: i64 = 5_000;

/// Owners of owners that are followed.
const LEVELS: usize = 5;

/// Which changes somebody asks for. Times are milliseconds since 1970 by the cluster's clock, both ends included.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    pub(crate) now_ms: i64,
    pub(crate) kind: Option<GroupResource>,
    pub(crate) namespaces: Vec<Pattern>,
    pub(crate) names: Vec<Pattern>,
    pub(crate) visibility: Visibility,
    pub(crate) limit: usize,
}

/// What is told of it, the newest first.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) changes: Vec<Change>,
    pub(crate) gaps: Vec<Gap>,
    /// How many changes there are, told or not.
    pub(crate) total: u64,
}

/// What one question has found out so far.
struct Reading<'a> {
    question: &'a Question,
    stores: Stores<'a>,
    sight: Sight<'a>,
    relations: Relations,
}

/// What the caller may see, kind by kind.
struct Sight<'a> {
    visibility: &'a Visibility,
    kinds: Mutex<HashMap<GroupResource, KindVisibility<'a>>>,
}

/// # Errors
/// `timeout` when the budget is used up.
pub(crate) fn answer(
    history: &History,
    kinds: &Kinds,
    question: &Question,
    budget: &ScanBudget,
) -> Result<Answer, AgentError> {
    let stores = Stores(kinds);
    let sight = Sight { visibility: &question.visibility, kinds: Mutex::default() };
    let mut reading = Reading { question, stores, sight, relations: Relations::default() };
    if !question.names.is_empty() {
        let is_asked = |kind: &GroupResource, namespace: Option<&str>, name: &str| {
            reading.is_asked(kind, namespace, name) && reading.sight.shows(kind, namespace, name)
        };
        reading.relations = relations(stores, question.kind.as_ref(), &is_asked, &question.namespaces);
    }
    let handles = kinds.all_watched();
    let recorded = history.read(question.from_ms, question.to_ms, budget)?;
    let spans = unrecorded(question, &recorded);
    let mut records = recorded.records;
    let is_visible = |kind: &GroupResource, namespace: Option<&str>, name: &str| {
        reading.is_in_reach(kind, namespace, name)
    };
    records.extend(unseen(inferred(stores, &handles, &spans, &is_visible), &records));
    let records = reading.wanted(records, budget)?;
    let rows = reading.fold(records);
    budget.check()?;
    let mut changes: Vec<Change> = rows.into_iter().filter_map(|row| reading.told(row)).collect();
    changes.sort_by_key(|change| std::cmp::Reverse(change.at_ms));
    let total = changes.len() as u64;
    changes.truncate(question.limit.min(ANSWER_CHANGES));
    let mut gaps = reading.gaps(recorded.gaps, &handles);
    if let Some(oldest) = changes.last().filter(|_| total > changes.len() as u64) {
        gaps.push(Gap { from_ms: None, to_ms: oldest.at_ms, kind: None, reason: GapReason::TooMany });
    }
    Ok(Answer { changes, gaps, total })
}

/// The times of which nobody wrote anything down.
fn unrecorded(question: &Question, recorded: &Recorded) -> Unrecorded {
    let restarts = recorded.gaps.iter().filter(|gap| gap.reason == GapReason::Restart);
    Unrecorded {
        asked: (question.from_ms, question.to_ms),
        known_since: recorded.known_since.clone(),
        others_since: recorded.from_ms,
        away: restarts.map(|gap| (gap.from_ms.unwrap_or(i64::MIN), gap.to_ms)).collect(),
    }
}

/// Without those that were recorded as well: what happened while a kind was listed for the first time is in both.
fn unseen(inferred: Vec<Record>, recorded: &[Record]) -> Vec<Record> {
    if inferred.is_empty() {
        return inferred;
    }
    let mut seen: HashMap<(Object, Deed), Vec<i64>> = HashMap::new();
    for record in recorded {
        seen.entry((object(record), record.deed)).or_default().push(record.at_ms);
    }
    let is_unseen = |record: &Record| {
        let times = seen.get(&(object(record), record.deed));
        !times.is_some_and(|times| times.iter().any(|at| (at - record.at_ms).abs() <= SAME_MS))
    };
    inferred.into_iter().filter(is_unseen).collect()
}

impl Reading<'_> {
    /// Whether the question names the object itself.
    fn is_asked(&self, kind: &GroupResource, namespace: Option<&str>, name: &str) -> bool {
        let question = self.question;
        question.kind.as_ref().is_none_or(|asked| asked == kind)
            && namespace.is_none_or(|namespace| any_or_unrestricted(&question.namespaces, namespace))
            && !question.names.is_empty()
            && any_or_unrestricted(&question.names, name)
    }

    /// Whether the object lies in the namespaces of the question, and may be seen.
    fn is_in_reach(&self, kind: &GroupResource, namespace: Option<&str>, name: &str) -> bool {
        let namespaces = &self.question.namespaces;
        let in_reach = match namespace {
            Some(namespace) => any_or_unrestricted(namespaces, namespace),
            None if namespaces.is_empty() || !self.question.names.is_empty() => true,
            None => is_namespaces(kind) && any_or_unrestricted(namespaces, name),
        };
        in_reach && self.sight.shows(kind, namespace, name)
    }

    /// Those that the question is about, in the order of time.
    fn wanted(&self, records: Vec<Record>, budget: &ScanBudget) -> Result<Vec<Record>, AgentError> {
        let mut wanted = Vec::new();
        // Whom things belong to counts where an object is asked for by its name.
        let by_name = !self.question.names.is_empty();
        let owned = records.iter().filter(|_| by_name);
        let owners: HashMap<Object, Owner> =
            owned.filter_map(|record| Some((object(record), record.owner.clone()?))).collect();
        for (at, record) in records.into_iter().enumerate() {
            if at % READ_AT_ONCE == 0 {
                budget.check()?;
            }
            let (kind, namespace) = (record.kind(), record.namespace.as_deref());
            if !self.is_in_reach(&kind, namespace, &record.name) {
                continue;
            }
            let named = self.is_asked(&kind, namespace, &record.name);
            let related = !by_name || named || self.is_related(&record, &owners);
            // Who asks for an object by its name wants to know how it was as well.
            if related && (named || !record.is_of_status()) {
                wanted.push(record);
            }
        }
        wanted.sort_by_key(|record| record.at_ms);
        if wanted.len() > CHANGES_READ {
            wanted.drain(..wanted.len() - CHANGES_READ);
        }
        Ok(wanted)
    }

    fn is_related(&self, record: &Record, owners: &HashMap<Object, Owner>) -> bool {
        let key: Key = (record.kind(), record.namespace.clone(), record.name.clone());
        self.relations.of(&key).is_some() || self.is_of_asked(record, owners)
    }

    /// Whether what was asked for, or what it selects, controls the object.
    fn is_of_asked(&self, record: &Record, owners: &HashMap<Object, Owner>) -> bool {
        let mut owner = record.owner.clone();
        for _ in 0..LEVELS {
            let Some(Owner { kind_name, name }) = owner.take() else { return false };
            let Some(kind) = self.stores.kind_called(&kind_name) else { return false };
            let key: Key = (kind, record.namespace.clone(), name);
            if self.is_asked(&key.0, key.1.as_deref(), &key.2)
                || matches!(self.relations.of(&key), Some("" | "selected"))
            {
                return true;
            }
            let known = owners.get(&(kind_name.clone(), key.1.clone(), key.2.clone())).cloned();
            owner = known.or_else(|| self.stores.owner(&kind_name, key.1.as_deref(), &key.2));
        }
        false
    }

    fn fold(&self, records: Vec<Record>) -> Vec<Row> {
        let lookup = Lookup {
            owner: &|(kind_name, namespace, name)| self.stores.owner(kind_name, namespace, name),
            kind: &|kind_name| self.stores.kind_called(kind_name),
            is_visible: &|kind, namespace, name| self.is_in_reach(kind, namespace, name),
        };
        fold(records, &lookup)
    }

    /// A row with how it is related; `None` for one that was only read to be folded, or that tells nothing to who asks for all.
    fn told(&self, row: Row) -> Option<Change> {
        // That a workload once got another pod is what every workload's pods tell; who asks for it by name wants to know.
        if row.is_only_inferred() && self.question.names.is_empty() {
            return None;
        }
        let record = &row.record;
        let kind = record.kind();
        let asked = self.question.kind.as_ref();
        if self.question.names.is_empty() {
            return asked.is_none_or(|asked| *asked == kind).then(|| row.into_change(""));
        }
        if self.is_asked(&kind, record.namespace.as_deref(), &record.name) {
            return Some(row.into_change(""));
        }
        let key: Key = (kind, record.namespace.clone(), record.name.clone());
        let relation = self.relations.of(&key).filter(|relation| !relation.is_empty()).unwrap_or("owned");
        Some(row.into_change(relation))
    }

    /// Of the kinds that are asked about and may be seen; with those that are not current now.
    fn gaps(&self, recorded: Vec<Gap>, handles: &[Arc<KindHandle>]) -> Vec<Gap> {
        let Question { from_ms, to_ms, now_ms, kind: asked, .. } = self.question;
        let stale = handles.iter().filter_map(|handle| {
            let status = handle.status();
            let id = &handle.info.id;
            let counts =
                noise::is_recorded(&id.group, &id.resource) && asked.as_ref().is_none_or(|asked| asked == id);
            let is_stale = matches!(status.state, SyncState::Stale | SyncState::Error);
            let as_of = status.as_of.filter(|_| counts && is_stale)?;
            let from_ms = now_ms - as_of.elapsed().as_millis() as i64;
            Some(Gap {
                from_ms: Some(from_ms),
                to_ms: *now_ms,
                kind: Some(id.clone()),
                reason: GapReason::Stale,
            })
        });
        let concerns = |gap: &Gap| match (&gap.kind, asked) {
            (Some(of), Some(asked)) if self.question.names.is_empty() => of == asked,
            _ => true,
        };
        let mut gaps: Vec<Gap> = recorded.into_iter().filter(concerns).chain(stale).collect();
        gaps.retain(|gap| gap.to_ms >= *from_ms && gap.from_ms.is_none_or(|from| from <= *to_ms));
        gaps.retain(|gap| {
            gap.kind.as_ref().is_none_or(|kind| !self.sight.visibility.for_kind(kind).is_empty())
        });
        gaps
    }
}

type Object = (String, Option<String>, String);

fn object(record: &Record) -> Object {
    (record.kind_name.clone(), record.namespace.clone(), record.name.clone())
}

fn is_namespaces(kind: &GroupResource) -> bool {
    kind.group.is_empty() && kind.resource == "namespaces"
}

impl Sight<'_> {
    fn shows(&self, kind: &GroupResource, namespace: Option<&str>, name: &str) -> bool {
        let mut kinds = self.kinds.lock();
        let seen = match kinds.get(kind) {
            Some(seen) => seen,
            None => kinds.entry(kind.clone()).or_insert_with(|| self.visibility.for_kind(kind)),
        };
        if is_namespaces(kind) { seen.shows_namespace(name) } else { seen.shows(namespace, name) }
    }
}
