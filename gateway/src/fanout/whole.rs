//! Answers that are wanted to the last: every leg is read to its end as fast as it answers.

use std::collections::VecDeque;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use kubeplex_proto::status::LegStatus;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::Instrument as _;

use super::Asked;
use super::leg::{Leg, garbled};
use super::room::Room;
use crate::clock::Steady;
use crate::merge::{Aged, Heard, LegFailure};
use crate::request::{LegContext, LegId};

/// What puts such answers together.
pub(super) trait Whole {
    type Frame: DeserializeOwned + Into<Part<Self::Head, Self::Body, Self::End>>;
    type Head: Aged;
    type Body;
    type End;

    /// What the leg's record says of a head.
    fn said(head: &Self::Head) -> (LegStatus, Option<&String>);
    /// How many rows that is, for the leg's record.
    fn rows(body: &Self::Body) -> usize;

    fn head(&mut self, leg: LegId, heard: Heard<Self::Head>);
    fn body(&mut self, leg: LegId, body: Self::Body);
    fn finish(&mut self, leg: LegId, end: Result<Self::End, LegFailure>);
}

/// One frame of such an answer.
pub(super) enum Part<H, B, E> {
    Head(H),
    Body(B),
    End(E),
}

/// Asks every leg the question that `question` makes for it, at `path` of its agent, and feeds `merge`.
pub(super) async fn read<M: Whole, Q: Serialize>(
    merge: &mut M,
    asked: Asked<'_>,
    legs: Vec<Leg<'_>>,
    path: &'static str,
    question: impl Fn(LegId, LegContext) -> Q,
) {
    let room = Room::new(asked.fanout.answer_bytes as u64);
    let mut waiting: VecDeque<(Leg<'_>, u64)> = legs.into_iter().map(|leg| (leg, 0)).collect();
    let mut working = FuturesUnordered::new();
    loop {
        while working.len() < asked.fanout.legs_per_call
            && let Some((leg, received)) = waiting.pop_front()
        {
            let span = leg.span.clone();
            working.push(pull::<M, Q>(path, &question, &room, leg, received).instrument(span));
        }
        let Some((mut leg, received, frame)) = working.next().await else { break };
        match take(merge, &mut leg, frame) {
            // Its next frame comes before clusters that were not asked yet.
            None => waiting.push_front((leg, received)),
            Some(end) => merge.finish(leg.id, over(&mut leg, end)),
        }
    }
}

/// What ends the leg, if the frame does.
fn take<M: Whole>(
    merge: &mut M,
    leg: &mut Leg<'_>,
    frame: Result<Option<M::Frame>, LegFailure>,
) -> Option<Result<M::End, LegFailure>> {
    match frame.map(|frame| frame.map(Into::into)) {
        Ok(Some(Part::Head(head))) if !leg.has_head() => {
            let (status, message) = M::said(&head);
            leg.note_head(status, message);
            leg.allow_rest();
            merge.head(leg.id, Heard::new(head, Steady::now()));
            None
        }
        Ok(Some(Part::Body(body))) if leg.has_head() => {
            leg.note_rows(M::rows(&body));
            merge.body(leg.id, body);
            None
        }
        Ok(Some(Part::End(end))) if leg.has_head() => Some(Ok(end)),
        Ok(Some(_)) => Some(Err(garbled("its frames are out of order"))),
        Ok(None) => Some(Err(garbled("it breaks off without an end"))),
        Err(failure) => Some(Err(failure)),
    }
}

/// The next frame of a leg of which `received` bytes had come before it.
async fn pull<'a, M: Whole, Q: Serialize>(
    path: &'static str,
    question: &impl Fn(LegId, LegContext) -> Q,
    room: &Room,
    mut leg: Leg<'a>,
    received: u64,
) -> (Leg<'a>, u64, Result<Option<M::Frame>, LegFailure>) {
    let frame = next(path, question, &mut leg).await;
    let more = leg.received().saturating_sub(received);
    let frame = frame.and_then(|frame| room.take(more).map(|()| frame));
    (leg, received + more, frame)
}

async fn next<F: DeserializeOwned, Q: Serialize>(
    path: &'static str,
    question: &impl Fn(LegId, LegContext) -> Q,
    leg: &mut Leg<'_>,
) -> Result<Option<F>, LegFailure> {
    if !leg.is_sent() {
        let (id, context) = (leg.id, leg.context());
        leg.send(path, |deadline_ms| question(id, LegContext { deadline_ms, ..context })).await?;
    }
    leg.frame().await
}

fn over<E>(leg: &mut Leg<'_>, end: Result<E, LegFailure>) -> Result<E, LegFailure> {
    match &end {
        Ok(_) => leg.complete(),
        Err(failure) => leg.note_failure(failure),
    }
    end
}
