//! How far each part of a kind can be believed, and the kind by its parts.

use kubeplex_proto::control::SyncState;
use tokio::time::Instant;

/// How far a kind can be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindStatus {
    pub state: SyncState,
    /// When the rows were last known to be current; `None` while they never were.
    pub as_of: Option<Instant>,
    /// Why, where the state is not `synced`; what is missing, where it is.
    pub message: Option<String>,
    pub seen: Seen,
}

/// Where the rows of a kind are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    All,
    /// These namespaces, and no other.
    Only(Vec<String>),
}

/// How far one part can be believed.
#[derive(Debug, Clone)]
pub(super) struct Belief {
    /// The namespace that it is about, where it is not about all.
    namespace: Option<String>,
    pub(super) state: SyncState,
    pub(super) message: Option<String>,
    as_of: Option<Instant>,
    /// `as_of` before a watch was re-established that has not yet proven itself by an event.
    before_reopening: Option<Instant>,
    /// When the server last said that there is nothing to read.
    refused_at: Option<Instant>,
}

impl Belief {
    /// Nothing is known yet.
    pub(super) fn of(namespace: Option<&str>) -> Self {
        Self {
            namespace: namespace.map(str::to_owned),
            state: SyncState::Syncing,
            message: None,
            as_of: None,
            before_reopening: None,
            refused_at: None,
        }
    }

    /// The rows were current at `at`.
    pub(super) fn current_at(&mut self, at: Instant) {
        self.as_of = self.as_of.max(Some(at));
        self.before_reopening = None;
    }

    pub(super) fn as_of(&self) -> Option<Instant> {
        self.as_of
    }

    /// There are no rows that could be current.
    pub(super) fn current_never(&mut self) {
        self.as_of = None;
        self.before_reopening = None;
        self.refused_at = Some(Instant::now());
    }

    /// A watch stands again: proof, unless the next thing it says is that it can't go on from there.
    pub(super) fn reopened_at(&mut self, at: Instant) {
        self.before_reopening = self.as_of;
        self.as_of = Some(at);
    }

    /// The watch that stood again proved nothing.
    pub(super) fn reopening_failed(&mut self) {
        if let Some(before) = self.before_reopening.take() {
            self.as_of = Some(before);
        }
    }

    /// Its watch is no more.
    pub(super) fn break_down(&mut self, message: &str) {
        self.state = if self.as_of.is_some() { SyncState::Stale } else { SyncState::Error };
        self.message = Some(message.to_owned());
    }

    pub(super) fn refused_at(&self) -> Option<Instant> {
        self.refused_at
    }

    pub(super) fn is_absent_since(&self, before: Instant) -> bool {
        self.state == SyncState::Absent && self.refused_at.is_some_and(|at| at <= before)
    }
}

/// The kind by its parts, which are one at least. What is refused in some of them is not seen there; of the others the least
/// certain counts.
pub(super) fn of_all(parts: &[Belief]) -> KindStatus {
    if let [whole] = parts
        && whole.namespace.is_none()
    {
        let Belief { state, as_of, message, .. } = whole.clone();
        return KindStatus { state, as_of, message, seen: Seen::All };
    }
    let readable: Vec<&Belief> = parts.iter().filter(|part| part.state != SyncState::Forbidden).collect();
    let seen = readable.iter().filter_map(|part| part.namespace.clone());
    let mut seen: Vec<String> = seen.collect();
    seen.dedup();
    let seen = if parts.iter().any(|part| part.namespace.is_some()) { Seen::Only(seen) } else { Seen::All };
    let Some(state) = state_of(&readable) else {
        let message = parts.iter().find_map(|part| part.message.clone());
        return KindStatus { state: SyncState::Forbidden, as_of: None, message, seen };
    };
    let as_of = readable.iter().map(|part| part.as_of).min().flatten();
    KindStatus { state, as_of, message: message_of(&readable), seen }
}

/// `None` of nothing.
fn state_of(parts: &[&Belief]) -> Option<SyncState> {
    let any = |state: SyncState| parts.iter().any(|part| part.state == state);
    let all = |state: SyncState| parts.iter().all(|part| part.state == state);
    match () {
        () if parts.is_empty() => None,
        () if any(SyncState::Syncing) => Some(SyncState::Syncing),
        () if all(SyncState::Error) => Some(SyncState::Error),
        () if all(SyncState::Absent) => Some(SyncState::Absent),
        // Rows are missing or old, and the message says where.
        () if any(SyncState::Stale) || any(SyncState::Error) => Some(SyncState::Stale),
        () => Some(SyncState::Synced),
    }
}

fn message_of(parts: &[&Belief]) -> Option<String> {
    let told = parts.iter().filter_map(|part| {
        let message = part.message.as_ref()?;
        Some(match &part.namespace {
            Some(namespace) => format!("in the namespace {namespace}: {message}"),
            None => message.clone(),
        })
    });
    let told: Vec<String> = told.take(3).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(namespace: &str, state: SyncState) -> Belief {
        let message = (state != SyncState::Synced).then(|| format!("{state:?}").to_lowercase());
        Belief { state, message, ..Belief::of(Some(namespace)) }
    }

    #[test]
    fn a_kind_is_what_its_parts_are() {
        use SyncState::{Absent, Error, Forbidden, Stale, Synced, Syncing};
        for (parts, state, seen, message) in [
            (&[Synced, Synced][..], Synced, "ab", None),
            (&[Synced, Syncing], Syncing, "ab", Some("in the namespace b: syncing")),
            (&[Synced, Forbidden], Synced, "a", None),
            (&[Forbidden, Synced], Synced, "b", None),
            (&[Forbidden, Forbidden], Forbidden, "", Some("forbidden")),
            (&[Forbidden, Syncing], Syncing, "b", Some("in the namespace b: syncing")),
            (&[Synced, Stale], Stale, "ab", Some("in the namespace b: stale")),
            (&[Synced, Error], Stale, "ab", Some("in the namespace b: error")),
            (&[Error, Error], Error, "ab", Some("in the namespace a: error; in the namespace b: error")),
            (&[Absent, Absent], Absent, "ab", Some("in the namespace a: absent; in the namespace b: absent")),
        ] {
            let beliefs: Vec<_> =
                ["a", "b"].iter().zip(parts).map(|(name, state)| part(name, *state)).collect();
            let status = of_all(&beliefs);
            let seen = Seen::Only(seen.chars().map(String::from).collect());
            assert_eq!(
                (status.state, status.seen, status.message.as_deref()),
                (state, seen, message),
                "{parts:?}"
            );
        }
    }

    #[test]
    fn the_oldest_proof_counts() {
        let now = Instant::now();
        let mut parts =
            [part("a", SyncState::Synced), part("b", SyncState::Synced), part("c", SyncState::Forbidden)];
        parts[0].current_at(now);
        assert_eq!(of_all(&parts).as_of, None);
        parts[1].current_at(now + std::time::Duration::from_secs(1));
        assert_eq!(of_all(&parts).as_of, Some(now));
        parts[0].reopened_at(now + std::time::Duration::from_secs(5));
        assert_eq!(of_all(&parts).as_of, Some(now + std::time::Duration::from_secs(1)));
        parts[0].reopening_failed();
        assert_eq!(of_all(&parts).as_of, Some(now));
    }
}
