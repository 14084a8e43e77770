//! The times of which an answer does not know every change.

use std::collections::BTreeMap;

use kubeplex_proto::changes::{Gap, GapReason};
use kubeplex_proto::json_len::json_len;
use serde::Serialize;

use crate::render::{Rendered, rfc3339};
use crate::request::{ChangesQuery, LegId};

/// Gaps told one by one, and names in each of them; of more the number.
const MAX_GAPS: usize = 6;
const MAX_NAMED: usize = 3;

/// What gaps may take of an answer, as a divisor of its budget.
const SHARE: usize = 4;

/// Gaps of the same sort, together.
#[derive(Debug, Serialize)]
struct Told {
    clusters: String,
    /// Nothing: of all kinds.
    #[serde(skip_serializing_if = "Option::is_none")]
    kinds: Option<String>,
    /// Nothing: from the beginning of what was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    to: String,
    reason: &'static str,
}

/// All gaps of an answer.
#[derive(Debug)]
pub(super) struct Gaps {
    told: Vec<Told>,
    more: usize,
}

/// Those of one reason, and of all kinds or of some.
#[derive(Default)]
struct Sort {
    clusters: Vec<String>,
    kinds: Vec<String>,
    /// `None` in it: from the beginning.
    from_ms: Option<Option<i64>>,
    to_ms: i64,
}

pub(super) fn told(query: &ChangesQuery, gaps: &[(LegId, Gap)]) -> Gaps {
    let mut sorts: BTreeMap<(GapReason, bool), Sort> = BTreeMap::new();
    for (leg, gap) in gaps {
        let sort = sorts.entry((gap.reason, gap.kind.is_some())).or_default();
        name(&mut sort.clusters, query.targets[leg.0].cluster.id.to_string());
        if let Some(kind) = &gap.kind {
            name(&mut sort.kinds, kind.to_string());
        }
        sort.from_ms = Some(match sort.from_ms {
            None => gap.from_ms,
            Some(known) => known.zip(gap.from_ms).map(|(a, b)| a.min(b)),
        });
        sort.to_ms = sort.to_ms.max(gap.to_ms);
    }
    let mut told: Vec<Told> = sorts
        .into_iter()
        .map(|((reason, _), sort)| Told {
            clusters: few(&sort.clusters),
            kinds: (!sort.kinds.is_empty()).then(|| few(&sort.kinds)),
            from: sort.from_ms.flatten().map(rfc3339),
            to: rfc3339(sort.to_ms),
            reason: said(reason),
        })
        .collect();
    let more = told.len().saturating_sub(MAX_GAPS);
    told.truncate(MAX_GAPS);
    Gaps { told, more }
}

fn name(names: &mut Vec<String>, name: String) {
    if !names.contains(&name) {
        names.push(name);
    }
}

fn few(names: &[String]) -> String {
    match names.len().saturating_sub(MAX_NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..MAX_NAMED].join(", ")),
    }
}

fn said(reason: GapReason) -> &'static str {
    match reason {
        GapReason::NotRecorded => "not recorded: what objects still tell is inferred",
        GapReason::Restart => "the agent did not run: what objects still tell is inferred",
        GapReason::Overrun => "older changes made room for newer ones",
        GapReason::Relist => "the watch was cut off, and a list told what came of it",
        GapReason::TooMany => "there are more changes than one answer holds: ask for a shorter time",
        GapReason::Stale => "not current: later changes are not known yet",
    }
}

impl Gaps {
    /// What is left of a budget for the rest of the answer.
    pub(super) fn leave_room(&self, max_bytes: usize) -> usize {
        if self.told.is_empty() {
            return max_bytes;
        }
        max_bytes
            .saturating_sub((json_len(&self.told) + r#","gaps":,"moreGaps":99"#.len()).min(max_bytes / SHARE))
    }

    pub(super) fn add_to(mut self, rendered: &mut Rendered) {
        let Some(structured) = rendered.structured.as_object_mut() else { return };
        if self.told.is_empty() {
            return;
        }
        for gap in &self.told {
            let kinds = gap.kinds.as_deref().map(|kinds| format!(" {kinds}")).unwrap_or_default();
            let from = gap.from.as_deref().map(|from| format!(" from {from}")).unwrap_or_default();
            let Told { clusters, to, reason, .. } = gap;
            rendered.text.push_str(&format!("gap in {clusters}{kinds}{from} to {to}: {reason}\n"));
        }
        let told = std::mem::take(&mut self.told);
        structured.insert("gaps".to_owned(), serde_json::to_value(&told).unwrap_or_default());
        if self.more > 0 {
            structured.insert("moreGaps".to_owned(), self.more.into());
        }
    }
}
