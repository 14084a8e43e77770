//! Rows: every leg is asked for as many as the merge plans, and read to the end of that at once, so that no cluster keeps a
//! place or a stream while another one is waited for. What a page still needs after that is asked for anew.

use std::collections::VecDeque;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use kubeplex_link::limits::REPLY_FRAME;
use kubeplex_proto::list::{ListEnd, ListFrame, ListHead, Row};
use kubeplex_proto::paths;
use tracing::Instrument as _;

use super::Asked;
use super::leg::{Leg, garbled};
use super::room::Room;
use crate::clock::now_ms;
use crate::error::{CallError, ErrorCode};
use crate::merge::{Ask, LegFailure, ListMerge, ListPage, Step};
use crate::request::{LegId, ListQuery};

/// What one answer of a leg brought.
struct Batch {
    head: Option<ListHead>,
    rows: Vec<Row>,
    end: Result<ListEnd, LegFailure>,
}

/// Drives the merge to a page.
pub(super) async fn merge(
    query: &ListQuery,
    asked: Asked<'_>,
    legs: Vec<Leg<'_>>,
) -> Result<ListPage, CallError> {
    let mut merge = ListMerge::new(query);
    let mut idle: Vec<Option<Leg<'_>>> = query.targets.iter().map(|_| None).collect();
    for leg in legs {
        let place = leg.id.0;
        idle[place] = Some(leg);
    }
    let room = Room::new(asked.fanout.answer_bytes as u64);
    let mut asks = VecDeque::from(merge.begin());
    let mut working = FuturesUnordered::new();
    loop {
        let needed = match merge.next() {
            Step::Row => continue,
            Step::Done => break,
            Step::Need(needed) => needed,
        };
        asks.extend(merge.go_on(needed));
        loop {
            while working.len() < asked.fanout.legs_per_call
                && let Some(ask) = asks.pop_front()
            {
                let Some(leg) = idle.get_mut(ask.leg.0).and_then(Option::take) else { continue };
                let span = leg.span.clone();
                working.push(pull(query, &room, leg, ask).instrument(span));
            }
            let Some((leg, batch)) = working.next().await else { return Err(stuck(needed)) };
            let id = leg.id;
            feed(&mut merge, id, batch, now_ms());
            if merge.is_paused(id) {
                idle[id.0] = Some(leg);
            }
            if id == needed {
                break;
            }
        }
    }
    merge.into_page()
}

fn feed(merge: &mut ListMerge, id: LegId, batch: Batch, now_ms: i64) {
    if let Some(head) = batch.head {
        merge.head(id, head, now_ms);
    }
    if !batch.rows.is_empty() {
        merge.rows(id, batch.rows);
    }
    merge.finish(id, batch.end);
}

async fn pull<'a>(query: &ListQuery, room: &Room, mut leg: Leg<'a>, ask: Ask) -> (Leg<'a>, Batch) {
    let (mut head, mut rows) = (None, Vec::new());
    let end = read(query, room, &mut leg, ask, &mut head, &mut rows).await;
    match &end {
        Ok(_) => leg.complete(),
        Err(failure) => leg.note_failure(failure),
    }
    leg.note_rows(rows.len());
    (leg, Batch { head, rows, end })
}

/// Reads one answer. What came before a failure is left in `head` and `rows`.
async fn read(
    query: &ListQuery,
    room: &Room,
    leg: &mut Leg<'_>,
    ask: Ask,
    head: &mut Option<ListHead>,
    rows: &mut Vec<Row>,
) -> Result<ListEnd, LegFailure> {
    let Ask { rows: most_rows, bytes, after, .. } = ask;
    // One row always has room, however large.
    let most_bytes = 2 * bytes + REPLY_FRAME as u64;
    let cluster = leg.cluster;
    if leg.is_sent() {
        leg.allow_share();
    }
    leg.send(paths::LIST, |asked, remaining_ms| {
        query.leg_request(cluster, most_rows, bytes, after, asked.leg_context(remaining_ms))
    })
    .await?;
    let mut received = 0;
    loop {
        let frame = leg.frame().await?;
        room.take(leg.received().saturating_sub(received))?;
        received = received.max(leg.received());
        match frame {
            Some(ListFrame::Head(first)) if head.is_none() => {
                leg.note_head(first.status, first.message.as_ref());
                *head = Some(*first);
            }
            Some(ListFrame::Head(_)) => return Err(garbled("a second head")),
            Some(_) if head.is_none() => return Err(garbled("rows without a head")),
            Some(ListFrame::Rows(more)) => rows.extend(more),
            Some(ListFrame::Groups(_)) => return Err(garbled("groups in place of rows")),
            Some(ListFrame::End(end)) => return Ok(end),
            None => return Err(garbled("it breaks off without an end")),
        }
        // The merge has its own word for it when rows are too many; here nobody may make the gateway hold them.
        if rows.len() > most_rows as usize || leg.received() > most_bytes {
            return Err(garbled("more than it was asked for"));
        }
    }
}

/// The merge asks for a leg that is over: a bug here or there, and not a reason to wait for ever.
fn stuck(needed: LegId) -> CallError {
    CallError::new(ErrorCode::Internal, format!("the merge waits for leg {}, which is over", needed.0))
}
