//! Faults of one stream: frozen, stalled, events twice, events late.

use std::future::pending;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::faults::{Call, FaultAction, FaultId, FaultPlan};

pub(super) struct Trouble {
    plan: FaultPlan,
    changes: watch::Receiver<u64>,
    call: Call,
    seen: Vec<FaultId>,
    active: Vec<(FaultId, FaultAction)>,
    /// Events that passed here so far.
    events: u64,
    /// Events that left so far.
    sent: u64,
    late: Vec<(Instant, Bytes)>,
}

impl Trouble {
    pub(super) fn new(plan: FaultPlan, call: Call) -> Self {
        let changes = plan.changes();
        let mut trouble = Self {
            plan,
            changes,
            call,
            seen: Vec::new(),
            active: Vec::new(),
            events: 0,
            sent: 0,
            late: Vec::new(),
        };
        trouble.plan.update_stream(&trouble.call, &mut trouble.seen, &mut trouble.active);
        trouble
    }

    /// Takes in changes of the plan.
    pub(super) fn update(&mut self) {
        if self.changes.has_changed().unwrap_or(false) {
            self.changes.mark_unchanged();
            self.plan.update_stream(&self.call, &mut self.seen, &mut self.active);
        }
    }

    /// Ends when the plan changed; [`Trouble::update`] takes the change in.
    pub(super) async fn plan_changed(&mut self) {
        if self.changes.changed().await.is_err() {
            pending::<()>().await;
        }
        self.plan.update_stream(&self.call, &mut self.seen, &mut self.active);
    }

    /// Silent until the fault leaves.
    pub(super) fn is_frozen(&self) -> bool {
        let freezes = |action: &FaultAction| matches!(action, FaultAction::Freeze { after_events } if self.sent >= *after_events);
        self.active.iter().any(|(_, action)| freezes(action))
    }

    /// Silent as soon as what the watch began with is told, until the fault leaves.
    pub(super) fn is_stalled(&self) -> bool {
        self.active.iter().any(|(_, action)| matches!(action, FaultAction::Stall))
    }

    /// What to send now of an event's line: the line, twice, or nothing because it is to be late.
    pub(super) fn pass(&mut self, line: &Bytes) -> Vec<Bytes> {
        self.events += 1;
        let nth = |every: u64| self.events.is_multiple_of(every.max(1));
        let mut out = vec![line.clone()];
        for (_, action) in &self.active {
            match action {
                FaultAction::Duplicate { every } if nth(*every) => out.push(line.clone()),
                FaultAction::Delay { every, by } if nth(*every) => {
                    self.late.push((Instant::now() + *by, line.clone()));
                    out.clear();
                }
                _ => {}
            }
        }
        out
    }

    /// Counts a line that leaves; bookmarks are no events.
    pub(super) fn leaves(&mut self, line: Bytes) -> Bytes {
        self.sent += u64::from(!line.starts_with(br#"{"type":"BOOKMARK""#));
        line
    }

    /// A late line whose time has come.
    pub(super) fn due_line(&mut self) -> Option<Bytes> {
        let now = Instant::now();
        let at = self.late.iter().position(|(due, _)| *due <= now)?;
        Some(self.late.remove(at).1)
    }

    /// Ends when a late line is due, or the plan changed.
    pub(super) async fn stirs(&mut self) {
        let due = self.late.iter().map(|(due, _)| *due).min();
        let line_due = async move {
            match due {
                Some(due) => sleep_until(due).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = line_due => {}
            () = self.plan_changed() => {}
        }
    }
}
