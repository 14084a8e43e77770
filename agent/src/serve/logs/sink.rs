//! What becomes of lines that were read.

use std::sync::Arc;

use kubeplex_proto::log::LogItem;
use kubeplex_proto::template::Fold;
use parking_lot::Mutex;

use super::reply::Out;
use crate::logs::Reading;

#[derive(Clone)]
pub(super) enum Sink {
    /// They are sent.
    Lines(Out),
    /// They are folded, for whoever takes what comes of it at the end.
    Folded(Arc<Mutex<Fold>>),
}

impl Sink {
    /// Takes the lines that are known to be meant.
    pub(super) async fn take(&self, reading: &mut Reading) {
        match self {
            Self::Lines(out) => out.lines(reading.lines_kept()).await,
            Self::Folded(fold) => reading.fold_into(&mut fold.lock()),
        }
    }

    /// Nothing more will come: what was folded is sent.
    pub(super) async fn end(self, out: &Out) {
        let Self::Folded(fold) = self else { return };
        let (templates, others) = std::mem::take(&mut *fold.lock()).into_templates();
        out.item(LogItem::Templates { templates, others }).await;
    }
}
