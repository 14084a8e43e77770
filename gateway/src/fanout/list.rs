//! Rows: legs are read a frame at a time, and only those whose rows the merge needs next.

use std::collections::VecDeque;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use kubeplex_proto::list::{ListEnd, ListFrame, ListHead, Row};
use kubeplex_proto::{ROWS_PER_FRAME, paths};
use tracing::Instrument as _;

use super::Asked;
use super::leg::{Leg, garbled};
use crate::clock::now_ms;
use crate::error::{CallError, ErrorCode};
use crate::merge::{LegFailure, ListMerge, ListPage, Step};
use crate::request::{LegId, ListQuery};

/// What one pull of a leg brought.
#[derive(Default)]
struct Batch {
    head: Option<ListHead>,
    rows: Vec<Row>,
    end: Option<Result<ListEnd, LegFailure>>,
}

/// Drives the merge to a page.
pub(super) async fn merge(
    query: &ListQuery,
    asked: Asked<'_>,
    legs: Vec<Leg<'_>>,
) -> Result<ListPage, CallError> {
    let mut merge = ListMerge::new(query);
    let mut idle: Vec<Option<Leg<'_>>> = query.targets.iter().map(|_| None).collect();
    let mut waiting: VecDeque<Leg<'_>> = legs.into();
    let mut working = FuturesUnordered::new();
    loop {
        let needed = match merge.next() {
            Step::Row => continue,
            Step::Done => break,
            Step::Need(needed) => needed,
        };
        if let Some(leg) = idle.get_mut(needed.0).and_then(Option::take) {
            waiting.push_front(leg);
        }
        loop {
            while working.len() < asked.fanout.legs_per_call
                && let Some(leg) = waiting.pop_front()
            {
                let span = leg.span.clone();
                working.push(pull(query, leg).instrument(span));
            }
            let Some((leg, batch)) = working.next().await else { return Err(stuck(needed)) };
            let id = leg.id;
            if feed(&mut merge, id, batch, now_ms()) == Fed::Open {
                idle[id.0] = Some(leg);
            }
            if id == needed {
                break;
            }
        }
    }
    merge.into_page()
}

/// Whether more can come from a leg.
#[derive(PartialEq, Eq)]
enum Fed {
    Open,
    Over,
}

fn feed(merge: &mut ListMerge, id: LegId, batch: Batch, now_ms: i64) -> Fed {
    if let Some(head) = batch.head {
        merge.head(id, head, now_ms);
    }
    if !batch.rows.is_empty() {
        merge.rows(id, batch.rows);
    }
    match batch.end {
        Some(end) => {
            merge.finish(id, end);
            Fed::Over
        }
        None => Fed::Open,
    }
}

/// Reads on until there is a frame's worth of rows or the end. The end of a short answer follows at once, and knowing it
/// frees the leg's place in its cluster.
async fn pull<'a>(query: &ListQuery, mut leg: Leg<'a>) -> (Leg<'a>, Batch) {
    let mut batch = Batch::default();
    let end = read(query, &mut leg, &mut batch).await;
    match &end {
        Ok(Some(_)) => leg.complete(),
        Ok(None) => {}
        Err(failure) => leg.note_failure(failure),
    }
    leg.note_rows(batch.rows.len());
    batch.end = end.transpose();
    (leg, batch)
}

async fn read(
    query: &ListQuery,
    leg: &mut Leg<'_>,
    batch: &mut Batch,
) -> Result<Option<ListEnd>, LegFailure> {
    let mut has_head = leg.is_sent();
    if !has_head {
        let cluster = leg.cluster;
        leg.send(paths::LIST, |asked, remaining_ms| {
            query.leg_request(cluster, asked.leg_context(remaining_ms))
        })
        .await?;
    }
    while batch.rows.len() < ROWS_PER_FRAME {
        match leg.frame().await? {
            Some(ListFrame::Head(head)) if !has_head => {
                leg.note_head(head.status, head.message.as_ref());
                batch.head = Some(*head);
                has_head = true;
            }
            Some(ListFrame::Head(_)) => return Err(garbled("a second head")),
            Some(_) if !has_head => return Err(garbled("rows without a head")),
            Some(ListFrame::Rows(rows)) => batch.rows.extend(rows),
            Some(ListFrame::End(end)) => return Ok(Some(end)),
            None => return Err(garbled("it breaks off without an end")),
        }
    }
    Ok(None)
}

/// The merge asks for a leg that is over: a bug here or there, and not a reason to wait for ever.
fn stuck(needed: LegId) -> CallError {
    CallError::new(ErrorCode::Internal, format!("the merge waits for leg {}, which is over", needed.0))
}
