//! Answers that are read whole, whatever they are about.

use std::collections::VecDeque;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use kubeplex_proto::gather::{GatherEnd, GatherFrame};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::Instrument as _;

use super::Asked;
use super::leg::{Leg, garbled};
use super::room::Room;
use crate::clock::Steady;
use crate::error::CallError;
use crate::merge::{Gather, Gathered, Heard, LegFailure};
use crate::request::{LegContext, LegId};

/// Asks every leg the question that `question` makes for it, at `path` of its agent, and reads the answers to their ends.
///
/// # Errors
/// [`CallError`] when every leg failed.
pub(super) async fn gather<Q: Serialize, T: DeserializeOwned>(
    asked: Asked<'_>,
    legs: Vec<Leg<'_>>,
    path: &'static str,
    question: impl Fn(LegId, LegContext) -> Q,
) -> Result<Gathered<T>, CallError> {
    let mut merge = Gather::new(asked.request.targets());
    let room = Room::new(asked.fanout.answer_bytes as u64);
    let mut waiting: VecDeque<(Leg<'_>, u64)> = legs.into_iter().map(|leg| (leg, 0)).collect();
    let mut working = FuturesUnordered::new();
    loop {
        while working.len() < asked.fanout.legs_per_call
            && let Some((leg, received)) = waiting.pop_front()
        {
            let span = leg.span.clone();
            working.push(pull(path, &question, &room, leg, received).instrument(span));
        }
        let Some((mut leg, received, frame)) = working.next().await else { break };
        let end = match frame {
            Ok(Some(GatherFrame::Head(head))) if !leg.has_head() => {
                leg.note_head(head.status, head.message.as_ref());
                leg.allow_rest();
                merge.head(leg.id, Heard::new(*head, Steady::now()));
                None
            }
            Ok(Some(GatherFrame::Items(items))) if leg.has_head() => {
                leg.note_rows(items.len());
                merge.items(leg.id, items);
                None
            }
            Ok(Some(GatherFrame::End(end))) if leg.has_head() => Some(Ok(end)),
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
    merge.into_gathered()
}

/// The next frame of a leg of which `received` bytes had come before it.
async fn pull<'a, Q: Serialize, T: DeserializeOwned>(
    path: &'static str,
    question: &impl Fn(LegId, LegContext) -> Q,
    room: &Room,
    mut leg: Leg<'a>,
    received: u64,
) -> (Leg<'a>, u64, Result<Option<GatherFrame<T>>, LegFailure>) {
    let frame = read(path, question, &mut leg).await;
    let more = leg.received().saturating_sub(received);
    let frame = frame.and_then(|frame| room.take(more).map(|()| frame));
    (leg, received + more, frame)
}

async fn read<Q: Serialize, T: DeserializeOwned>(
    path: &'static str,
    question: &impl Fn(LegId, LegContext) -> Q,
    leg: &mut Leg<'_>,
) -> Result<Option<GatherFrame<T>>, LegFailure> {
    if !leg.is_sent() {
        let (id, context) = (leg.id, leg.context());
        leg.send(path, |deadline_ms| question(id, LegContext { deadline_ms, ..context })).await?;
    }
    leg.frame().await
}

fn over(leg: &mut Leg<'_>, end: Result<GatherEnd, LegFailure>) -> Result<GatherEnd, LegFailure> {
    match &end {
        Ok(_) => leg.complete(),
        Err(failure) => leg.note_failure(failure),
    }
    end
}
