//! Logs: first every leg is asked which pods are meant, and if they are few, those that have some are asked for the logs.

use kubeplex_proto::gather::{GatherEnd, GatherFrame, GatherHead};
use kubeplex_proto::log::{LogItem, PodName};
use kubeplex_proto::paths;
use kubeplex_proto::status::LegStatus;

use super::Asked;
use super::gather::gather;
use super::leg::Leg;
use super::whole::{self, Whole};
use crate::error::CallError;
use crate::merge::{Heard, LegFailure, LogMerge, LogPage};
use crate::request::{LegId, LogsQuery};
use crate::trace::Trace;

/// A merge that is watched while it goes on.
struct Watched<'a> {
    merge: LogMerge,
    /// Set where lines are followed.
    told: Option<&'a Trace>,
}

pub(super) async fn merge(
    query: &LogsQuery,
    asked: Asked<'_>,
    legs: Vec<Leg<'_>>,
) -> Result<LogPage, CallError> {
    let first = legs.len();
    let found =
        gather::<_, PodName>(asked, legs, paths::LOG_PODS, |_, context| query.pods_request(context)).await?;
    let merge = LogMerge::new(query, found)?;
    let targets = query.targets.iter().enumerate();
    let legs: Vec<_> = targets
        .filter(|(at, _)| !merge.pods(LegId(*at)).is_empty())
        .map(|(at, target)| Leg::new(asked, LegId(at), &target.cluster))
        .collect();
    asked.trace.expect_legs(first + legs.len());
    let pods: Vec<_> = (0..query.targets.len()).map(|at| merge.pods(LegId(at)).to_vec()).collect();
    let mut watched = Watched { merge, told: (query.follow_ms > 0).then_some(asked.trace) };
    whole::read(&mut watched, asked, legs, paths::LOG, |leg, context| {
        query.log_request(pods[leg.0].clone(), context)
    })
    .await;
    watched.merge.into_page()
}

impl Whole for Watched<'_> {
    type Frame = GatherFrame<LogItem>;
    type Head = GatherHead;
    type Body = Vec<LogItem>;
    type End = GatherEnd;

    fn said(head: &GatherHead) -> (LegStatus, Option<&String>) {
        (head.status, head.message.as_ref())
    }

    fn rows(items: &Vec<LogItem>) -> usize {
        let lines = |item: &LogItem| if let LogItem::Lines(lines) = item { lines.len() } else { 0 };
        items.iter().map(lines).sum()
    }

    fn head(&mut self, leg: LegId, heard: Heard<GatherHead>) {
        self.merge.head(leg, heard);
    }

    fn body(&mut self, leg: LegId, items: Vec<LogItem>) {
        for item in items {
            if let (Some(trace), LogItem::Lines(lines)) = (self.told, &item) {
                lines.iter().for_each(|line| trace.tell(self.merge.tagged(leg, line)));
            }
            self.merge.item(leg, item);
        }
    }

    fn finish(&mut self, leg: LegId, end: Result<GatherEnd, LegFailure>) {
        self.merge.finish(leg, end);
    }
}
