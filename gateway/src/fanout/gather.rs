//! Items of whatever a question is about.

use kubeplex_proto::gather::{GatherEnd, GatherFrame, GatherHead};
use kubeplex_proto::status::LegStatus;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Asked;
use super::leg::Leg;
use super::whole::{self, Part, Whole};
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
    whole::read(&mut merge, asked, legs, path, question).await;
    merge.into_gathered()
}

impl<T: DeserializeOwned> Whole for Gather<T> {
    type Frame = GatherFrame<T>;
    type Head = GatherHead;
    type Body = Vec<T>;
    type End = GatherEnd;

    fn said(head: &GatherHead) -> (LegStatus, Option<&String>) {
        (head.status, head.message.as_ref())
    }

    fn rows(items: &Vec<T>) -> usize {
        items.len()
    }

    fn head(&mut self, leg: LegId, heard: Heard<GatherHead>) {
        self.head(leg, heard);
    }

    fn body(&mut self, leg: LegId, items: Vec<T>) {
        self.items(leg, items);
    }

    fn finish(&mut self, leg: LegId, end: Result<GatherEnd, LegFailure>) {
        self.finish(leg, end);
    }
}

impl<T> From<GatherFrame<T>> for Part<GatherHead, Vec<T>, GatherEnd> {
    fn from(frame: GatherFrame<T>) -> Self {
        match frame {
            GatherFrame::Head(head) => Self::Head(*head),
            GatherFrame::Items(items) => Self::Body(items),
            GatherFrame::End(end) => Self::End(end),
        }
    }
}
