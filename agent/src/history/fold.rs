//! What followed from a change is told with it: a rollout is one row, whatever it did to replica sets and pods.

use std::collections::{HashMap, HashSet};

use kubeplex_proto::changes::{Change, Class, Deed, FieldChange, Folded};
use kubeplex_proto::kind::GroupResource;

use super::record::{Owner, Record};

/// What follows a change later than this is not told with it: the longest that rollouts usually take.
const FOLLOWS_MS: i64 = 30 * 60_000;

/// Controllers may be quicker than the news of what they follow.
const AHEAD_MS: i64 = 5_000;

/// Changes of what a workload owns that nobody asked for are one row while no more time lies between them.
const CHURN_MS: i64 = 10 * 60_000;

/// From so many changes of the same fields of an object on they are one row.
const OVER_AND_OVER: usize = 4;

/// Owners of owners that are followed.
const LEVELS: usize = 5;

/// Who does what others decided.
const MACHINERY: [&str; 3] = ["kube-controller-manager", "kubelet", "kube-scheduler"];

/// An object by its kind's name, its namespace and its own.
type Object<'a> = (&'a str, Option<&'a str>, &'a str);
type OwnedObject = (String, Option<String>, String);

/// What folding has to look up.
pub(super) struct Lookup<'a> {
    /// What controls an object, as far as there still is one.
    pub(super) owner: &'a dyn Fn(Object<'_>) -> Option<Owner>,
    /// The kind of objects of this `kind`.
    pub(super) kind: &'a dyn Fn(&str) -> Option<GroupResource>,
    /// Whether the caller may see it.
    pub(super) is_visible: &'a dyn Fn(&GroupResource, Option<&str>, &str) -> bool,
}

/// A change with what was folded into it, and the object that controls it in the end.
pub(super) struct Row {
    pub(super) record: Record,
    pub(super) folded: Vec<Folded>,
    /// Changes told as this one, itself included.
    pub(super) times: u32,
}

/// Folds `records`, which are in the order of time.
pub(super) fn fold(records: Vec<Record>, lookup: &Lookup<'_>) -> Vec<Row> {
    let roots = roots(&records, lookup);
    let mut rows: Vec<Row> = Vec::with_capacity(records.len());
    // Where the changes of each object stand that others follow.
    let mut leaders: HashMap<OwnedObject, Vec<usize>> = HashMap::new();
    let mut followers: Vec<(OwnedObject, Record)> = Vec::new();
    for (record, root) in records.into_iter().zip(roots) {
        match root.filter(|_| follows(&record)) {
            Some(root) => followers.push((root, record)),
            None => {
                if leads(&record) {
                    leaders.entry(object(&record)).or_default().push(rows.len());
                }
                rows.push(Row { record, folded: Vec::new(), times: 1 });
            }
        }
    }
    let mut unexplained = Vec::new();
    for (root, record) in followers {
        match leaders.get(&root).and_then(|of_root| leader(&record, of_root, &rows)) {
            Some(at) => rows[at].follow(&record),
            None => unexplained.push((root, record)),
        }
    }
    churn(unexplained, &mut rows, lookup);
    repeated(deletions(rows))
}

/// The change that something followed: the latest before it, or one whose news was the slower. A replica set is made for
/// another template, and for each but one.
fn leader(record: &Record, of_root: &[usize], rows: &[Row]) -> Option<usize> {
    let later_ms = |at: &usize| record.at_ms - rows[*at].record.at_ms;
    let near = || of_root.iter().copied().filter(|at| (-AHEAD_MS..=FOLLOWS_MS).contains(&later_ms(at)));
    let is_new_set = record.deed == Deed::Created && record.kind_name == "ReplicaSet";
    let kind = record.kind();
    let has_set = |row: &Row| row.folded.iter().any(|folded| folded.kind == kind && folded.created > 0);
    let wants_set = |at: &usize| is_new_set && changes_template(&rows[*at].record) && !has_set(&rows[*at]);
    let before = || near().filter(|at| later_ms(at) >= 0).max_by_key(|at| (rows[*at].record.at_ms, *at));
    let after = || near().min_by_key(|at| rows[*at].record.at_ms);
    near().filter(wants_set).min_by_key(|at| later_ms(at).abs()).or_else(before).or_else(after)
}

