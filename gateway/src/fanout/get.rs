//! Whole objects.

use kubeplex_proto::get::{FoundObject, GetEnd, GetFrame, GetHead};
use kubeplex_proto::paths;
use kubeplex_proto::status::LegStatus;

use super::Asked;
use super::leg::Leg;
use super::whole::{self, Part, Whole};
use crate::error::CallError;
use crate::merge::{GetMerge, GetPage, Heard, LegFailure};
use crate::request::{GetQuery, LegId};

/// Drives the merge to a page.
pub(super) async fn merge(
    query: &GetQuery,
    asked: Asked<'_>,
    legs: Vec<Leg<'_>>,
) -> Result<GetPage, CallError> {
    let mut merge = GetMerge::new(query);
    whole::read(&mut merge, asked, legs, paths::GET, |_, context| query.leg_request(context)).await;
    merge.into_page()
}

impl Whole for GetMerge {
    type Frame = GetFrame;
    type Head = GetHead;
    type Body = FoundObject;
    type End = GetEnd;

    fn said(head: &GetHead) -> (LegStatus, Option<&String>) {
        (head.status, head.message.as_ref())
    }

    fn rows(_: &FoundObject) -> usize {
        1
    }

    fn head(&mut self, leg: LegId, heard: Heard<GetHead>) {
        self.head(leg, heard);
    }

    fn body(&mut self, leg: LegId, object: FoundObject) {
        self.object(leg, object);
    }

    fn finish(&mut self, leg: LegId, end: Result<GetEnd, LegFailure>) {
        self.finish(leg, end);
    }
}

impl From<GetFrame> for Part<GetHead, FoundObject, GetEnd> {
    fn from(frame: GetFrame) -> Self {
        match frame {
            GetFrame::Head(head) => Self::Head(*head),
            GetFrame::Object(object) => Self::Body(*object),
            GetFrame::End(end) => Self::End(end),
        }
    }
}
