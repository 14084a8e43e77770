//! Rows: every leg is asked for as many as the merge plans, and read to the end of that at once, so that no cluster keeps a
//! place or a stream while another one is waited for. What a page still needs after that is asked for anew.

use std::collections::VecDeque;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use kubeplex_link::limits::REPLY_FRAME;
use kubeplex_proto::list::{ListEnd, ListFrame, ListHead, ListRequest, Row, Unchanged};
use tracing::Instrument as _;

use super::Asked;
use super::leg::{Leg, garbled};
use super::room::Room;
use crate::clock::Steady;
use crate::error::{CallError, ErrorCode};
use crate::merge::{Ask, Heard, LegFailure, ListMerge, ListPage, Step};
use crate::request::{LegId, ListQuery};
use crate::results::answers::{Answer, Asking, Found};
use crate::trace::KeptFrom;

/// What one answer of a leg brought.
struct Batch {
    head: Option<Heard<ListHead>>,
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
            feed(&mut merge, id, batch);
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

fn feed(merge: &mut ListMerge, id: LegId, batch: Batch) {
    if let Some(head) = batch.head {
        merge.head(id, head);
    }
    if !batch.rows.is_empty() {
        merge.rows(id, batch.rows);
    }
    merge.finish(id, batch.end);
}

async fn pull<'a>(query: &ListQuery, room: &Room, mut leg: Leg<'a>, ask: Ask) -> (Leg<'a>, Batch) {
    let Ask { rows, bytes, after, .. } = ask;
    let request = query.leg_request(leg.cluster, rows, bytes, after, leg.context());
    let batch = match leg.answers().find(&leg.cluster.id, &request).await {
        Found::Kept(answer) => take(room, &mut leg, &answer, KeptFrom::Answer),
        Found::Ask(asking) => ask_for(room, &mut leg, request, asking).await,
    };
    match &batch.end {
        Ok(_) => leg.complete(),
        Err(failure) => leg.note_failure(failure),
    }
    leg.note_rows(batch.rows.len());
    (leg, batch)
}

/// An answer that was kept.
fn take(room: &Room, leg: &mut Leg<'_>, answer: &Answer, from: KeptFrom) -> Batch {
    let heard = answer.heard();
    leg.note_head(heard.head.status, heard.head.message.as_ref());
    leg.note_kept(Some(from));
    match room.take(answer.bytes()) {
        Ok(()) => {
            let (head, rows, end) = (Some(heard.clone()), answer.rows().to_vec(), Ok(answer.end().clone()));
            Batch { head, rows, end }
        }
        Err(failure) => Batch { head: Some(heard.clone()), rows: Vec::new(), end: Err(failure) },
    }
}

/// An answer from the cluster, in full or to the effect that the one that is kept still holds.
async fn ask_for(room: &Room, leg: &mut Leg<'_>, request: ListRequest, asking: Asking<'_>) -> Batch {
    let (mut head, mut rows) = (None, Vec::new());
    let read = read(room, leg, request, &asking, &mut head, &mut rows).await;
    leg.note_kept(None);
    let end = match read {
        Ok(Said::Unchanged(unchanged)) => match leg.way().and_then(|way| asking.unchanged(way, unchanged)) {
            Some(answer) => return take(room, leg, &answer, KeptFrom::Unchanged),
            None => Err(garbled("what it was not told it calls unchanged")),
        },
        Ok(Said::Rows(end)) => {
            if let Some((way, head)) = leg.way().zip(head.as_ref()) {
                asking.answered(way, head, &rows, &end, leg.received());
            }
            Ok(end)
        }
        Err(failure) => Err(failure),
    };
    Batch { head, rows, end }
}

/// What an answer came to.
enum Said {
    Rows(ListEnd),
    Unchanged(Unchanged),
}

/// Reads one answer. What came before a failure is left in `head` and `rows`.
async fn read(
    room: &Room,
    leg: &mut Leg<'_>,
    mut request: ListRequest,
    asking: &Asking<'_>,
    head: &mut Option<Heard<ListHead>>,
    rows: &mut Vec<Row>,
) -> Result<Said, LegFailure> {
    let most_rows = request.limit;
    // One row always has room, however large.
    let most_bytes = 2 * request.context.max_bytes + REPLY_FRAME as u64;
    if leg.is_sent() {
        leg.allow_share();
    }
    request.known = asking.known();
    leg.send(request.path(), |remaining_ms| {
        request.context.deadline_ms = remaining_ms;
        request
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
                *head = Some(Heard::new(*first, Steady::now()));
            }
            Some(ListFrame::Head(_)) => return Err(garbled("a second head")),
            Some(ListFrame::Unchanged(unchanged)) if head.is_none() => return Ok(Said::Unchanged(unchanged)),
            Some(_) if head.is_none() => return Err(garbled("rows without a head")),
            Some(ListFrame::Rows(more)) => rows.extend(more),
            Some(ListFrame::Groups(_)) => return Err(garbled("groups in place of rows")),
            Some(ListFrame::Unchanged(_)) => return Err(garbled("rows, and that nothing has changed")),
            Some(ListFrame::End(end)) => return Ok(Said::Rows(end)),
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
