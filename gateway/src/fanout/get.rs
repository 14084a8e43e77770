//! Whole objects: few and wanted to the last, so every leg is read to its end as fast as it answers.

use std::collections::VecDeque;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use kubeplex_proto::get::{GetEnd, GetFrame};
use kubeplex_proto::paths;
use tracing::Instrument as _;

use super::Asked;
use super::leg::{Leg, garbled};
use super::room::Room;
use crate::clock::Steady;
use crate::error::CallError;
use crate::merge::{GetMerge, GetPage, Heard, LegFailure};
use crate::request::GetQuery;

/// Drives the merge to a page.
pub(super) async fn merge(
    query: &GetQuery,
    asked: Asked<'_>,
    legs: Vec<Leg<'_>>,
) -> Result<GetPage, CallError> {
    let mut merge = GetMerge::new(query);
    let room = Room::new(asked.fanout.answer_bytes as u64);
    let mut waiting: VecDeque<(Leg<'_>, u64)> = legs.into_iter().map(|leg| (leg, 0)).collect();
    let mut working = FuturesUnordered::new();
    loop {
        while working.len() < asked.fanout.legs_per_call
            && let Some((leg, received)) = waiting.pop_front()
        {
            let span = leg.span.clone();
            working.push(pull(query, &room, leg, received).instrument(span));
        }
        let Some((mut leg, received, frame)) = working.next().await else { break };
        let end = match frame {
            Ok(Some(GetFrame::Head(head))) if !leg.has_head() => {
                leg.note_head(head.status, head.message.as_ref());
                leg.allow_rest();
                merge.head(leg.id, Heard::new(*head, Steady::now()));
                None
            }
            Ok(Some(GetFrame::Object(object))) if leg.has_head() => {
                leg.note_rows(1);
                merge.object(leg.id, *object);
                None
            }
            Ok(Some(GetFrame::End(end))) if leg.has_head() => Some(Ok(end)),
            Ok(Some(_)) => Some(Err(garbled("its frames are out of order"))),
            Ok(None) => Some(Err(garbled("it breaks off without an end"))),
            Err(failure) => Some(Err(failure)),
        };
        match end {
            // Its next frame comes before clusters that were not asked yet.
            None => waiting.push_front((leg, received)),
            Some(end) => merge.finish(leg.id, over(&mut leg, end)),
        }
    }
    merge.into_page()
}

/// The next frame of a leg of which `received` bytes had come before it.
async fn pull<'a>(
    query: &GetQuery,
    room: &Room,
    mut leg: Leg<'a>,
    received: u64,
) -> (Leg<'a>, u64, Result<Option<GetFrame>, LegFailure>) {
    let frame = read(query, &mut leg).await;
    let more = leg.received().saturating_sub(received);
    let frame = frame.and_then(|frame| room.take(more).map(|()| frame));
    (leg, received + more, frame)
}

async fn read(query: &GetQuery, leg: &mut Leg<'_>) -> Result<Option<GetFrame>, LegFailure> {
    if !leg.is_sent() {
        let mut request = query.leg_request(leg.context());
        leg.send(paths::GET, |remaining_ms| {
            request.context.deadline_ms = remaining_ms;
            request
        })
        .await?;
    }
    leg.frame().await
}

fn over(leg: &mut Leg<'_>, end: Result<GetEnd, LegFailure>) -> Result<GetEnd, LegFailure> {
    match &end {
        Ok(_) => leg.complete(),
        Err(failure) => leg.note_failure(failure),
    }
    end
}
