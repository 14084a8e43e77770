//! What happened in a simulation, step by step: to be shown when it went wrong, and to be compared with another run.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;

/// The steps so far, each with its time. Clones are the same.
#[derive(Clone)]
pub(crate) struct Trail(Arc<Shared>);

struct Shared {
    began: Instant,
    steps: Mutex<Vec<String>>,
    violation: Mutex<Option<String>>,
}

impl Trail {
    pub(crate) fn begin() -> Self {
        let (began, steps, violation) = (Instant::now(), Mutex::default(), Mutex::default());
        Self(Arc::new(Shared { began, steps, violation }))
    }

    pub(crate) fn began(&self) -> Instant {
        self.0.began
    }

    pub(crate) fn step(&self, what: impl std::fmt::Display) {
        let at = self.0.began.elapsed().as_secs_f64();
        self.0.steps.lock().push(format!("{at:10.3} {what}"));
    }

    /// Something that must never happen did. The first counts.
    pub(crate) fn violated(&self, what: impl std::fmt::Display) {
        self.step(format_args!("VIOLATED {what}"));
        self.0.violation.lock().get_or_insert_with(|| what.to_string());
    }

    pub(crate) fn violation(&self) -> Option<String> {
        self.0.violation.lock().clone()
    }

    /// The last steps.
    pub(crate) fn last(&self, count: usize) -> Vec<String> {
        let steps = self.0.steps.lock();
        steps[steps.len().saturating_sub(count)..].to_vec()
    }

    /// Tells two runs apart in which anything happened or was answered otherwise, or at another time.
    pub(crate) fn hash(&self) -> u64 {
        hash_of(self.0.steps.lock().iter().flat_map(|step| step.bytes()))
    }
}

/// FNV-1a.
pub(crate) fn hash_of(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
