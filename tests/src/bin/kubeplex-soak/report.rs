//! What a soak came to: whether every answer was right, and what the process holds did not grow.

use serde_json::{Value, json};

use crate::people::Tally;
use crate::round::Round;

/// Rounds after which everything is there that stays, where there are twice as many.
const WARM_UP: usize = 5;

/// What may be there more at the end than after the warm-up. A soak of minutes finds what a round leaves behind, a longer one
/// what little of it there is: one of twenty minutes, 4 KiB a round. What the soak itself notes is not counted.
const BOUNDS: [(&str, Of, usize); 3] = [
    ("heap in use, KiB", |round| round.usage.live >> 10, 768),
    ("resident, KiB", |round| round.usage.resident.unwrap_or_default() >> 10, 8 << 10),
    ("open files", |round| round.usage.files.unwrap_or_default(), 8),
];

type Of = fn(&Round) -> usize;

/// The rounds so far, and what must never have happened and did.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) rounds: Vec<Round>,
    pub(crate) violations: Vec<String>,
}

/// One thing that must not grow.
struct Growth {
    what: &'static str,
    warm: usize,
    end: usize,
    most: usize,
    may_grow: usize,
}

impl Report {
    pub(crate) fn holds(&self) -> bool {
        let growths = self.growths();
        self.violations.is_empty() && !growths.is_empty() && growths.iter().all(Growth::is_bounded)
    }

    /// Nothing where there were too few rounds to say.
    fn growths(&self) -> Vec<Growth> {
        let warm_up = WARM_UP.min(self.rounds.len() / 2);
        let (warm, later) = self.rounds.split_at(warm_up);
        // The last of the warm-up may have been in a hurry, and so may some of the last of all: the neighbours speak for them,
        // too. A few of the troubles leave some hundred KiB more for a round or two.
        let last = |rounds: &[Round], count: usize| rounds.len().saturating_sub(count);
        let of = |(what, of, may_grow): (&'static str, Of, usize)| {
            let warm_ones = warm[last(warm, 2)..].iter().map(of);
            let end_ones = later[last(later, 4)..].iter().map(of);
            let (warm, end, most) = (warm_ones.max()?, end_ones.min()?, later.iter().map(of).max()?);
            Some(Growth { what, warm, end, most, may_grow })
        };
        BOUNDS.into_iter().filter_map(of).collect()
    }

    /// Bytes of the heap that the rounds are noted in.
    pub(crate) fn noted(&self) -> usize {
        self.rounds.capacity() * size_of::<Round>() + self.rounds.iter().map(Round::noted).sum::<usize>()
    }

    fn tally(&self) -> Tally {
        self.rounds.iter().fold(Tally::default(), |all, round| all.with(round.tally))
    }

    fn healed_ms(&self) -> u64 {
        self.rounds.iter().map(|round| round.healed_ms).max().unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        let growths = self.growths();
        let growth = |growth: &Growth| {
            let Growth { what, warm, end, most, may_grow } = growth;
            json!({"what": what, "warm": warm, "end": end, "most": most, "mayGrow": may_grow})
        };
        json!({
            "holds": self.holds(), "violations": self.violations, "tally": self.tally(), "longestHealingMs": self.healed_ms(),
            "growth": growths.iter().map(growth).collect::<Vec<_>>(), "rounds": self.rounds,
        })
    }

    pub(crate) fn table(&self) -> String {
        let Tally { calls, partial, refused, left } = self.tally();
        let mut lines = vec![
            format!(
                "{} rounds, {calls} calls: {partial} partial, {refused} refused; {left} more were left by their callers",
                self.rounds.len()
            ),
            format!("whole again {} ms after the last fault of a round, at most", self.healed_ms()),
            String::new(),
            format!("{:<18}{:>12}{:>12}{:>12}{:>12}", "", "warm", "at the end", "at most", "may grow"),
        ];
        for growth in self.growths() {
            let Growth { what, warm, end, most, may_grow } = growth;
            let verdict = if growth.is_bounded() { "" } else { "  GREW" };
            lines.push(format!("{what:<18}{warm:>12}{end:>12}{most:>12}{may_grow:>12}{verdict}"));
        }
        lines.push(String::new());
        let verdict = match self.holds() {
            true => "every answer was right, and nothing grew",
            false if self.violations.is_empty() => {
                "what the process holds grew, or there were too few rounds to say"
            }
            false => "answers were wrong",
        };
        lines.extend(self.violations.iter().map(|violation| format!("VIOLATED {violation}")));
        lines.push(verdict.to_owned());
        lines.join("\n")
    }
}

impl Growth {
    fn is_bounded(&self) -> bool {
        self.end <= self.warm + self.may_grow
    }
}