fn changes_template(record: &Record) -> bool {
    let is_of_template = |field: &FieldChange| field.path.starts_with("spec.template");
    matches!(record.deed, Deed::Created | Deed::Replaced) || record.fields.iter().any(is_of_template)
}

/// What no change explains is told by what it was that came and went.
fn churn(unexplained: Vec<(OwnedObject, Record)>, rows: &mut Vec<Row>, lookup: &Lookup<'_>) {
    let mut open: HashMap<OwnedObject, usize> = HashMap::new();
    let gone: HashSet<OwnedObject> = unexplained
        .iter()
        .filter(|(_, record)| record.deed == Deed::Deleted)
        .map(|(_, record)| object(record))
        .collect();
    for (root, record) in unexplained {
        // Somebody's own after all; or asked for, and done further on.
        if record.deed == Deed::Changed || record.deed == Deed::DeletionAsked {
            if record.deed == Deed::Changed || !gone.contains(&object(&record)) {
                rows.push(Row { record, folded: Vec::new(), times: 1 });
            }
            continue;
        }
        let known = open.get(&root).filter(|at| record.at_ms <= rows[**at].record.at_ms + CHURN_MS);
        match (known, (lookup.kind)(&root.0)) {
            (Some(at), _) => {
                let row = &mut rows[*at];
                row.record.after_ms = row.record.after_ms.or(Some(row.record.at_ms));
                row.record.at_ms = row.record.at_ms.max(record.at_ms);
                row.follow(&record);
            }
            (None, Some(kind)) => {
                open.insert(root.clone(), rows.len());
                let mut row = Row { record: of_root(kind, root, &record), folded: Vec::new(), times: 1 };
                row.follow(&record);
                rows.push(row);
            }
            (None, None) => rows.push(Row { record, folded: Vec::new(), times: 1 }),
        }
    }
}

/// A row of the root of what changed without anybody's asking.
fn of_root(kind: GroupResource, (kind_name, namespace, name): OwnedObject, record: &Record) -> Record {
    Record {
        group: kind.group,
        resource: kind.resource,
        kind_name,
        namespace,
        name,
        uid: String::new(),
        deed: Deed::Followed,
        fields: Vec::new(),
        more_fields: 0,
        by: None,
        owner: None,
        ..record.clone()
    }
}

/// What controls each object in the end, where something does that the caller may see and whose kind is known.
fn roots(records: &[Record], lookup: &Lookup<'_>) -> Vec<Option<OwnedObject>> {
    let mut owners: HashMap<OwnedObject, Option<Owner>> = HashMap::new();
    for record in records.iter().filter(|record| record.owner.is_some()) {
        owners.insert(object(record), record.owner.clone());
    }
    let mut owner_of = |object: &OwnedObject| -> Option<Owner> {
        let find = || (lookup.owner)((&object.0, object.1.as_deref(), &object.2));
        owners.entry(object.clone()).or_insert_with(find).clone()
    };
    let mut root = |record: &Record| {
        let mut root = None;
        let mut at = object(record);
        let mut owner = record.owner.clone();
        for _ in 0..LEVELS {
            let Some(Owner { kind_name, name }) = owner.take() else { break };
            at = (kind_name, at.1, name);
            let kind = (lookup.kind)(&at.0);
            if kind.is_some_and(|kind| (lookup.is_visible)(&kind, at.1.as_deref(), &at.2)) {
                root = Some(at.clone());
            }
            owner = owner_of(&at);
        }
        root
    };
    records.iter().map(&mut root).collect()
}

fn object(record: &Record) -> OwnedObject {
    (record.kind_name.clone(), record.namespace.clone(), record.name.clone())
}

/// Whether something of what an object owns may change because of it.
fn leads(record: &Record) -> bool {
    match record.deed {
        Deed::Changed => record.fields.iter().any(|field| field.class <= Class::Spec) || record.inferred,
        Deed::Created | Deed::Replaced | Deed::DeletionAsked | Deed::Deleted => true,
        Deed::Followed => false,
    }
}

/// Whether a change of something owned may follow from another, rather than be somebody's own.
fn follows(record: &Record) -> bool {
    let by_machinery = || record.by.as_deref().is_none_or(|by| MACHINERY.contains(&by));
    !record.is_of_status() && (record.deed != Deed::Changed || by_machinery())
}

