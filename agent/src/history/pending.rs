//! What waits to be written to a disk.

use kubeplex_proto::changes::{Gap, GapReason};

use super::disk::{Line, gap_line};
use crate::limits::HISTORY_PENDING_BYTES;

/// A bounded number of lines. Of what does not fit the span is remembered.
#[derive(Default)]
pub(super) struct Pending {
    lines: Vec<Line>,
    bytes: usize,
    lost: Option<(i64, i64)>,
}

impl Pending {
    pub(super) fn push(&mut self, (at_ms, json): Line) {
        if self.bytes + json.len() > HISTORY_PENDING_BYTES {
            return self.lose(at_ms);
        }
        self.bytes += json.len();
        self.lines.push((at_ms, json));
    }

    pub(super) fn lose(&mut self, at_ms: i64) {
        let (from, to) = self.lost.unwrap_or((at_ms, at_ms));
        self.lost = Some((from.min(at_ms), to.max(at_ms)));
    }

    /// All of them, with what was lost as a gap.
    pub(super) fn take(&mut self) -> Vec<Line> {
        self.bytes = 0;
        let mut lines = std::mem::take(&mut self.lines);
        if let Some((from_ms, to_ms)) = self.lost.take() {
            let gap = Gap { from_ms: Some(from_ms), to_ms, kind: None, reason: GapReason::Overrun };
            lines.extend(gap_line(&gap));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_a_gap() {
        let mut pending = Pending::default();
        let large = || vec![b'x'; HISTORY_PENDING_BYTES / 2].into_boxed_slice();
        for at in 1..=5 {
            pending.push((at, large()));
        }
        let lines = pending.take();
        assert_eq!(lines.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [1, 2, 5]);
        assert!(String::from_utf8_lossy(&lines[2].1).contains("\"fromMs\":3,\"toMs\":5"));
        pending.push((6, large()));
        assert_eq!(pending.take().len(), 1);
    }
}
