//! What a figure should be, as benchmarks write it: `≤ 1200`, `< 1`, `≥ 9900`.

use anyhow::{Context as _, bail};

/// Whether a figure is what was hoped for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nobody said what it should be.
    NoGoal,
    Met,
    Missed,
}

impl Verdict {
    /// # Errors
    /// When `goal` is neither empty nor a relation and a number.
    pub(super) fn of(value: f64, goal: &str) -> anyhow::Result<Self> {
        if goal.is_empty() {
            return Ok(Self::NoGoal);
        }
        let (relation, bound) = goal.split_once(' ').unwrap_or((goal, ""));
        let bound: f64 = bound
            .parse()
            .with_context(|| format!("the goal \"{goal}\": a number is wanted, as in ≤ 1200"))?;
        let met = match relation {
            "≤" => value <= bound,
            "<" => value < bound,
            "≥" => value >= bound,
            ">" => value > bound,
            _ => bail!("the goal \"{goal}\": it should begin with ≤, <, ≥ or >"),
        };
        Ok(if met { Self::Met } else { Self::Missed })
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict;

    #[test]
    fn a_figure_meets_its_goal_or_misses_it() {
        let of = |value, goal| Verdict::of(value, goal).unwrap();
        assert_eq!(of(7.0, ""), Verdict::NoGoal);
        for (goal, met, missed) in [
            ("≤ 1200", 1_200.0, 1_200.1),
            ("< 1", 0.9, 1.0),
            ("≥ 9900", 9_900.0, 4_339.0),
            ("> 2.5", 2.6, 2.5),
        ] {
            assert_eq!((of(met, goal), of(missed, goal)), (Verdict::Met, Verdict::Missed), "{goal}");
        }
        for goal in ["≤1200", "about 5", "≤ many"] {
            assert!(Verdict::of(1.0, goal).unwrap_err().to_string().contains(goal));
        }
    }
}