/// Asked for and done are one deletion.
fn deletions(rows: Vec<Row>) -> Vec<Row> {
    let gone: HashMap<OwnedObject, i64> = rows
        .iter()
        .filter(|row| row.record.deed == Deed::Deleted)
        .map(|row| (object(&row.record), row.record.at_ms))
        .collect();
    let is_done = |row: &Row| {
        row.record.deed == Deed::DeletionAsked
            && gone.get(&object(&row.record)).is_some_and(|at_ms| *at_ms >= row.record.at_ms)
    };
    let mut by: HashMap<OwnedObject, Vec<Folded>> = HashMap::new();
    let (done, mut rows): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(is_done);
    for row in done {
        by.entry(object(&row.record)).or_default().extend(row.folded);
    }
    for row in rows.iter_mut().filter(|row| row.record.deed == Deed::Deleted) {
        for folded in by.remove(&object(&row.record)).unwrap_or_default() {
            row.add(folded);
        }
    }
    rows
}

/// The same fields of an object over and over, by the same hand, are one row: from what they were to what they are.
fn repeated(rows: Vec<Row>) -> Vec<Row> {
    let key = |row: &Row| {
        let paths: Vec<String> = row.record.fields.iter().map(|field| field.path.clone()).collect();
        let is_change = row.record.deed == Deed::Changed && row.folded.is_empty() && !paths.is_empty();
        let important = row.record.fields.iter().any(|field| field.class <= Class::Scale);
        (is_change && !important).then(|| (object(&row.record), paths, row.record.by.clone()))
    };
    let keys: Vec<_> = rows.iter().map(key).collect();
    let mut counts: HashMap<_, usize> = HashMap::new();
    keys.iter().flatten().for_each(|key| *counts.entry(key).or_default() += 1);
    let mut first: HashMap<_, usize> = HashMap::new();
    let mut kept: Vec<Row> = Vec::with_capacity(rows.len());
    for (row, key) in rows.into_iter().zip(&keys) {
        let Some(key) = key.as_ref().filter(|key| counts[key] >= OVER_AND_OVER) else {
            kept.push(row);
            continue;
        };
        match first.get(&key) {
            Some(at) => kept[*at].repeat(row),
            None => {
                first.insert(key, kept.len());
                kept.push(row);
            }
        }
    }
    kept
}

impl Row {
    fn follow(&mut self, record: &Record) {
        let one = |deed: bool| u32::from(deed);
        // What comes and goes tells of it; that its owner counted it meanwhile does not.
        if matches!(record.deed, Deed::Changed | Deed::DeletionAsked | Deed::Followed) {
            return;
        }
        self.add(Folded {
            kind: record.kind(),
            created: one(matches!(record.deed, Deed::Created | Deed::Replaced)),
            deleted: one(record.deed == Deed::Deleted),
        });
    }

    fn add(&mut self, more: Folded) {
        match self.folded.iter_mut().find(|known| known.kind == more.kind) {
            Some(known) => {
                known.created += more.created;
                known.deleted += more.deleted;
            }
            None => self.folded.push(more),
        }
    }

    /// Takes a later change of the same fields in.
    fn repeat(&mut self, later: Self) {
        self.record.after_ms = self.record.after_ms.or(Some(self.record.at_ms));
        self.record.at_ms = later.record.at_ms;
        for (field, later) in self.record.fields.iter_mut().zip(later.record.fields) {
            field.new = later.new;
        }
        self.times += 1;
    }

    /// Whether nothing of it is known but that there are objects of its root that came then.
    pub(super) fn is_only_inferred(&self) -> bool {
        let came = self.folded.iter().all(|folded| folded.deleted == 0);
        self.record.deed == Deed::Followed && self.record.inferred && came
    }

    pub(super) fn into_change(self, relation: &'static str) -> Change {
        let Self { record, folded, times } = self;
        Change {
            at_ms: record.at_ms,
            after_ms: record.after_ms,
            kind: record.kind(),
            kind_name: record.kind_name,
            namespace: record.namespace,
            name: record.name,
            deed: record.deed,
            fields: record.fields,
            more_fields: record.more_fields,
            by: record.by,
            inferred: record.inferred,
            relation: relation.to_owned(),
            folded,
            times,
        }
    }
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
