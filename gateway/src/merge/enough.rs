//! Whether so many clusters answered that the caller wants the answer at all.

use crate::error::{CallError, ErrorCode};

use super::{Coverage, LegOutcome};

/// Clusters that a message names with what is wrong with them.
const MAX_NAMED: usize = 5;

impl Coverage {
    /// `min_coverage` is in percent of the clusters asked; `None`: whatever answered is enough.
    ///
    /// # Errors
    /// `unavailable`, with the clusters that did not answer.
    pub(crate) fn suffices(&self, min_coverage: Option<u8>) -> Result<(), CallError> {
        let Some(wanted) = min_coverage else { return Ok(()) };
        let (answered, expected) = (self.answered(), self.expected());
        if answered * 100 >= expected * usize::from(wanted) {
            return Ok(());
        }
        let missing: Vec<_> = self.legs.iter().filter(|leg| !leg.is_answered()).collect();
        let mut named: Vec<_> = missing.iter().take(MAX_NAMED).map(|leg| why(leg)).collect();
        if missing.len() > MAX_NAMED {
            named.push(format!("{} more", missing.len() - MAX_NAMED));
        }
        let message = format!(
            "minCoverage: {answered} of {expected} clusters answered, and {wanted} % of them are wanted; without an answer: {}",
            named.join("; ")
        );
        let mut error = CallError::new(ErrorCode::Unavailable, message)
            .with_hint("ask again later, or with a lower minCoverage for what the other clusters have");
        error.retry_after_ms = missing.iter().filter_map(|leg| leg.retry_after_ms).min();
        Err(error)
    }
}

fn why(leg: &LegOutcome) -> String {
    let message = match &leg.message {
        _ if leg.rejoined => "out since an earlier page",
        Some(message) => message,
        None => "no reason given",
    };
    format!("{} ({})", leg.cluster, message.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::status::LegStatus;

    use super::*;
    use crate::merge::{LegFailure, RowsShown};
    use crate::request::fixtures::{cluster, lost};

    /// Three clusters that answered and one that is lost.
    fn three_of_four() -> Coverage {
        let mut legs: Vec<_> =
            ["a", "b", "c"].map(|name| LegOutcome::answered(cluster(name, &[]).id, LegStatus::Ok)).into();
        let gone = lost("d");
        let failure = LegFailure::of_link(&gone).unwrap();
        legs.push(LegOutcome::failed(&gone, failure, RowsShown::None));
        Coverage { legs }
    }

    #[test]
    fn a_call_fails_where_too_few_answered_and_says_who_did_not() {
        for (wanted, enough) in
            [(None, true), (Some(1), true), (Some(75), true), (Some(76), false), (Some(100), false)]
        {
            assert_eq!(three_of_four().suffices(wanted).is_ok(), enough, "{wanted:?}");
        }
        let error = three_of_four().suffices(Some(100)).unwrap_err();
        assert_eq!(error.code, ErrorCode::Unavailable);
        assert_eq!(
            error.message,
            "minCoverage: 3 of 4 clusters answered, and 100 % of them are wanted; without an answer: d (no link for 4m)"
        );
    }
}
