//! Groups: every leg sends all that it has, and is read to its end at once.

use std::collections::VecDeque;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use kubeplex_proto::list::ListFrame;
use tracing::Instrument as _;

use super::Asked;
use super::leg::{Leg, garbled};
use super::room::Room;
use crate::clock::Steady;
use crate::error::CallError;
use crate::limits::LEG_GROUP_BYTES;
use crate::merge::{GroupsAnswer, GroupsMerge, GroupsPage, Heard, LegFailure};
use crate::request::{GroupBy, ListQuery};

/// Asks every leg, and puts their groups together.
pub(super) async fn merge(
    query: &ListQuery,
    by: &GroupBy,
    asked: Asked<'_>,
    legs: Vec<Leg<'_>>,
) -> Result<GroupsPage, CallError> {
    let mut merge = GroupsMerge::new(query, by);
    let room = Room::new(asked.fanout.answer_bytes as u64);
    let mut waiting: VecDeque<Leg<'_>> = legs.into();
    let mut working = FuturesUnordered::new();
    loop {
        while working.len() < asked.fanout.legs_per_call
            && let Some(leg) = waiting.pop_front()
        {
            let span = leg.span.clone();
            working.push(pull(query, &room, leg).instrument(span));
        }
        let Some((leg, answer)) = working.next().await else { break };
        merge.answer(leg.id, answer);
    }
    merge.into_page()
}

async fn pull<'a>(
    query: &ListQuery,
    room: &Room,
    mut leg: Leg<'a>,
) -> (Leg<'a>, Result<GroupsAnswer, LegFailure>) {
    let answer = read(query, room, &mut leg).await;
    match &answer {
        Ok(answer) => {
            leg.note_rows(answer.groups.len());
            leg.complete();
        }
        Err(failure) => leg.note_failure(failure),
    }
    (leg, answer)
}

async fn read(query: &ListQuery, room: &Room, leg: &mut Leg<'_>) -> Result<GroupsAnswer, LegFailure> {
    let mut request = query.leg_request(leg.cluster, 0, LEG_GROUP_BYTES, None, leg.context());
    leg.send(request.path(), |remaining_ms| {
        request.context.deadline_ms = remaining_ms;
        request
    })
    .await?;
    let (mut head, mut groups, mut received) = (None, Vec::new(), 0);
    loop {
        let frame = leg.frame().await?;
        room.take(leg.received().saturating_sub(received))?;
        received = received.max(leg.received());
        match (frame, head.take()) {
            (Some(ListFrame::Head(first)), None) => {
                leg.note_head(first.status, first.message.as_ref());
                leg.allow_rest();
                head = Some(Heard::new(*first, Steady::now()));
            }
            (Some(ListFrame::Groups(more)), Some(first)) => {
                groups.extend(more);
                head = Some(first);
            }
            (Some(ListFrame::End(end)), Some(heard)) => return Ok(GroupsAnswer { heard, groups, end }),
            (Some(_), _) => return Err(garbled("its frames are not those of groups")),
            (None, _) => return Err(garbled("it breaks off without an end")),
        }
        if received > 2 * LEG_GROUP_BYTES {
            return Err(garbled("more than it was asked for"));
        }
    }
}
