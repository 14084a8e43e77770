//! Watches that say nothing: what is a reason for doubt, and what dispels it.

use super::*;

#[test]
fn a_quiet_watch_that_is_reset_is_opened_again_at_once() {
    for lived in [0, 5, 40] {
        check_after_list(&[
            (broke_after(lived, Transient), "→ WATCH 7"),
            (Event::Opened, "reopened synced → READ"),
            (broke_after(40, Transient), "→ WATCH 7"),
            (Event::Opened, "reopened synced → READ"),
            (broke_after(40, Transient), "→ WATCH 7"),
            (failed(Transient), if lived == 40 { "stale → WAIT 500ms" } else { "stale → WAIT 1000ms" }),
        ]);
    }
    // One that is reset again and again before it says anything is no busy loop.
    check_after_list(&[
        (broke_after(5, Transient), "→ WATCH 7"),
        (Event::Opened, "reopened synced → READ"),
        (broke_after(5, Transient), "stale → WAIT 1000ms"),
    ]);
}

/// Servers stream from what they hold in memory, and hold nothing of a kind whose stored objects they can't convert. Pages come
/// from the store, and with them the word of what is wrong.
#[test]
fn a_streamed_list_without_an_answer_gives_way_to_pages() {
    check(
        true,
        &[
            (Event::Start, "begin → STREAM"),
            (failed(Unreached), "syncing → WAIT FOR SERVER 500ms"),
            (Event::Reached, "begin → PAGE 1 500"),
            (failed(Transient), "syncing → WAIT 500ms"),
            (Event::Waited, "→ PAGE 1 500"),
            (failed(Transient), "error → WAIT 1000ms"),
        ],
    );
}

#[test]
fn a_quiet_watch_is_nudged_and_believed_by_the_bookmark_that_follows() {
    for nudged in [Nudged::BookmarkFollows, Nudged::BookmarkMayFollow] {
        check_after_list(&[
            (Event::Quiet, "→ NUDGE"),
            (Event::Nudged(nudged), "→ READ"),
            (seen("8"), "current synced → READ"),
            // It has spoken, so from now on silence is silence.
            (Event::Silent, "stale → WATCH 8"),
        ]);
    }
    check(
        true,
        &[
            (Event::Start, "begin → STREAM"),
            (Event::Opened, "→ READ"),
            (initial_end("9"), "finish current synced → READ"),
            (Event::Quiet, "→ NUDGE"),
            (Event::Nudged(Nudged::BookmarkFollows), "→ READ"),
            (seen("9"), "current synced → READ"),
            (ended_after(250), "→ WATCH 9"),
            (Event::Opened, "reopened synced → READ"),
            (Event::Quiet, "→ NUDGE"),
        ],
    );
}

#[test]
fn a_watch_that_stays_silent_in_spite_of_a_nudge_is_stale() {
    for nudged in [Nudged::BookmarkFollows, Nudged::Failed] {
        check_after_list(&[
            (Event::Quiet, "→ NUDGE"),
            (Event::Nudged(nudged), "→ READ"),
            (Event::Silent, "stale → WATCH 7"),
            (Event::Opened, "→ READ"),
            (Event::Quiet, "→ NUDGE"),
            (Event::Nudged(nudged), "→ READ"),
            (Event::Silent, "stale begin → PAGE 1 500"),
        ]);
    }
    // The nudge hangs as the watch does.
    check_after_list(&[(Event::Quiet, "→ NUDGE"), (Event::Silent, "stale → WATCH 7")]);
}

#[test]
fn an_old_server_that_sends_no_bookmarks_is_believed_once_and_then_listed() {
    check_after_list(&[
        (Event::Quiet, "→ NUDGE"),
        (Event::Nudged(Nudged::BookmarkMayFollow), "→ READ"),
        (Event::Silent, "→ WATCH 7"),
        (Event::Opened, "reopened synced → READ"),
        // It was no use before.
        (Event::Quiet, "→ READ"),
        (Event::Silent, "begin → PAGE 1 500"),
        (page("9", ""), "finish synced → WATCH 9"),
        (Event::Opened, "reopened synced → READ"),
        (Event::Quiet, "→ READ"),
        (Event::Silent, "→ WATCH 9"),
        (failed(Transient), "stale → WAIT 500ms"),
    ]);
    // A watch that did speak has no such excuse, and neither has the one that is opened after it.
    check_after_list(&[
        (seen("8"), "current synced → READ"),
        (Event::Silent, "stale → WATCH 8"),
        (Event::Opened, "→ READ"),
        (Event::Quiet, "→ NUDGE"),
        (Event::Nudged(Nudged::BookmarkMayFollow), "→ READ"),
        (Event::Silent, "stale begin → PAGE 1 500"),
    ]);
}

#[test]
fn silence_is_stale_and_needs_better_proof_than_an_open_watch() {
    check_after_list(&[
        (Event::Silent, "stale → WATCH 7"),
        (Event::Opened, "→ READ"),
        (seen("7"), "current synced → READ"),
        (Event::Silent, "stale → WATCH 7"),
        (Event::Opened, "→ READ"),
        (Event::Silent, "stale begin → PAGE 1 500"),
        (page("9", ""), "finish synced → WATCH 9"),
    ]);
}

#[test]
fn a_server_that_tells_of_changes_and_never_of_anything_else_is_asked_for_a_list() {
    let changed = |version: &str| Event::Progress {
        version: Some(version.into()),
        initial_end: false,
        bookmark: false,
    };
    check_after_list(&[
        (changed("8"), "current synced → READ"),
        (Event::Silent, "begin → PAGE 1 500"),
        (page("9", ""), "finish synced → WATCH 9"),
        (Event::Opened, "reopened synced → READ"),
        (changed("10"), "current synced → READ"),
        (Event::Silent, "begin → PAGE 1 500"),
        (failed(Transient), "stale → WAIT 500ms"),
    ]);
    // One bookmark says that there are more, for good.
    check_after_list(&[
        (seen("8"), "current synced → READ"),
        (ended_after(250), "→ WATCH 8"),
        (Event::Opened, "reopened synced → READ"),
        (changed("9"), "current synced → READ"),
        (Event::Silent, "stale → WATCH 9"),
    ]);
}
