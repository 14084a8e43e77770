//! Many legs become one answer. Pure state machines: [`fanout`](crate::fanout) feeds them frames and asks what they need.
//!
//! A list is driven like this, with the answers of all legs under way at once:
//!
//! ```text
//! send(merge.begin());
//! loop { match merge.next() {
//!     Step::Row => continue,
//!     Step::Need(leg) => { send(merge.go_on(leg)); match stream[leg].next().await {
//!         Head(head) => merge.head(leg, Heard::new(head, now)), Rows(rows) => merge.rows(leg, rows),
//!         End(end) => merge.finish(leg, Ok(end)),   failure => merge.finish(leg, Err(failure)) } },
//!     Step::Done => break } }
//! merge.into_page()
//! ```
//!
//! A leg that can't be sent is finished with its failure; frames may also be fed unasked.

mod changes;
mod coverage;
mod diff;
mod enough;
mod gather;
mod get;
mod groups;
mod heard;
mod kinds;
mod list;
mod logs;
mod merged;
mod not_found;
mod problems;
mod search;

use kubeplex_proto::status::{AgentErrorCode, LegStatus};

use crate::request::LegId;

pub(crate) use changes::{Timeline, TimelineRow, timeline};
pub use coverage::{Coverage, LegOutcome, RowsShown};
pub use diff::{Called, DiffPage, Difference, DigestTable, ObjectDiff, Side};
pub use gather::{Gather, Gathered};
pub use get::{GetMerge, GetPage, SharedObject};
pub(crate) use groups::{GroupPage, GroupTable};
pub use groups::{GroupsAnswer, GroupsMerge, GroupsPage};
pub use heard::{Aged, Heard};
pub(crate) use kinds::{ServedKind, coverage as kinds_coverage, served as served_kinds};
pub use list::{Ask, ListMerge, ListPage, PageClock, PageRow};
pub use logs::{LogMerge, LogOrigin, LogPage};
pub(crate) use merged::Answered;
pub use merged::Merged;
pub(crate) use problems::{FleetProblem, fleet_problems};
pub use search::SearchNotes;

/// What a merge wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A row went to the page.
    Row,
    /// The next frame of this leg, or its failure, decides.
    Need(LegId),
    /// The page is complete; legs that are still open can be dropped.
    Done,
}

/// Why a leg has no (more) rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegFailure {
    /// Any status but `ok`, `absent` and `stale`.
    pub status: LegStatus,
    /// `no link for 4m`, `no answer within 8 s`: without a full stop; what it means for the rows is added.
    pub message: String,
    /// How long the cluster has been in this state, where that is known.
    pub since_ms: Option<u64>,
    /// Set where the agent refused the request (a reply other than 200). If every leg says `invalid_argument`, so does
    /// the call.
    pub refusal: Option<AgentErrorCode>,
    pub hint: Option<String>,
    pub retry_after_ms: Option<u64>,
}
