//! The times of which not every change is known.

use std::collections::VecDeque;

use crate::limits::HISTORY_GAPS;
use kubeplex_proto::changes::{Gap, GapReason};

/// A bounded number of them: of more the oldest become one of all kinds.
#[derive(Default)]
pub(super) struct Gaps(VecDeque<Gap>);

impl Gaps {
    pub(super) fn add(&mut self, gap: Gap) {
        let is_same = |known: &&mut Gap| known.kind == gap.kind && known.reason == gap.reason;
        let touching = self
            .0
            .iter_mut()
            .rev()
            .find(is_same)
            .filter(|known| gap.from_ms.is_none_or(|from| from <= known.to_ms));
        match touching {
            Some(known) => {
                known.from_ms = known.from_ms.zip(gap.from_ms).map(|(a, b)| a.min(b));
                known.to_ms = known.to_ms.max(gap.to_ms);
            }
            None => self.0.push_back(gap),
        }
        while self.0.len() > HISTORY_GAPS
            && let (Some(first), Some(second)) = (self.0.pop_front(), self.0.front_mut())
        {
            let reason = if first.reason == second.reason { first.reason } else { GapReason::NotRecorded };
            let from_ms = first.from_ms.zip(second.from_ms).map(|(a, b)| a.min(b));
            *second = Gap { from_ms, to_ms: first.to_ms.max(second.to_ms), kind: None, reason };
        }
    }

    /// Those that reach into a span.
    pub(super) fn between(&self, from_ms: i64, to_ms: i64) -> Vec<Gap> {
        let reaches = |gap: &&Gap| gap.to_ms >= from_ms && gap.from_ms.is_none_or(|from| from <= to_ms);
        self.0.iter().filter(reaches).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::kind::GroupResource;

    use super::*;

    fn gap(kind: &str, from_ms: i64, to_ms: i64) -> Gap {
        let kind = Some(GroupResource::new("", kind));
        Gap { from_ms: Some(from_ms), to_ms, kind, reason: GapReason::Relist }
    }

    #[test]
    fn gaps_that_touch_are_one_and_the_oldest_of_many_are() {
        let mut gaps = Gaps::default();
        gaps.add(gap("pods", 10, 20));
        gaps.add(gap("pods", 15, 30));
        gaps.add(gap("nodes", 15, 30));
        gaps.add(gap("pods", 40, 50));
        assert_eq!(gaps.between(0, 100), [gap("pods", 10, 30), gap("nodes", 15, 30), gap("pods", 40, 50)]);
        assert_eq!(gaps.between(31, 39), []);
        for at in 0..HISTORY_GAPS as i64 {
            gaps.add(gap("pods", 100 + 10 * at, 105 + 10 * at));
        }
        let all = gaps.between(0, i64::MAX);
        assert_eq!(all.len(), HISTORY_GAPS);
        assert_eq!((all[0].from_ms, all[0].kind.clone()), (Some(10), None), "nothing is forgotten");
    }
}
