//! Where a watch loop stands between two events.

use super::step::Nudged;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    Streaming,
    Paging {
        next: Option<String>,
    },
    Watching {
        /// The rows were proven current since the watch was opened, be it by the list that it began with.
        proven: bool,
        heard: Heard,
    },
    Waiting {
        then: Then,
    },
}

/// What follows a pause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Then {
    List,
    Page { next: Option<String> },
    Watch,
}

/// What the open watch has said so far, beside what it began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    Nothing,
    /// Not even after a nudge.
    NothingAfter(Nudged),
    /// An event or a bookmark; where a server sends bookmarks, there are some from then on.
    Something,
}

/// How the last watch fell silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// It did not.
    None,
    /// The server may have had nothing to say.
    Excused,
    /// It should have said something. Opening another watch proves nothing.
    Unbelieved,
}
